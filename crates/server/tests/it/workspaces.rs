//! Workspaces over the API.

use crate::support::{SINGAPORE, Server, VIRGINIA, api_keys, chat_call, send, workspaces};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_workspace_is_created_listed_renamed_and_archived() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let created = owner.post(&workspaces(SINGAPORE), json!({ "name": "  Search team " })).await;
    assert_eq!(created.status, StatusCode::CREATED);
    insta::assert_json_snapshot!(created.body, { ".id" => "[id]", ".created_at" => "[time]" }, @r#"
    {
      "api_key_count": 0,
      "api_key_limit": 20,
      "created_at": "[time]",
      "id": "[id]",
      "is_default": false,
      "model_count": 0,
      "name": "Search team",
      "version": 1
    }
    "#);
    let path = format!("{}/{}", workspaces(SINGAPORE), created.body["id"].as_str().unwrap());
    let page = owner.get(&workspaces(SINGAPORE)).await.body;
    assert_eq!((page["total"].as_u64(), page["items"][1].clone()), (Some(2), created.body));

    let renamed = owner.patch(&path, json!({ "name": "Research", "version": 1 })).await;
    assert_eq!((renamed.status, renamed.body["version"].as_u64()), (StatusCode::OK, Some(2)));
    assert_eq!(owner.get(&path).await.body, renamed.body);

    assert_eq!(
        owner.post(&format!("{path}/archive"), json!({ "name": "Research" })).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(owner.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(owner.get(&workspaces(SINGAPORE)).await.body["total"], 1);
}

#[tokio::test]
async fn bad_names_are_refused_on_their_field() {
    let server = Server::start().await;
    let owner = server.owner().await;
    owner.workspace("Search team").await;
    for (name, status, code) in [
        (json!(""), 422, "invalid_field"),
        (json!("   "), 422, "invalid_field"),
        (json!("\u{200b}"), 422, "invalid_field"),
        (json!("x".repeat(31)), 422, "invalid_field"),
        (json!("line\nbreak"), 422, "invalid_field"),
        (json!("\u{202e}reversed"), 422, "invalid_field"),
        (json!(7), 422, "invalid_field"),
        (json!(null), 422, "invalid_field"),
        (json!("SEARCH TEAM"), 409, "name_taken"),
        (json!("default WORKSPACE"), 409, "name_taken"),
    ] {
        let answer = owner.post(&workspaces(SINGAPORE), json!({ "name": name })).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{name}");
        assert_eq!(answer.body["error"]["field"], "name");
    }
    let other_region = owner.post(&workspaces(VIRGINIA), json!({ "name": "Search team" })).await;
    assert_eq!(other_region.status, StatusCode::CREATED);
    let name = "检索".repeat(15);
    assert_eq!(owner.post(&workspaces(SINGAPORE), json!({ "name": name })).await.body["name"], name);
}

#[tokio::test]
async fn bad_bodies_are_refused_at_the_door() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let post =
        || owner.request(Method::POST, &workspaces(SINGAPORE)).header("content-type", "application/json");
    for (body, status, code) in [
        ("", 400, "malformed_json"),
        ("{", 400, "malformed_json"),
        ("{\"name\":\"a\"}}", 400, "malformed_json"),
        ("\u{feff}{}", 400, "malformed_json"),
        ("[]", 422, "invalid_field"),
        ("{}", 422, "missing_field"),
        ("{\"name\":\"a\",\"colour\":\"red\"}", 422, "unknown_field"),
        ("{\"name\":\"a\",\"name\":\"b\"}", 422, "invalid_field"),
    ] {
        let answer = send(post().body(body)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{body:?}");
    }
    let form = owner.request(Method::POST, &workspaces(SINGAPORE)).header("content-type", "text/plain");
    let answer = send(form.body("{\"name\":\"a\"}")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (415, "unsupported_media_type"));
    let answer = send(post().body(vec![b' '; 100 << 20])).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (413, "body_too_large"));
    assert_eq!(owner.get(&workspaces(SINGAPORE)).await.body["total"], 1, "nothing was created");
}

#[tokio::test]
async fn bad_queries_are_refused() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (query, code) in [
        ("page_size=0", "invalid_query"),
        ("page_size=101", "invalid_query"),
        ("page_size=x", "invalid_query"),
        ("page_token=x", "invalid_page_token"),
        ("colour=red", "invalid_query"),
        ("q=a&q=b", "invalid_query"),
    ] {
        let answer = owner.get(&format!("{}?{query}", workspaces(SINGAPORE))).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, code), "{query}");
    }
    let long = owner.get(&format!("{}?q={}", workspaces(SINGAPORE), "x".repeat(129))).await;
    assert_eq!((long.status, long.code()), (StatusCode::BAD_REQUEST, "invalid_query"));
}

#[tokio::test]
async fn there_are_20_workspaces_in_a_region_and_no_more_even_at_once() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let create = |n: usize| {
        let request = owner.request(Method::POST, &workspaces(SINGAPORE));
        tokio::spawn(send(request.json(&json!({ "name": format!("team {n}") }))))
    };
    let tasks: Vec<_> = (0..30).map(create).collect();
    let mut refused = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status != StatusCode::CREATED {
            assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "workspace_quota"));
            refused += 1;
        }
    }
    assert_eq!(refused, 11, "19 beside the default one");
    let first = owner.get(&format!("{}?page_size=15", workspaces(SINGAPORE))).await.body;
    let token = first["next_page_token"].as_str().unwrap();
    let second = owner.get(&format!("{}?page_size=15&page_token={token}", workspaces(SINGAPORE))).await.body;
    assert_eq!(
        (first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()),
        (15, 5)
    );
    assert_eq!((second["total"].as_u64(), &second["next_page_token"]), (Some(20), &json!(null)));
}

#[tokio::test]
async fn a_stale_version_loses_nothing() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let path = format!("{}/{}", workspaces(SINGAPORE), owner.workspace("team").await);
    assert_eq!(owner.patch(&path, json!({ "name": "first", "version": 1 })).await.status, StatusCode::OK);
    let stale = owner.patch(&path, json!({ "name": "second", "version": 1 })).await;
    assert_eq!((stale.status, stale.code()), (StatusCode::CONFLICT, "version_conflict"));
    assert_eq!(owner.get(&path).await.body["name"], "first");
}

#[tokio::test]
async fn the_default_workspace_is_renamed_but_not_archived() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let path = format!("{}/{}", workspaces(SINGAPORE), owner.default_workspace(SINGAPORE).await);
    assert_eq!(owner.patch(&path, json!({ "name": "Main" })).await.body["name"], "Main");
    let answer = owner.post(&format!("{path}/archive"), json!({ "name": "Main" })).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "default_workspace"));
}

#[tokio::test]
async fn archiving_wants_the_name_and_ends_the_keys_at_once() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let workspace = owner.workspace("team").await;
    let (_, secret) = owner.key(SINGAPORE, &workspace).await;
    let gateway = server.gateway(SINGAPORE);
    assert_eq!(chat_call(&gateway, &secret, "qwen-plus").await.status, StatusCode::FORBIDDEN);

    let archive = format!("{}/{workspace}/archive", workspaces(SINGAPORE));
    let answer = owner.post(&archive, json!({ "name": "Team" })).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (422, "name_mismatch"));
    assert_eq!(owner.post(&archive, json!({ "name": "team" })).await.status, StatusCode::NO_CONTENT);
    assert_eq!(chat_call(&gateway, &secret, "qwen-plus").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(owner.get(&api_keys(SINGAPORE, &workspace)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_same_request_sent_twice_is_done_once() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let post = |key: &str, name: &str| {
        let request = owner.request(Method::POST, &workspaces(SINGAPORE)).header("idempotency-key", key);
        send(request.json(&json!({ "name": name })))
    };
    let first = post("k1", "team").await;
    let again = post("k1", "team").await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = post("k1", "another").await;
    assert_eq!((other.status, other.code()), (StatusCode::CONFLICT, "idempotency_conflict"));
    let empty = post("", "third").await;
    assert_eq!((empty.status, empty.code()), (StatusCode::BAD_REQUEST, "invalid_idempotency_key"));
    assert_eq!(owner.get(&workspaces(SINGAPORE)).await.body["total"], 2);
}
