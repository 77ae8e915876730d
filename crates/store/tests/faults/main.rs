//! Runs every write of the store while the disk fails at each of its steps. A failed write changes nothing, and
//! succeeds once the disk works again.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod inject;

use inject::{EIO, ENOSPC, Faults};
use keygate_contract::{
    ApiKeyId, CallClass, CallDoor, Description, Email, Permission, RegionId, UsageGroup, UsageStep,
    WorkspaceId, WorkspaceName,
};
use keygate_store::{
    Actor, ApiKeyQuota, ApiKeyUse, CallCost, CallFilter, CallRecord, CallSubject, Charge, LimitWindow,
    NewAccount, NewApiKey, Owner, PageRequest, Retention, Store, StoreError, SubjectId, UsageQuery,
    UsageScope, UsageStore, UsageWriter,
};
use std::path::Path;

/// 2026-11-20.
const DAY: i64 = 1_795_132_800_000;
/// All writes, from the first failing one on.
const ALL: u32 = u32::MAX;
const KEYS: ApiKeyQuota = ApiKeyQuota { per_workspace: 10_000, per_region: 10_000, per_owner: None };

/// Runs the test of this name again, in a process whose writes can be made to fail.
fn again(test: &str) -> Option<Faults> {
    const DIR: &str = "KEYGATE_TEST_DIR";
    if let Some(dir) = std::env::var_os(DIR) {
        return Some(Faults::compile(Path::new(&dir)));
    }
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::compile(dir.path());
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .envs(faults.env())
        .env(DIR, dir.path())
        .status()
        .unwrap();
    assert!(status.success(), "{test} failed with writes that fail; see above");
    None
}

/// Runs `write` for one unit after another, with the disk failing after ever more writes, until no failure is hit.
/// After each failure, the disk works again and the write must succeed. Returns the number of units.
async fn at_each_write(
    faults: &Faults,
    part: &str,
    from: u32,
    mut write: impl AsyncFnMut(u32) -> Result<(), StoreError>,
) -> u32 {
    let mut unit = from;
    for (errno, times) in [(EIO, ALL), (ENOSPC, ALL), (EIO, 1)] {
        let mut failed = 0;
        for skip in 0.. {
            faults.fail(part, skip, times, errno);
            let mut result = write(unit).await;
            if result.is_err() && times == ALL {
                // On a connection that must be opened first, if possible.
                result = write(unit).await;
            }
            faults.stop();
            if let Err(error) = &result {
                assert!(error.is_unavailable(), "{error} at write {skip}");
                failed += 1;
                let retried = write(unit).await;
                assert!(retried.is_ok(), "{:?} after a failure at write {skip}", retried.unwrap_err());
            }
            unit += 1;
            // More writes than any unit needs, or a write that need not succeed for the unit to be stored.
            if result.is_ok() && skip > 40 {
                break;
            }
        }
        assert!(failed > 0, "nothing failed: the library is not loaded");
    }
    unit
}

async fn account(store: &Store) -> (Owner, WorkspaceId) {
    let name = WorkspaceName::parse("Default workspace").unwrap();
    let new = NewAccount {
        name: "Account",
        owner: &Email::parse("owner@example.com").unwrap(),
        regions: &[RegionId::from("here")],
        workspace: &name,
    };
    let (owner, _) = store.account_create(new).await.unwrap();
    let workspace = store.directory_content().await.unwrap().workspaces[0].id.clone();
    (owner, workspace)
}

fn actor(owner: &Owner) -> Actor {
    Actor {
        account: owner.account.clone(),
        member: Some(owner.member.clone()),
        email: owner.email.clone(),
        address: "127.0.0.1".into(),
        request_id: "test".into(),
    }
}

struct Console {
    store: Store,
    owner: Owner,
    workspace: WorkspaceId,
}

impl Console {
    async fn create(&self, n: u32) -> Result<ApiKeyId, StoreError> {
        let mut change = self.store.change(actor(&self.owner)).await?;
        let new = NewApiKey {
            description: &Description::parse(&format!("key {n}")).unwrap(),
            permission: &Permission::default(),
            expires_at: None,
            owner: &self.owner.member,
            public_id: &format!("public-{n}"),
            secret_hash: [7; 32],
            masked: "sk-kg-abcd…wxyz",
        };
        let key = change.api_key_create(&"here".into(), &self.workspace, new, KEYS).await?;
        change.commit().await?;
        Ok(key.id)
    }

    async fn disable(&self, key: &ApiKeyId) -> Result<(), StoreError> {
        let mut change = self.store.change(actor(&self.owner)).await?;
        change.api_key_disable(&"here".into(), &self.workspace, key).await?;
        change.commit().await.map(drop)
    }

    async fn delete(&self, key: &ApiKeyId) -> Result<(), StoreError> {
        let mut change = self.store.change(actor(&self.owner)).await?;
        change.api_key_delete(&"here".into(), &self.workspace, key).await?;
        change.commit().await.map(drop)
    }
}

#[tokio::test]
async fn a_change_is_whole_or_not_there_when_any_write_fails() {
    let Some(faults) = again("a_change_is_whole_or_not_there_when_any_write_fails") else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", dir.path().join("keygate.db").display())).await.unwrap();
    let (owner, workspace) = account(&store).await;
    let console = Console { store, owner, workspace };
    let mut keys = Vec::new();
    let units = at_each_write(&faults, "keygate.db", 0, async |n| {
        let key = console.create(n).await?;
        keys.push(key);
        Ok(())
    })
    .await;
    assert_eq!(keys.len(), units as usize);
    let stored = async || console.store.directory_content().await.unwrap().api_keys;
    assert_eq!(stored().await.len(), units as usize, "each is there once");
    let key = |n: u32| keys.get(n as usize).unwrap().clone();
    at_each_write(&faults, "keygate.db", 0, async |n| console.disable(&key(n)).await).await;
    let disabled = stored().await.iter().filter(|key| key.disabled).count();
    assert!(disabled > 100, "{disabled}");
    at_each_write(&faults, "keygate.db", 0, async |n| console.delete(&key(n)).await).await;
    assert_eq!(stored().await.len(), units as usize - disabled);

    let window = |n: u32| LimitWindow {
        account: console.owner.account.clone(),
        region: "here".into(),
        model: format!("model-{n}").into(),
        workspace: None,
        charges: vec![Charge { second: u64::from(n), requests: 1, tokens: 9 }],
    };
    let windows = at_each_write(&faults, "keygate.db", 0, async |n| {
        console.store.limit_windows_save(&[window(n)]).await
    })
    .await;
    assert_eq!(console.store.limit_windows(0).await.unwrap().len(), windows as usize);

    let last = console.create(9_999).await.unwrap();
    at_each_write(&faults, "keygate.db", 1, async |n| {
        let used = ApiKeyUse { id: last.clone(), used_at: Some(DAY + i64::from(n)), refused: None };
        console.store.api_keys_used(&[used]).await
    })
    .await;
    assert!(console.store.write_health().failures() > 50);
    assert_eq!(console.store.write_health().failing_since(), None);
    console.store.close().await;
}

fn subject(key: u32) -> CallSubject {
    CallSubject {
        region: "here".into(),
        workspace: format!("ws-{}", key % 3).into(),
        api_key: format!("key-{key}").into(),
        member: "mem-1".into(),
        model: Some("model".into()),
    }
}

fn record(n: u32) -> CallRecord {
    let mut request_id = [0; 16];
    let ended_at = DAY + i64::from(n) * 20_000;
    request_id[..6].copy_from_slice(&ended_at.to_be_bytes()[2..]);
    request_id[12..].copy_from_slice(&n.to_be_bytes());
    CallRecord {
        request_id,
        ended_at,
        door: CallDoor::Openai,
        status: 200,
        class: CallClass::Ok,
        error_code: None,
        throttled_by: None,
        stream: false,
        input_tokens: 1,
        output_tokens: 1,
        cached_tokens: 0,
        estimated: false,
        latency_us: 1,
        forwarded_us: None,
        first_token_us: None,
        address: "192.0.2.7".parse().unwrap(),
        cost: CallCost::None,
        count: 1,
    }
}

async fn counted(store: &UsageStore) -> (u64, u64) {
    let query = UsageQuery {
        of: UsageScope::Region("here".into()),
        from: DAY,
        to: DAY + 40 * 24 * 3_600_000,
        step: UsageStep::Day,
        group_by: UsageGroup::None,
        totals_by: None,
        model: None,
        api_key: None,
    };
    let mut logged = 0;
    for n in 0..3 {
        let page = PageRequest::default();
        logged += store.calls(&format!("ws-{n}").into(), &CallFilter::default(), &page).await.unwrap().total;
    }
    (store.usage(&query).await.unwrap().total.calls, logged)
}

/// One call with a key that is new every time if `with_names`, so that it takes a transaction of several statements;
/// otherwise with a known key, which takes a single statement.
async fn append(writer: &mut UsageWriter, n: u32, with_names: bool) -> Result<(), StoreError> {
    let subject: SubjectId = writer.subject(&subject(if with_names { n } else { 0 }));
    writer.append(&[(subject, record(n))]).await
}

#[tokio::test]
async fn usage_is_counted_once_when_any_write_fails() {
    let Some(faults) = again("usage_is_counted_once_when_any_write_fails") else { return };
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("usage.db").display());
    let (store, mut writer) = UsageStore::open(&url).await.unwrap();
    let units = at_each_write(&faults, "usage.db", 0, async |n| append(&mut writer, n, true).await).await;
    let units =
        at_each_write(&faults, "usage.db", units, async |n| append(&mut writer, n, false).await).await;
    writer.fold().await.unwrap();
    assert_eq!(counted(&store).await, (units.into(), units.into()));

    // Folding: a call is appended and then added to the sums.
    let mut appended = units;
    let units = at_each_write(&faults, "usage.db", units, async |n| {
        if appended == n {
            // Not part of what should fail.
            let control = std::fs::read(&faults.control).unwrap_or_default();
            faults.stop();
            append(&mut writer, n, false).await?;
            appended += 1;
            if !control.is_empty() {
                std::fs::write(&faults.control, control).unwrap();
            }
        }
        writer.fold().await
    })
    .await;
    assert_eq!(counted(&store).await, (units.into(), units.into()));

    // Deletion by age, one minute at a time.
    let at = |n: u32| DAY + 14 * 24 * 3_600_000 + i64::from(n) * 20_000;
    let deleted = at_each_write(&faults, "usage.db", 3, async |n| {
        store.clean(Retention::default(), at(n)).await.map(drop)
    })
    .await;
    let (sums, logged) = counted(&store).await;
    assert_eq!(sums, u64::from(units), "sums stay");
    let kept =
        (0..units).filter(|n| i64::from(*n) * 20_000 >= (i64::from(deleted - 1) * 20_000) / 60_000 * 60_000);
    assert_eq!(logged, kept.count() as u64);

    // Deletion by size, until nothing is left.
    let before = store.log_bytes().await.unwrap();
    let step = before / 400;
    at_each_write(&faults, "usage.db", 1, async |n| {
        store.clean_to_size(before.saturating_sub(step * u64::from(n)), at(0)).await.map(drop)
    })
    .await;
    let (sums, logged) = counted(&store).await;
    assert_eq!(sums, u64::from(units));
    assert!(store.log_bytes().await.unwrap() < before);
    store.clean_to_size(0, at(0)).await.unwrap();
    assert!(counted(&store).await.1 < logged);
    assert_eq!(store.log_bytes().await.unwrap(), 0, "the count matches the content");

    // The file is intact.
    store.close().await;
    let (store, _writer) = UsageStore::open(&url).await.unwrap();
    assert_eq!(counted(&store).await.0, u64::from(units));
}
