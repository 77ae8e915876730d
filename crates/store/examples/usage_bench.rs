//! How fast usage is read with so many calls behind it, and what they weigh.
//!
//! ```text
//! cargo run --release -p keygate-store --example usage_bench -- [calls] [database file]
//! ```
//!
//! Fills a database with 30 days of calls, the same each time, through the writer; one that is filled already is only
//! read. Four workspaces share the calls unevenly, each with 8 keys and 8 models.
#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use keygate_contract::{CallClass, CallDoor, PageSize, UsageGroup, UsageStep, WorkspaceId};
use keygate_store::{
    CallCost, CallFilter, CallRecord, CallSubject, PageRequest, SubjectId, UsageQuery, UsageScope,
    UsageStore, UsageWriter,
};
use sqlx::Connection as _;
use std::error::Error;
use std::time::{Duration, Instant};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// When the history begins: 2026-11-20.
const BEGIN: i64 = 1_795_132_800_000;
const END: i64 = BEGIN + 30 * DAY;
const BATCH: u64 = 100_000;
const REPEATS: usize = 100;

type Failure = Box<dyn Error>;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let calls: u64 = args.next().map_or(Ok(1_000_000), |n| n.parse())?;
    let file = args.next().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("usage-bench-{calls}.db")).to_string_lossy().into_owned()
    });
    let (store, mut writer) = UsageStore::open(&format!("sqlite:{file}")).await?;
    if total(&store).await? > 0 {
        println!("{file} is filled already");
    } else {
        fill(&mut writer, calls).await?;
    }
    weigh(&file).await?;
    read(&store).await?;
    store.close().await;
    Ok(())
}

fn workspace(n: u64) -> WorkspaceId {
    format!("ws-{n}").into()
}

async fn total(store: &UsageStore) -> Result<u64, Failure> {
    let query = UsageQuery { step: UsageStep::Day, ..query(BEGIN, END, UsageGroup::None) };
    Ok(store.usage(&query).await?.total.calls)
}

async fn fill(writer: &mut UsageWriter, calls: u64) -> Result<(), Failure> {
    let mut subjects = Vec::new();
    for n in 0..256 {
        subjects.push(writer.subject(&CallSubject {
            region: "here".into(),
            workspace: workspace(n / 64),
            api_key: format!("key-{}", n / 8).into(),
            member: format!("mem-{}", n / 16).into(),
            model: Some(format!("model-{}", n % 8).into()),
        }));
    }
    let (mut dice, began) = (Dice(5), Instant::now());
    let (mut appending, mut folding) = (Duration::ZERO, Duration::ZERO);
    let mut n = 0;
    while n < calls {
        let batch: Vec<(SubjectId, CallRecord)> = (n..calls.min(n + BATCH))
            .map(|n| {
                // Half of the calls are of one workspace, and lower keys and models have more of them.
                let workspace = [0, 0, 0, 0, 1, 1, 2, 3][dice.below(8) as usize];
                let key = dice.below(8).min(dice.below(8));
                let model = dice.below(8).min(dice.below(8));
                let subject = subjects[(workspace * 64 + key * 8 + model) as usize];
                let time = BEGIN + (u128::from(n) * (END - BEGIN) as u128 / u128::from(calls)) as i64;
                (subject, call(&mut dice, n, time))
            })
            .collect();
        let start = Instant::now();
        writer.append(&batch).await?;
        appending += start.elapsed();
        let start = Instant::now();
        writer.fold().await?;
        folding += start.elapsed();
        n += BATCH;
    }
    println!(
        "{calls} calls in {:.1} s: append {:.1} s, fold {:.1} s",
        began.elapsed().as_secs_f64(),
        appending.as_secs_f64(),
        folding.as_secs_f64()
    );
    Ok(())
}

fn call(dice: &mut Dice, n: u64, time: i64) -> CallRecord {
    let (class, status) = match dice.below(1000) {
        0..3 => (CallClass::ServerError, 502),
        3..20 => (CallClass::ClientError, 400),
        20..40 => (CallClass::Throttled, 429),
        _ => (CallClass::Ok, 200),
    };
    let ok = class == CallClass::Ok;
    // Mostly about a second, with a long tail.
    let latency_us =
        if ok { 200_000 + dice.below(600_000) * (1 + dice.below(8) * dice.below(4)) } else { 900 };
    let mut request_id = [0; 16];
    request_id[..6].copy_from_slice(&(time - latency_us as i64 / 1000).to_be_bytes()[2..]);
    request_id[6] = 0x70;
    request_id[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    CallRecord {
        request_id,
        ended_at: time,
        door: CallDoor::Openai,
        status,
        class,
        error_code: (!ok).then_some("invalid_parameter".into()),
        throttled_by: None,
        stream: dice.below(2) == 0,
        input_tokens: if ok { 20 + dice.below(4000) } else { 0 },
        output_tokens: if ok { 1 + dice.below(800) } else { 0 },
        cached_tokens: 0,
        estimated: false,
        latency_us,
        forwarded_us: ok.then_some(60),
        first_token_us: ok.then_some(latency_us / 4),
        address: [10, 0, 0, dice.below(200) as u8].into(),
        cost: if ok {
            CallCost::Priced { currency: *b"CNY", pico: dice.below(1 << 35) }
        } else {
            CallCost::None
        },
        count: 1,
    }
}

/// What the file holds.
async fn weigh(file: &str) -> Result<(), Failure> {
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite:{file}")).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    println!("file: {} MB", std::fs::metadata(file)?.len() / 1_000_000);
    let (blocks, bytes): (i64, i64) = sqlx::query_as("SELECT count(*), sum(length(calls)) FROM call_blocks")
        .fetch_one(&mut connection)
        .await?;
    println!("call_blocks: {blocks} rows, {} MB of calls", bytes / 1_000_000);
    let sums: Vec<(i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT slot >> 60, slot >> 32 & 3, count(*), sum(length(cells)) FROM usage_rollups GROUP BY 1, 2",
    )
    .fetch_all(&mut connection)
    .await?;
    for (step, kind, rows, bytes) in sums {
        let step = UsageStep::ALL[step as usize];
        let kind = ["workspace", "model", "key", "key and model"][kind as usize];
        println!("usage_rollups: {step} by {kind}: {rows} rows, {:.1} MB", bytes as f64 / 1e6);
    }
    connection.close().await?;
    Ok(())
}

fn query(from: i64, to: i64, group_by: UsageGroup) -> UsageQuery {
    UsageQuery {
        of: UsageScope::Workspaces(vec![workspace(0)]),
        from,
        to,
        step: UsageStep::Hour,
        group_by,
        totals_by: None,
        model: None,
        api_key: None,
    }
}

/// Prints the median and the 95th percentile.
async fn time<F: Future<Output = Result<usize, Failure>>>(
    what: &str,
    mut run: impl FnMut() -> F,
) -> Result<(), Failure> {
    let mut times = Vec::with_capacity(REPEATS);
    let mut items = 0;
    for _ in 0..REPEATS {
        let start = Instant::now();
        items = run().await?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_unstable_by(f64::total_cmp);
    println!(
        "{what}: p50 {:.1} ms, p95 {:.1} ms, {items} items",
        times[REPEATS / 2],
        times[REPEATS * 95 / 100]
    );
    Ok(())
}

async fn read(store: &UsageStore) -> Result<(), Failure> {
    let region = UsageScope::Region("here".into());
    for (name, group) in
        [("all", UsageGroup::None), ("by model", UsageGroup::Model), ("by key", UsageGroup::ApiKey)]
    {
        let query = query(BEGIN, END, group);
        time(&format!("30 d by hour, {name}"), || async { Ok(store.usage(&query).await?.items.len()) })
            .await?;
    }
    let both = UsageQuery {
        model: Some("model-1".into()),
        api_key: Some("key-1".into()),
        ..query(BEGIN, END, UsageGroup::None)
    };
    time("30 d by hour, one key and model", || async { Ok(store.usage(&both).await?.items.len()) }).await?;
    for group in [UsageGroup::Model, UsageGroup::Workspace] {
        let whole = UsageQuery { of: region.clone(), ..query(BEGIN, END, group) };
        let name = format!("30 d by hour, region by {}", group.as_str());
        time(&name, || async { Ok(store.usage(&whole).await?.items.len()) }).await?;
    }
    let last = END - 20 * 60_000;
    for (name, range, step) in [
        ("1 h by minute", HOUR, UsageStep::Minute),
        ("24 h by minute", DAY, UsageStep::Minute),
        ("15 d by hour", 15 * DAY, UsageStep::Hour),
        ("30 d by hour", 30 * DAY, UsageStep::Hour),
    ] {
        let now = UsageQuery {
            step,
            totals_by: Some(UsageGroup::Model),
            ..query(last - range, last, UsageGroup::None)
        };
        let then = UsageQuery { from: last - 2 * range, to: last - range, ..now.clone() };
        let both =
            || async { Ok(store.usage(&now).await?.items.len() + store.usage(&then).await?.items.len()) };
        time(&format!("Monitoring, {name} and before"), both).await?;
    }
    list(store).await
}

async fn list(store: &UsageStore) -> Result<(), Failure> {
    let all = CallFilter::default();
    let rare = CallFilter {
        class: Some(CallClass::ServerError),
        api_key: Some("key-7".into()),
        model: Some("model-7".into()),
        ..all.clone()
    };
    let hundred = PageRequest { size: PageSize::try_from(100)?, token: None };
    for (name, filter) in [("all", &all), ("rare", &rare)] {
        let mut total = 0;
        let first = || async { Ok(store.calls(&workspace(0), filter, &hundred).await?.items.len()) };
        time(&format!("calls, {name}"), first).await?;
        let mut deep = hundred.clone();
        for _ in 0..200 {
            let page = store.calls(&workspace(0), filter, &deep).await?;
            total = page.total;
            let Some(next) = page.next_page_token else { break };
            deep.token = Some(next);
        }
        let page = || async { Ok(store.calls(&workspace(0), filter, &deep).await?.items.len()) };
        time(&format!("calls, {name}, deep, of {total}"), page).await?;
    }
    let some = store.calls(&workspace(0), &all, &hundred).await?.items.swap_remove(50).request_id;
    let one = || async { Ok(usize::from(store.call(&workspace(0), &some).await?.is_some())) };
    time("one call", one).await
}
