//! The keeper over a ledger that fails and dawdles as it is told.

use super::*;
use crate::metrics::Exposed;
use keygate_contract::{CallClass, CallDoor, Permission};
use keygate_gateway::catalogue::{Catalogue, Cost};
use keygate_gateway::credential::PublicId;
use keygate_gateway::directory::{Directory, KeyEntry};
use keygate_gateway::ended::{EndedCall, Tokens};
use keygate_gateway::memory::MemoryBudget;
use keygate_store::{
    ApiKeyRecord, DirectoryContent, MemberRecord, ModelAccess, StoreError, WorkspaceRecord, now_ms,
};
use std::net::Ipv4Addr;
use std::sync::Mutex;
use uuid::Uuid;

/// What the ledger did, and what it is to do.
#[derive(Default)]
struct State {
    written: Vec<Uuid>,
    attempts: usize,
    folds: usize,
    failures: usize,
    fold_takes: Duration,
}

#[derive(Clone, Default)]
struct Stub(Arc<Mutex<State>>);

impl Stub {
    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

impl Ledger for Stub {
    async fn append(&mut self, queues: &[Records]) -> Result<(), StoreError> {
        self.with(|state| {
            state.attempts += 1;
            if state.failures > 0 {
                state.failures -= 1;
                return Err(StoreError::NotFound);
            }
            state.written.extend(queues.iter().flatten().map(|call| call.request_id));
            Ok(())
        })
    }

    async fn fold(&mut self) -> Result<(), StoreError> {
        let takes = self.with(|state| {
            state.folds += 1;
            state.fold_takes
        });
        tokio::time::sleep(takes).await;
        Ok(())
    }
}

struct Rig {
    stub: Stub,
    queues: Vec<Arc<EndedCalls>>,
    exposed: Exposed,
    key: Arc<KeyEntry>,
    stop: oneshot::Sender<()>,
    kept: tokio::task::JoinHandle<()>,
}

impl Rig {
    fn new() -> Self {
        let catalogue = Arc::new(Catalogue::default());
        let queues = vec![Arc::new(EndedCalls::new(&catalogue)), Arc::new(EndedCalls::new(&catalogue))];
        let memory = Arc::new(MemoryBudget::new(1 << 20, 1 << 20, Duration::from_secs(1)));
        let (metrics, exposed) = Metrics::new(&catalogue, &[], &queues, &memory);
        let (stub, (stop, stopped)) = (Stub::default(), oneshot::channel());
        let keeper = Keeper::new(stub.clone(), queues.clone(), metrics);
        Self { stub, queues, exposed, key: key(), stop, kept: tokio::spawn(keeper.keep(stopped)) }
    }

    /// How many calls wait to be written down, as scrapers are told.
    fn waiting(&self) -> String {
        let text = self.exposed.text().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("keygate_usage_queue_calls "));
        line.unwrap().to_owned()
    }

    /// A call ends at the gateway of this number.
    fn call(&self, queue: usize) -> Uuid {
        let request_id = Uuid::new_v4();
        self.queues[queue].push(Box::new(EndedCall {
            key: Arc::clone(&self.key),
            slot: None,
            upstream: None,
            request_id,
            ended_at: now_ms(),
            door: CallDoor::Openai,
            address: Ipv4Addr::LOCALHOST.into(),
            status: 400,
            class: CallClass::ClientError,
            error_code: Some("invalid_request_error"),
            throttled_by: None,
            stream: false,
            tokens: Tokens::default(),
            cost: Cost::None,
            latency_us: 1,
            forwarded_us: None,
            first_token_us: None,
        }));
        request_id
    }

    async fn stop(self) -> Stub {
        drop(self.stop);
        self.kept.await.unwrap();
        self.stub
    }
}

fn key() -> Arc<KeyEntry> {
    let content = DirectoryContent {
        members: vec![MemberRecord { id: "mem-1".into(), active: true }],
        workspaces: vec![WorkspaceRecord {
            id: "ws-1".into(),
            account: "acc-1".into(),
            region: "home".into(),
            models: ModelAccess::All,
        }],
        api_keys: vec![ApiKeyRecord {
            id: "key-1".into(),
            public_id: "AAAAAAAAAAAA".into(),
            secret_hash: [1; 32],
            previous: None,
            workspace: "ws-1".into(),
            owner: "mem-1".into(),
            permission: Permission::default(),
            disabled: false,
            expires_at: None,
        }],
    };
    Directory::new(content).unwrap().key(PublicId::parse("AAAAAAAAAAAA").unwrap()).unwrap()
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn every_queue_is_written_at_the_next_look_and_added_up_within_a_second() {
    let rig = Rig::new();
    pass(120).await;
    let ids = [rig.call(0), rig.call(1), rig.call(0)];
    pass(26).await;
    let mut written = rig.stub.with(|state| state.written.clone());
    written.sort_unstable();
    let mut expected = ids.to_vec();
    expected.sort_unstable();
    assert_eq!(written, expected);
    pass(1100).await;
    assert_eq!(rig.stub.with(|state| state.folds), 1);
    pass(5000).await;
    assert_eq!(rig.stub.with(|state| state.folds), 1, "nothing new");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_written_is_written_later_and_once() {
    let rig = Rig::new();
    pass(20).await;
    rig.stub.with(|state| state.failures = 4);
    let first = rig.call(0);
    pass(60).await;
    let second = rig.call(0);
    pass(300).await;
    assert_eq!(rig.queues[0].depth(), 1, "the queue keeps what came since");
    assert_eq!(rig.waiting(), "2", "that, and what is out of it and not written");
    assert!(
        rig.stub.with(|state| state.written.is_empty() && state.attempts < 5),
        "it is not tried at every turn"
    );
    pass(4000).await;
    assert_eq!(rig.stub.with(|state| state.written.clone()), [first, second]);
    assert_eq!((rig.queues[0].depth(), rig.waiting().as_str()), (0, "0"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_writes_and_adds_up_everything() {
    let rig = Rig::new();
    pass(20).await;
    rig.stub.with(|state| state.failures = 3);
    let ids = [rig.call(0), rig.call(1)];
    let stub = rig.stop().await;
    assert_eq!(stub.with(|state| (state.written.clone(), state.folds)), (ids.to_vec(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_gives_up_on_what_cannot_be_written() {
    let rig = Rig::new();
    pass(20).await;
    rig.stub.with(|state| state.failures = usize::MAX);
    rig.call(0);
    let stub = rig.stop().await;
    assert!(stub.with(|state| state.written.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn adding_up_that_takes_long_is_done_less_often() {
    let rig = Rig::new();
    rig.stub.with(|state| state.fold_takes = Duration::from_millis(500));
    for _ in 0..200 {
        rig.call(0);
        pass(100).await;
    }
    let folds = rig.stub.with(|state| state.folds);
    assert!((3..=5).contains(&folds), "{folds} in 20 seconds");
}
