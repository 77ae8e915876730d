//! Fills an empty store with a made-up account and its calls, for trying out and for tests.

mod cast;
mod people;
mod traffic;

use crate::config::Config;
use crate::server::{Opened, StartError};
use crate::usage;
use keygate_contract::{CallClass, CallDoor, ModelId, RegionId};
use keygate_gateway::catalogue::{Catalogue, Cost, Model};
use keygate_store::{CallRecord, CallSubject, StoreError, UsageStore, now_ms};
use people::{Key, people};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use thiserror::Error;
use traffic::{Flow, Made, Traffic};

/// The name of the made-up account, which the console shows.
pub const ACCOUNT: &str = "Demo account (made-up data)";

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: u32 = 24 * 60;
/// Calls that are handed to the store at once.
const BATCH: usize = 50_000;

/// What to make up.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    /// How many days back it begins: 1 to 400.
    pub days: u32,
    /// How many calls there were.
    pub calls: u64,
    /// The same seed makes up the same calls, in as many days up to the same minute.
    pub seed: u64,
}

/// Why nothing was made up.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The store cannot be opened.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store failed.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// There is an account already.
    #[error(
        "there is an account in {0} already, and made-up data must not get among real data; give an empty folder, such \
         as KEYGATE_DATA_DIR=demo"
    )]
    NotEmpty(String),
    /// Calls were written down already.
    #[error(
        "there is usage in {0} already, and made-up data must not get among real data; give an empty folder, such as \
         KEYGATE_DATA_DIR=demo"
    )]
    HasUsage(String),
    /// None of the models that are called is in the catalogue.
    #[error(
        "the catalogue has none of the models that the demo calls; run it without `shipped_models = false`"
    )]
    NoModels,
}

/// One key that calls one model.
struct Line<'a> {
    key: &'a Key,
    model: &'a Model,
    flow: Flow,
}

/// Makes up an account, and the calls of its first region. Tells `progress` how many of them there are, now and then.
///
/// # Errors
/// [`DemoError`].
pub async fn fill(config: &Config, demo: Demo, mut progress: impl FnMut(u64)) -> Result<(), DemoError> {
    let opened = Opened::open_to_serve(config).await?;
    if !opened.is_new {
        return Err(DemoError::NotEmpty(config.data_dir.display().to_string()));
    }
    // Usage may be there without its account: the account's database can be elsewhere, or be taken away.
    let (store, mut writer) = UsageStore::open(&config.usage_url()).await?;
    if !store.is_empty().await? {
        return Err(DemoError::HasUsage(config.data_dir.display().to_string()));
    }
    let (catalogue, region) = (config.catalogue(), &config.regions[0]);
    let keys = people(&opened, config, &catalogue).await?;
    let lines = lines(&keys, &catalogue, &region.id);
    if lines.is_empty() {
        return Err(DemoError::NoModels);
    }
    let flows: Vec<Flow> = lines.iter().map(|line| line.flow).collect();
    let subjects: Vec<_> = lines
        .iter()
        .map(|line| {
            writer.subject(&CallSubject {
                region: region.id.clone(),
                workspace: line.key.workspace.clone(),
                api_key: line.key.id.clone(),
                member: line.key.owner.clone(),
                model: Some(line.model.id.clone()),
            })
        })
        .collect();
    let minutes = demo.days * DAY_MINUTES;
    let start = (now_ms() / MINUTE_MS - i64::from(minutes)) * MINUTE_MS;
    let (mut batch, mut written) = (Vec::with_capacity(BATCH + 10_000), 0);
    let mut traffic = Traffic::new(&flows, start, minutes, demo.calls, demo.seed);
    loop {
        let minute = traffic.next();
        let is_end = minute.is_none();
        batch.extend(
            minute
                .into_iter()
                .flatten()
                .map(|made| (subjects[made.flow], record(&made, lines[made.flow].model))),
        );
        if batch.len() >= BATCH || is_end {
            writer.append(&batch).await?;
            writer.fold().await?;
            written += batch.len() as u64;
            batch.clear();
            progress(written);
        }
        if is_end {
            break;
        }
    }
    store.clean(config.usage.retention(), now_ms()).await?;
    store.close().await;
    opened.store.close().await;
    Ok(())
}

/// Which keys call which models, of those that the region has.
fn lines<'a>(keys: &'a [Key], catalogue: &'a Catalogue, region: &RegionId) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for key in keys {
        for (model, weight) in key.application.models {
            if let Some(model) = catalogue.find(region, &ModelId::from(*model)) {
                let profile = cast::profile(model.id.as_str());
                let flow = Flow { weight: *weight, profile, is_batch: key.application.is_batch };
                lines.push(Line { key, model, flow });
            }
        }
    }
    lines
}

fn record(made: &Made, model: &Model) -> CallRecord {
    let tokens =
        if model.kind.is_token_metered() { (made.input, made.output, made.cached) } else { (0, 0, 0) };
    let cost = match made.class {
        CallClass::Ok => model.cost(tokens.0, tokens.1),
        _ => Cost::None,
    };
    let begun = made.ended_at - i64::try_from(made.latency_us / 1000).unwrap_or(0);
    CallRecord {
        request_id: request_id(begun, made.random),
        ended_at: made.ended_at,
        door: CallDoor::Openai,
        status: made.status,
        class: made.class,
        error_code: made.error_code.map(Cow::Borrowed),
        throttled_by: made.throttled_by,
        stream: made.stream,
        input_tokens: tokens.0,
        output_tokens: tokens.1,
        cached_tokens: tokens.2,
        estimated: made.estimated,
        latency_us: made.latency_us,
        forwarded_us: made.forwarded_us,
        first_token_us: made.first_token_us,
        // Addresses for documentation: RFC 5737.
        address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, u8::try_from(made.flow % 250 + 1).unwrap_or(1))),
        cost: usage::cost(cost),
        count: 1,
    }
}

/// A UUID of version 7.
fn request_id(unix_ms: i64, random: [u8; 10]) -> [u8; 16] {
    let millis = u64::try_from(unix_ms).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes()
}
