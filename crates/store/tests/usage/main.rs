//! The usage store on a real SQLite file.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;
mod keeping;
mod sums;
mod writing;

use keygate_contract::{CallClass, CallDoor, ThrottledBy, UsageGroup, UsageStep};
use keygate_store::{
    CallCost, CallRecord, CallSubject, SubjectId, UsageQuery, UsageScope, UsageStore, UsageWriter,
};
use std::borrow::Cow;

/// A midnight, 2026-11-20.
const DAY: i64 = 1_795_132_800_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

struct Fixture {
    store: UsageStore,
    writer: UsageWriter,
    url: String,
    _dir: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("usage.db").display());
    let (store, writer) = UsageStore::open(&url).await.unwrap();
    Fixture { store, writer, url, _dir: dir }
}

impl Fixture {
    /// Ends the process, as far as the database can tell, and begins another.
    async fn reopen(self) -> Self {
        drop(self.writer);
        self.store.close().await;
        let (store, writer) = UsageStore::open(&self.url).await.unwrap();
        Self { store, writer, ..self }
    }

    /// Appends calls in batches, without folding them.
    async fn append(&mut self, calls: &[(CallSubject, CallRecord)], batch: usize) {
        for calls in calls.chunks(batch) {
            let calls: Vec<(SubjectId, CallRecord)> =
                calls.iter().map(|(s, r)| (self.writer.subject(s), r.clone())).collect();
            self.writer.append(&calls).await.unwrap();
        }
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn subject(workspace: u64, key: u64, model: Option<u64>) -> CallSubject {
    CallSubject {
        region: if workspace < 3 { "here".into() } else { "there".into() },
        workspace: format!("ws-{workspace}").into(),
        api_key: format!("key-{workspace}-{key}").into(),
        member: format!("mem-{}", key % 2).into(),
        model: model.map(|m| format!("model-{m}").into()),
    }
}

/// A request id made when a call began.
fn request_id(began_at: i64, n: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&began_at.to_be_bytes()[2..]);
    id[6] = 0x70;
    id[8..].copy_from_slice(&(n | 1 << 63).to_be_bytes());
    id
}

/// A request id as it is told.
fn uuid(id: [u8; 16]) -> String {
    let hex: String = id.iter().map(|b| format!("{b:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn record(n: u64, ended_at: i64) -> CallRecord {
    CallRecord {
        request_id: request_id(ended_at - 100, n),
        ended_at,
        door: CallDoor::Openai,
        status: 200,
        class: CallClass::Ok,
        error_code: None,
        throttled_by: None,
        stream: false,
        input_tokens: 10,
        output_tokens: 20,
        cached_tokens: 5,
        estimated: false,
        latency_us: 100_000,
        forwarded_us: Some(50),
        first_token_us: None,
        address: "192.0.2.7".parse().unwrap(),
        cost: CallCost::Priced { currency: *b"USD", pico: 1_500_000 },
        count: 1,
    }
}

/// Calls of three workspaces, two in one region, over `range` milliseconds from `from`, in the order of time.
fn history(dice: &mut Dice, calls: u64, from: i64, range: i64) -> Vec<(CallSubject, CallRecord)> {
    let mut times: Vec<i64> = (0..calls).map(|_| from + dice.below(range.unsigned_abs()) as i64).collect();
    times.sort_unstable();
    times.into_iter().enumerate().map(|(n, time)| any_call(dice, n as u64, time)).collect()
}

/// The same, with some rejections combined into one row.
fn combine(mut calls: Vec<(CallSubject, CallRecord)>) -> Vec<(CallSubject, CallRecord)> {
    let throttled = calls.iter_mut().filter(|(_, record)| record.class == CallClass::Throttled);
    for (n, (_, record)) in throttled.enumerate() {
        record.count = [1, 2, 60_000][n % 3];
    }
    calls
}

fn any_call(dice: &mut Dice, n: u64, time: i64) -> (CallSubject, CallRecord) {
    let model = dice.below(5);
    let subject = subject(1 + dice.below(3), dice.below(4), (model > 0).then_some(model));
    let (class, status, code) = match dice.below(10) {
        0 => (CallClass::Throttled, 429, Some("limit_requests")),
        1 => (CallClass::ClientError, 400, Some("invalid_parameter")),
        2 => (CallClass::ServerError, 502, Some("upstream_unavailable")),
        _ => (CallClass::Ok, 200, None),
    };
    let stream = dice.below(2) == 0;
    let power = 10 + dice.below(14);
    let latency_us = 1_000 + dice.below(1 << power);
    let record = CallRecord {
        status,
        class,
        error_code: code.map(Cow::Borrowed),
        throttled_by: (status == 429).then_some(ThrottledBy::WorkspaceRequests),
        stream,
        input_tokens: dice.below(4000),
        output_tokens: dice.below(1000),
        cached_tokens: dice.below(100),
        estimated: dice.below(7) == 0,
        latency_us,
        first_token_us: (stream && class == CallClass::Ok).then_some(latency_us / 3),
        cost: match dice.below(4) {
            0 => CallCost::Unpriced,
            1 => CallCost::Priced { currency: *b"CNY", pico: dice.below(1 << 40) },
            2 => CallCost::Priced { currency: *b"USD", pico: dice.below(1 << 40) },
            _ => CallCost::None,
        },
        ..record(n, time)
    };
    (subject, record)
}

fn query(of: UsageScope, from: i64, to: i64, step: UsageStep) -> UsageQuery {
    UsageQuery { of, from, to, step, group_by: UsageGroup::None, totals_by: None, model: None, api_key: None }
}

fn workspace(n: u64) -> UsageScope {
    UsageScope::Workspaces(vec![format!("ws-{n}").into()])
}
