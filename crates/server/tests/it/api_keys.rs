//! API keys over the API.

use crate::support::{SINGAPORE, Server, VIRGINIA, api_keys, chat_call, send, workspaces};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_key_is_shown_once_and_never_again() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let created = owner
        .post(&list, json!({ "description": "Nightly evaluation", "permission": { "kind": "all" } }))
        .await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.headers["cache-control"], "no-store");
    let secret = created.body["secret"].as_str().unwrap();
    assert_eq!(created.body["masked"], format!("sk-kg-{}…{}", &secret[6..10], &secret[secret.len() - 4..]));
    insta::assert_json_snapshot!(created.body, {
        ".id" => "[id]", ".created_at" => "[time]", ".secret" => "[secret]", ".masked" => "[masked]", ".created_by.id" => "[id]"
    }, @r#"
    {
      "created_at": "[time]",
      "created_by": {
        "email": "owner@localhost",
        "id": "[id]"
      },
      "description": "Nightly evaluation",
      "expires_at": null,
      "id": "[id]",
      "last_refused": null,
      "last_used_at": null,
      "masked": "[masked]",
      "permission": {
        "kind": "all"
      },
      "previous_secret": null,
      "secret": "[secret]",
      "status": "active",
      "version": 1
    }
    "#);
    let path = format!("{list}/{}", created.body["id"].as_str().unwrap());
    for answer in [
        owner.get(&list).await,
        owner.get(&path).await,
        owner.patch(&path, json!({ "description": "x" })).await,
    ] {
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.body.to_string().contains(&secret[18..]), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_deleted_key_fails_on_the_next_request() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let gateway = server.gateway(SINGAPORE);
    for _ in 0..20 {
        let (id, secret) = owner.default_key().await;
        assert_eq!(chat_call(&gateway, &secret, "qwen-plus").await.status, StatusCode::OK);
        assert_eq!(owner.delete(&format!("{list}/{id}")).await.status, StatusCode::NO_CONTENT);
        let answer = chat_call(&gateway, &secret, "qwen-plus").await;
        assert_eq!(
            (answer.status, &answer.body["error"]["code"]),
            (StatusCode::UNAUTHORIZED, &json!("invalid_api_key"))
        );
        assert_eq!(owner.delete(&format!("{list}/{id}")).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_delete_whose_client_goes_away_is_still_whole() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let gateway = server.gateway(SINGAPORE);
    for wait in 0..20u64 {
        let (id, secret) = owner.default_key().await;
        let path = format!("{list}/{id}");
        let request = tokio::spawn(owner.request(Method::DELETE, &path).send());
        tokio::time::sleep(std::time::Duration::from_micros(wait * 150)).await;
        request.abort();
        drop(request.await);
        // Whatever the store says once it has settled, the gateway says too.
        for _ in 0..200 {
            let gone = owner.get(&path).await.status == StatusCode::NOT_FOUND;
            let refused = chat_call(&gateway, &secret, "qwen-plus").await.status == StatusCode::UNAUTHORIZED;
            assert!(refused || !gone, "the store has deleted a key that the gateway takes");
            if gone {
                break;
            }
            if wait < 10 {
                // The request may never have been sent.
                owner.delete(&path).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        owner.delete(&path).await;
    }
}

#[tokio::test]
async fn keys_outlive_a_restart_and_deleted_ones_stay_deleted() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let ((_, kept), (id, deleted)) = (owner.default_key().await, owner.default_key().await);
    owner.delete(&format!("{list}/{id}")).await;
    let server = server.restart().await;
    let gateway = server.gateway(SINGAPORE);
    assert_eq!(chat_call(&gateway, &kept, "qwen-plus").await.status, StatusCode::OK);
    assert_eq!(chat_call(&gateway, &deleted, "qwen-plus").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn there_are_20_keys_in_a_workspace_and_50_in_a_region() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let mut made = 0;
    for name in ["a", "b", "c"] {
        let workspace = owner.workspace(name).await;
        for _ in 0..20.min(50 - made) {
            owner.key(SINGAPORE, &workspace).await;
            made += 1;
        }
        let answer = owner.post(&api_keys(SINGAPORE, &workspace), json!({ "description": "one more" })).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "api_key_quota"));
        let scope = if made == 50 { "This region has 50" } else { "This workspace has 20" };
        assert!(answer.body["error"]["message"].as_str().unwrap().starts_with(scope));
    }
    // A region of its own.
    owner.key(VIRGINIA, &owner.default_workspace(VIRGINIA).await).await;
    let counts: Vec<_> = owner.get(&workspaces(SINGAPORE)).await.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w["api_key_count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [0, 20, 20, 10]);
}

#[tokio::test]
async fn a_list_tells_how_many_keys_count_towards_the_limits() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (full, other) = (owner.workspace("full").await, owner.workspace("other").await);
    owner.key(VIRGINIA, &owner.default_workspace(VIRGINIA).await).await;
    let (id, _) = owner.key(SINGAPORE, &full).await;
    owner.key(SINGAPORE, &full).await;
    let counts = async |query: &str| {
        let body = owner.get(&format!("{}{query}", api_keys(SINGAPORE, &other))).await.body;
        [&body["total"], &body["keys_in_region"], &body["keys_of_owner"]].map(|n| n.as_u64().unwrap())
    };
    assert_eq!(counts("").await, [0, 2, 2], "of all workspaces of the region, and of no other region");
    owner.delete(&format!("{}/{id}", api_keys(SINGAPORE, &full))).await;
    assert_eq!(counts("?q=nothing").await, [0, 1, 1], "whatever is searched for");
}

#[tokio::test]
async fn bad_descriptions_and_permissions_are_refused_on_their_field() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    for (body, code, field) in [
        (json!({}), "missing_field", "description"),
        (json!({ "description": "" }), "invalid_field", "description"),
        (json!({ "description": "x".repeat(129) }), "invalid_field", "description"),
        (json!({ "description": "a", "permission": { "kind": "most" } }), "invalid_field", "permission"),
        (
            json!({ "description": "a", "permission": { "kind": "all", "ips": [] } }),
            "invalid_field",
            "permission",
        ),
        (json!({ "description": "a", "secret": "sk-kg-mine" }), "unknown_field", "secret"),
    ] {
        let answer = owner.post(&list, body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, code), "{body}");
        let told = answer.body["error"]["field"].as_str().unwrap();
        assert!(told.starts_with(field), "{body}: {told}");
    }
    assert_eq!(owner.get(&list).await.body["total"], 0);
}

#[tokio::test]
async fn an_update_keeps_the_secret_and_refuses_a_stale_version() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (id, secret) = owner.default_key().await;
    let path = format!("{}/{id}", api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await));
    let changed = owner.patch(&path, json!({ "description": "renamed", "version": 1 })).await;
    assert_eq!(
        (changed.body["description"].as_str(), changed.body["version"].as_u64()),
        (Some("renamed"), Some(2))
    );
    let stale = owner.patch(&path, json!({ "description": "lost", "version": 1 })).await;
    assert_eq!((stale.status, stale.code()), (StatusCode::CONFLICT, "version_conflict"));
    assert_eq!(chat_call(&server.gateway(SINGAPORE), &secret, "qwen-plus").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_repeated_creation_makes_one_key_and_shows_no_secret_twice() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let post = || {
        let request = owner.request(Method::POST, &list).header("idempotency-key", "k1");
        send(request.json(&json!({ "description": "once" })))
    };
    let (first, again) = (post().await, post().await);
    assert!(first.body["secret"].is_string());
    assert_eq!((again.status, again.body.get("secret")), (StatusCode::CREATED, None));
    assert_eq!(again.body["id"], first.body["id"]);
    assert_eq!(owner.get(&list).await.body["total"], 1);
}

#[tokio::test]
async fn keys_are_found_by_id_and_description() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    for description in ["Production: web search", "Staging", "100% <script>"] {
        owner.post(&list, json!({ "description": description })).await;
    }
    let (id, _) = owner.default_key().await;
    for (query, expected) in
        [("WEB", 1), ("%", 1), ("<script>", 1), ("nothing", 0), (id.as_str(), 1), ("", 4)]
    {
        let query = reqwest::Url::parse_with_params("http://x/", [("q", query)]).unwrap();
        let page = owner.get(&format!("{list}?{}", query.query().unwrap())).await.body;
        assert_eq!(page["total"], expected, "{query}");
    }
    assert_eq!(owner.get(&format!("{list}?status=owner_disabled")).await.body["total"], 0);
    assert_eq!(owner.get(&format!("{list}?status=active")).await.body["total"], 4);
    assert_eq!(owner.get(&format!("{list}?status=gone")).await.status, StatusCode::BAD_REQUEST);
}
