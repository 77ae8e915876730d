//! Usage over the console API: sums, the running minute, the call log and files.

use crate::support::{Answer, Client, SINGAPORE, Server, VIRGINIA, chat_call};
use keygate::config::Config;
use keygate::demo::{self, Demo, DemoError};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

fn of(workspace: &str, path: &str) -> String {
    format!("/regions/{SINGAPORE}/workspaces/{workspace}/{path}")
}

/// Asks until the sums have so many calls: they are a second behind.
async fn until(client: &Client, path: &str, calls: u64) -> Value {
    for _ in 0..200 {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        if answer.body["total"]["calls"] == calls {
            return answer.body;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{}", client.get(path).await.body);
}

fn refused(answer: &Answer, status: u16, field: &str, says: &str) {
    assert_eq!(
        (answer.status.as_u16(), &answer.body["error"]["field"]),
        (status, &json!(field)),
        "{}",
        answer.body
    );
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.contains(says), "{message}");
}

/// A workspace with two granted models: three calls answered, one throttled, one refused.
async fn called(server: &Server) -> (Client, String) {
    let owner = server.owner().await;
    let gateway = server.gateway(SINGAPORE);
    let (workspace, key) =
        owner.granted("Search team", json!([["qwen-plus", 2, 9000], ["qwen-max", 60, 9000]])).await;
    for (model, status) in
        [("qwen-plus", 200), ("qwen-plus", 200), ("qwen-plus", 429), ("qwen-max", 200), ("qwen-flash", 403)]
    {
        assert_eq!(chat_call(&gateway, &key, model).await.status.as_u16(), status, "{model}");
    }
    (owner, workspace)
}

#[tokio::test]
async fn sums_tell_every_call_by_every_grouping() {
    let server = Server::start().await;
    let (owner, workspace) = called(&server).await;
    let usage = until(&owner, &of(&workspace, "usage?step=minute&totals_by=model&previous=true"), 5).await;
    assert_eq!(usage["step"], "minute");
    let total = &usage["total"];
    for (field, count) in [
        ("failures", 2),
        ("throttled", 1),
        ("client_errors", 1),
        ("server_errors", 0),
        ("estimated_calls", 0),
    ] {
        assert_eq!(total[field], count, "{field}");
    }
    assert!(total["input_tokens"].as_u64().unwrap() > 0 && total["output_tokens"].as_u64().unwrap() > 0);
    assert!(total["cost"]["USD"].as_f64().unwrap() > 0.0);
    assert!(total["latency_ms"]["p50"].as_f64().unwrap() <= total["latency_ms"]["p99"].as_f64().unwrap());
    assert_eq!(total["first_token_ms"], Value::Null, "none was a stream");
    assert_eq!(usage["previous"]["total"]["calls"], 0);
    assert_eq!(usage["previous"]["to"], usage["from"]);
    let by_model: Vec<_> =
        usage["totals"].as_array().unwrap().iter().map(|t| (&t["model"], &t["calls"])).collect();
    assert_eq!(
        by_model,
        [
            (&json!("qwen-plus"), &json!(3)),
            (&json!("qwen-flash"), &json!(1)),
            (&json!("qwen-max"), &json!(1))
        ]
    );

    let by_key = owner.get(&of(&workspace, "usage?group_by=api_key")).await.body;
    assert_eq!(by_key["totals"].as_array().unwrap().len(), 1);
    let key = by_key["items"][0]["api_key"].as_str().unwrap();
    let one = owner.get(&of(&workspace, &format!("usage?api_key={key}&model=qwen-max"))).await.body;
    assert_eq!((&one["total"]["calls"], &one["total"]["failures"]), (&json!(1), &json!(0)));
    let none = owner.get(&of(&workspace, "usage?api_key=key-of-nobody")).await.body;
    assert_eq!(none["total"]["calls"], 0);
    let region = owner.get(&format!("/regions/{SINGAPORE}/usage?group_by=workspace")).await.body;
    assert_eq!((&region["items"][0]["workspace"], &region["total"]["calls"]), (&json!(workspace), &json!(5)));
    assert_eq!(owner.get(&format!("/regions/{VIRGINIA}/usage")).await.body["total"]["calls"], 0);
    // What another account called is not in its region's sums.
    assert_eq!(
        server.stranger().await.get(&format!("/regions/{SINGAPORE}/usage")).await.body["total"]["calls"],
        0
    );
}

#[tokio::test]
async fn usage_outlives_a_restart_and_an_archive() {
    let server = Server::start().await;
    let (owner, workspace) = called(&server).await;
    until(&owner, &of(&workspace, "usage"), 5).await;
    let archived = owner.post(&of(&workspace, "archive"), json!({ "name": "Search team" })).await;
    assert_eq!(archived.status, StatusCode::NO_CONTENT);
    let server = server.restart().await;
    let owner = server.owner().await;
    assert_eq!(owner.get(&format!("/regions/{SINGAPORE}/usage")).await.body["total"]["calls"], 5);
    // What was called in it can be read as before, by those of its account.
    assert_eq!(owner.get(&of(&workspace, "usage?group_by=model")).await.body["total"]["calls"], 5);
    let list = owner.get(&of(&workspace, "requests")).await.body;
    assert_eq!(list["total"], 5);
    let id = list["items"][0]["request_id"].as_str().unwrap();
    assert_eq!(owner.get(&of(&workspace, &format!("requests/{id}"))).await.body, list["items"][0]);
    assert_eq!(owner.get(&of(&workspace, "usage.csv")).await.body.as_str().unwrap().lines().count(), 2);
    assert_eq!(owner.get(&of(&workspace, "live")).await.body["items"], json!([]));
    let stranger = server.stranger().await;
    for path in ["usage", "requests", "usage.csv", "live", &format!("requests/{id}")] {
        assert_eq!(stranger.get(&of(&workspace, path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn made_up_data_does_not_get_among_usage_whose_account_is_gone() {
    let server = Server::start().await;
    let (owner, workspace) = called(&server).await;
    until(&owner, &of(&workspace, "usage"), 5).await;
    let dir = server.stop().await;
    for file in ["keygate.db", "keygate.db-wal", "keygate.db-shm"] {
        drop(std::fs::remove_file(dir.path().join("data").join(file)));
    }
    let config = Config::load(Some(&dir.path().join("keygate.toml"))).unwrap();
    let refused = demo::fill(&config, Demo { days: 1, calls: 10, seed: 1 }, drop).await;
    assert!(matches!(&refused, Err(DemoError::HasUsage(_))), "{refused:?}");
    let refused = demo::fill(&config, Demo { days: 1, calls: 10, seed: 1 }, drop).await;
    assert!(matches!(&refused, Err(DemoError::HasUsage(_))), "nothing was made: {refused:?}");
}

#[tokio::test]
async fn the_running_minute_stands_beside_its_limits() {
    let server = Server::start().await;
    let (owner, workspace) = called(&server).await;
    let live = owner.get(&of(&workspace, "live")).await.body;
    let items = live["items"].as_array().unwrap();
    let models: Vec<_> = items.iter().map(|item| item["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["qwen-max", "qwen-plus"], "called, and granted");
    let own = &items[1]["workspace"];
    assert_eq!((&own["calls"], &own["rpm"], &own["tpm"]), (&json!(2), &json!(2), &json!(9000)));
    assert!(own["tokens"].as_u64().unwrap() > 0);
    assert_eq!(items[1]["account"]["calls"], 2);
    assert!(items[1]["account"]["rpm"].as_u64().unwrap() > 2);
}

#[tokio::test]
async fn a_granted_model_that_is_idle_stands_beside_its_limits_too() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (workspace, _) = owner.granted("Idle", json!([["qwen-plus", 2, 9000]])).await;
    let live = owner.get(&of(&workspace, "live")).await.body;
    assert_eq!(live["items"].as_array().unwrap().len(), 1, "{live}");
    let own = &live["items"][0]["workspace"];
    assert_eq!((&own["calls"], &own["rpm"], &own["tpm"]), (&json!(0), &json!(2), &json!(9000)));
    // The default workspace may call every model: those it called, though each call was refused.
    let default = owner.default_workspace(SINGAPORE).await;
    assert_eq!(owner.get(&of(&default, "live")).await.body["items"], json!([]));
    let wish = json!({ "description": "test", "permission": { "kind": "custom", "models": ["qwen-max"] } });
    let created = owner.post(&of(&default, "api-keys"), wish).await.body;
    let key = created["secret"].as_str().unwrap();
    assert_eq!(chat_call(&server.gateway(SINGAPORE), key, "qwen-plus").await.status, 403);
    until(&owner, &of(&default, "usage"), 1).await;
    let live = owner.get(&of(&default, "live")).await.body;
    assert_eq!(live["items"][0]["model"], "qwen-plus", "{live}");
}

#[tokio::test]
async fn the_call_log_is_filtered_paged_and_looked_up() {
    let server = Server::start().await;
    let (owner, workspace) = called(&server).await;
    until(&owner, &of(&workspace, "usage"), 5).await;
    let list = async |query: &str| owner.get(&of(&workspace, &format!("requests{query}"))).await.body;
    let first = list("?page_size=2").await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["total"]), (2, &json!(5)));
    // Two calls that end in the same millisecond have no order.
    let refused = list("?class=client_error").await;
    let latest = &refused["items"][0];
    assert_eq!(
        (&latest["status"], &latest["class"], &latest["error_code"]),
        (&json!(403), &json!("client_error"), &json!("Model.AccessDenied"))
    );
    assert_eq!(
        (&latest["model"], &latest["address"], &latest["forwarded_ms"]),
        (&json!("qwen-flash"), &json!("127.0.0.1"), &Value::Null)
    );
    let mut seen = Vec::new();
    let mut token = Value::Null;
    loop {
        let query = token.as_str().map(|token| format!("?page_size=2&page_token={token}"));
        let page = list(query.as_deref().unwrap_or("?page_size=2")).await;
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["request_id"].as_str().unwrap().to_owned()),
        );
        token = page["next_page_token"].clone();
        if token.is_null() {
            break;
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 5, "each once");
    let throttled = list("?class=throttled").await;
    assert_eq!(
        (&throttled["total"], &throttled["items"][0]["throttled_by"]),
        (&json!(1), &json!("workspace_requests"))
    );
    assert_eq!(list("?model=qwen-plus&class=ok").await["total"], 2);
    assert_eq!(list("?to=2020-01-01T00:00:00Z").await["total"], 0);
    let id = throttled["items"][0]["request_id"].as_str().unwrap();
    let one = owner.get(&of(&workspace, &format!("requests/{id}"))).await;
    assert_eq!(one.body, throttled["items"][0]);
    for unknown in ["00000000-0000-7000-8000-000000000000", "x"] {
        let answer = owner.get(&of(&workspace, &format!("requests/{unknown}"))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"));
    }
    let default = owner.default_workspace(SINGAPORE).await;
    assert_eq!(owner.get(&of(&default, &format!("requests/{id}"))).await.status, StatusCode::NOT_FOUND);
    // A token of other filters, or one that was altered.
    let token = first["next_page_token"].as_str().unwrap();
    for bad in [
        format!("?class=ok&page_token={token}"),
        format!("?page_token={}A", &token[..token.len() - 1]),
        "?page_token=x".into(),
    ] {
        let answer = owner.get(&of(&workspace, &format!("requests{bad}"))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "invalid_page_token"), "{bad}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_what_to_do() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let workspace = owner.default_workspace(SINGAPORE).await;
    let ask = async |query: &str| owner.get(&of(&workspace, &format!("usage?{query}"))).await;
    refused(&ask("from=2026-11-20T10:00:00Z&to=2026-11-20T09:00:00Z").await, 422, "from", "before `to`");
    refused(
        &ask("from=2026-11-01T00:00:00Z&to=2026-11-20T00:00:00Z&step=minute").await,
        422,
        "step",
        "step=hour",
    );
    refused(&ask("from=2020-01-01T00:00:00Z&to=2026-11-20T00:00:00Z&step=day").await, 422, "from", "4 years");
    refused(&ask("group_by=workspace").await, 422, "group_by", "none, model, api_key");
    refused(&ask(&format!("model={}", "m".repeat(10_240))).await, 422, "model", "256");
    refused(&ask("from=yesterday").await, 400, "from", "2026-11-20T08:30:00Z");
    for query in ["group_by=colour", "step=second", "previous=maybe", "colour=red"] {
        let answer = ask(query).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "invalid_query"), "{query}");
    }
    for offset in ["2026-11-20T16:30:00%2B08:00", "2026-11-20T16:30:00+08:00"] {
        let answer = ask(&format!("from={offset}&to=2026-11-20T09:00:00Z&step=minute")).await;
        assert_eq!(answer.body["from"], "2026-11-20T08:30:00.000Z", "{offset}: {}", answer.body);
    }
    let by_key = owner.get(&format!("/regions/{SINGAPORE}/usage?group_by=api_key")).await;
    refused(&by_key, 422, "group_by", "none, model, workspace");
    let list = owner.get(&of(&workspace, "requests?from=2026-11-20T10:00:00Z&to=2026-11-20T09:00:00Z")).await;
    refused(&list, 422, "from", "before `to`");
}

#[tokio::test]
async fn a_file_has_a_line_for_each_span_of_each_group() {
    let server = Server::start().await;
    let (owner, workspace) = called(&server).await;
    until(&owner, &of(&workspace, "usage"), 5).await;
    let answer =
        owner.get(&of(&workspace, "usage.csv?step=day&group_by=model&from=2026-01-01T00:00:00Z")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert!(
        answer.headers["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment; filename=\"usage-ws-")
    );
    let text = answer.body.as_str().unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| {
        head.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name}: {head:?}"))
    };
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let sum = |name: &str| rows.iter().map(|row| row[column(name)].parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!((rows.len(), sum("calls"), sum("throttled")), (3, 5, 1));
    let total = owner.get(&of(&workspace, "usage")).await.body["total"].clone();
    assert_eq!(sum("input_tokens"), total["input_tokens"].as_u64().unwrap());
    let cost: f64 = rows.iter().filter_map(|row| row[column("cost_USD")].parse::<f64>().ok()).sum();
    assert!((cost - total["cost"]["USD"].as_f64().unwrap()).abs() < 1e-12);
    let region = owner.get(&format!("/regions/{SINGAPORE}/usage.csv?group_by=workspace")).await;
    assert!(region.body.as_str().unwrap().lines().count() == 2, "{}", region.body);
    // What a file does not have cannot be asked of it.
    for field in ["previous=true", "totals_by=model"] {
        let answer = owner.get(&of(&workspace, &format!("usage.csv?{field}"))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "invalid_query"), "{field}");
    }
    let refused = owner.get(&of(&workspace, "usage.csv?step=minute&from=2025-01-01T00:00:00Z")).await;
    assert_eq!((refused.status.as_u16(), &refused.body["error"]["field"]), (422, &json!("step")));
}
