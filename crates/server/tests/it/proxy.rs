//! A proxy in front of the server that is missing from the configuration.

use crate::binary::Binary;
use std::path::Path;

/// Starts the binary, sends it three requests as a proxy does, kills it, and returns the warnings about
/// `trusted_proxies`.
async fn warnings(dir: &Path, toml: &str) -> Vec<String> {
    let config = dir.join("keygate.toml");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let data = dir.join("data");
    std::fs::write(&config, format!("data_dir = '{}'\nlisten = '127.0.0.1:{port}'\n{toml}", data.display()))
        .unwrap();
    let binary = Binary::serve(&config, &[]).await;
    let http = reqwest::Client::new();
    for header in ["x-forwarded-for", "forwarded", "x-forwarded-for"] {
        let request = http.get(format!("http://127.0.0.1:{port}/console/v1/session"));
        assert_eq!(request.header(header, "203.0.113.9").send().await.unwrap().status(), 401);
    }
    let log = binary.kill().await;
    log.lines().filter(|line| line.contains("trusted_proxies")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_proxy_that_is_not_named_is_warned_of_once() {
    let region = "[[regions]]\nid = 'ap-southeast-1'\n";
    let https = "public_url = 'https://keygate.example.com'\n";
    for (toml, expected) in [
        (String::new(), &["a request carries X-Forwarded-For"][..]),
        (https.to_owned(), &["public_url is https", "a request carries X-Forwarded-For"]),
        (format!("{https}trusted_proxies = ['127.0.0.1']\n"), &[]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let found = warnings(dir.path(), &format!("{toml}{region}")).await;
        assert_eq!(found.len(), expected.len(), "{toml}: {found:?}");
        for (line, text) in found.iter().zip(expected) {
            assert!(line.contains("\"WARN\"") && line.contains(text), "{line}");
        }
    }
}
