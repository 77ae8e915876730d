//! Metering loses nothing: what the log and the sums say of ten thousand calls of every kind is what the clients saw.

mod load;
mod upstream;

use crate::binary::Binary;
use crate::support::{Client, SINGAPORE, Server, VIRGINIA, call, grants};
use keygate_contract::{
    ApiKeyId, CallClass, ModelId, PageSize, UsageFigures, UsageGroup, UsageOf, UsageStep, WorkspaceId,
};
use keygate_store::{CallFilter, PageRequest, UsageQuery, UsageScope, UsageStore};
use load::{Key, Load, Seen, Sums, sums};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const CONNECTIONS: u64 = 32;
const CALLS: u64 = 10_000;
const MODELS: [&str; 4] = ["alpha", "beta", "gamma", "tight"];

/// Models of our own, all before the one upstream. One has no price, and one a limit that is soon met.
fn config(upstream: &str) -> String {
    let price = |item: &str, price: f64| {
        format!("{{ item = '{item}', per = 'million_tokens', price = {price:?}, currency = 'USD' }}")
    };
    let models = MODELS.iter().map(|model| {
        let rpm = if *model == "tight" { 40 } else { 1_000_000_000 };
        let prices = if *model == "gamma" {
            String::new()
        } else {
            format!("{}, {}", price("input_tokens", 1.0), price("output_tokens", 2.5))
        };
        format!(
            "[[models]]\nid = '{model}'\nvendor = 'V'\ntype = 'text'\nrpm = {rpm}\ntpm = 1000000000000\nprices = [{prices}]\n"
        )
    });
    let names = MODELS.map(|model| format!("'{model}'")).join(", ");
    format!(
        "shipped_models = false\n[limits]\ncalls_per_key = 10000\n[timeouts]\nsettle = 1\n[[upstreams]]\nid = 'stub'\nbase_url = '{upstream}'\nmodels = [{names}]\n{}",
        models.collect::<String>()
    )
}

/// A console that makes keys, over HTTP.
async fn keys(client: &Client) -> Vec<Key> {
    let all: Vec<String> = MODELS.map(str::to_owned).to_vec();
    let mut keys = Vec::new();
    for region in [SINGAPORE, SINGAPORE, VIRGINIA] {
        let workspace = client.default_workspace(region).await;
        let (id, secret) = client.key(region, &workspace).await;
        keys.push(Key { id, secret, workspace, region: region.to_owned(), models: all.clone() });
    }
    // May call two of the four.
    let granted = json!([["alpha", 1_000_000_000, 1_000_000_000_000_u64], ["tight", 20, 1_000_000_000]]);
    let workspace = client.workspace("granted").await;
    let items = granted.as_array().unwrap().iter();
    let items: Vec<_> = items.map(|m| json!({ "model": m[0], "rpm": m[1], "tpm": m[2] })).collect();
    let put = client.put(&grants(SINGAPORE, &workspace), json!({ "items": items })).await;
    assert_eq!(put.status, 200, "{}", put.body);
    let (id, secret) = client.key(SINGAPORE, &workspace).await;
    keys.push(Key { id, secret, workspace, region: SINGAPORE.to_owned(), models: all });
    keys
}

/// Asks for all usage there is.
fn query(of: UsageScope, group_by: UsageGroup) -> UsageQuery {
    let now = keygate_store::now_ms();
    UsageQuery {
        of,
        from: now - UsageStep::Hour.millis(),
        to: now + UsageStep::Hour.millis(),
        step: UsageStep::Minute,
        group_by,
        totals_by: None,
        model: None,
        api_key: None,
    }
}

impl From<&UsageFigures> for Sums {
    fn from(figures: &UsageFigures) -> Self {
        assert_eq!(figures.failures, figures.throttled + figures.client_errors + figures.server_errors);
        assert_eq!(figures.estimated_calls, 0, "every upstream told its usage");
        Self {
            calls: figures.calls,
            client_errors: figures.client_errors,
            throttled: figures.throttled,
            server_errors: figures.server_errors,
            tokens: [figures.input_tokens, figures.output_tokens, figures.cached_tokens],
        }
    }
}

/// Compares every grouping with what was seen.
async fn compare(store: &UsageStore, load: &Load, seen: &[Seen]) {
    let regions = [SINGAPORE, VIRGINIA];
    let workspaces: BTreeSet<&str> = load.keys.iter().map(|key| key.workspace.as_str()).collect();
    let workspace_of = |call: &Seen| load.keys[call.key].workspace.clone();
    let totals = async |of: UsageScope, group: UsageGroup| -> BTreeMap<String, Sums> {
        let period = store.usage(&query(of, group)).await.unwrap();
        let name = |of: &UsageOf| {
            let names = [
                of.model.as_ref().map(ModelId::as_str),
                of.api_key.as_ref().map(ApiKeyId::as_str),
                of.workspace.as_ref().map(WorkspaceId::as_str),
            ];
            names.into_iter().flatten().next().unwrap_or_default().to_owned()
        };
        let totals: BTreeMap<_, _> =
            period.totals.iter().map(|t| (name(&t.of), Sums::from(&t.figures))).collect();
        // The spans add up to the totals, and the totals to the one total.
        let mut items: BTreeMap<String, Sums> = BTreeMap::new();
        for item in &period.items {
            items.entry(name(&item.of)).or_default().add(Sums::from(&item.figures));
        }
        let mut all = Sums::default();
        items.values().for_each(|sums| all.add(*sums));
        assert_eq!(all, Sums::from(&period.total));
        if group == UsageGroup::None {
            return [(String::new(), all)].into();
        }
        assert_eq!(items, totals);
        totals
    };
    for region in regions {
        let of_region = |call: &&Seen| load.keys[call.key].region == region;
        let calls: Vec<Seen> = seen.iter().filter(of_region).cloned().collect();
        let scope = || UsageScope::Region(region.into());
        assert_eq!(totals(scope(), UsageGroup::None).await, sums(&calls, |_| String::new()));
        assert_eq!(totals(scope(), UsageGroup::Model).await, sums(&calls, |call| call.model.clone()));
        assert_eq!(totals(scope(), UsageGroup::Workspace).await, sums(&calls, workspace_of));
    }
    for workspace in workspaces {
        let calls: Vec<Seen> = seen.iter().filter(|call| workspace_of(call) == workspace).cloned().collect();
        let scope = || UsageScope::Workspaces(vec![workspace.into()]);
        assert_eq!(totals(scope(), UsageGroup::None).await, sums(&calls, |_| String::new()));
        assert_eq!(totals(scope(), UsageGroup::Model).await, sums(&calls, |call| call.model.clone()));
        let by_key = sums(&calls, |call| load.keys[call.key].id.clone());
        assert_eq!(totals(scope(), UsageGroup::ApiKey).await, by_key);
        for (index, key) in load.keys.iter().enumerate().filter(|(_, key)| key.workspace == workspace) {
            let calls: Vec<Seen> = calls.iter().filter(|call| call.key == index).cloned().collect();
            let mut query = query(scope(), UsageGroup::Model);
            query.api_key = Some(key.id.as_str().into());
            let period = store.usage(&query).await.unwrap();
            let found: BTreeMap<String, Sums> = period
                .totals
                .iter()
                .map(|total| {
                    (total.of.model.as_ref().unwrap().as_str().to_owned(), Sums::from(&total.figures))
                })
                .collect();
            assert_eq!(found, sums(&calls, |call| call.model.clone()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sums_of_ten_thousand_calls_are_what_the_clients_saw() {
    let (url, arrivals) = upstream::start().await;
    let server = Server::start_with(&config(&url)).await;
    let owner = server.owner().await;
    let keys = keys(&owner).await;
    let load = Load::new(server.gateway(SINGAPORE), keys, arrivals);
    let begun = Instant::now();
    load.run(CONNECTIONS, CALLS, 7).await;
    println!("{CALLS} calls in {:?}", begun.elapsed());
    assert_eq!(load.lost.load(Ordering::Relaxed), 0);
    let seen = load.seen.lock().unwrap().clone();
    let store = server.running.usage().clone();
    let total = async || {
        let mut calls = 0;
        for region in [SINGAPORE, VIRGINIA] {
            let period =
                store.usage(&query(UsageScope::Region(region.into()), UsageGroup::None)).await.unwrap();
            calls += period.total.calls;
        }
        calls
    };
    // Those who left are recorded when the gateway has noticed.
    let patience = Instant::now() + Duration::from_secs(20);
    while total().await < CALLS && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(total().await, CALLS);
    for class in CallClass::ALL {
        assert!(seen.iter().any(|call| call.class == class), "{class}");
    }
    compare(&store, &load, &seen).await;
    let ids: HashSet<_> = seen.iter().filter_map(|call| call.request_id.as_ref()).collect();
    assert!(ids.len() > CALLS as usize / 2);

    // And again after a restart: a clean stop loses nothing.
    let dir = server.stop().await;
    let (store, _) = UsageStore::open(&usage_url(&dir.path().join("data"))).await.unwrap();
    compare(&store, &load, &seen).await;
    store.close().await;
}

/// How long an answer is read after its client has disconnected: a second, as configured above, plus the time to
/// notice.
const SETTLE: Duration = Duration::from_millis(1_500);
/// How much of the last moment a process may forget that is killed.
const FORGETS: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_forgets_its_last_moment_and_counts_nothing_twice() {
    let (url, arrivals) = upstream::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (file, data) = (dir.path().join("keygate.toml"), dir.path().join("data"));
    let regions =
        [SINGAPORE, VIRGINIA].map(|id| format!("[[regions]]\nid = '{id}'\nlisten = '127.0.0.1:0'\n"));
    let text = format!("data_dir = '{}'\n{}{}", data.display(), config(&url), regions.concat());
    std::fs::write(&file, text).unwrap();
    let binary = Binary::serve(&file, &[("KEYGATE_LOG", "error")]).await;
    let owner = Client::of(&binary.console).signed_in(binary.link.as_ref().unwrap()).await;
    let load = Load::new(binary.gateway.clone(), keys(&owner).await, arrivals);

    let run = tokio::spawn({
        let load = Arc::clone(&load);
        async move { load.run(CONNECTIONS, CALLS, 11).await }
    });
    while load.seen.lock().unwrap().len() < CALLS as usize / 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let killed_at = Instant::now();
    binary.kill().await;
    let binary = Binary::serve(&file, &[("KEYGATE_LOG", "error")]).await;
    let restarted_at = Instant::now();
    load.base.write().unwrap().clone_from(&binary.gateway);
    run.await.unwrap();
    binary.stop().await;

    let (store, _) = UsageStore::open(&usage_url(&data)).await.unwrap();
    let (logged, requests) = logged(&store, &load).await;
    let mut recorded = 0;
    for region in [SINGAPORE, VIRGINIA] {
        let scope = UsageScope::Region(region.into());
        recorded += store.usage(&query(scope, UsageGroup::None)).await.unwrap().total.calls;
    }
    store.close().await;
    let ids: HashSet<&String> = logged.iter().collect();
    assert_eq!((ids.len(), recorded), (logged.len(), requests), "in the log once, in the sums once");

    let seen = load.seen.lock().unwrap();
    let lost = load.lost.load(Ordering::Relaxed);
    let answered = || seen.iter().filter_map(|call| Some((call.request_id.as_ref()?, call.at)));
    let recorded_at = |call: &Seen| if call.left { call.at + SETTLE } else { call.at };
    // Rejections beyond a key's budget share a row with one id, which is written later.
    let unlogged = || {
        seen.iter()
            .filter(|call| call.class == CallClass::Ok)
            .filter(|call| call.request_id.as_ref().is_some_and(|id| !ids.contains(id)))
    };
    let missing: Vec<Duration> = unlogged()
        .map(|call| killed_at.checked_duration_since(recorded_at(call)).unwrap_or_default())
        .collect();
    println!(
        "{} calls seen, {lost} cut off, {recorded} recorded; missing: {}, the first of them {:?} before the end",
        seen.len(),
        missing.len(),
        missing.iter().max()
    );
    assert!(missing.iter().all(|before| *before <= FORGETS), "more than the last moment is missing");
    assert_eq!(unlogged().filter(|call| call.at > restarted_at).count(), 0, "a clean stop loses nothing");
    // Those who left, and those who were cut off, were told no id.
    let told = answered().filter(|(id, _)| ids.contains(id)).count();
    let left = seen.iter().filter(|call| call.request_id.is_none()).count();
    assert!(ids.len() - told <= left + lost as usize, "calls that nobody made are recorded");
}

/// The ids of all rows in the log, and the number of requests they represent.
async fn logged(store: &UsageStore, load: &Load) -> (Vec<String>, u64) {
    let (mut ids, mut requests) = (Vec::new(), 0);
    let workspaces: BTreeSet<&str> = load.keys.iter().map(|key| key.workspace.as_str()).collect();
    for workspace in workspaces {
        let mut page = PageRequest { size: PageSize::default(), token: None };
        loop {
            let found = store.calls(&workspace.into(), &CallFilter::default(), &page).await.unwrap();
            requests += found.items.iter().map(|call| u64::from(call.count)).sum::<u64>();
            ids.extend(found.items.into_iter().map(|call| call.request_id));
            page.token = found.next_page_token;
            if page.token.is_none() {
                break;
            }
        }
    }
    (ids, requests)
}

#[tokio::test]
async fn a_call_that_the_stop_cuts_off_is_recorded_as_such() {
    let (url, arrivals) = upstream::start().await;
    let config = config(&url).replace("[timeouts]", "[timeouts]\nstop = 1");
    let server = Server::start_with(&config).await;
    let (_, key) = server.owner().await.default_key().await;
    let (arrived, arrives) = tokio::sync::oneshot::channel();
    arrivals.lock().unwrap().insert(1, arrived);
    let body = json!({ "model": "alpha", "messages": [{ "role": "user", "content": "hang 1" }] });
    let call = tokio::spawn(call(&server.gateway(SINGAPORE), "/chat/completions", &key).json(&body).send());
    arrives.await.unwrap();
    let workspace = server.owner().await.default_workspace(SINGAPORE).await;
    let dir = server.stop().await;
    assert!(call.await.unwrap().is_err());
    let (store, _) = UsageStore::open(&usage_url(&dir.path().join("data"))).await.unwrap();
    let page = PageRequest { size: PageSize::default(), token: None };
    let calls = store.calls(&workspace.as_str().into(), &CallFilter::default(), &page).await.unwrap().items;
    let ends: Vec<_> = calls.iter().map(|c| (c.status, c.class, c.error_code.as_deref())).collect();
    assert_eq!(ends, [(503, CallClass::ServerError, Some("server_stopped"))]);
    store.close().await;
}

fn usage_url(data: &Path) -> String {
    format!("sqlite:{}", data.join("usage.db").display())
}
