//! Which pages may use the API, and which may change something with a person's cookie.

use crate::support::{Answer, Client, SINGAPORE, Server, send, workspaces};
use reqwest::{Method, StatusCode};
use serde_json::json;

const LISTED: &str = "https://console.example.com";
const EVIL: &str = "https://evil.example";

async fn server() -> Server {
    Server::start_with("console_origins = ['https://console.example.com']\n").await
}

/// The headers of CORS in an answer.
fn cors(answer: &Answer) -> Vec<&str> {
    let names = answer.headers.keys().map(reqwest::header::HeaderName::as_str);
    names.filter(|name| name.starts_with("access-control-")).collect()
}

async fn preflight(client: &Client, path: &str, origin: &str) -> Answer {
    let request = client.request(Method::OPTIONS, path).header("origin", origin);
    let request = request.header("access-control-request-method", "PATCH");
    send(request.header("access-control-request-headers", "content-type,idempotency-key")).await
}

#[tokio::test]
async fn a_listed_origin_is_allowed_what_the_console_sends_and_another_nothing() {
    let server = server().await;
    let mut client = server.anonymous();
    client.origin = String::new();
    for path in ["/session", "/regions", "/nothing"] {
        let answer = preflight(&client, path, LISTED).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        for (name, value) in [
            ("access-control-allow-origin", LISTED),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET,POST,PUT,PATCH,DELETE"),
            ("access-control-allow-headers", "content-type,idempotency-key"),
            ("access-control-max-age", "7200"),
        ] {
            assert_eq!(answer.headers[name], value);
        }
        assert!(answer.headers["vary"].to_str().unwrap().contains("origin"));
        for other in [EVIL, "null", "http://console.example.com", "https://console.example.com:8443"] {
            let answer = preflight(&client, path, other).await;
            assert!(!answer.status.is_success(), "{other} at {path}");
            assert_eq!(cors(&answer), [] as [&str; 0], "{other} at {path}");
            assert!(answer.headers["vary"].to_str().unwrap().contains("origin"));
        }
    }
    // The gateway and the pages are nobody's to read from elsewhere.
    for url in ["/", "/config.json", "/ready"] {
        let request = reqwest::Client::new().get(format!("{}{url}", server.running.console_url()));
        assert_eq!(cors(&send(request.header("origin", LISTED)).await), [] as [&str; 0], "{url}");
    }
}

#[tokio::test]
async fn without_a_list_no_origin_is_allowed_anything() {
    let server = Server::start().await;
    let mut client = server.anonymous();
    client.origin = String::new();
    for origin in [LISTED, EVIL, server.running.console_url()] {
        assert_eq!(cors(&preflight(&client, "/session", origin).await), [] as [&str; 0], "{origin}");
    }
}

#[tokio::test]
async fn a_console_of_a_listed_origin_reads_and_changes_and_sees_errors() {
    let server = server().await;
    let mut client = server.owner().await;
    client.origin = LISTED.into();
    let read = client.request(Method::GET, "/session").header("origin", LISTED);
    let missing = client.request(Method::GET, "/nothing").header("origin", LISTED);
    for (request, status) in [(read, StatusCode::OK), (missing, StatusCode::NOT_FOUND)] {
        let answer = send(request).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["access-control-allow-origin"], LISTED);
        assert_eq!(answer.headers["access-control-allow-credentials"], "true");
        let exposed = answer.headers["access-control-expose-headers"].to_str().unwrap();
        assert_eq!(exposed, "x-request-id,retry-after,idempotency-replayed");
        assert!(answer.headers["vary"].to_str().unwrap().contains("origin"));
    }
    let request = client.request(Method::POST, &workspaces(SINGAPORE));
    let request = request.header("sec-fetch-site", "cross-site").json(&json!({ "name": "elsewhere" }));
    assert_eq!(send(request).await.status, StatusCode::CREATED);
    client.origin = EVIL.into();
    let refused = client.post(&workspaces(SINGAPORE), json!({ "name": "planted" })).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "cross_origin"));
    assert_eq!(cors(&refused), [] as [&str; 0]);
}

#[tokio::test]
async fn a_change_with_a_session_must_come_from_a_page_of_a_console() {
    let server = server().await;
    let mut client = server.owner().await;
    let own = std::mem::take(&mut client.origin);
    let port = own.rsplit_once(':').unwrap().1;
    let (localhost, neighbour) = (format!("http://localhost:{port}"), "http://127.0.0.1:3000".to_owned());
    for (headers, taken) in [
        (&[][..], false),
        (&[("origin", own.as_str())][..], true),
        (&[("origin", localhost.as_str())][..], true),
        (&[("origin", LISTED)][..], true),
        (&[("sec-fetch-site", "same-origin")][..], true),
        (&[("origin", EVIL)][..], false),
        (&[("origin", "null")][..], false),
        (&[("origin", neighbour.as_str())][..], false),
        (&[("origin", neighbour.as_str()), ("sec-fetch-site", "same-site")][..], false),
        (&[("sec-fetch-site", "same-site")][..], false),
        (&[("sec-fetch-site", "cross-site")][..], false),
        (&[("sec-fetch-site", "none")][..], false),
        // A page cannot set `Host`, and a proxy may: it says nothing.
        (&[("origin", EVIL), ("host", "evil.example")][..], false),
    ] {
        for (method, path) in [
            (Method::POST, workspaces(SINGAPORE)),
            (Method::DELETE, "/regions/x/workspaces/y/api-keys/z".into()),
        ] {
            let request = client.request(method.clone(), &path).json(&json!({ "name": "" }));
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let answer = send(request).await;
            let refused = (answer.status, answer.code()) == (StatusCode::FORBIDDEN, "cross_origin");
            assert_eq!(!refused, taken, "{method} {headers:?}: {}", answer.body);
            if headers.is_empty() {
                let message = answer.body["error"]["message"].as_str().unwrap();
                assert!(message.contains(&format!("`Origin: {own}`")), "{message}");
            }
        }
    }
    // Reading needs nothing.
    assert_eq!(client.get("/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_session_programs_may_go_on_and_other_pages_not() {
    let server = server().await;
    let mut client = server.anonymous();
    client.origin = String::new();
    let body = json!({ "email": "nobody@example.com" });
    assert_eq!(client.post("/session/email-code", body.clone()).await.status, StatusCode::ACCEPTED);
    assert_eq!(client.post(&workspaces(SINGAPORE), json!({ "name": "a" })).await.code(), "not_signed_in");
    client.origin = EVIL.into();
    let answer = client.post("/session/email-code", body).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "cross_origin"));
}

#[tokio::test]
async fn what_a_form_can_send_is_refused() {
    let server = server().await;
    let owner = server.owner().await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    {
        for (origin, status, code) in [
            (owner.origin.as_str(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            (EVIL, StatusCode::FORBIDDEN, "cross_origin"),
        ] {
            let mut client = server.anonymous();
            client.cookie.clone_from(&owner.cookie);
            client.origin = origin.to_owned();
            let request = client.request(Method::POST, &workspaces(SINGAPORE));
            let request = request.header("content-type", content_type).body(r#"{"name":"planted"}"#);
            let answer = send(request).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{content_type} from {origin}");
        }
    }
    let items = owner.get(&workspaces(SINGAPORE)).await.body;
    assert_eq!(items["total"], 1, "nothing was planted");
}
