//! Streams that break, callers that leave, and the server's own end.

use crate::rig::{Rig, chat, streamed, text, whole};
use http_body_util::BodyExt as _;
use keygate_contract::{CallClass, RegionId};
use keygate_gateway::catalogue::Cost;
use keygate_gateway::door::Door;
use keygate_gateway::ended::{EndedCall, Tokens};
use std::sync::Arc;
use std::time::{Duration, Instant};

const STREAM: &str = r#"{"model":"plus","stream":true,"messages":[{"role":"user","content":"Hello there"}]}"#;
const WHOLE: &str = r#"{"model":"plus","messages":[{"role":"user","content":"Hello there"}]}"#;
const HELLO: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello!\"}}]}\n\n";
/// What an upstream tells that tells its usage with every event.
const RUNNING: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hey\"}}],\
                       \"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n";

fn end(record: &EndedCall) -> (u16, CallClass, Option<&'static str>) {
    (record.status, record.class, record.error_code)
}

/// Fifteen for the prompt, plus the text of the answer.
fn estimate(output: u64) -> Tokens {
    Tokens { input: 15, output, cached: 0, estimated: true }
}

#[tokio::test]
async fn a_stream_that_breaks_is_the_servers_failure_with_the_code_of_its_error_event() {
    for (events, waits, code, tokens) in [
        (HELLO, false, "upstream_error", estimate(2)),
        ("", false, "upstream_error", estimate(0)),
        (HELLO, true, "request_timeout", estimate(2)),
        (RUNNING, false, "upstream_error", Tokens { input: 3, output: 1, cached: 0, estimated: false }),
    ] {
        let rig = Rig::new(&streamed(events), waits).await;
        let told = text(rig.chat(&rig.key(), STREAM).await).await;
        assert!(told.contains(code), "{told}");
        let record = rig.record();
        assert_eq!(end(&record), (200, CallClass::ServerError, Some(code)), "{events}");
        assert_eq!(
            (record.tokens, record.first_token_us.is_some()),
            (tokens, !events.is_empty()),
            "{events}"
        );
        assert_ne!(record.cost, Cost::None);
    }
}

#[tokio::test]
async fn an_upstreams_own_error_event_breaks_a_stream_even_for_who_leaves_at_once() {
    let events = format!("{HELLO}data: {{\"error\":{{\"message\":\"overloaded\"}}}}\n\n");
    for leaves in [false, true] {
        let rig = Rig::new(&streamed(&events), true).await;
        let mut body = rig.chat(&rig.key(), STREAM).await.into_body();
        let mut seen = String::new();
        while !seen.contains("overloaded") {
            let frame = body.frame().await.unwrap().unwrap();
            seen.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
        if !leaves {
            assert!(
                !text(http::Response::new(body)).await.contains("request_timeout"),
                "one error is enough"
            );
        } else {
            drop(body);
        }
        assert_eq!(end(&rig.record()), (200, CallClass::ServerError, Some("upstream_error")));
    }
}

#[tokio::test]
async fn a_caller_that_leaves_a_stream_is_charged_for_what_came() {
    for (events, tokens) in
        [(HELLO, estimate(2)), (RUNNING, Tokens { input: 3, output: 1, cached: 0, estimated: false })]
    {
        let rig = Rig::new(&streamed(events), true).await;
        let mut body = rig.chat(&rig.key(), STREAM).await.into_body();
        body.frame().await.unwrap().unwrap();
        assert_eq!(rig.ended.depth(), 0);
        let left = Instant::now();
        drop(body);
        assert_eq!(rig.ended.depth(), 0, "the rest is still being read");
        let record = rig.record_soon().await;
        assert_eq!(end(&record), (200, CallClass::Ok, Some("client_closed_request")));
        assert_eq!(record.tokens, tokens);
        assert!(left.elapsed() > Duration::from_millis(900), "for a second");
        assert!(record.latency_us < 900_000, "which is not the client's");
        assert!(matches!(record.cost, Cost::Priced { pico, .. } if pico > 0));
    }
}

#[tokio::test]
async fn a_caller_that_leaves_after_the_end_mark_has_had_the_answer() {
    let rig = Rig::new(&streamed(&format!("{HELLO}data: [DONE]\n\n")), true).await;
    let mut body = rig.chat(&rig.key(), STREAM).await.into_body();
    let mut seen = String::new();
    while !seen.contains("[DONE]") {
        seen.push_str(std::str::from_utf8(body.frame().await.unwrap().unwrap().data_ref().unwrap()).unwrap());
    }
    drop(body);
    assert_eq!(end(&rig.record()), (200, CallClass::Ok, None));
}

/// A call that waits for its upstream.
async fn under_way(rig: &Arc<Rig>, body: &'static str) -> tokio::task::JoinHandle<()> {
    let (calls, key) = (Arc::clone(rig), rig.key());
    let call = tokio::spawn(async move {
        calls.gateway.call(Door::Openai, &RegionId::from("home"), crate::rig::CALLER, chat(&key, body)).await;
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    call
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_answer_leaves_a_record() {
    for body in [WHOLE, STREAM] {
        let rig = Arc::new(Rig::new("", true).await);
        let call = under_way(&rig, body).await;
        assert_eq!(rig.ended.depth(), 0);
        call.abort();
        let record = rig.record_soon().await;
        assert_eq!(end(&record), (499, CallClass::ClientError, Some("client_closed_request")));
        assert_eq!((record.tokens, record.cost), (Tokens::default(), Cost::None));
        assert!(record.latency_us >= 150_000 && record.forwarded_us.is_some());
        assert_eq!((record.slot, record.stream), (Some(2), body == STREAM));
    }
}

#[tokio::test]
async fn a_call_that_the_server_cuts_off_is_not_one_that_its_caller_left() {
    let rig = Arc::new(Rig::new("", true).await);
    let call = under_way(&rig, WHOLE).await;
    rig.ended.stop();
    call.abort();
    assert_eq!(end(&rig.record_soon().await), (503, CallClass::ServerError, Some("server_stopped")));

    let rig = Rig::new(&streamed(HELLO), true).await;
    let mut body = rig.chat(&rig.key(), STREAM).await.into_body();
    body.frame().await.unwrap().unwrap();
    rig.ended.stop();
    drop(body);
    let record = rig.record_soon().await;
    assert_eq!(end(&record), (200, CallClass::ServerError, Some("server_stopped")));
    assert_eq!(record.tokens, estimate(2));
}

#[tokio::test]
async fn a_stream_that_is_left_is_recorded_with_the_usage_at_its_end() {
    let events = format!(
        "{HELLO}data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":700,\"completion_tokens\":300}}}}\n\ndata: [DONE]\n\n"
    );
    let rig = Rig::new(&streamed(&events), true).await;
    // Before any of it is read.
    drop(rig.chat(&rig.key(), STREAM).await);
    let record = rig.record_soon().await;
    assert_eq!(end(&record), (200, CallClass::Ok, Some("client_closed_request")));
    assert_eq!(record.tokens, Tokens { input: 700, output: 300, cached: 0, estimated: false });
}

#[tokio::test]
async fn an_answer_that_is_left_is_recorded_with_its_usage() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let rig = Arc::new(Rig::before(&url, keygate_gateway::ended::EndedCalls::new));
    let call = under_way(&rig, WHOLE).await;
    let (mut upstream, _) = listener.accept().await.unwrap();
    call.abort();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(rig.ended.depth(), 0, "the rest is still being read");
    let answer = whole("200 OK", r#"{"usage":{"prompt_tokens":700,"completion_tokens":300}}"#);
    tokio::io::AsyncWriteExt::write_all(&mut upstream, answer.as_bytes()).await.unwrap();
    let record = rig.record_soon().await;
    assert_eq!(end(&record), (499, CallClass::ClientError, Some("client_closed_request")));
    assert_eq!(record.tokens, Tokens { input: 700, output: 300, cached: 0, estimated: false });
    assert_eq!(record.cost, Cost::None);
}

#[test]
fn a_call_read_on_when_the_runtime_ends_is_recorded_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rig = runtime.block_on(async {
        let rig = Arc::new(Rig::new(&streamed(HELLO), true).await);
        let mut body = rig.chat(&rig.key(), STREAM).await.into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        tokio::task::yield_now().await;
        assert_eq!(rig.ended.depth(), 0);
        rig
    });
    drop(runtime);
    assert_eq!(rig.record().tokens, estimate(2));
}

/// Whether a call that ended like this left its reservation in the minute: the model has room for one.
async fn keeps_its_reservation(rig: &Rig, body: &str) -> bool {
    let key = rig.key();
    text(rig.chat(&key, body).await).await;
    let second = rig.chat(&key, body).await.status();
    second == 429
}

#[tokio::test]
async fn a_call_that_the_gateway_gives_up_keeps_its_reservation() {
    let free = r#"{"model":"free","messages":[{"role":"user","content":"Hello there"}]}"#;
    let stream = r#"{"model":"free","stream":true,"messages":[{"role":"user","content":"Hello there"}]}"#;
    // It never answers, and it falls silent in the middle.
    assert!(keeps_its_reservation(&Rig::new("", true).await, free).await);
    assert!(keeps_its_reservation(&Rig::new(&streamed(HELLO), true).await, stream).await);
    // The last event, which would report the usage, is too long to be read.
    let long = format!("data: {{\"x\":\"{}\"}}\n\ndata: [DONE]\n\n", "x".repeat(2 << 20));
    assert!(keeps_its_reservation(&Rig::new(&streamed(&long), false).await, stream).await);
    // An answer that is larger than the share of a key: a quarter of 64 MiB.
    let large = whole("200 OK", &format!("\"{}\"", "x".repeat(17 << 20)));
    assert!(keeps_its_reservation(&Rig::new(&large, false).await, free).await);
    // What the upstream itself rejects, or what breaks, costs nothing.
    let error = whole("500 Internal Server Error", "oops");
    assert!(!keeps_its_reservation(&Rig::new(&error, false).await, free).await);
    assert!(!keeps_its_reservation(&Rig::new("", false).await, free).await);
}

#[tokio::test]
async fn an_upstream_that_quotes_the_request_is_cut_short() {
    let quote = |bytes: usize| {
        let body = format!(r#"{{"error":{{"message":"é{0}","param":"{0}"}}}}"#, "x".repeat(bytes));
        whole("400 Bad Request", &body)
    };
    for (bytes, least) in [(20_000, 4_000), (10 << 20, 0)] {
        let rig = Rig::new(&quote(bytes), false).await;
        let response = rig.chat(&rig.key(), WHOLE).await;
        assert_eq!(response.status(), 400);
        let answer = text(response).await;
        assert!((least..5_000).contains(&answer.len()), "{bytes}: {}", answer.len());
    }
}
