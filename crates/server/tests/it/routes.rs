//! Every route × who asks. The routes come out of the description, so a new one cannot be forgotten here.

use crate::support::{SINGAPORE, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Routes that need no session: they make one.
const PUBLIC: [&str; 2] = ["session_code", "session_create"];
/// Routes about the person who asks: no role is refused.
const OWN: [&str; 4] = ["session_view", "session_delete", "session_delete_all", "region_list"];

struct Route {
    id: String,
    method: Method,
    path: String,
    body: Option<Value>,
}

/// All routes, with the ids filled in and a body that is valid.
fn routes(workspace: &str, api_key: &str) -> Vec<Route> {
    let description = serde_json::to_value(keygate::openapi()).unwrap();
    let mut routes = Vec::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let body = operation.get("requestBody").map(|_| match id.as_str() {
                "workspace_create" | "workspace_update" | "workspace_archive" => json!({ "name": "renamed" }),
                "api_key_create" | "api_key_update" => json!({ "description": "changed" }),
                "grant_replace" => json!({ "items": [] }),
                "api_key_reset" | "temporary_key_create" => json!({}),
                "session_code" => json!({ "email": "nobody@example.com" }),
                "session_create" => json!({ "token": "x" }),
                other => panic!("say which body {other} takes"),
            });
            let path = path
                .replace("{region}", SINGAPORE)
                .replace("{workspace}", workspace)
                .replace("{api_key}", api_key)
                .replace("{request}", "01936f5e-0000-7000-8000-000000000000");
            routes.push(Route { id, method: method.to_uppercase().parse().unwrap(), path, body });
        }
    }
    assert!(routes.len() >= 24, "{}", routes.len());
    routes
}

async fn ask(client: &crate::support::Client, route: &Route) -> crate::support::Answer {
    let request = client.request(route.method.clone(), &route.path);
    crate::support::send(match &route.body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn every_route_refuses_who_is_not_signed_in() {
    let server = Server::start().await;
    let mut forged = server.anonymous();
    forged.cookie = Some("keygate_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into());
    for route in routes("ws-x", "key-x").iter().filter(|r| !PUBLIC.contains(&r.id.as_str())) {
        for client in [&server.anonymous(), &forged] {
            let answer = ask(client, route).await;
            assert_eq!(
                (answer.status, answer.code()),
                (StatusCode::UNAUTHORIZED, "not_signed_in"),
                "{}",
                route.id
            );
        }
    }
}

#[tokio::test]
async fn every_route_hides_what_is_another_accounts() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let workspace = owner.workspace("mine").await;
    let (api_key, _) = owner.key(SINGAPORE, &workspace).await;
    let stranger = server.stranger().await;
    let mut walked = 0;
    for route in routes(&workspace, &api_key).iter().filter(|r| r.path.contains(&workspace)) {
        let answer = ask(&stranger, route).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "not_found"), "{}", route.id);
        walked += 1;
    }
    assert!(walked >= 8, "{walked}");
    // All of it is still there, unchanged, for its owner.
    let view = owner.get(&format!("/regions/{SINGAPORE}/workspaces/{workspace}")).await;
    assert_eq!((view.body["name"].as_str(), view.body["api_key_count"].as_u64()), (Some("mine"), Some(1)));
}

#[tokio::test]
async fn every_route_refuses_a_role_without_the_right() {
    let server = Server::start().await;
    let workspace = server.owner().await.workspace("mine").await;
    // There is no operation that makes a member yet, so the row is made by hand.
    let file = server.dir.path().join("data/keygate.db");
    sqlite(&file, "UPDATE members SET role = 'member'").await;
    let member = server.owner().await;
    for route in routes(&workspace, "key-x").iter().filter(|r| !PUBLIC.contains(&r.id.as_str())) {
        if OWN.contains(&route.id.as_str()) {
            continue;
        }
        let answer = ask(&member, route).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "not_permitted"), "{}", route.id);
    }
    assert_eq!(member.get("/session").await.body["role"], "member");
    sqlite(&file, "UPDATE members SET role = 'admin'").await;
    let (admin, archive) =
        (server.owner().await, format!("/regions/{SINGAPORE}/workspaces/{workspace}/archive"));
    assert_eq!(admin.post(&archive, json!({ "name": "mine" })).await.status, StatusCode::NO_CONTENT);
}

/// Runs a statement on the file beside the server.
async fn sqlite(file: &std::path::Path, statement: &'static str) {
    use sqlx::Connection as _;
    let url = format!("sqlite:{}", file.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn unknown_paths_and_methods_have_the_shape_of_errors() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (method, path, status, code) in [
        (Method::GET, "/nothing", StatusCode::NOT_FOUND, "not_found"),
        (Method::GET, "/regions/mars/workspaces", StatusCode::NOT_FOUND, "not_found"),
        (Method::GET, "/regions/%ff/workspaces", StatusCode::NOT_FOUND, "not_found"),
        (Method::PUT, "/session", StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        (Method::DELETE, "/regions", StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
    ] {
        let answer = crate::support::send(owner.request(method, path)).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let server = Server::start().await;
    let request =
        server.owner().await.request(Method::GET, "/session").header("x-padding", "x".repeat(34 << 10));
    let answer = crate::support::send(request).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (431, "headers_too_large"));
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let server = Server::start_with("[timeouts]\nheader = 1\n").await;
    let address = server.running.console_url().strip_prefix("http://").unwrap().to_owned();
    for said in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed =
            tokio::time::timeout(std::time::Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "still open after {said:?}");
    }
}

#[tokio::test]
async fn the_description_is_served_and_names_every_operation_once() {
    let server = Server::start().await;
    let served = server.anonymous().get("/openapi.json").await;
    assert_eq!(served.status, StatusCode::OK);
    assert!(served.body["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids: Vec<String> = routes("w", "k").into_iter().map(|r| r.id).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn the_description_refers_to_nothing_it_does_not_have() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| match (name.as_str(), value) {
                ("$ref", Value::String(target)) => found.push(target),
                _ => references(value, found),
            }),
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let description = serde_json::to_value(keygate::openapi()).unwrap();
    let mut found = Vec::new();
    references(&description, &mut found);
    assert!(found.len() > 20);
    for target in found {
        assert!(description.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target}");
    }
}
