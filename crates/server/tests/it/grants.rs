//! Grants over the API, and at the gateway.

use crate::support::{SINGAPORE, Server, chat_call, grants, send, workspaces};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn item(model: &str, rpm: impl Into<Value>, tpm: impl Into<Value>) -> Value {
    json!({ "model": model, "rpm": rpm.into(), "tpm": tpm.into() })
}

#[tokio::test]
async fn grants_are_replaced_as_a_whole_and_hold_from_the_next_call_on() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let workspace = owner.workspace("Search team").await;
    let (_, key) = owner.key(SINGAPORE, &workspace).await;
    let path = grants(SINGAPORE, &workspace);
    assert_eq!(owner.get(&path).await.body, json!({ "items": [], "version": 1 }));
    assert_eq!(chat_call(&gateway, &key, "qwen-plus").await.status, StatusCode::FORBIDDEN);

    let items = json!([item("qwen-plus", json!(60), json!(9000)), item("qwen-image", json!(5), Value::Null)]);
    let put = owner.put(&path, json!({ "items": items, "version": 1 })).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    assert_eq!(put.body, json!({ "items": [items[1], items[0]], "version": 2 }), "by name");
    assert_eq!(owner.get(&path).await.body, put.body);
    assert_eq!(chat_call(&gateway, &key, "qwen-plus").await.status, StatusCode::OK);
    let view = owner.get(&format!("{}/{workspace}", workspaces(SINGAPORE))).await.body;
    assert_eq!((view["model_count"].as_u64(), view["version"].as_u64()), (Some(2), Some(2)));

    let same = owner.put(&path, json!({ "items": items })).await;
    assert_eq!(same.body["version"], 2, "the same again is no change");

    let none = owner.put(&path, json!({ "items": [], "version": 2 })).await;
    assert_eq!(none.body, json!({ "items": [], "version": 3 }));
    let refused = chat_call(&gateway, &key, "qwen-plus").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.body["error"]["code"], "Model.AccessDenied");
    assert_eq!(chat_call(&gateway, &key, "qwen-nonsense").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_default_workspace_may_call_all_and_takes_no_grants() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let workspace = owner.default_workspace(SINGAPORE).await;
    let path = grants(SINGAPORE, &workspace);
    let list = owner.get(&path).await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 102);
    let body = json!({ "items": [item("qwen-plus", json!(1), json!(1))] });
    let put = owner.put(&path, body.clone()).await;
    assert_eq!((put.status, put.code()), (StatusCode::CONFLICT, "default_workspace"));
    let view = format!("{}/{workspace}", workspaces(SINGAPORE));
    let patch = owner.patch(&view, json!({ "name": "Renamed", "grants": body["items"] })).await;
    assert_eq!((patch.status, patch.code()), (StatusCode::CONFLICT, "default_workspace"));
    let after = owner.get(&view).await.body;
    assert_eq!((after["name"].as_str(), &after["model_count"]), (Some("Default workspace"), &Value::Null));
    assert_eq!(owner.patch(&view, json!({ "name": "Renamed" })).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused_on_its_field_and_changes_nothing() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let workspace = owner.workspace("Search team").await;
    let path = grants(SINGAPORE, &workspace);
    let held = json!([item("qwen-plus", json!(60), json!(9000))]);
    assert_eq!(owner.put(&path, json!({ "items": held })).await.status, StatusCode::OK);
    let good = || item("qwen-turbo", json!(1), json!(1));
    let second = |item: Value| json!({ "items": [good(), item] });
    let plus = |rpm: Value, tpm: Value| second(item("qwen-plus", rpm, tpm));
    for (body, code, field) in [
        (plus(json!(0), json!(1)), "invalid_field", "items[1].rpm"),
        (plus(json!(-1), json!(1)), "invalid_field", "items[1].rpm"),
        (plus(json!(1.5), json!(1)), "invalid_field", "items[1].rpm"),
        (plus(json!("60"), json!(1)), "invalid_field", "items[1].rpm"),
        (plus(json!(601), json!(1)), "invalid_field", "items[1].rpm"),
        (plus(json!(1_000_000_000_000_000_000_u64), json!(1)), "invalid_field", "items[1].rpm"),
        (plus(json!(1e30), json!(1)), "invalid_field", "items[1].rpm"),
        (plus(json!(1), json!(0)), "invalid_field", "items[1].tpm"),
        (plus(json!(1), json!(1_000_001)), "invalid_field", "items[1].tpm"),
        (plus(json!(1), Value::Null), "invalid_field", "items[1].tpm"),
        (second(item("qwen-image", json!(1), json!(1))), "invalid_field", "items[1].tpm"),
        (second(item("qwen-nonsense", json!(1), json!(1))), "invalid_field", "items[1].model"),
        (second(good()), "invalid_field", "items[1].model"),
        (second(json!({ "model": "qwen-plus", "tpm": 1 })), "missing_field", "items[1].rpm"),
        (second(json!({ "model": "qwen-plus", "rpm": 1, "rps": 1 })), "unknown_field", "items[1].rps"),
        (json!({ "items": vec![good(); 2001] }), "invalid_field", "items"),
        (json!({}), "missing_field", "items"),
        (json!({ "items": "all" }), "invalid_field", "items"),
    ] {
        let answer = owner.put(&path, body.clone()).await;
        let text = body.to_string().chars().take(120).collect::<String>();
        assert_eq!((answer.status.as_u16(), answer.code()), (422, code), "{text}: {}", answer.body);
        assert_eq!(answer.body["error"]["field"], field, "{text}: {}", answer.body);
    }
    let stale = owner.put(&path, json!({ "items": [good()], "version": 1 })).await;
    assert_eq!((stale.status, stale.code()), (StatusCode::CONFLICT, "version_conflict"));
    let cut =
        owner.request(Method::PUT, &path).header("content-type", "application/json").body("{\"items\":[");
    assert_eq!(send(cut).await.code(), "malformed_json");
    assert_eq!(owner.get(&path).await.body, json!({ "items": held, "version": 2 }));
}

#[tokio::test]
async fn name_and_grants_are_saved_in_one_act_or_not_at_all() {
    let server = Server::start().await;
    let owner = server.owner().await;
    owner.workspace("Taken").await;
    let workspace = owner.workspace("Search team").await;
    let view = format!("{}/{workspace}", workspaces(SINGAPORE));
    let grants_of = || async { owner.get(&grants(SINGAPORE, &workspace)).await.body["items"].clone() };
    let wanted = json!([item("qwen-plus", json!(60), json!(9000))]);

    let taken = owner.patch(&view, json!({ "name": "Taken", "grants": wanted, "version": 1 })).await;
    assert_eq!((taken.status, taken.code()), (StatusCode::CONFLICT, "name_taken"));
    let wrong = json!([item("qwen-plus", json!(60_000), json!(9000))]);
    let high = owner.patch(&view, json!({ "name": "Research", "grants": wrong, "version": 1 })).await;
    assert_eq!((high.code(), high.body["error"]["field"].as_str()), ("invalid_field", Some("grants[0].rpm")));
    assert_eq!(high.body["error"]["message"], "Enter at most 600, the limit of the account.");
    assert_eq!(
        (owner.get(&view).await.body["name"].as_str(), grants_of().await),
        (Some("Search team"), json!([]))
    );

    let saved = owner.patch(&view, json!({ "name": "Research", "grants": wanted, "version": 1 })).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    assert_eq!((&saved.body["name"], &saved.body["model_count"]), (&json!("Research"), &json!(1)));
    assert_eq!(saved.body, owner.get(&view).await.body);
    assert_eq!(grants_of().await, wanted);
    let stale = owner.patch(&view, json!({ "grants": [], "version": 1 })).await;
    assert_eq!(stale.code(), "version_conflict");
}

#[tokio::test]
async fn two_thousand_grants_fit_and_survive_a_restart() {
    let models: String = (0..2000)
        .map(|n| {
            format!(
                "[[models]]\nid = 'house/model-{n:04}'\nvendor = 'House'\ntype = 'text'\nrpm = 9\ntpm = 9\n"
            )
        })
        .collect();
    let server = Server::start_with(&models).await;
    let owner = server.owner().await;
    let workspace = owner.workspace("Search team").await;
    let path = grants(SINGAPORE, &workspace);
    let items: Vec<Value> =
        (0..2000).map(|n| item(&format!("house/model-{n:04}"), json!(9), json!(9))).collect();
    let put = owner.put(&path, json!({ "items": items })).await;
    assert_eq!((put.status, put.body["items"].as_array().map(Vec::len)), (StatusCode::OK, Some(2000)));

    // Restarted without its models: the grants are kept, and none is lost by changing another.
    let server = server.restart().await;
    let owner = server.owner().await;
    assert_eq!(owner.get(&path).await.body["items"].as_array().map(Vec::len), Some(2000));
    let fewer = json!({ "items": [items[0], item("qwen-plus", json!(1), json!(1))] });
    assert_eq!(owner.put(&path, fewer).await.status, StatusCode::OK);
    let expanded = owner.get(&format!("{path}?expand=models")).await.body;
    assert_eq!(expanded["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(expanded["models"].as_array().map(Vec::len), Some(1), "one is of the catalogue still");
    assert_eq!(expanded["models"][0]["workspace"]["rpm"], 1);
    let changed = json!({ "items": [item("house/model-0000", json!(8), json!(9))] });
    assert_eq!(owner.put(&path, changed).await.body["error"]["field"], "items[0].model");
}
