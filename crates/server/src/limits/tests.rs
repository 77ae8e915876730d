//! Windows across a restart, with clocks that are set.

use super::*;
use keygate_contract::{AccountId, Email, WorkspaceId, WorkspaceName};
use keygate_gateway::catalogue::{CatalogueRegion, shipped};
use keygate_gateway::limit::{Ask, Subject};
use keygate_store::NewAccount;
use std::sync::atomic::{AtomicI64, Ordering};

struct Rig {
    limits: Limits,
    account: AccountId,
    /// How far the system clock was moved, in milliseconds.
    moved: Arc<AtomicI64>,
}

fn ask() -> Ask {
    let limits = keygate_gateway::limit::Limits { rpm: 5, tpm: Some(1_000_000) };
    Ask { tokens: 7, workspace: limits, account: limits }
}

impl Rig {
    async fn new(store: &Store) -> Self {
        let moved = Arc::<AtomicI64>::default();
        let home = CatalogueRegion { id: "us-east-1".into(), like: "us-east-1".into() };
        let catalogue = Arc::new(Catalogue::new(&shipped(), &[home]));
        let by = Arc::clone(&moved);
        let system = Arc::new(move || now_ms() + by.load(Ordering::Relaxed));
        let limits = Limits::load_at(store, &catalogue, Clock::new(), system).await.unwrap();
        let new = NewAccount {
            name: "Account",
            owner: &Email::parse("owner@example.com").unwrap(),
            regions: &[],
            workspace: &WorkspaceName::parse("Default workspace").unwrap(),
        };
        let (owner, _) = store.account_create(new).await.unwrap();
        Self { limits, account: owner.account, moved }
    }

    fn call(&self, now: Moment) -> bool {
        let workspace = WorkspaceId::from("ws-1");
        let subject = Subject { account: &self.account, workspace: &workspace, slot: 0 };
        self.limits.limiter.admit(subject, ask(), now).map(drop).is_ok()
    }
}

async fn store(dir: &tempfile::TempDir) -> Store {
    Store::open(&format!("sqlite:{}", dir.path().join("keygate.db").display())).await.unwrap()
}

#[tokio::test]
async fn windows_are_dated_again_when_the_clock_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let rig = Rig::new(&store).await;
    for _ in 0..5 {
        assert!(rig.call(rig.limits.clock.now()));
    }
    let mut writer = Writer::new(rig.limits.clone());
    assert!(writer.save().await);
    for hours in [5, -30] {
        rig.moved.store(hours * 3_600_000, Ordering::Relaxed);
        assert!(writer.save().await);
        let now = now_ms() + hours * 3_600_000;
        let windows = store.limit_windows(0).await.unwrap();
        assert_eq!(windows.len(), 2, "nothing was charged since, and both are written");
        for window in windows {
            let second = i64::try_from(window.charges[0].second).unwrap();
            assert!((now / 1000 - second).abs() <= 60, "{second} at {now}");
            assert_eq!(window.charges.iter().map(|charge| charge.requests).sum::<u64>(), 5);
        }
    }
}

#[tokio::test]
async fn what_waits_for_the_disk_keeps_when_a_model_was_called() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let rig = Rig::new(&store).await;
    assert!(rig.call(rig.limits.clock.now()));
    let mut writer = Writer::new(rig.limits.clone());
    store.close().await;
    assert!(!writer.save().await);
    assert_eq!(writer.waiting.len(), 2, "the account's and the workspace's");
    let charges = |second, requests| vec![Charge { second, requests, tokens: 9 }];
    let window = |charges| LimitWindow { charges, ..writer.waiting.values().next().unwrap().clone() };
    let mut before = window(charges(100, 1));
    replace(&mut before, window(charges(200, 0)));
    let seconds: Vec<_> = before.charges.iter().map(|c| (c.second, c.requests, c.tokens)).collect();
    assert_eq!(seconds, [(100, 1, 0), (200, 0, 9)], "the request that left the window is still known");
    replace(&mut before, window(charges(300, 2)));
    assert_eq!(before.charges, charges(300, 2));
}
