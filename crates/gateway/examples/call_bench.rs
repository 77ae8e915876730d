//! The cost of a call inside the gateway, by the size and shape of its body.
//!
//! ```text
//! cargo run --release -p keygate-gateway --example call_bench
//! ```
//!
//! The echo answers, so that no network is involved. Large bodies are sent with a key that may not call the model, and
//! with one that may. The output includes the peak resident memory of the process (`/proc/self/status`).
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use keygate_contract::RegionId;
use keygate_gateway::catalogue::{Catalogue, CatalogueRegion, ModelDefinition};
use keygate_gateway::credential::{KeyHasher, TemporaryKeySigner};
use keygate_gateway::directory::Directory;
use keygate_gateway::door::Door;
use keygate_gateway::ended::EndedCalls;
use keygate_gateway::limit::{Clock, Limiter};
use keygate_gateway::memory::MemoryBudget;
use keygate_gateway::upstream::{Echo, Upstreams};
use keygate_gateway::{Gateway, GatewayOptions, RegionAddress, Timeouts};
use keygate_store::{
    ApiKeyRecord, DirectoryContent, GrantedLimits, MemberRecord, ModelAccess, WorkspaceRecord,
};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

const MODELS: &str = r#"[{"id":"m","vendor":"V","type":"text","rpm":1000000000,"tpm":1000000000000},
    {"id":"x","vendor":"V","type":"text","rpm":1000000000,"tpm":1000000000000}]"#;
const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A gateway, and the queue of its records.
struct Bench {
    gateway: Gateway,
    ended: Arc<EndedCalls>,
    key: String,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let bench = Bench::new();
        let chat = |text: &str| {
            format!(r#"{{"model":"m","max_tokens":200,"messages":[{{"role":"user","content":"{text}"}}]}}"#)
        };
        let words = "The quick brown fox jumps over the lazy dog and says hello. ";
        for (name, body, rounds) in [
            ("1 KB of chat", chat(&words.repeat(15)), 20_000),
            ("100 KB of chat", chat(&words.repeat(1_660)), 1_000),
        ] {
            let mut best = Duration::MAX;
            for _ in 0..20 {
                let start = Instant::now();
                for _ in 0..rounds {
                    bench.call(Bytes::from(body.clone())).await;
                }
                best = best.min(start.elapsed() / rounds);
                bench.ended.written(bench.ended.take().len());
            }
            println!("{name}: {best:?} each");
        }
        println!("at most {} MB resident", peak());
        for (name, head) in [("may not call", r#""model":"x","#), ("may call", r#""model":"m","#)] {
            let body = Bytes::from(format!(r#"{{{head}"input":[{}1]}}"#, "1,".repeat(10 << 20)));
            let start = Instant::now();
            let status = bench.call(body).await;
            println!(
                "20 MiB for a model that the key {name}: {status}, {:?}; at most {} MB resident",
                start.elapsed(),
                peak()
            );
        }
    });
}

impl Bench {
    fn new() -> Self {
        let definitions: Vec<ModelDefinition> = serde_json::from_str(MODELS).expect("two models");
        let region = CatalogueRegion { id: "home".into(), like: "home".into() };
        let catalogue = Arc::new(Catalogue::new(&definitions, &[region]));
        let ended = Arc::new(EndedCalls::new(&catalogue));
        let hasher = KeyHasher::new(&[1; 32]);
        let minted = hasher.mint();
        let limits = GrantedLimits { rpm: 1_000_000_000, tpm: Some(1_000_000_000_000) };
        let granted = [("m".into(), limits)].into_iter().collect();
        let directory = Directory::new(DirectoryContent {
            members: vec![MemberRecord { id: "mem-1".into(), active: true }],
            workspaces: vec![WorkspaceRecord {
                id: "ws-1".into(),
                account: "acc-1".into(),
                region: "home".into(),
                models: ModelAccess::Granted(granted),
            }],
            api_keys: vec![ApiKeyRecord {
                id: "key-1".into(),
                public_id: minted.public_id.as_str().into(),
                secret_hash: minted.secret_hash,
                previous: None,
                workspace: "ws-1".into(),
                owner: "mem-1".into(),
                permission: serde_json::from_str(r#"{"kind":"all"}"#).expect("a permission"),
                disabled: false,
                expires_at: None,
            }],
        });
        let address = RegionAddress {
            id: "home".into(),
            url: "http://home".into(),
            workspace_domain: None,
            temporary_keys: false,
        };
        let options = GatewayOptions {
            regions: vec![address],
            upstreams: Upstreams::new(Echo::On),
            body_limit: 32 << 20,
            header_limit: 10_000,
            timeouts: Timeouts::default(),
            limiter: Arc::new(Limiter::new(catalogue.slots())),
            clock: Clock::new(),
            contexts: Arc::default(),
            calls_per_key: 100,
            memory: Arc::new(MemoryBudget::new(512 << 20, 32 << 20, Duration::from_secs(60))),
            ended: Arc::clone(&ended),
        };
        let directory = Arc::new(directory.expect("it is whole"));
        let signer = TemporaryKeySigner::new(&[2; 32]);
        let gateway = Gateway::new(catalogue, directory, hasher, signer, options);
        Self { gateway, ended, key: format!("Bearer {}", minted.secret.expose()) }
    }

    /// The status of the answer, after reading it to its end.
    async fn call(&self, body: Bytes) -> u16 {
        let request =
            Request::post("/compatible-mode/v1/chat/completions").header("authorization", &self.key);
        let request = request.body(Full::new(body)).expect("a request");
        let response = self.gateway.call(Door::Openai, &RegionId::from("home"), CALLER, request).await;
        let status = response.status().as_u16();
        drop(response.into_body().collect().await);
        status
    }
}

/// The peak resident memory of this process, in MB; 0 if the system does not report it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
