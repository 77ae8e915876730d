//! What a key may do less than its workspace: from where it may be used, and for which models.

use crate::support::{Answer, SINGAPORE, Server, VIRGINIA, api_keys, call, chat, chat_call, grants, send};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A custom permission.
fn custom(fields: Value) -> Value {
    let mut permission = fields;
    permission["kind"] = "custom".into();
    permission
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.body["error"]["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_key_works_from_its_addresses_only_and_its_page_shows_who_was_refused() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, secret) = owner.default_key().await;
    let path = format!("{list}/{id}");

    let elsewhere = json!({ "permission": custom(json!({ "ips": ["10.0.0.1/8", "2001:db8::1"] })) });
    let changed = owner.patch(&path, elsewhere).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.body["permission"], custom(json!({ "ips": ["10.0.0.0/8", "2001:db8::1"] })));
    let refused = chat_call(&gateway, &secret, "qwen-plus").await;
    assert_eq!(told(&refused), (403, "ip_not_allowed".into()));
    assert!(!refused.body.to_string().contains("127.0.0.1"), "{}", refused.body);

    let mut seen = Value::Null;
    for _ in 0..100 {
        seen = owner.get(&path).await.body["last_refused"].clone();
        if !seen.is_null() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(seen["address"], "127.0.0.1");

    let here = json!({ "permission": custom(json!({ "ips": ["::ffff:127.0.0.1"] })) });
    assert_eq!(owner.patch(&path, here).await.body["permission"]["ips"], json!(["127.0.0.1"]));
    assert_eq!(chat_call(&gateway, &secret, "qwen-plus").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_an_untrusted_caller_says_of_its_address_changes_nothing() {
    const LIES: [(&str, &str); 5] = [
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1;proto=https"),
        ("x-real-ip", "10.0.0.1"),
        ("x-client-ip", "10.0.0.1"),
        ("true-client-ip", "10.0.0.1"),
    ];
    let permission = custom(json!({ "ips": ["10.0.0.0/8"] }));
    for (proxies, forwarded_is_believed) in [("", false), ("trusted_proxies = ['127.0.0.0/8']\n", true)] {
        let server = Server::start_with(proxies).await;
        let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
        let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
        let body = json!({ "description": "inside", "permission": permission });
        let secret = owner.post(&list, body).await.body["secret"].as_str().unwrap().to_owned();
        for (name, value) in LIES {
            let request = call(&gateway, "/chat/completions", &secret).header(name, value);
            let answer = send(request.json(&chat("qwen-plus"))).await;
            let passes = forwarded_is_believed && name == "x-forwarded-for";
            let expected = if passes { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(answer.status, expected, "{name}, {proxies}");
        }
        // What a caller put before the proxy's own entry is the caller's.
        let request =
            call(&gateway, "/chat/completions", &secret).header("x-forwarded-for", "10.0.0.1, 6.6.6.6");
        assert_eq!(send(request.json(&chat("qwen-plus"))).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_key_calls_and_lists_the_models_of_its_scope_only() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let granted = json!([["qwen-plus", 60, 9000], ["qwen-max", 60, 9000]]);
    let (workspace, _) = owner.granted("Search team", granted).await;
    let list = api_keys(SINGAPORE, &workspace);
    let body = json!({ "description": "narrow", "permission": custom(json!({ "models": ["qwen-plus"] })) });
    let created = owner.post(&list, body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    let secret = created.body["secret"].as_str().unwrap();

    assert_eq!(chat_call(&gateway, secret, "qwen-plus").await.status, StatusCode::OK);
    let refused = chat_call(&gateway, secret, "qwen-max").await;
    assert_eq!(told(&refused), (403, "Model.AccessDenied".into()));
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("its workspace may"));
    let models = reqwest::Client::new().get(format!("{gateway}/models")).bearer_auth(secret);
    let models = send(models).await.body["data"].clone();
    assert_eq!(models.as_array().unwrap().iter().map(|m| &m["id"]).collect::<Vec<_>>(), ["qwen-plus"]);

    // The workspace loses the model: the key's scope does not bring it back, and the key can still be changed.
    let fewer = json!({ "items": [{ "model": "qwen-max", "rpm": 60, "tpm": 9000 }] });
    assert_eq!(owner.put(&grants(SINGAPORE, &workspace), fewer).await.status, StatusCode::OK);
    assert_eq!(told(&chat_call(&gateway, secret, "qwen-plus").await), (403, "Model.AccessDenied".into()));
    let path = format!("{list}/{}", created.body["id"].as_str().unwrap());
    let both = json!({ "permission": custom(json!({ "models": ["qwen-plus", "qwen-max"] })) });
    assert_eq!(owner.patch(&path, both).await.status, StatusCode::OK);
    assert_eq!(chat_call(&gateway, secret, "qwen-max").await.status, StatusCode::OK);
}

#[tokio::test]
async fn bad_restrictions_are_refused_on_their_field() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (workspace, _) = owner.granted("Search team", json!([["qwen-plus", 60, 9000]])).await;
    let list = api_keys(SINGAPORE, &workspace);
    let many: Vec<String> = (0..21).map(|n| format!("10.0.0.{n}")).collect();
    for (fields, field) in [
        (json!({ "ips": ["10.0.0.0/33"] }), "permission.ips[0]"),
        (json!({ "ips": ["10.0.0.1", "example.com"] }), "permission.ips[1]"),
        (json!({ "ips": ["fe80::1%eth0"] }), "permission.ips[0]"),
        (json!({ "ips": many }), "permission"),
        (json!({ "ips": [] }), "permission"),
        (json!({ "models": [] }), "permission"),
        (json!({}), "permission"),
        (json!({ "models": ["qwen-plus", "qwen-max"] }), "permission.models[1]"),
        (json!({ "models": ["no-such-model"] }), "permission.models[0]"),
    ] {
        let body = json!({ "description": "a", "permission": custom(fields) });
        let answer = owner.post(&list, body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_field"), "{body}");
        assert_eq!(answer.body["error"]["field"], field, "{body}");
    }
    assert_eq!(owner.get(&list).await.body["total"], 1);
}

#[tokio::test]
async fn virginia_has_no_custom_permission_and_counts_keys_by_owner() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let workspace = owner.default_workspace(VIRGINIA).await;
    let list = api_keys(VIRGINIA, &workspace);
    let body = json!({ "description": "a", "permission": custom(json!({ "ips": ["10.0.0.1"] })) });
    let refused = owner.post(&list, body.clone()).await;
    assert_eq!((refused.code(), &refused.body["error"]["field"]), ("invalid_field", &json!("permission")));
    let (id, _) = owner.key(VIRGINIA, &workspace).await;
    let permission = json!({ "permission": body["permission"] });
    assert_eq!(owner.patch(&format!("{list}/{id}"), permission).await.status, 422);

    let other = owner.post(&format!("/regions/{VIRGINIA}/workspaces"), json!({ "name": "other" })).await;
    let other = other.body["id"].as_str().unwrap().to_owned();
    for n in 1..20 {
        owner.key(VIRGINIA, if n % 2 == 0 { &workspace } else { &other }).await;
    }
    let full = owner.post(&api_keys(VIRGINIA, &other), json!({ "description": "one more" })).await;
    assert_eq!((full.status, full.code()), (StatusCode::CONFLICT, "api_key_quota"));
    assert!(full.body["error"]["message"].as_str().unwrap().starts_with("Each member has at most 20"));
}

#[tokio::test]
async fn a_workspaces_own_host_takes_its_own_keys_only() {
    let regions = "[[regions]]\nid = 'ap-southeast-1'\nworkspace_domain = 'ap.localhost'\n";
    let server = Server::start_with(regions).await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let (workspace, own) = owner.granted("Search team", json!([["qwen-plus", 60, 9000]])).await;
    let (_, other) = owner.default_key().await;
    let ask = async |host: &str, key: &str| {
        let request = call(&gateway, "/chat/completions", key).header("host", host);
        told(&send(request.json(&chat("qwen-plus"))).await)
    };
    let denied = (403, "access_denied".to_owned());
    let taken = (200, String::new());
    assert_eq!(ask(&format!("{workspace}.ap.localhost:8080"), &own).await, taken);
    assert_eq!(ask(&format!("{workspace}.ap.localhost:8080"), &other).await, denied);
    assert_eq!(ask("ws-0000000000000000.ap.localhost", &own).await, denied);
    assert_eq!(ask("ap.localhost", &other).await, taken);
    assert_eq!(ask("anything.example.com", &own).await, taken);
    // In the door's own words.
    let tokens = gateway.replace("/compatible-mode/v1", "/api/v1/tokens");
    let request = reqwest::Client::new().request(Method::POST, tokens).bearer_auth(&other);
    let answer = send(request.header("host", format!("{workspace}.ap.localhost"))).await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (403, &json!("Endpoint.AccessDenied")));
}
