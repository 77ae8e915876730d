//! What browsers are told: cookies, frames, and what other pages may read.

use crate::support::{Answer, SINGAPORE, Server, VIRGINIA, send};
use reqwest::{Client, Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_person_and_no_other() {
    let server = Server::start().await;
    let (here, there, stranger) = (server.owner().await, server.owner().await, server.stranger().await);
    let answer = here.delete("/sessions").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("keygate_session=;") && cookie.contains("Max-Age=0"), "{cookie}");
    for ended in [&here, &there] {
        assert_eq!(ended.get("/session").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(ended.delete("/sessions").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(stranger.get("/session").await.status, StatusCode::OK);

    use sqlx::Connection as _;
    let file = format!("sqlite:{}", server.dir.path().join("data/keygate.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&file).await.unwrap();
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT actor_email, detail FROM audit WHERE action = 'session_delete_all'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(rows, [(crate::support::OWNER.to_owned(), r#"{"sessions":2}"#.to_owned())]);
    assert_eq!(server.owner().await.get("/session").await.status, StatusCode::OK);
}

/// Signs in at a server whose URL is not its address, and gives the cookie.
async fn cookie(toml: &str) -> (String, String) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let region = format!("[[regions]]\nid = '{SINGAPORE}'\nlisten = '127.0.0.1:{port}'\n");
    let server = Server::start_with(&format!("{toml}{region}")).await;
    let link = server.running.sign_in_link(None).await.unwrap();
    let token = link.split_once("token=").unwrap().1;
    let base = format!("http://127.0.0.1:{port}/console/v1");
    let answer = send(Client::new().post(format!("{base}/session")).json(&json!({ "token": token }))).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let session = Client::new().get(format!("{base}/session")).header("cookie", answer.cookie().unwrap());
    assert_eq!(send(session).await.status, StatusCode::OK);
    let description = send(Client::new().get(format!("{base}/openapi.json"))).await;
    let named = &description.body["components"]["securitySchemes"]["session"]["name"];
    (answer.headers["set-cookie"].to_str().unwrap().to_owned(), named.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_cookie_follows_the_configuration() {
    let https = "public_url = 'https://api.example.com'\n";
    let strict = ["HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age=604800"];
    let secure = ["HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=604800"];
    let prefixed = ["HttpOnly", "SameSite=Strict", "Secure", "Path=/console", "Max-Age=604800"];
    let any = ["HttpOnly", "SameSite=None", "Partitioned", "Secure", "Path=/", "Max-Age=604800"];
    for (toml, name, attributes) in [
        (String::new(), "keygate_session", &strict[..]),
        ("session_cookie = 'kg-eu'\n".to_owned(), "kg-eu", &strict),
        (https.to_owned(), "__Host-keygate_session", &secure),
        (format!("{https}session_cookie = 'kg-eu'\n"), "__Host-kg-eu", &secure),
        (format!("{https}session_cookie = '__Secure-kg'\n"), "__Secure-kg", &prefixed),
        (format!("{https}cross_site_cookies = true\n"), "__Host-keygate_session", &any),
    ] {
        let (cookie, named) = cookie(&toml).await;
        let (pair, rest) = cookie.split_once("; ").unwrap();
        assert_eq!((named.as_str(), pair.split_once('=').unwrap().0), (name, name));
        assert_eq!(rest.split("; ").collect::<Vec<_>>(), attributes);
    }
}

#[tokio::test]
async fn nothing_of_the_console_can_be_framed() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let url = server.running.console_url();
    let second = server.gateway(VIRGINIA).replace("/compatible-mode/v1", "");
    let page = send(Client::new().get(format!("{url}/"))).await;
    let tag = page.headers["etag"].to_str().unwrap().to_owned();
    let get = |url: String| send(Client::new().get(url));
    let answers: Vec<(&str, Answer)> = vec![
        ("page", page),
        ("not modified", send(Client::new().get(format!("{url}/")).header("if-none-match", tag)).await),
        ("configuration", get(format!("{url}/config.json")).await),
        ("no such file", get(format!("{url}/x.js")).await),
        ("health", get(format!("{url}/health")).await),
        ("ready", get(format!("{url}/ready")).await),
        ("another listener", get(format!("{second}/")).await),
        ("its health", get(format!("{second}/health")).await),
        ("session", owner.get("/session").await),
        ("no such path", owner.get("/nothing").await),
        ("another method", owner.put("/session", json!({})).await),
        ("not signed in", server.anonymous().get("/session").await),
        ("refused", owner.post("/session", json!({})).await),
        ("preflight", send(owner.request(Method::OPTIONS, "/session")).await),
        ("large", send(owner.request(Method::GET, "/session").header("x-pad", "x".repeat(34 << 10))).await),
    ];
    assert_eq!(answers[1].1.status, StatusCode::NOT_MODIFIED);
    for (what, answer) in answers {
        let header = |name: &str| answer.headers[name].to_str().unwrap();
        assert_eq!(header("x-frame-options"), "DENY", "{what}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{what}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    }
}

#[tokio::test]
async fn any_page_may_ask_a_listener_for_its_health_and_its_region() {
    let server = Server::start().await;
    for (region, base) in server.running.gateways() {
        let url = base.replace("/compatible-mode/v1", "/health");
        let answer = send(Client::new().get(url).header("origin", "https://anywhere.example")).await;
        assert_eq!(
            (answer.status, answer.body),
            (StatusCode::OK, json!({ "status": "ok", "region": region }))
        );
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert_eq!(answer.headers["cross-origin-resource-policy"], "cross-origin");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn the_console_is_told_of_the_server_that_serves_it() {
    let server = Server::start().await;
    let url = format!("{}/config.json", server.running.console_url());
    let answer = send(Client::new().get(url)).await;
    assert_eq!(answer.body, json!({ "backends": [{ "url": "" }] }));
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-cache");
}
