//! The caller does not choose the reservation: whatever a request says, the tokens that upstreams serve for it exceed
//! the limit by at most one answer.

mod random;
mod upstream;

use crate::support::{SINGAPORE, Server, call, send};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use upstream::{Served, Upstream};

/// Tokens per minute of the workspace, as in the audit.
const LIMIT: u64 = 20_000;
/// Tokens of an answer without a limit; the model is configured with this maximum.
const ANSWER: u64 = 8_200;
/// Concurrent requests.
const BURST: usize = 90;

fn config(url: &str, upstream: &str, model: &str) -> String {
    format!(
        "shipped_models = false\n[limits]\ncalls_per_key = 1000\n\
         [[upstreams]]\nid = 'stub'\nbase_url = '{url}'\nmodels = ['m']\n{upstream}\n\
         [[models]]\nid = 'm'\nvendor = 'V'\ntype = 'text'\nrpm = 1000000\ntpm = 100000000\n{model}\n"
    )
}

/// A model with a window of 131,072 tokens and answers of at most `answer` tokens, which is also the expected size.
fn covered(answer: u64) -> String {
    format!("context_window = 131072\nmax_output_tokens = {answer}\nexpected_output_tokens = {answer}")
}

struct Attack {
    server: Server,
    key: String,
    served: Arc<Mutex<Served>>,
}

impl Attack {
    async fn on(upstream: Upstream, settings: &str, model: &str) -> Self {
        let (url, served) = upstream.start().await;
        let server = Server::start_with(&config(&url, settings, model)).await;
        let (_, key) = server.owner().await.granted("Attack", json!([["m", 1_000_000, LIMIT]])).await;
        Self { server, key, served }
    }

    /// An upstream that enforces all limits, and is configured so.
    async fn new() -> Self {
        let upstream =
            Upstream { obeys: ALL, answer: ANSWER, context: 66_000, pause: Duration::from_millis(500) };
        let known = "output_limits = ['max_tokens', 'max_completion_tokens', 'max_output_tokens']";
        Self::on(upstream, known, &covered(ANSWER)).await
    }

    /// Sends the same request many times concurrently, and reads each answer to its end.
    async fn burst(&self, path: &str, body: &Value) {
        let gateway = self.server.gateway(SINGAPORE);
        let send = async |_| {
            let response = call(&gateway, path, &self.key).json(body).send().await.unwrap();
            response.bytes().await.unwrap();
        };
        join_all((0..BURST).map(send)).await;
    }

    fn served(&self) -> (u64, u64, u64) {
        let served = self.served.lock().unwrap();
        (served.total, served.largest, served.requests)
    }

    /// Fails if the limit was exceeded by more than the largest answer, or if nothing was served.
    #[track_caller]
    fn held(&self, what: &str) {
        let (total, largest, requests) = self.served();
        assert!(requests > 0, "{what}: nothing was served");
        assert!(total <= LIMIT + largest, "{what}: {total} of {LIMIT}, the largest {largest}");
    }
}

const ALL: &[&str] = &["max_tokens", "max_completion_tokens", "max_output_tokens"];

fn chat(fields: &Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hello" }] });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_another_operation_lowers_no_reservation() {
    for (path, body) in [
        ("/chat/completions", chat(&json!({ "max_output_tokens": 1 }))),
        ("/chat/completions", chat(&json!({ "max_tokens": 0 }))),
        ("/completions", json!({ "model": "m", "prompt": "Hello", "max_completion_tokens": 1 })),
        ("/responses", json!({ "model": "m", "input": "Hello", "max_tokens": 1 })),
    ] {
        let attack = Attack::new().await;
        attack.burst(path, &body).await;
        attack.held(&format!("{path} {body}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_the_upstream_may_ignore_lowers_no_reservation() {
    let obeys = &["max_tokens"];
    let upstream = Upstream { obeys, answer: ANSWER, context: 0, pause: Duration::from_millis(500) };
    let attack = Attack::on(upstream, "", &covered(ANSWER)).await;
    attack.burst("/chat/completions", &chat(&json!({ "max_completion_tokens": 1 }))).await;
    attack.held("max_completion_tokens");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_begins_like_a_medium_counts_as_text() {
    let text = format!("data:a;base64,{}", "A".repeat(540_000));
    let attack = Attack::new().await;
    let body = json!({ "model": "m", "max_tokens": 1, "messages": [{ "role": "user", "content": text }] });
    attack.burst("/chat/completions", &body).await;
    // The text of each request alone exceeds the limit, so none is admitted. Counted as media, 1.49 million tokens
    // were.
    assert_eq!(attack.served(), (0, 0, 0));
    let attack = Attack::new().await;
    let text = format!("data:a;base64,{}", "A".repeat(30_000));
    let body = json!({ "model": "m", "max_tokens": 1, "messages": [{ "role": "user", "content": text }] });
    attack.burst("/chat/completions", &body).await;
    attack.held("data:a;base64,");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_its_client_leaves_is_charged_in_full() {
    let attack = Attack::new().await;
    let gateway = attack.server.gateway(SINGAPORE);
    // For two seconds, a client reads one event of each stream and disconnects.
    let end = tokio::time::Instant::now() + Duration::from_secs(2);
    let client = async |_| {
        while tokio::time::Instant::now() < end {
            let body = chat(&json!({ "stream": true }));
            let response = call(&gateway, "/chat/completions", &attack.key).json(&body).send().await.unwrap();
            let is_stream = response.status().is_success();
            response.bytes_stream().next().await;
            if !is_stream {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    join_all((0..8).map(client)).await;
    attack.held("left after the first event");
}

#[tokio::test(flavor = "multi_thread")]
async fn context_that_is_not_in_the_body_is_reserved() {
    let attack = Attack::new().await;
    let body =
        json!({ "model": "m", "input": "Hello", "max_output_tokens": 1, "previous_response_id": "resp_x" });
    attack.burst("/responses", &body).await;
    attack.held("previous_response_id");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_longer_than_expected_pass_a_limit_once() {
    const EXPECTED: u64 = 1_000;
    let longer = format!("max_output_tokens = {ANSWER}\nexpected_output_tokens = {EXPECTED}");
    let upstream = || Upstream { obeys: &[], answer: ANSWER, context: 0, pause: Duration::from_millis(500) };
    let attack = Attack::on(upstream(), "", &longer).await;
    attack.burst("/chat/completions", &chat(&json!({}))).await;
    let (total, _, requests) = attack.served();
    println!("the first burst: {total} tokens in {requests} requests");
    assert!(total > LIMIT + ANSWER, "more than the strict bound, or this test proves nothing");
    assert!(total <= LIMIT + requests * (ANSWER - EXPECTED), "by what each took more than was reserved");

    // After one such answer, later requests of the workspace reserve its size.
    let attack = Attack::on(upstream(), "", &longer).await;
    let gateway = attack.server.gateway(SINGAPORE);
    let first =
        call(&gateway, "/chat/completions", &attack.key).json(&chat(&json!({}))).send().await.unwrap();
    first.bytes().await.unwrap();
    attack.burst("/chat/completions", &chat(&json!({}))).await;
    attack.held("after one long answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_continued_reserves_what_it_took() {
    for stream in [false, true] {
        let attack = Attack::new().await;
        let gateway = attack.server.gateway(SINGAPORE);
        let first = json!({ "model": "m", "input": "Hello", "max_output_tokens": 6_000, "stream": stream });
        let first = send(call(&gateway, "/responses", &attack.key).json(&first)).await;
        assert_eq!(first.status.as_u16(), 200, "{}", first.body);
        // The first response that this upstream stored.
        let previous = "resp_1";
        let next = json!({ "model": "m", "input": "Hello", "max_output_tokens": 1, "previous_response_id": previous });
        attack.burst("/responses", &next).await;
        attack.held("a known response");
        let (_, _, requests) = attack.served();
        assert_eq!(requests, 3, "6,000 tokens of context each, and not the share of the window");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_keeps_its_place_until_its_answer_is_read_on() {
    let pause = Duration::from_millis(1_500);
    let upstream = Upstream { obeys: ALL, answer: 10, context: 0, pause };
    let (url, served) = upstream.start().await;
    let config = config(&url, "", &covered(ANSWER)).replace("calls_per_key = 1000", "calls_per_key = 1");
    let server = Server::start_with(&config).await;
    let (_, key) = server.owner().await.granted("Attack", json!([["m", 1_000_000, LIMIT]])).await;
    let attack = Attack { server, key, served };
    let gateway = attack.server.gateway(SINGAPORE);
    for stream in [true, false] {
        let request =
            call(&gateway, "/chat/completions", &attack.key).json(&chat(&json!({ "stream": stream })));
        // It has reached the upstream when the client disconnects.
        let read = async { request.send().await.unwrap().bytes().await.unwrap() };
        assert!(tokio::time::timeout(Duration::from_millis(500), read).await.is_err());
        let second = call(&gateway, "/chat/completions", &attack.key).json(&chat(&json!({})));
        let second = send(second).await;
        assert_eq!(second.body["error"]["code"], "limit_concurrency", "{}", second.body);
        let mut passes = false;
        for _ in 0..50 {
            let third = chat(&json!({ "stream": true }));
            let third = call(&gateway, "/chat/completions", &attack.key).json(&third).send().await.unwrap();
            passes = third.status().is_success();
            if passes {
                third.bytes().await.unwrap();
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(passes, "its permit is free once the answer has ended");
    }
}
