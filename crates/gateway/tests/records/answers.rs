//! Calls that are answered, or that the upstream fails.

use crate::rig::{CALLER, Rig, chat, code, owner_of, request, streamed, text, whole};
use keygate_contract::{CallClass, CallDoor};
use keygate_gateway::catalogue::Cost;
use keygate_gateway::ended::{EndedCalls, Tokens};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

const PLUS: &str = r#"{"model":"plus","messages":[{"role":"user","content":"Hello there"}]}"#;
const STREAM: &str = r#"{"model":"plus","stream":true,"messages":[{"role":"user","content":"Hello there"}]}"#;

fn told(input: u64, output: u64, cached: u64) -> Tokens {
    Tokens { input, output, cached, estimated: false }
}

fn usd(pico: u64) -> Cost {
    Cost::Priced { currency: *b"USD", pico }
}

#[tokio::test]
async fn an_answer_leaves_everything_about_the_call_and_nothing_that_was_said() {
    let body = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2}}}"#;
    let rig = Rig::whole(body).await;
    let key = rig.key();
    let before = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let response = rig.chat(&key, PLUS).await;
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(rig.ended.depth(), 0, "the client has not read it yet");
    assert_eq!(text(response).await, body);
    let record = rig.record();
    assert_eq!((record.status, record.class, record.error_code), (200, CallClass::Ok, None));
    assert_eq!((record.tokens, record.cost), (told(3, 4, 2), usd(3_000_000 + 8_000_000)));
    assert_eq!(owner_of(&record), (&"key-0".into(), "ws-all", "home", "mem-1"));
    assert_eq!((record.slot, record.upstream), (Some(2), Some(0)), "plus, the third by name of its region");
    assert_eq!((record.door, record.address, record.stream), (CallDoor::Openai, CALLER, false));
    assert_eq!((record.throttled_by, record.first_token_us), (None, None));
    assert!(record.forwarded_us.unwrap() <= record.latency_us);
    assert!((before..before + 10_000).contains(&record.ended_at));
    assert_eq!((record.request_id.to_string(), record.request_id.get_version_num()), (id, 7));
    assert_eq!(rig.ended.depth(), 0, "one record a call");
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_left_by_its_client() {
    let rig = Rig::whole(&format!(r#"{{"choices":[],"text":"{}"}}"#, "x".repeat(1 << 20))).await;
    let response = rig.chat(&rig.key(), PLUS).await;
    drop(response);
    let record = rig.record();
    assert_eq!((record.status, record.error_code), (200, Some("client_closed_request")));
}

#[tokio::test]
async fn tokens_that_are_not_told_are_estimated_and_absurd_ones_not_believed() {
    let words = r#""choices":[{"message":{"role":"assistant","content":"abcdef"}}]"#;
    for usage in [
        "",
        r#","usage":{"prompt_tokens":-1,"completion_tokens":4}"#,
        r#","usage":{"prompt_tokens":1,"completion_tokens":4000000000000}"#,
        r#","usage":{"prompt_tokens":1073741824,"completion_tokens":1073741824}"#,
        // More than the window of a model can be, which is not known.
        r#","usage":{"prompt_tokens":3,"completion_tokens":4000001}"#,
    ] {
        let rig = Rig::whole(&format!("{{{words}{usage}}}")).await;
        rig.chat(&rig.key(), PLUS).await;
        // Fifteen for the prompt, two for the text of the message.
        let tokens = Tokens { input: 15, output: 2, cached: 0, estimated: true };
        assert_eq!(rig.record().tokens, tokens, "{usage}");
    }
    let absurd =
        r#"{"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":-7}}}"#;
    let rig = Rig::whole(absurd).await;
    rig.chat(&rig.key(), PLUS).await;
    assert_eq!(rig.record().tokens, told(3, 4, 0));
}

#[tokio::test]
async fn a_stream_that_tells_more_than_a_call_can_use_is_estimated() {
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4000001}}"#;
    let events = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":\"abcdef\"}}}}]}}\n\ndata: {usage}\n\ndata: [DONE]\n\n"
    );
    let rig = Rig::new(&streamed(&events), false).await;
    text(rig.chat(&rig.key(), STREAM).await).await;
    assert_eq!(rig.record().tokens, Tokens { input: 15, output: 2, cached: 0, estimated: true });
}

#[tokio::test]
async fn every_operation_is_recorded_and_what_has_no_price_says_so() {
    let rig = Rig::whole(r#"{"usage":{"prompt_tokens":5,"total_tokens":5}}"#).await;
    let key = rig.key();
    for (path, body) in [
        ("completions", r#"{"model":"plus","prompt":"Hello"}"#),
        ("embeddings", r#"{"model":"plus","input":"Hello"}"#),
        ("responses", r#"{"model":"plus","input":"Hello"}"#),
    ] {
        rig.send(request(&format!("/compatible-mode/v1/{path}"), &key, body)).await;
        let record = rig.record();
        assert_eq!((record.tokens, record.cost), (told(5, 0, 0), usd(5_000_000)), "{path}");
    }
    rig.chat(&key, &PLUS.replace("plus", "free")).await;
    assert_eq!(rig.record().cost, Cost::Unpriced);
}

#[tokio::test]
async fn what_calls_no_model_leaves_no_record() {
    let rig = Rig::whole("{}").await;
    let key = rig.key();
    for path in ["/compatible-mode/v1/models", "/compatible-mode/v1/models/plus"] {
        let mut list = request(path, &key, "");
        *list.method_mut() = http::Method::GET;
        assert_eq!(rig.send(list).await.status(), 200);
    }
    assert_eq!(rig.send(request("/api/v1/tokens", &key, "")).await.status(), 200);
    assert_eq!(rig.ended.depth(), 0);
}

#[tokio::test]
async fn a_stream_is_recorded_at_its_end() {
    let events = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n\
                  data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n\
                  data: [DONE]\n\n";
    let rig = Rig::new(&streamed(events), false).await;
    let response = rig.chat(&rig.key(), STREAM).await;
    assert_eq!(rig.ended.depth(), 0);
    assert!(text(response).await.ends_with("data: [DONE]\n\n"));
    let record = rig.record();
    assert_eq!((record.status, record.class, record.error_code), (200, CallClass::Ok, None));
    assert_eq!((record.tokens, record.cost, record.stream), (told(3, 4, 0), usd(11_000_000), true));
    let (forwarded, first) = (record.forwarded_us.unwrap(), record.first_token_us.unwrap());
    assert!(forwarded <= first && first <= record.latency_us);
}

#[tokio::test]
async fn the_first_token_is_the_first_word_or_piece_of_a_tool_call() {
    let role = r#"{"choices":[{"delta":{"role":"assistant","content":"","tool_calls":null}}]}"#;
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":0}}"#;
    let created =
        r#"{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}"#;
    let item =
        r#"{"type":"response.output_item.added","item":{"type":"message","role":"assistant","content":[]}}"#;
    let word = r#"{"choices":[{"delta":{"role":"assistant","content":"H"}}]}"#;
    let thought = r#"{"choices":[{"delta":{"content":null,"reasoning_content":"H"}}]}"#;
    let tool = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#;
    let delta = r#"{"type":"response.function_call_arguments.delta","delta":"{"}"#;
    for (events, is_token) in [
        (vec![": PROCESSING", role, usage], false),
        (vec![created, item], false),
        (vec![role, word], true),
        (vec![role, thought], true),
        (vec![": PROCESSING", tool], true),
        (vec![created, item, delta], true),
    ] {
        let line = |event: &&str| match event.starts_with(':') {
            true => format!("{event}\n\n"),
            false => format!("data: {event}\n\n"),
        };
        let events: String = events.iter().map(line).collect();
        let rig = Rig::new(&streamed(&format!("{events}data: [DONE]\n\n")), false).await;
        text(rig.chat(&rig.key(), STREAM).await).await;
        let record = rig.record();
        assert_eq!((record.class, record.first_token_us.is_some()), (CallClass::Ok, is_token), "{events}");
    }
}

#[tokio::test]
async fn a_stream_of_responses_is_complete_with_its_last_event() {
    let usage =
        r#"{"usage":{"input_tokens":3,"output_tokens":4,"input_tokens_details":{"cached_tokens":1}}}"#;
    for (event, class, code) in [
        ("response.completed", CallClass::Ok, None),
        ("response.incomplete", CallClass::Ok, None),
        ("response.failed", CallClass::ServerError, Some("upstream_error")),
    ] {
        let events = format!("event: {event}\ndata: {{\"response\":{usage}}}\n\n");
        let rig = Rig::new(&streamed(&events), false).await;
        let body = r#"{"model":"plus","stream":true,"input":"Hello"}"#;
        text(rig.send(request("/compatible-mode/v1/responses", &rig.key(), body)).await).await;
        let record = rig.record();
        assert_eq!((record.class, record.error_code, record.tokens), (class, code, told(3, 4, 1)), "{event}");
    }
}

#[tokio::test]
async fn an_upstreams_failure_is_the_servers_and_costs_nothing() {
    for (answer, waits, status, code) in [
        (whole("500 Internal Server Error", "oops"), false, 502, "upstream_error"),
        (whole("200 OK", "{\"id\":"), false, 502, "upstream_error"),
        (String::new(), false, 502, "upstream_error"),
        (whole("429 Too Many Requests", "{}"), false, 503, "model_overloaded"),
        (String::new(), true, 500, "request_timeout"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".into(), true, 500, "request_timeout"),
    ] {
        let rig = Rig::new(&answer, waits).await;
        let response = rig.chat(&rig.key(), PLUS).await;
        assert_eq!(response.status(), status, "{answer}");
        let record = rig.record();
        assert_eq!((record.status, record.class), (status, CallClass::ServerError), "{answer}");
        assert_eq!(record.error_code, Some(code), "{answer}");
        assert_eq!((record.tokens, record.cost), (told(0, 0, 0), Cost::None), "{answer}");
        assert!(record.upstream.is_some() && record.forwarded_us.is_some() && record.slot.is_some());
        assert_eq!(self::code(response).await, code);
    }
}

#[tokio::test]
async fn what_an_upstream_calls_the_callers_mistake_is_theirs() {
    let rig = Rig::new(&whole("400 Bad Request", r#"{"error":{"message":"too hot"}}"#), false).await;
    rig.chat(&rig.key(), PLUS).await;
    let record = rig.record();
    let end = (record.status, record.class, record.error_code, record.upstream);
    assert_eq!(end, (400, CallClass::ClientError, Some("invalid_request_error"), Some(0)));
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_the_servers_failure() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let rig = Rig::before(&format!("http://{free}/v1"), EndedCalls::new);
    let key = rig.key();
    rig.send(chat(&key, PLUS)).await;
    let record = rig.record();
    assert_eq!((record.status, record.error_code), (503, Some("model_unavailable")));
    assert_eq!((record.class, record.upstream), (CallClass::ServerError, Some(0)));
    rig.send(chat(&key, &PLUS.replace("plus", "nowhere"))).await;
    let record = rig.record();
    assert_eq!((record.status, record.error_code), (503, Some("model_unavailable")));
    assert_eq!((record.upstream, record.forwarded_us, record.slot), (None, None, Some(1)));
}

#[tokio::test]
async fn records_are_told_apart_and_in_the_order_of_their_ends() {
    let rig = Rig::whole("{}").await;
    let key = rig.key();
    for _ in 0..3 {
        rig.chat(&key, PLUS).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let records = rig.ended.take();
    let ids: std::collections::HashSet<_> = records.iter().map(|record| record.request_id).collect();
    assert_eq!(ids.len(), 3);
    assert!(records.is_sorted_by_key(|record| record.ended_at));
    assert!(records.is_sorted_by_key(|record| record.request_id), "ids are in the order of time, too");
}
