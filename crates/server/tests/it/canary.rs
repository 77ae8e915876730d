//! No secret appears in any log line, answer, mail or row. The test plants a key, sessions, a link, codes and browser
//! cookies in the real binary, with all logging on, and searches everything it wrote.

use crate::binary::Binary;
use crate::outbox::{Outbox, other_than};
use crate::support::{Client, OWNER, SINGAPORE, api_keys, call, chat, chat_call, send, workspaces};
use reqwest::StatusCode;
use serde_json::json;
use std::path::Path;

#[tokio::test]
async fn no_secret_is_written_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let binary = Binary::start(dir.path(), "", &[("KEYGATE_LOG", "trace")]).await;
    let (url, token) = (binary.console.clone(), token_of(binary.link.as_ref().unwrap()));
    let origin = url.parse().unwrap();
    let http = reqwest::Client::builder()
        .default_headers([(reqwest::header::ORIGIN, origin)].into_iter().collect())
        .build()
        .unwrap();
    let console = format!("{url}/console/v1");

    let signed_in = send(http.post(format!("{console}/session")).json(&json!({ "token": token }))).await;
    assert_eq!(signed_in.status, StatusCode::CREATED);
    let cookie = signed_in.cookie().unwrap();
    let session = cookie.split_once('=').unwrap().1.to_owned();
    let browser = signed_in.cookies().remove(1).1;
    let planted = plant_codes(&url, &data, &browser).await;
    let get = |path: String| send(http.get(format!("{console}{path}")).header("cookie", &cookie));
    let post = |path: String, body: serde_json::Value| {
        let request = http.post(format!("{console}{path}")).header("cookie", &cookie);
        send(request.header("idempotency-key", &path).json(&body))
    };
    let listed = get(workspaces(SINGAPORE)).await;
    let workspace = listed.body["items"][0]["id"].as_str().unwrap().to_owned();
    let keys = api_keys(SINGAPORE, &workspace);
    let created = post(keys.clone(), json!({ "description": "canary" })).await;
    let key = created.body["secret"].as_str().unwrap().to_owned();
    let id = created.body["id"].as_str().unwrap().to_owned();

    // Every way the key and the session pass through: good, repeated, refused, broken, and after the end.
    let gateway = binary.gateway.clone();
    let mut answers = vec![
        post(keys.clone(), json!({ "description": "canary" })).await,
        get(keys.clone()).await,
        get(format!("{keys}/{id}")).await,
        get(format!("{keys}?q={key}")).await,
        chat_call(&gateway, &key, "qwen-plus").await,
        chat_call(&gateway, &key, "gpt-nonsense").await,
        chat_call(&gateway, &format!("{key}x"), "qwen-plus").await,
        send(call(&gateway, "/chat/completions", &key).body("{")).await,
        send(http.post(format!("{gateway}/chat/completions?key={key}")).json(&chat("qwen-plus"))).await,
        send(http.get(format!("{gateway}/models")).header("x-api-key", &key)).await,
        send(http.get(format!("{gateway}/nothing")).bearer_auth(&key)).await,
        send(http.post(format!("{console}/session")).json(&json!({ "token": token }))).await,
    ];
    let made = post(format!("{keys}/{id}/temporary-key"), json!({})).await;
    let temporary = made.body["token"].as_str().unwrap().to_owned();
    let tokens = format!("{url}/api/v1/tokens");
    answers.extend([
        post(format!("{keys}/{id}/temporary-key"), json!({})).await,
        chat_call(&gateway, &temporary, "qwen-plus").await,
        chat_call(&gateway, &format!("{temporary}x"), "qwen-plus").await,
        send(http.post(format!("{tokens}?expire_in_seconds=0")).bearer_auth(&key)).await,
        send(http.post(format!("{tokens}?key={temporary}"))).await,
        send(http.post(tokens).bearer_auth(&temporary)).await,
    ]);
    let reset = post(format!("{keys}/{id}/reset"), json!({ "overlap_seconds": 60 })).await;
    let new = reset.body["secret"].as_str().unwrap().to_owned();
    answers.extend([
        post(format!("{keys}/{id}/reset"), json!({ "overlap_seconds": 60 })).await,
        chat_call(&gateway, &new, "qwen-plus").await,
        chat_call(&gateway, &key, "qwen-plus").await,
        get(format!("{keys}/{id}")).await,
    ]);
    let gone = http.delete(format!("{console}{keys}/{id}")).header("cookie", &cookie);
    answers.push(send(gone).await);
    answers.push(chat_call(&gateway, &key, "qwen-plus").await);
    answers.push(send(http.delete(format!("{console}/session")).header("cookie", &cookie)).await);

    let (rest, log) = binary.stop().await;
    let mut written = vec![("standard output".to_owned(), rest.into_bytes())];
    written.extend(
        answers.iter().enumerate().map(|(n, a)| (format!("answer {n}"), format!("{a:?}").into_bytes())),
    );
    written.extend(
        planted.answers.into_iter().map(|body| ("answer of a sign-in".to_owned(), body.into_bytes())),
    );
    assert!(log.contains("console request"), "the log is on");
    written.push(("log".into(), log.into_bytes()));
    for file in walk(&data).into_iter().filter(|f| !f.ends_with("server.key")) {
        written.push((file.display().to_string(), std::fs::read(&file).unwrap()));
    }
    assert!(written.iter().any(|(name, _)| name.ends_with("keygate.db")));
    // The public id and the masked ends of a key may stand anywhere; what is between may not.
    for (what, secret) in [
        ("key", &key[18..61]),
        ("new secret", &new[18..61]),
        // Behind the public id and the end of its life.
        ("temporary key", &temporary[26..]),
        ("session", session.as_str()),
        ("link", token.as_str()),
        ("cookie of the browser", browser.as_str()),
    ]
    .into_iter()
    .chain(planted.cookies.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    {
        for (place, bytes) in &written {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "the {what} stands in {place}");
        }
    }
    // Six digits may appear by chance, but not two of three codes.
    let not_mails = || written.iter().filter(|(place, _)| !place.contains("/outbox/"));
    assert_eq!(written.len() - not_mails().count(), 3, "the mails have the codes");
    let places = |code: &String| -> Vec<&str> {
        not_mails().filter(|(_, bytes)| has_number(bytes, code)).map(|(place, _)| place.as_str()).collect()
    };
    let found: Vec<_> = planted.codes.iter().map(places).filter(|places| !places.is_empty()).collect();
    assert!(found.len() < 2, "codes stand in {found:?}");
}

/// The token of a sign-in link.
fn token_of(link: &str) -> String {
    link.split_once("token=").unwrap().1.to_owned()
}

/// What was planted by signing in with codes, and the answers.
#[derive(Default)]
struct Planted {
    codes: Vec<String>,
    cookies: Vec<(String, String)>,
    /// Without their headers, which set the cookies.
    answers: Vec<String>,
}

/// Signs in by code in a known browser and in two unknown ones: with a wrong code, in the wrong fields, with the right
/// code, and again.
async fn plant_codes(url: &str, data: &Path, browser: &str) -> Planted {
    let (mut planted, mut outbox) = (Planted::default(), Outbox::of(data));
    for address in ["127.0.0.1", "127.0.0.2", "127.0.0.3"] {
        let mut client = Client::from_address(url, address);
        client.cookie = (address == "127.0.0.1").then(|| format!("keygate_session_browser={browser}"));
        let mut answers = vec![client.ask_code(OWNER).await, client.ask_code(OWNER).await];
        let code = outbox.next_code().await;
        answers.extend([
            client.enter_code(OWNER, other_than(&code)).await,
            client.enter_code("nobody@example.com", &code).await,
            client.get(&format!("/session?code={code}")).await,
            client.post("/session", json!({ "email": OWNER, "code": code, "token": code })).await,
            client.post("/session", json!({ "email": OWNER, "code": [code] })).await,
            client.post("/session", json!({ "email": OWNER, "code": code.parse::<u64>().unwrap() })).await,
            Client::from_address(url, address).enter_code(OWNER, &code).await,
        ]);
        let mut cookies = client.cookie.clone();
        answers.push(client.enter_code(OWNER, &code).await);
        assert_eq!(answers.last().unwrap().status, StatusCode::CREATED);
        for name in ["keygate_session", "keygate_session_browser"] {
            planted.cookies.push((name.into(), client.cookie_named(name).unwrap()));
        }
        std::mem::swap(&mut cookies, &mut client.cookie);
        planted.cookies.push(("nonce".into(), client.cookie_named("keygate_session_code").unwrap()));
        answers.push(client.enter_code(OWNER, &code).await);
        planted.answers.extend(answers.iter().map(|answer| format!("{} {}", answer.status, answer.body)));
        planted.codes.push(code);
    }
    planted
}

/// Whether the digits appear as a separate number or word.
fn has_number(bytes: &[u8], digits: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.windows(digits.len()).enumerate().any(|(at, window)| {
        window == digits.as_bytes()
            && !is_part(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && !is_part(bytes.get(at + digits.len()))
    })
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
