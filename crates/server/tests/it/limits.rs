//! Limits per minute, met over HTTP.

use crate::stub::{Behaviour, Rig, streamed, whole};
use crate::support::{Answer, SINGAPORE, Server, api_keys, call, chat, chat_call, grants, send};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// A number in a header.
fn number(answer: &Answer, header: &str) -> u64 {
    let text = answer.headers[header].to_str().unwrap();
    text.trim_end_matches('s').parse().unwrap()
}

fn remaining(answer: &Answer, dimension: &str) -> u64 {
    number(answer, &format!("x-ratelimit-remaining-{dimension}"))
}

/// A streamed call that asks for at most `max_tokens`.
fn streamed_chat(model: &str, max_tokens: u64) -> Value {
    let mut body = chat(model);
    body["stream"] = true.into();
    body["max_tokens"] = max_tokens.into();
    body
}

/// What is left of the tokens of `qwen-plus`, found out by a call that uses few.
async fn tokens_left(gateway: &str, key: &str) -> u64 {
    let mut body = chat("qwen-plus");
    body["max_tokens"] = 1.into();
    let answer = send(call(gateway, "/chat/completions", key).json(&body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    remaining(&answer, "tokens")
}

/// What `ask` answers once it is at least `least`; it is asked for five seconds.
async fn at_least(least: u64, mut ask: impl AsyncFnMut() -> u64) -> u64 {
    for _ in 0..50 {
        let value = ask().await;
        if value >= least {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ask().await
}

#[tokio::test]
async fn of_500_calls_at_once_exactly_as_many_pass_as_the_limit_lets() {
    let server = Server::start_with("[limits]\ncalls_per_key = 1000\n").await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let (_, key) = owner.granted("Search team", json!([["qwen-plus", 50, 1_000_000]])).await;
    let answers = join_all((0..500).map(|_| chat_call(&gateway, &key, "qwen-plus"))).await;
    let (passed, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == StatusCode::OK);
    assert_eq!(passed.len(), 50);
    assert!(refused.iter().all(|a| a.status == 429 && a.body["error"]["code"] == "limit_requests"));
}

#[tokio::test]
async fn a_refusal_says_which_limit_and_when_there_is_room_again() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let (_, key) = owner.granted("Search team", json!([["qwen-plus", 1, 9000], ["qwen-max", 60, 100]])).await;
    let first = chat_call(&gateway, &key, "qwen-plus").await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!((number(&first, "x-ratelimit-limit-requests"), remaining(&first, "requests")), (1, 0));
    assert_eq!(number(&first, "x-ratelimit-limit-tokens"), 9000);

    let refused = chat_call(&gateway, &key, "qwen-plus").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let error = &refused.body["error"];
    assert_eq!((&error["code"], &error["type"]), (&json!("limit_requests"), &json!("limit_requests")));
    let wait = number(&refused, "retry-after");
    assert!((59..=61).contains(&wait), "{wait}");
    let message = error["message"].as_str().unwrap();
    assert_eq!(
        message,
        format!(
            "The limit of the workspace for `qwen-plus`, 1 requests per minute, is reached. Try again in {wait} seconds."
        )
    );
    assert_eq!((remaining(&refused, "requests"), remaining(&refused, "tokens") > 8000), (0, true));

    // More than the whole limit: no waiting helps, and clients are told not to repeat it.
    let mut body = chat("qwen-max");
    body["max_tokens"] = 200.into();
    let never = send(call(&gateway, "/chat/completions", &key).json(&body)).await;
    assert_eq!(never.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        (&never.body["error"]["code"], never.headers["x-should-retry"].to_str().unwrap()),
        (&json!("insufficient_quota"), "false")
    );
    assert!(never.body["error"]["message"].as_str().unwrap().contains("Lower `max_tokens`"));
    assert_eq!(remaining(&never, "tokens"), 100, "it took nothing");
    assert_eq!(chat_call(&gateway, &key, "qwen-max").await.status, StatusCode::OK, "a guess is no obstacle");
}

#[tokio::test]
async fn workspaces_share_the_limit_of_their_account() {
    let models = "[[models]]\nid = 'small'\nvendor = 'House'\ntype = 'text'\nrpm = 10\ntpm = 100000\n";
    let server = Server::start_with(models).await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let (_, a) = owner.granted("A", json!([["small", 7, 100_000]])).await;
    let (_, b) = owner.granted("B", json!([["small", 7, 100_000]])).await;
    let calls = (0..40).map(|n| chat_call(&gateway, if n % 2 == 0 { &a } else { &b }, "small"));
    let answers = join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 10);
    // The default workspace has the account's limit, and finds it used up by the others.
    let (_, key) = owner.default_key().await;
    let refused = chat_call(&gateway, &key, "small").await;
    let message = refused.body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("The limit of the account for `small`, 10 requests"), "{message}");
    // Another model has windows of its own.
    assert_eq!(chat_call(&gateway, &key, "qwen-plus").await.status, StatusCode::OK);
}

#[tokio::test]
async fn two_hundred_streams_at_once_never_pass_the_tokens_of_a_minute() {
    const LIMIT: u64 = 2000;
    let server = Server::start_with("[limits]\ncalls_per_key = 1000\n").await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let (_, key) = owner.granted("Search team", json!([["qwen-plus", 600, LIMIT]])).await;
    let stream = async |_| {
        let mut body = streamed_chat("qwen-plus", 100);
        body["stream_options"] = json!({ "include_usage": true });
        let answer = send(call(&gateway, "/chat/completions", &key).json(&body)).await;
        match answer.status {
            StatusCode::OK => {
                let text = answer.body.as_str().unwrap();
                let usage = text
                    .split("\n\n")
                    .filter_map(|e| e.strip_prefix("data: "))
                    .filter_map(|data| serde_json::from_str::<Value>(data).ok())
                    .find_map(|chunk| chunk["usage"]["total_tokens"].as_u64());
                Some(usage.unwrap())
            }
            StatusCode::TOO_MANY_REQUESTS => {
                assert_eq!(answer.body["error"]["code"], "insufficient_quota");
                None
            }
            other => panic!("{other}: {}", answer.body),
        }
    };
    let mut settled = Vec::new();
    // What one round gives back the next may use, until there is no room for one more.
    loop {
        let round: Vec<u64> = join_all((0..200).map(stream)).await.into_iter().flatten().collect();
        if round.is_empty() {
            break;
        }
        settled.extend(round);
    }
    let total: u64 = settled.iter().sum();
    let one = settled.iter().max().unwrap();
    assert!(total <= LIMIT, "{total}");
    assert!(total + 100 + 2 * one > LIMIT, "{total} of {LIMIT}: more would have fitted");
}

#[tokio::test]
async fn what_a_call_did_not_use_is_given_back_when_it_ends_or_its_client_goes_away() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let (_, key) = owner.granted("Search team", json!([["qwen-plus", 600, 20_000]])).await;
    let before = tokens_left(&gateway, &key).await;

    let body = streamed_chat("qwen-plus", 15_000);
    let answer = call(&gateway, "/chat/completions", &key).json(&body).send().await.unwrap();
    let mut stream = answer.bytes_stream();
    stream.next().await.unwrap().unwrap();
    assert!(tokens_left(&gateway, &key).await < before - 14_000, "reserved while it runs");
    drop(stream);
    let after = at_least(before - 500, async || tokens_left(&gateway, &key).await).await;
    assert!(after > before - 500, "{before} before, {after} after");

    let mut body = chat("qwen-plus");
    body["max_tokens"] = 15_000.into();
    assert_eq!(send(call(&gateway, "/chat/completions", &key).json(&body)).await.status, StatusCode::OK);
    let after = tokens_left(&gateway, &key).await;
    assert!(after > before - 1000, "{before} before, {after} after");
}

#[tokio::test]
async fn a_lowered_limit_holds_for_the_next_call_and_windows_outlive_a_restart() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (workspace, key) = owner.granted("Search team", json!([["qwen-plus", 600, 900_000]])).await;
    for _ in 0..5 {
        assert_eq!(chat_call(&server.gateway(SINGAPORE), &key, "qwen-plus").await.status, StatusCode::OK);
    }
    let set = async |owner: &crate::support::Client, rpm: u64| {
        let items = json!([{ "model": "qwen-plus", "rpm": rpm, "tpm": 900_000 }]);
        let answer = owner.put(&grants(SINGAPORE, &workspace), json!({ "items": items })).await;
        assert_eq!(answer.status, StatusCode::OK);
    };
    set(&owner, 5).await;
    assert_eq!(chat_call(&server.gateway(SINGAPORE), &key, "qwen-plus").await.status, 429);
    set(&owner, 6).await;
    assert_eq!(chat_call(&server.gateway(SINGAPORE), &key, "qwen-plus").await.status, StatusCode::OK);

    let server = server.restart().await;
    assert_eq!(chat_call(&server.gateway(SINGAPORE), &key, "qwen-plus").await.status, 429);
    let owner = server.owner().await;
    let models = owner.get(&format!("/regions/{SINGAPORE}/models?workspace={workspace}")).await.body;
    assert!(models["items"][0]["workspace"]["last_called_at"].is_string(), "{models}");
}

#[tokio::test]
async fn a_key_has_so_many_calls_under_way_and_every_end_makes_room() {
    let server = Server::start_with("[limits]\ncalls_per_key = 2\n").await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let default = owner.default_workspace(SINGAPORE).await;
    let (id, key) = owner.key(SINGAPORE, &default).await;
    let (_, other_key) = owner.key(SINGAPORE, &default).await;
    let open = async || {
        let body = streamed_chat("qwen-plus", 1000);
        call(&gateway, "/chat/completions", &key).json(&body).send().await.unwrap()
    };
    let (first, second) = (open().await, open().await);
    let third = chat_call(&gateway, &key, "qwen-plus").await;
    assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        (&third.body["error"]["code"], number(&third, "retry-after")),
        (&json!("limit_concurrency"), 1)
    );
    assert_eq!(chat_call(&gateway, &other_key, "qwen-plus").await.status, StatusCode::OK);
    // A change of the key does not forget what it has under way.
    let path = format!("{}/{id}", api_keys(SINGAPORE, &default));
    assert_eq!(owner.patch(&path, json!({ "description": "renamed" })).await.status, StatusCode::OK);
    assert_eq!(chat_call(&gateway, &key, "qwen-plus").await.status, 429);
    drop(first);
    let passes = async || u64::from(chat_call(&gateway, &key, "qwen-plus").await.status.is_success());
    assert_eq!(at_least(1, passes).await, 1, "a client that goes away leaves its place");
    second.bytes().await.unwrap();
    for body in
        [json!({}), json!({ "model": "qwen-nonsense" }), json!({ "model": "qwen-plus", "max_tokens": 1e12 })]
    {
        for _ in 0..3 {
            let status = send(call(&gateway, "/chat/completions", &key).json(&body)).await.status;
            assert!(status.is_client_error() && status != 429, "{body}: {status}");
        }
    }
    assert_eq!(passes().await, 1);
}

#[tokio::test]
async fn bad_counts_are_refused_on_their_field_and_cost_nothing() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let (_, key) = owner.granted("Search team", json!([["qwen-plus", 2, 9000]])).await;
    for (field, value) in [
        ("max_tokens", json!(1_000_000_000_000_u64)),
        ("max_tokens", json!(-1)),
        ("max_completion_tokens", json!(0.5)),
        ("n", json!(0)),
        ("stream_options", json!("yes")),
    ] {
        let mut body = chat("qwen-plus");
        body[field] = value;
        let answer = send(call(&gateway, "/chat/completions", &key).json(&body)).await;
        assert_eq!((answer.status, &answer.body["error"]["param"]), (StatusCode::BAD_REQUEST, &json!(field)));
    }
    assert_eq!(remaining(&chat_call(&gateway, &key, "qwen-plus").await, "requests"), 1);
}

#[tokio::test]
async fn a_stream_is_asked_for_its_usage_and_the_client_does_not_see_it() {
    let events = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n\
                  data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":990}}\n\n\
                  data: [DONE]\n\n";
    let mut rig = Rig::start(Behaviour::Write(streamed(events))).await;
    let answer =
        send(call(&rig.gateway(), "/chat/completions", &rig.key).json(&streamed_chat("qwen-plus", 2000)))
            .await;
    let left = remaining(&answer, "tokens");
    assert!(rig.seen.recv().await.unwrap().contains(r#""stream_options":{"include_usage":true}"#));
    assert_eq!(answer.body, "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n");

    let mut asked = streamed_chat("qwen-plus", 2000);
    asked["stream_options"] = json!({ "include_usage": true });
    let shown = send(call(&rig.gateway(), "/chat/completions", &rig.key).json(&asked)).await;
    assert_eq!(shown.body, events);
    let used = left - remaining(&shown, "tokens");
    assert!((1000..1030).contains(&used), "what the upstream said, and the next call's own: {used}");
}

#[tokio::test]
async fn a_stream_that_tells_no_usage_is_counted_by_its_words() {
    let words = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\ndata: [DONE]\n\n",
        "word ".repeat(600)
    );
    let rig = Rig::start(Behaviour::Write(streamed(&words))).await;
    let call_it = async || {
        let body = streamed_chat("qwen-plus", 2000);
        send(call(&rig.gateway(), "/chat/completions", &rig.key).json(&body)).await
    };
    let first = call_it().await;
    let used = remaining(&first, "tokens") - remaining(&call_it().await, "tokens");
    assert!((1000..1030).contains(&used), "a third of 3,000 bytes: {used}");
}

#[tokio::test]
async fn a_call_that_fails_upstream_costs_no_tokens() {
    for text in [
        whole("500 Internal Server Error", "oops"),
        whole("400 Bad Request", "{}"),
        whole("200 OK", "{\"a\":"),
        "",
    ] {
        let rig = Rig::start(Behaviour::Write(text)).await;
        assert!(rig.outcome().await.0 >= 400);
        let saved =
            at_least(1, async || rig.server.running.store().limit_windows(0).await.unwrap().len() as u64)
                .await;
        assert!(saved > 0);
        let windows = rig.server.running.store().limit_windows(0).await.unwrap();
        assert!(
            windows.iter().all(|w| w.charges.iter().all(|c| c.tokens == 0 && c.requests == 1)),
            "{windows:?}"
        );
    }
}

#[tokio::test]
async fn usage_that_cannot_be_true_leaves_the_reservation_charged() {
    let absurd = r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":9000000000000}}"#;
    let rig = Rig::start(Behaviour::Write(whole("200 OK", absurd))).await;
    let answer = async || {
        let mut body = chat("qwen-plus");
        body["max_tokens"] = 5_000.into();
        send(call(&rig.gateway(), "/chat/completions", &rig.key).json(&body)).await
    };
    let first = answer().await;
    assert_eq!(first.status, StatusCode::OK);
    let used = remaining(&first, "tokens") - remaining(&answer().await, "tokens");
    assert!((5_000..5_100).contains(&used), "the reservation, not the few words of the answer: {used}");
}
