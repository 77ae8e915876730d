//! The console's files as a browser gets them.

use crate::support::{Server, send};
use reqwest::{Client, StatusCode};

const INDEX: &str = "<!doctype html><title>Keygate</title><script type=\"module\">start()</script>";

async fn server() -> (Server, tempfile::TempDir) {
    let dist = tempfile::tempdir().unwrap();
    for (name, text) in
        [("index.html", INDEX), ("app-0123456789abcdef.js", "x"), ("app-0123456789abcdef.js.br", "b")]
    {
        std::fs::write(dist.path().join(name), text).unwrap();
    }
    std::fs::write(dist.path().parent().unwrap().join("outside.txt"), "secret").ok();
    (Server::start_with(&format!("console_dir = '{}'\n", dist.path().display())).await, dist)
}

#[tokio::test]
async fn any_page_of_the_console_is_the_index_with_a_strict_policy() {
    let (server, _dist) = server().await;
    for path in [
        "/",
        "/sign-in?token=x",
        "/ap-southeast-1/workspaces",
        "/ap-southeast-1/w/ws-1/api-keys",
        "/ap-southeast-1/w/ws-1/requests/a%2Fb",
        "/ap-southeast-1/w/ws-1/requests/..%2F..%2Foutside.txt",
        "/ap-southeast-1/w/ws-1/requests/1.5",
    ] {
        let answer = send(Client::new().get(format!("{}{path}", server.running.console_url()))).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, Some(INDEX)), "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["cache-control"], "no-cache");
    }
}

#[tokio::test]
async fn an_application_with_the_wrong_base_url_gets_no_page() {
    let (server, _dist) = server().await;
    let url = |path: &str| format!("{}{path}", server.running.console_url());
    for request in [
        Client::new().get(url("/v1/models")).bearer_auth("sk-kg-x"),
        Client::new().get(url("/models")).header("x-api-key", "sk-kg-x"),
        Client::new().get(url("/v1/models")).header("accept", "application/json"),
        Client::new().post(url("/v1/chat/completions")).body("{}"),
    ] {
        let answer = send(request).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "not_found"));
    }
}

#[tokio::test]
async fn files_are_there_or_404_and_nothing_outside_can_be_reached() {
    let (server, _dist) = server().await;
    let get = async |path: &str| {
        // Sent as it stands: a client would tidy the dots away.
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let address = server.running.console_url().strip_prefix("http://").unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept-encoding: br\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    };
    let file = get("/app-0123456789abcdef.js").await;
    assert!(
        file.starts_with("HTTP/1.1 200")
            && file.contains("content-encoding: br")
            && file.contains("immutable")
    );
    for path in [
        "/unknown.js",
        "/../outside.txt",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "/app.js/../../outside.txt",
    ] {
        let answer = get(path).await;
        assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("secret"), "{path}: {answer}");
    }
}
