//! What a gateway is set up with.

use crate::context::Contexts;
use crate::ended::EndedCalls;
use crate::limit::{Clock, Limiter};
use crate::memory::MemoryBudget;
use crate::upstream::Upstreams;
use keygate_contract::RegionId;
use std::sync::Arc;
use std::time::Duration;

/// How long each part of a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// The client's body, whole.
    pub body: Duration,
    /// A new connection to an upstream.
    pub connect: Duration,
    /// An upstream's first byte.
    pub first_byte: Duration,
    /// An upstream's silence within a stream.
    pub idle: Duration,
    /// The rest of an upstream's answer that is not a stream.
    pub whole: Duration,
    /// The rest of an answer whose client has disconnected; 0: it is not read.
    pub settle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            body: Duration::from_secs(60),
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(600),
            idle: Duration::from_secs(120),
            whole: Duration::from_secs(600),
            settle: Duration::from_secs(10),
        }
    }
}

/// Where a region's applications call.
#[derive(Clone, Debug)]
pub struct RegionAddress {
    /// The region.
    pub id: RegionId,
    /// Where its doors are: scheme and authority.
    pub url: String,
    /// The domain below which each workspace has a host of its own, in lower case.
    pub workspace_domain: Option<String>,
    /// Whether its keys can make temporary ones.
    pub temporary_keys: bool,
}

/// What the gateway is set up with.
pub struct GatewayOptions {
    /// All regions this process serves.
    pub regions: Vec<RegionAddress>,
    /// Which upstream serves which model.
    pub upstreams: Upstreams,
    /// The largest body taken, in bytes.
    pub body_limit: usize,
    /// The most bytes of headers taken.
    pub header_limit: usize,
    /// How long each part may take.
    pub timeouts: Timeouts,
    /// The windows, shared with the other gateways of the process.
    pub limiter: Arc<Limiter>,
    /// The clock of the windows, the same for all.
    pub clock: Clock,
    /// Sizes observed in earlier requests, shared with the other gateways of the process.
    pub contexts: Arc<Contexts>,
    /// Calls under way at once with one key.
    pub calls_per_key: u32,
    /// The memory budget for requests and answers, shared by all gateways of the process.
    pub memory: Arc<MemoryBudget>,
    /// Where what is recorded of each call waits; each gateway has its own.
    pub ended: Arc<EndedCalls>,
}
