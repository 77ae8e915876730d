//! The gateway over HTTP, with the built-in echo behind it.

use crate::support::{Answer, SINGAPORE, Server, VIRGINIA, api_keys, call, chat, chat_call, send};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The error's code, in the OpenAI shape.
fn code(answer: &Answer) -> &str {
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.body["request_id"], answer.headers["x-request-id"].to_str().unwrap());
    assert!(answer.body["error"]["message"].as_str().unwrap().len() > 10);
    answer.body["error"]["code"].as_str().unwrap()
}

#[tokio::test]
async fn chat_answers_whole_and_says_that_it_is_the_echo() {
    let server = Server::start().await;
    let (_, key) = server.owner().await.default_key().await;
    let answer = chat_call(&server.gateway(SINGAPORE), &key, "qwen-plus").await;
    assert_eq!(answer.status, StatusCode::OK);
    let content = answer.body["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(content.contains("echo upstream") && content.ends_with("Hello"), "{content}");
    let usage = &answer.body["usage"];
    let sum = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"].as_u64().unwrap(), sum);
    assert_eq!(answer.body["model"], "qwen-plus");
}

#[tokio::test]
async fn chat_streams_the_same_words_and_ends_with_done() {
    let server = Server::start().await;
    let (_, key) = server.owner().await.default_key().await;
    let gateway = server.gateway(SINGAPORE);
    let whole = chat_call(&gateway, &key, "qwen-plus").await.body["choices"][0]["message"]["content"].clone();
    for usage in [true, false] {
        let mut body = chat("qwen-plus");
        body["stream"] = true.into();
        body["stream_options"] = json!({ "include_usage": usage });
        let answer = send(call(&gateway, "/chat/completions", &key).json(&body)).await;
        assert_eq!(answer.headers["content-type"], "text/event-stream; charset=utf-8");
        let text = answer.body.as_str().unwrap();
        let events: Vec<&str> =
            text.split_terminator("\n\n").map(|e| e.strip_prefix("data: ").unwrap()).collect();
        let (last, chunks) = events.split_last().unwrap();
        assert_eq!(*last, "[DONE]");
        let chunks: Vec<Value> = chunks.iter().map(|c| serde_json::from_str(c).unwrap()).collect();
        let words: String =
            chunks.iter().filter_map(|c| c["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(words, whole);
        assert_eq!(chunks.last().unwrap()["usage"].is_object(), usage);
    }
}

#[tokio::test]
async fn completions_embeddings_and_responses_answer_too() {
    let server = Server::start().await;
    let (_, key) = server.owner().await.default_key().await;
    let gateway = server.gateway(SINGAPORE);
    let post = |path: &'static str, body: Value| send(call(&gateway, path, &key).json(&body));

    let answer = post("/completions", json!({ "model": "qwen-plus", "prompt": "Once" })).await;
    assert!(answer.body["choices"][0]["text"].as_str().unwrap().ends_with("Once"));

    let body = json!({ "model": "text-embedding-v4", "input": ["a", "b", "a"], "dimensions": 8 });
    let data = post("/embeddings", body).await.body["data"].clone();
    let vector = |n: usize| {
        data[n]["embedding"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((vector(0).len(), vector(0)), (8, vector(2)));
    assert_ne!(vector(0), vector(1));
    assert!((vector(1).iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-4);
    let body =
        json!({ "model": "text-embedding-v4", "input": "a", "dimensions": 8, "encoding_format": "base64" });
    assert_eq!(post("/embeddings", body).await.body["data"][0]["embedding"].as_str().unwrap().len(), 44);

    let answer = post("/responses", json!({ "model": "qwen-plus", "input": "Hi" })).await;
    assert!(answer.body["output"][0]["content"][0]["text"].as_str().unwrap().ends_with("Hi"));
    let answer = post("/responses", json!({ "model": "qwen-plus", "input": "Hi", "stream": true })).await;
    let events = answer.body.as_str().unwrap();
    assert!(
        events.starts_with("event: response.created\n") && events.contains("\nevent: response.completed\n")
    );
}

#[tokio::test]
async fn models_lists_what_the_key_may_call() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let gateway = server.gateway(SINGAPORE);
    let get = |key: String, path: &'static str| {
        send(reqwest::Client::new().get(format!("{gateway}{path}")).bearer_auth(key))
    };
    let (_, key) = owner.default_key().await;
    let all = get(key.clone(), "/models").await.body;
    assert_eq!((all["object"].as_str(), all["data"].as_array().unwrap().len()), (Some("list"), 102));
    assert_eq!(get(key.clone(), "/models/qwen-plus").await.body["owned_by"], "Qwen");
    let slashed =
        all["data"].as_array().unwrap().iter().find_map(|m| m["id"].as_str().filter(|id| id.contains('/')));
    if let Some(id) = slashed {
        let encoded = format!("{gateway}/models/{}", id.replace('/', "%2F"));
        let found = send(reqwest::Client::new().get(encoded).bearer_auth(&key)).await;
        assert_eq!(found.body["id"], id);
    }
    let unknown = get(key, "/models/gpt-nonsense").await;
    assert_eq!((unknown.status, code(&unknown)), (StatusCode::NOT_FOUND, "model_not_found"));

    let (_, none) = owner.key(SINGAPORE, &owner.workspace("new").await).await;
    assert_eq!(get(none, "/models").await.body["data"], json!([]));
}

#[tokio::test]
async fn a_workspace_without_grants_calls_nothing() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (_, key) = owner.key(SINGAPORE, &owner.workspace("new").await).await;
    let gateway = server.gateway(SINGAPORE);
    let answer = chat_call(&gateway, &key, "qwen-plus").await;
    assert_eq!((answer.status, code(&answer)), (StatusCode::FORBIDDEN, "Model.AccessDenied"));
    let answer = chat_call(&gateway, &key, "gpt-nonsense").await;
    assert_eq!((answer.status, code(&answer)), (StatusCode::NOT_FOUND, "model_not_found"));
}

#[tokio::test]
async fn keys_that_open_nothing_get_one_answer() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (id, good) = owner.default_key().await;
    let (_, other) = owner.default_key().await;
    let gateway = server.gateway(SINGAPORE);
    let swapped = format!("{}{}", &good[..18], &other[18..]);
    let mistyped = format!("{}{}", &good[..good.len() - 1], if good.ends_with('x') { 'y' } else { 'x' });
    let mut messages = Vec::new();
    for key in [
        "sk-kg-short".to_owned(),
        good.replace("sk-kg-", "sk-xx-"),
        mistyped,
        good.to_uppercase(),
        swapped,
        id,
        "' OR 1=1 --".into(),
        "x".repeat(10_000),
    ] {
        let answer = chat_call(&gateway, &key, "qwen-plus").await;
        assert_eq!((answer.status, code(&answer)), (StatusCode::UNAUTHORIZED, "invalid_api_key"), "{key}");
        assert!(!answer.body.to_string().contains(&key[..key.len().min(20)]));
        messages.push(answer.body["error"]["message"].clone());
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let missing =
        send(reqwest::Client::new().post(format!("{gateway}/chat/completions")).json(&chat("qwen-plus")))
            .await;
    assert_eq!((missing.status, code(&missing)), (StatusCode::UNAUTHORIZED, "invalid_api_key"));
}

#[tokio::test]
async fn a_key_in_the_query_is_refused_with_a_warning() {
    let server = Server::start().await;
    let (_, key) = server.owner().await.default_key().await;
    let url = format!("{}/chat/completions?api_key={key}", server.gateway(SINGAPORE));
    let answer = send(reqwest::Client::new().post(url).json(&chat("qwen-plus"))).await;
    assert_eq!((answer.status, code(&answer)), (StatusCode::UNAUTHORIZED, "invalid_api_key"));
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("delete it") && !message.contains(&key), "{message}");
}

#[tokio::test]
async fn a_key_of_another_region_is_told_where_to_go_only_when_it_is_whole() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let ((_, key), (_, other)) = (owner.default_key().await, owner.default_key().await);
    let (home, away) = (server.gateway(SINGAPORE), server.gateway(VIRGINIA));
    let answer = chat_call(&away, &key, "qwen-plus").await;
    assert_eq!((answer.status, code(&answer)), (StatusCode::UNAUTHORIZED, "invalid_api_key"));
    assert!(answer.body["error"]["message"].as_str().unwrap().contains(&home));

    // The right public id with a wrong secret and a right checksum: made of another key's tail, so the form is broken,
    // and nothing of the region is told.
    let forged = format!("{}{}", &key[..18], &other[18..]);
    let answer = chat_call(&away, &forged, "qwen-plus").await;
    assert!(!answer.body["error"]["message"].as_str().unwrap().contains(&home));
}

#[tokio::test]
async fn bad_calls_are_refused_in_the_shape_of_the_door() {
    let server = Server::start().await;
    let (_, key) = server.owner().await.default_key().await;
    let gateway = server.gateway(SINGAPORE);
    for (body, status, expected) in [
        ("", 400, "invalid_request_error"),
        ("not json", 400, "invalid_request_error"),
        ("{}", 400, "invalid_request_error"),
        ("{\"model\":\"\"}", 400, "invalid_request_error"),
        ("{\"model\":\"qwen-plus\",\"model\":\"b\"}", 400, "invalid_request_error"),
        ("{\"model\":\"gpt-nonsense\"}", 404, "model_not_found"),
        ("{\"model\":\"gpt-nonsense\",\"messages\":[[[", 404, "model_not_found"),
        ("{\"model\":\"qwen-plus\"}", 400, "invalid_request_error"),
        ("{\"model\":\"qwen-plus\",\"messages\":[]}", 400, "invalid_request_error"),
    ] {
        let answer = send(call(&gateway, "/chat/completions", &key).body(body)).await;
        assert_eq!((answer.status.as_u16(), code(&answer)), (status, expected), "{body}");
    }
    let huge = send(call(&gateway, "/chat/completions", &key).body(vec![b' '; 100 << 20])).await;
    assert_eq!((huge.status.as_u16(), code(&huge)), (400, "request_too_large"));

    let headers = call(&gateway, "/chat/completions", &key).header("x-padding", "x".repeat(34 << 10));
    let answer = send(headers.json(&chat("qwen-plus"))).await;
    assert_eq!((answer.status.as_u16(), code(&answer)), (431, "headers_too_large"));

    let http = reqwest::Client::new();
    let answer = send(http.get(format!("{gateway}/chat/completions")).bearer_auth(&key)).await;
    assert_eq!((answer.status.as_u16(), code(&answer)), (405, "method_not_allowed"));
    assert_eq!(answer.headers["allow"], "POST");
    let answer = send(http.post(format!("{gateway}/files")).bearer_auth(&key)).await;
    assert_eq!((answer.status.as_u16(), code(&answer)), (404, "not_found"));
}

#[tokio::test]
async fn the_other_doors_refuse_in_their_own_shape() {
    let server = Server::start().await;
    let url = |path: &str| format!("{}{path}", server.running.console_url());
    let http = reqwest::Client::new();
    let native = send(http.post(url("/api/v1/services/aigc/text-generation/generation"))).await;
    assert_eq!((native.status.as_u16(), &native.body["code"]), (404, &json!("NotFound")));
    let anthropic = send(http.post(url("/apps/anthropic/v1/messages"))).await;
    assert_eq!(
        (anthropic.status.as_u16(), &anthropic.body["error"]["type"]),
        (404, &json!("not_found_error"))
    );
    assert_eq!(
        (&anthropic.body["type"], native.headers.contains_key("x-request-id")),
        (&json!("error"), true)
    );
}

#[tokio::test]
async fn a_disabled_owners_keys_fail_and_return_with_them() {
    use keygate_store::{Event, MemberRecord};
    let server = Server::start().await;
    let owner = server.owner().await;
    let (_, key) = owner.default_key().await;
    let member = owner.get("/session").await.body["member"]["id"].as_str().unwrap().to_owned();
    for active in [false, true] {
        let event = Event::MemberPut(MemberRecord { id: member.as_str().into(), active });
        server.running.directory().apply(vec![event]).unwrap();
        let answer = chat_call(&server.gateway(SINGAPORE), &key, "qwen-plus").await;
        assert_eq!(answer.status == StatusCode::OK, active);
        assert!(active || code(&answer) == "invalid_api_key");
    }
}

#[tokio::test]
async fn an_inference_key_opens_no_route_of_the_console() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (_, key) = owner.default_key().await;
    let path = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let anonymous = server.anonymous();
    for request in [
        anonymous.request(Method::GET, &path).bearer_auth(&key),
        anonymous.request(Method::GET, &path).header("x-api-key", &key),
        anonymous.request(Method::GET, &path).header("cookie", format!("keygate_session={key}")),
    ] {
        assert_eq!(send(request).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn each_listener_tells_its_health() {
    let server = Server::start().await;
    for (_, base) in server.running.gateways() {
        let base = base.strip_suffix("/compatible-mode/v1").unwrap();
        for path in ["/health", "/ready"] {
            let answer = send(reqwest::Client::new().get(format!("{base}{path}"))).await;
            assert_eq!((answer.status, &answer.body["status"]), (StatusCode::OK, &json!("ok")));
        }
    }
    // Only the first serves the console.
    let second = server.gateway(VIRGINIA).replace("/compatible-mode/v1", "/console/v1/session");
    assert_eq!(send(reqwest::Client::new().get(second)).await.status, StatusCode::NOT_FOUND);
}
