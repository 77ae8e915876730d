//! A gateway before an upstream that does what it is told.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use keygate_contract::{ApiKeyId, RegionId};
use keygate_gateway::catalogue::{Catalogue, CatalogueRegion, ModelDefinition};
use keygate_gateway::credential::{KeyHasher, Presented, TemporaryKeySigner, parse};
use keygate_gateway::directory::Directory;
use keygate_gateway::door::Door;
use keygate_gateway::ended::{EndedCall, EndedCalls};
use keygate_gateway::limit::{Clock, Limiter};
use keygate_gateway::memory::MemoryBudget;
use keygate_gateway::upstream::{Echo, HttpUpstream, OutputLimit, Terms, Upstreams};
use keygate_gateway::{Body, Gateway, GatewayOptions, RegionAddress, Timeouts};
use keygate_store::{
    ApiKeyRecord, DirectoryContent, Event, GrantedLimits, MemberRecord, ModelAccess, WorkspaceRecord,
};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Where the callers of these tests are.
pub(crate) const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
/// Calls under way at once with one key.
const CALLS_PER_KEY: u32 = 3;

const MODELS: &str = r#"[
    {"id":"plus","vendor":"V","type":"text","rpm":1000,"tpm":1000000,"prices":[
        {"item":"input_tokens","per":"million_tokens","price":1.0,"currency":"USD"},
        {"item":"output_tokens","per":"million_tokens","price":2.0,"currency":"USD"}]},
    {"id":"free","vendor":"V","type":"text","rpm":2,"tpm":5000},
    {"id":"nowhere","vendor":"V","type":"text","rpm":1000,"tpm":1000000}
]"#;

pub(crate) struct Rig {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) ended: Arc<EndedCalls>,
    pub(crate) hasher: KeyHasher,
    pub(crate) signer: TemporaryKeySigner,
    directory: Arc<Directory>,
    keys: AtomicU32,
}

impl Rig {
    /// Before an upstream that answers each call with `text`, and then closes, or waits if `waits`.
    pub(crate) async fn new(text: &str, waits: bool) -> Self {
        let text: Arc<str> = text.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(upstream(stream, Arc::clone(&text), waits));
            }
        });
        Self::before(&url, EndedCalls::new)
    }

    /// Before an upstream that answers each call whole, with this body.
    pub(crate) async fn whole(body: &str) -> Self {
        Self::new(&whole("200 OK", body), false).await
    }

    /// Before whatever is at `url`, with a queue of its own.
    pub(crate) fn before(url: &str, ended: impl FnOnce(&Catalogue) -> EndedCalls) -> Self {
        let definitions: Vec<ModelDefinition> = serde_json::from_str(MODELS).unwrap();
        let region = |id: &str| CatalogueRegion { id: id.into(), like: id.into() };
        let catalogue = Arc::new(Catalogue::new(&definitions, &[region("home"), region("away")]));
        let ended = Arc::new(ended(&catalogue));
        let second = Duration::from_secs(1);
        let timeouts = Timeouts {
            body: second,
            connect: second,
            first_byte: second,
            idle: second,
            whole: second,
            settle: second,
        };
        let service = Arc::new(HttpUpstream::new("stub", url, None, timeouts).unwrap());
        let terms = Terms::new(&OutputLimit::ALL, 0.25);
        let route = |upstreams: Upstreams, model: &str| upstreams.route(model.into(), &service, None, terms);
        let address = |id: &str| RegionAddress {
            id: id.into(),
            url: format!("http://{id}"),
            workspace_domain: Some(format!("{id}.example")),
            temporary_keys: true,
        };
        let options = GatewayOptions {
            regions: vec![address("home"), address("away")],
            upstreams: ["plus", "free"].into_iter().fold(Upstreams::new(Echo::Off), route),
            body_limit: 10_000,
            header_limit: 10_000,
            timeouts,
            limiter: Arc::new(Limiter::new(catalogue.slots())),
            clock: Clock::new(),
            contexts: Arc::default(),
            calls_per_key: CALLS_PER_KEY,
            memory: Arc::new(MemoryBudget::new(64 << 20, 1 << 20, Duration::from_secs(5))),
            ended: Arc::clone(&ended),
        };
        let directory = Arc::new(directory());
        let (hasher, signer) = (KeyHasher::new(&[1; 32]), TemporaryKeySigner::new(&[2; 32]));
        let gateway =
            Gateway::new(catalogue, Arc::clone(&directory), hasher.clone(), signer.clone(), options);
        Self { gateway: Arc::new(gateway), ended, hasher, signer, directory, keys: AtomicU32::new(0) }
    }

    /// A new key of the workspace `ws-all`.
    pub(crate) fn key(&self) -> String {
        self.key_with("ws-all", |_| {})
    }

    /// A new key of a workspace, after a change of it.
    pub(crate) fn key_with(&self, workspace: &str, change: impl FnOnce(&mut ApiKeyRecord)) -> String {
        let minted = self.hasher.mint();
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        let mut record = ApiKeyRecord {
            id: format!("key-{number}").as_str().into(),
            public_id: minted.public_id.as_str().into(),
            secret_hash: minted.secret_hash,
            previous: None,
            workspace: workspace.into(),
            owner: "mem-1".into(),
            permission: serde_json::from_str(r#"{"kind":"all"}"#).unwrap(),
            disabled: false,
            expires_at: None,
        };
        change(&mut record);
        self.directory.apply(vec![Event::ApiKeyPut(record)]).unwrap();
        minted.secret.expose().to_owned()
    }

    /// A temporary key made from a key, that works until then.
    pub(crate) fn temporary(&self, key: &str, expires_at: i64) -> String {
        let Some(Presented::Key(presented)) = parse(key) else { panic!("not a key") };
        let hash = self.hasher.hash(presented);
        self.signer.mint(presented.public_id, &hash, expires_at).expose().to_owned()
    }

    pub(crate) fn apply(&self, event: Event) {
        self.directory.apply(vec![event]).unwrap();
    }

    /// A call of chat in the region `home`.
    pub(crate) async fn chat(&self, key: &str, body: &str) -> Response<Body> {
        self.send(chat(key, body)).await
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        self.gateway.call(Door::of(&path).unwrap(), &RegionId::from("home"), CALLER, request).await
    }

    /// The one record that is left by now.
    pub(crate) fn record(&self) -> EndedCall {
        let mut records = self.ended.take();
        assert_eq!(records.len(), 1, "{records:?}");
        self.ended.written(1);
        *records.pop().unwrap()
    }

    /// The one record that is left soon.
    pub(crate) async fn record_soon(&self) -> EndedCall {
        for _ in 0..500 {
            if self.ended.depth() > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.record()
    }
}

fn directory() -> Directory {
    let workspace = |id: &str, region: &str, models: ModelAccess| WorkspaceRecord {
        id: id.into(),
        account: "acc-1".into(),
        region: region.into(),
        models,
    };
    let granted = [("plus".into(), GrantedLimits { rpm: 1, tpm: Some(1000) })].into_iter().collect();
    Directory::new(DirectoryContent {
        members: vec![
            MemberRecord { id: "mem-1".into(), active: true },
            MemberRecord { id: "mem-2".into(), active: false },
        ],
        workspaces: vec![
            workspace("ws-all", "home", ModelAccess::All),
            workspace("ws-granted", "home", ModelAccess::Granted(granted)),
            workspace("ws-away", "away", ModelAccess::All),
        ],
        api_keys: Vec::new(),
    })
    .unwrap()
}

/// A request for chat.
pub(crate) fn chat(key: &str, body: &str) -> Request<Full<Bytes>> {
    request("/compatible-mode/v1/chat/completions", key, body)
}

pub(crate) fn request(path: &str, key: &str, body: &str) -> Request<Full<Bytes>> {
    let request = Request::post(path).header("authorization", format!("Bearer {key}"));
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

/// Reads an answer to its end.
pub(crate) async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// The code that an answer tells.
pub(crate) async fn code(response: Response<Body>) -> String {
    let body: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    body["error"]["code"].as_str().unwrap_or_default().to_owned()
}

/// Whose it is, by the ids of key, workspace, region and owner.
pub(crate) fn owner_of(record: &EndedCall) -> (&ApiKeyId, &str, &str, &str) {
    let workspace = &record.key.workspace;
    (&record.key.id, workspace.id.as_str(), workspace.region.as_str(), record.key.owner.id.as_str())
}

/// An answer that is not a stream, as an upstream writes it.
pub(crate) fn whole(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A stream of these events.
pub(crate) fn streamed(events: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{events}")
}

async fn upstream(mut stream: TcpStream, text: Arc<str>, waits: bool) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
    stream.write_all(text.as_bytes()).await.unwrap();
    if waits {
        while matches!(stream.read(&mut buffer).await, Ok(n) if n > 0) {}
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
