//! Calls that are refused, each at another step.

use crate::rig::{CALLER, Rig, chat, code, owner_of, request};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, StreamBody};
use keygate_contract::{CallClass, RegionId, ThrottledBy};
use keygate_gateway::catalogue::Cost;
use keygate_gateway::door::Door;
use keygate_gateway::ended::Tokens;
use keygate_store::{ApiKeyRecord, Event, MemberRecord};
use std::sync::Arc;
use std::time::Duration;

const PLUS: &str = r#"{"model":"plus","messages":[]}"#;
const OK: &str = r#"{"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;

/// The slot of the model `plus` in the region `home`.
const SLOT: Option<usize> = Some(2);

/// Calls, and expects this refusal of it and its record.
async fn refused(rig: &Rig, key: &str, body: &str, status: u16, class: CallClass, slot: Option<usize>) {
    let response = rig.chat(key, body).await;
    assert_eq!(response.status(), status, "{body}");
    let record = rig.record();
    assert_eq!((record.status, record.class, record.slot), (status, class, slot), "{body}");
    assert_eq!((record.tokens, record.cost), (Tokens::default(), Cost::None));
    assert_eq!((record.upstream, record.forwarded_us, record.first_token_us), (None, None, None));
    assert_eq!(record.address, CALLER);
    assert_eq!(record.error_code, Some(code(response).await.as_str()), "as the door tells it");
}

async fn mistaken(rig: &Rig, key: &str, body: &str, status: u16, slot: Option<usize>) {
    refused(rig, key, body, status, CallClass::ClientError, slot).await;
}

#[tokio::test]
async fn a_key_that_is_not_known_leaves_no_record_and_is_counted() {
    let rig = Rig::whole(OK).await;
    let good = rig.key();
    let other = rig.hasher.mint();
    let mut wrong = good.clone();
    wrong.replace_range(30..31, if &good[30..31] == "a" { "b" } else { "a" });
    for key in [other.secret.expose(), wrong.as_str(), "sk-no", ""] {
        assert_eq!(rig.chat(key, PLUS).await.status(), 401);
    }
    assert_eq!((rig.ended.depth(), rig.ended.unknown()), (0, 4));
    let mut nothing = chat(&good, PLUS);
    nothing.headers_mut().clear();
    assert_eq!(rig.send(nothing).await.status(), 401);
    assert_eq!((rig.ended.depth(), rig.ended.unknown()), (0, 5));
    assert_eq!(rig.send(request("/compatible-mode/v1/nothing", &good, "")).await.status(), 404);
    assert_eq!((rig.ended.depth(), rig.ended.unknown()), (0, 5), "and what is no call is neither");
}

#[tokio::test]
async fn a_key_that_is_known_and_may_not_call_leaves_a_record_of_its_own_workspace() {
    let rig = Rig::whole(OK).await;
    let changes: [fn(&mut ApiKeyRecord); 3] =
        [|key| key.disabled = true, |key| key.expires_at = Some(1), |key| key.owner = "mem-2".into()];
    for change in changes {
        mistaken(&rig, &rig.key_with("ws-all", change), PLUS, 401, None).await;
    }
    let away = rig.key_with("ws-away", |_| {});
    let response = rig.chat(&away, PLUS).await;
    assert_eq!(response.status(), 401);
    let record = rig.record();
    assert_eq!(owner_of(&record), (&"key-3".into(), "ws-away", "away", "mem-1"), "not of the region called");
    assert_eq!(record.error_code, Some("invalid_api_key"));

    let elsewhere = rig.key_with("ws-all", |key| {
        key.permission = serde_json::from_str(r#"{"kind":"custom","ips":["198.51.100.0/24"]}"#).unwrap();
    });
    mistaken(&rig, &elsewhere, PLUS, 403, None).await;

    let mut host = chat(&rig.key(), PLUS);
    host.headers_mut().insert("host", "ws-granted.home.example".parse().unwrap());
    assert_eq!(rig.send(host).await.status(), 403);
    assert_eq!(rig.record().error_code, Some("access_denied"));
}

#[tokio::test]
async fn a_temporary_key_is_recorded_as_its_keys_also_when_its_time_is_over() {
    let rig = Rig::whole(OK).await;
    let key = rig.key();
    let temporary = rig.temporary(&key, i64::MAX);
    assert_eq!(rig.chat(&temporary, PLUS).await.status(), 200);
    assert_eq!(owner_of(&rig.record()).0, &"key-0".into());
    mistaken(&rig, &rig.temporary(&key, 1), PLUS, 401, None).await;
    assert_eq!(rig.ended.unknown(), 0);
}

#[tokio::test]
async fn a_refused_body_is_recorded_with_the_model_it_names() {
    let rig = Rig::whole(OK).await;
    let key = rig.key();
    mistaken(&rig, &key, "{", 400, None).await;
    mistaken(&rig, &key, "{}", 400, None).await;
    mistaken(&rig, &key, r#"{"model":"plus","background":true}"#, 400, SLOT).await;
    mistaken(&rig, &key, r#"{"model":"plus","messages":["#, 400, SLOT).await;
    let large = format!(r#"{{"model":"plus","x":"{}"}}"#, "x".repeat(20_000));
    mistaken(&rig, &key, &large, 400, None).await;
    let slow = chat(&key, PLUS).map(|_| {
        let pieces = futures_util::stream::pending::<Result<http_body::Frame<Bytes>, std::io::Error>>();
        StreamBody::new(pieces)
    });
    let response = rig.gateway.call(Door::Openai, &RegionId::from("home"), CALLER, slow).await;
    assert_eq!(response.status(), 408);
    let record = rig.record();
    assert_eq!((record.class, record.error_code), (CallClass::ClientError, Some("request_timeout")));
}

#[tokio::test]
async fn a_model_that_may_not_be_called_is_recorded_and_one_that_is_not_there_is_not() {
    let rig = Rig::whole(OK).await;
    let key = rig.key_with("ws-granted", |_| {});
    mistaken(&rig, &key, r#"{"model":"free","messages":[]}"#, 403, Some(0)).await;
    mistaken(&rig, &key, r#"{"model":"secret project","messages":[]}"#, 404, None).await;
    let long = format!(r#"{{"model":"{}"}}"#, "m".repeat(9_900));
    mistaken(&rig, &key, &long, 404, None).await;
    let scoped = rig.key_with("ws-granted", |key| {
        key.permission = serde_json::from_str(r#"{"kind":"custom","models":["free"]}"#).unwrap();
    });
    mistaken(&rig, &scoped, PLUS, 403, SLOT).await;
}

#[tokio::test]
async fn permission_is_decided_before_the_rest_is_read() {
    let rig = Rig::whole(OK).await;
    let key = rig.key_with("ws-granted", |_| {});
    // What follows the model's name is not JSON, and is not read.
    mistaken(&rig, &key, r#"{"model":"free","messages":[[[}"#, 403, Some(0)).await;
    mistaken(&rig, &key, r#"{"model":"secret project","model":"plus""#, 404, None).await;
    // What precedes it is read, and must be JSON.
    mistaken(&rig, &key, r#"{"messages":[[[},"model":"free"}"#, 400, None).await;
}

#[tokio::test]
async fn a_limit_that_refuses_is_named() {
    let rig = Rig::whole(OK).await;
    let granted = rig.key_with("ws-granted", |_| {});
    let all = rig.key();
    let free = r#"{"model":"free","max_tokens":10,"messages":[]}"#;
    let large = |model: &str| format!(r#"{{"model":"{model}","max_tokens":20000,"messages":[]}}"#);
    for (key, body, limit) in [
        (&granted, large("plus"), Some(ThrottledBy::WorkspaceTokens)),
        (&granted, PLUS.replace("[]", r#"[],"max_tokens":9"#), None),
        (&granted, PLUS.replace("[]", r#"[],"max_tokens":9"#), Some(ThrottledBy::WorkspaceRequests)),
        (&all, large("free"), Some(ThrottledBy::WorkspaceTokens)),
        (&all, free.into(), None),
        (&all, free.into(), None),
        (&all, free.into(), Some(ThrottledBy::WorkspaceRequests)),
    ] {
        let status = rig.chat(key, &body).await.status();
        let record = rig.record();
        assert_eq!((record.status, record.throttled_by), (status.as_u16(), limit), "{body}");
        let class = if limit.is_some() { CallClass::Throttled } else { CallClass::Ok };
        assert_eq!(record.class, class);
    }
}

#[tokio::test]
async fn more_calls_of_a_key_than_may_be_under_way_are_recorded() {
    let rig = Arc::new(Rig::new("", true).await);
    let key = rig.key();
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let (rig, key) = (Arc::clone(&rig), key.clone());
            tokio::spawn(async move { rig.chat(&key, PLUS).await.status() })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.chat(&key, PLUS).await.status(), 429);
    let record = rig.record();
    assert_eq!(record.throttled_by, Some(ThrottledBy::KeyConcurrency));
    assert_eq!((record.class, record.error_code), (CallClass::Throttled, Some("limit_concurrency")));
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(rig.ended.take().len(), 3);
}

#[tokio::test]
async fn what_changes_while_the_body_comes_refuses_with_one_record() {
    let rig = Arc::new(Rig::whole(OK).await);
    let key = rig.key_with("ws-all", |key| key.owner = "mem-1".into());
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let body = futures_util::stream::once(async move {
        receive.await.unwrap();
        Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from_static(PLUS.as_bytes())))
    });
    let request = chat(&key, PLUS).map(|_: Full<Bytes>| StreamBody::new(Box::pin(body)).boxed());
    let calls = Arc::clone(&rig);
    let call = tokio::spawn(async move {
        calls.gateway.call(Door::Openai, &RegionId::from("home"), CALLER, request).await
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    rig.apply(Event::MemberPut(MemberRecord { id: "mem-1".into(), active: false }));
    send.send(()).unwrap();
    assert_eq!(call.await.unwrap().status(), 401);
    let record = rig.record();
    assert_eq!((record.error_code, record.slot), (Some("invalid_api_key"), SLOT));
}
