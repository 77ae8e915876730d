//! Where records cannot be written, calls wait and are then refused: none is answered without a record.

use crate::rig::{CALLER, Rig, chat, code, whole};
use keygate_contract::{CallClass, RegionId};
use keygate_gateway::door::Door;
use keygate_gateway::ended::EndedCalls;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const PLUS: &str = r#"{"model":"plus","messages":[]}"#;

/// A gateway whose queue has room for two, and a count of the calls its upstream has seen.
async fn narrow(within: Duration) -> (Arc<Rig>, Arc<std::sync::atomic::AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let seen = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            if matches!(stream.read(&mut buffer).await, Ok(n) if n > 0) {
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                stream.write_all(whole("200 OK", "{}").as_bytes()).await.unwrap();
            }
        }
    });
    let rig = Rig::before(&url, |catalogue| EndedCalls::with_places(catalogue, 2, within));
    (Arc::new(rig), seen)
}

#[tokio::test]
async fn a_call_that_finds_no_room_is_refused_and_not_sent_on() {
    let (rig, seen) = narrow(Duration::from_millis(50)).await;
    let key = rig.key();
    for _ in 0..2 {
        assert_eq!(rig.chat(&key, PLUS).await.status(), 200);
    }
    let response = rig.chat(&key, PLUS).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    assert_eq!(code(response).await, "usage_unavailable");
    // Nor is one that would be refused anyway: its record would need room, too.
    assert_eq!(rig.chat(&rig.key_with("ws-all", |key| key.disabled = true), PLUS).await.status(), 503);
    assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 2);
    assert_eq!((rig.ended.depth(), rig.ended.unrecorded()), (2, 2));

    let records = rig.ended.take();
    assert_eq!(rig.chat(&key, PLUS).await.status(), 503, "taken out is not yet written");
    rig.ended.written(records.len());
    assert_eq!(rig.chat(&key, PLUS).await.status(), 200);
    assert_eq!(rig.record().class, CallClass::Ok);
    assert_eq!(rig.ended.unrecorded(), 3);
}

#[tokio::test]
async fn a_call_that_waits_goes_on_when_there_is_room() {
    let (rig, _) = narrow(Duration::from_secs(60)).await;
    let key = rig.key();
    for _ in 0..2 {
        rig.chat(&key, PLUS).await;
    }
    let call = |key: String| {
        let rig = Arc::clone(&rig);
        tokio::spawn(async move {
            rig.gateway.call(Door::Openai, &RegionId::from("home"), CALLER, chat(&key, PLUS)).await.status()
        })
    };
    let (stays, leaves) = (call(key.clone()), call(key));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!stays.is_finished());
    leaves.abort();
    assert!(leaves.await.is_err());
    assert_eq!(rig.ended.unrecorded(), 1, "who leaves while it waits is counted");
    rig.ended.written(rig.ended.take().len());
    assert_eq!(stays.await.unwrap(), 200);
    rig.record();
    assert_eq!(rig.ended.unrecorded(), 1);
}
