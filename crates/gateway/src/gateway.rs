//! The line itself: each step of a call, in order, with no way back.

use crate::admit::Asking;
use crate::authorize::{Denial, Facts, Permit, Target, authorize};
use crate::body::{self, Body};
use crate::call::CallBody;
use crate::catalogue::{Catalogue, Model};
use crate::credential::{KeyHasher, Presented, TemporaryKeySigner};
use crate::directory::{Directory, KeyEntry, Proof, ProofError};
use crate::door::{Door, Operation};
use crate::headers::{REQUEST_ID, with_headroom};
use crate::limit::{Clock, Headroom, Limiter, Limits, Permit as Place, Subject};
use crate::meter::{Meter, Metered, UsageEvent};
use crate::models;
use crate::refusal::Refusal;
use crate::request::{header_bytes, key_of, read_body, workspace_host};
use crate::temporary_key;
use crate::upstream::{Answer, Outgoing, Upstreams};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use keygate_contract::{ModelId, RegionId};
use keygate_store::now_ms;
use percent_encoding::percent_decode_str;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

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
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            body: Duration::from_secs(60),
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(600),
            idle: Duration::from_secs(120),
            whole: Duration::from_secs(600),
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

/// Who calls, where and when.
#[derive(Clone, Copy)]
struct Caller<'a> {
    door: Door,
    region: &'a RegionId,
    /// The workspace whose own host was called.
    workspace: Option<&'a str>,
    address: IpAddr,
    /// In Unix milliseconds. Time of day, which goes on while a machine sleeps.
    now: i64,
}

/// A key that was proven.
struct Proven {
    key: Arc<KeyEntry>,
    /// Its revision then: what was changed since has to be proven again.
    revision: u64,
    proof: Proof,
}

impl Proven {
    /// Whether it is proven still: the key was not changed, and the time of what proved it is not over.
    fn holds(&self, now: i64) -> bool {
        self.key.state().revision() == self.revision && self.proof.until.is_none_or(|end| now < end)
    }
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
    /// Calls under way at once with one key.
    pub calls_per_key: u32,
}

/// The data plane.
pub struct Gateway {
    catalogue: Arc<Catalogue>,
    directory: Arc<Directory>,
    hasher: KeyHasher,
    signer: TemporaryKeySigner,
    options: GatewayOptions,
}

impl Gateway {
    /// A gateway that knows keys by `directory`, and proves them with `hasher` and temporary ones with `signer`.
    pub fn new(
        catalogue: Arc<Catalogue>,
        directory: Arc<Directory>,
        hasher: KeyHasher,
        signer: TemporaryKeySigner,
        options: GatewayOptions,
    ) -> Self {
        Self { catalogue, directory, hasher, signer, options }
    }

    /// Answers a request that came to the listener of `region` from `address`, at a path of `door`.
    pub async fn call<B>(
        &self,
        door: Door,
        region: &RegionId,
        address: IpAddr,
        request: Request<B>,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let request_id = Uuid::new_v4();
        let mut response = match self.run(door, region, address, request, request_id).await {
            Ok(response) => response,
            Err(refusal) => {
                tracing::debug!(request.id = %request_id, region.id = %region, ?refusal, "call refused");
                refuse(door, &refusal, request_id)
            }
        };
        let mut text = Uuid::encode_buffer();
        if let Ok(value) = HeaderValue::from_str(request_id.hyphenated().encode_lower(&mut text)) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }

    async fn run<B>(
        &self,
        door: Door,
        region: &RegionId,
        address: IpAddr,
        request: Request<B>,
        request_id: Uuid,
    ) -> Result<Response<Body>, Refusal>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let domain = self.region(region).and_then(|r| r.workspace_domain.as_deref());
        let workspace = domain.and_then(|domain| workspace_host(&head, domain));
        let mut caller = Caller { door, region, workspace, address, now: now_ms() };
        let begun = self.operation(door, &head).and_then(|operation| {
            let presented = key_of(&head.headers, &head.uri)?;
            Ok((operation, presented, self.authenticate(caller, presented)?))
        });
        let (operation, presented, mut proven) = match begun {
            Ok(begun) => begun,
            Err(refusal) => return Err(drained(body, refusal).await),
        };
        let call = match operation {
            Operation::Call(call) => call,
            other => {
                let refused = self.answer(other, caller, presented, &proven, &head);
                body::drain(body, 1 << 20, Duration::from_secs(1)).await;
                return refused;
            }
        };

        let limit = self.options.calls_per_key;
        let Some(place) = proven.key.gauge.try_enter(limit) else {
            return Err(drained(body, Refusal::TooManyCalls { limit }).await);
        };
        let body = read_body(body, self.options.body_limit, self.options.timeouts.body).await?;
        let parsed = CallBody::parse(&body)?;
        let id = ModelId::from(parsed.model.as_ref());
        caller.now = now_ms();
        if !proven.holds(caller.now) {
            // While the body came the key was changed, or what proved it came to its end.
            proven = self.authenticate(caller, presented)?;
        }
        let key = &proven.key;
        let (model, workspace) = self.permit(caller, key, &id)?;
        let route = self.options.upstreams.find(&id)?;
        let asking = Asking { model, workspace, call, body: &parsed };
        let (meter, headroom) = self.admit(key, place, &asking, request_id)?;
        self.directory.used().note_use(key, caller.now);

        let asks_for_usage =
            parsed.stream && !parsed.wants_usage && route.tells_usage() && call.has_stream_options();
        let outgoing = Outgoing {
            call,
            door,
            stream: parsed.stream,
            body: parsed.rewritten(&body, route.name.as_deref(), asks_for_usage),
            model: route.name.as_deref().map_or(id, ModelId::from),
            request_id,
        };
        let usage_event = if asks_for_usage { UsageEvent::Hidden } else { UsageEvent::Shown };
        match route.send(outgoing).await {
            Ok(answer) => Ok(answered(answer, with_headroom(&headroom), usage_event, meter)),
            Err(refusal) => {
                meter.failed();
                Err(refusal)
            }
        }
    }

    /// What needs no body: which models there are, and temporary keys.
    fn answer(
        &self,
        operation: Operation,
        caller: Caller<'_>,
        presented: Presented<'_>,
        proven: &Proven,
        head: &http::request::Parts,
    ) -> Result<Response<Body>, Refusal> {
        let key = &proven.key;
        let response = match operation {
            Operation::Call(_) | Operation::ModelList => {
                json(models::list(&self.catalogue, caller.region, &key.workspace.state(), &key.state()))
            }
            Operation::ModelView(id) => self.model_view(caller, key, &id)?,
            Operation::TemporaryKeyCreate => {
                if !self.region(caller.region).is_some_and(|region| region.temporary_keys) {
                    return Err(Refusal::NoTemporaryKeys);
                }
                // Under the secret that was presented: what is made ends with it.
                let parent = (key.public_id, &proven.proof.secret_hash);
                let mut response =
                    json(temporary_key::create(presented, parent, &self.signer, head.uri.query())?);
                let no_store = HeaderValue::from_static("no-store");
                response.headers_mut().insert(header::CACHE_CONTROL, no_store);
                response
            }
        };
        self.directory.used().note_use(key, caller.now);
        Ok(response)
    }

    /// What the key may do with a model of the region.
    fn permit(
        &self,
        caller: Caller<'_>,
        key: &Arc<KeyEntry>,
        id: &ModelId,
    ) -> Result<(&Model, Limits), Refusal> {
        let target = self.target(caller.region, id);
        match (target, self.authorize(caller, key, target, id.as_str())?) {
            (Target::Model(model), Permit::Call(limits)) => Ok((model, limits)),
            _ => Err(Refusal::ModelNotFound { model: id.to_string() }),
        }
    }

    /// Takes what the call may use out of the limits of its workspace and its account.
    fn admit(
        &self,
        key: &KeyEntry,
        place: Place,
        asking: &Asking<'_>,
        request_id: Uuid,
    ) -> Result<(Meter, Headroom), Refusal> {
        let (model, clock) = (asking.model, self.options.clock);
        let subject =
            Subject { account: &key.workspace.account, workspace: &key.workspace.id, slot: model.slot };
        let admitted = self.options.limiter.admit(subject, asking.ask(), clock.now());
        let admitted = admitted.map_err(|exceeded| Refusal::LimitReached {
            model: model.id.to_string(),
            exceeded: Box::new(exceeded),
        })?;
        let headroom = admitted.headroom();
        let meter = Meter::new(admitted, place, clock, request_id, asking.prompt_tokens());
        Ok((meter, headroom))
    }

    fn operation(&self, door: Door, head: &http::request::Parts) -> Result<Operation, Refusal> {
        let limit = self.options.header_limit;
        if header_bytes(&head.headers, &head.uri) > limit {
            return Err(Refusal::HeadersTooLarge { limit });
        }
        door.operation(&head.method, head.uri.path())
    }

    /// Which key this is, and whether it may call at all. A key of another region is told so only when its whole secret
    /// is right.
    fn authenticate(&self, caller: Caller<'_>, presented: Presented<'_>) -> Result<Proven, Refusal> {
        let key = self.directory.key(presented.public_id()).ok_or(Refusal::KeyInvalid)?;
        let (proof, revision) = {
            let state = key.state();
            let proof = state.prove(presented, &self.hasher, &self.signer, caller.now);
            (proof, state.revision())
        };
        let proof = proof.map_err(|error| match error {
            ProofError::Wrong => Refusal::KeyInvalid,
            ProofError::TemporaryExpired => Refusal::TemporaryKeyExpired,
        })?;
        self.authorize(caller, &key, Target::ModelList, "")?;
        Ok(Proven { key, revision, proof })
    }

    fn authorize(
        &self,
        caller: Caller<'_>,
        key: &Arc<KeyEntry>,
        target: Target<'_>,
        model: &str,
    ) -> Result<Permit, Refusal> {
        let facts = Facts {
            called_region: caller.region,
            key_region: &key.workspace.region,
            key: &key.state(),
            owner_active: key.owner.is_active(),
            called_workspace: caller.workspace,
            key_workspace: &key.workspace.id,
            workspace: &key.workspace.state(),
            address: caller.address,
            now: caller.now,
            target,
        };
        authorize(facts).map_err(|denial| {
            if denial == Denial::AddressRefused {
                self.directory.used().note_refused(key, caller.address, caller.now);
            }
            let base_url = || {
                self.region(&key.workspace.region).map(|home| format!("{}{}", home.url, caller.door.path()))
            };
            denial.refusal(base_url, model)
        })
    }

    fn region(&self, id: &RegionId) -> Option<&RegionAddress> {
        self.options.regions.iter().find(|region| region.id == *id)
    }

    fn target(&self, region: &RegionId, model: &ModelId) -> Target<'_> {
        self.catalogue.find(region, model).map_or(Target::UnknownModel, Target::Model)
    }

    fn model_view(
        &self,
        caller: Caller<'_>,
        key: &Arc<KeyEntry>,
        encoded: &str,
    ) -> Result<Response<Body>, Refusal> {
        let id = ModelId::from(percent_decode_str(encoded).decode_utf8_lossy().into_owned());
        self.authorize(caller, key, self.target(caller.region, &id), id.as_str())?;
        let model = self
            .catalogue
            .find(caller.region, &id)
            .ok_or(Refusal::ModelNotFound { model: id.to_string() })?;
        Ok(json(models::view(model)))
    }
}

/// The refusal of a request whose body was not read. What is small enough to cost nothing is read and dropped, so that
/// the client gets to read why.
async fn drained<B: http_body::Body>(body: B, refusal: Refusal) -> Refusal {
    body::drain(body, 1 << 20, Duration::from_secs(1)).await;
    refusal
}

/// The answer on its way to the client, metered to its end.
fn answered(answer: Answer, headers: HeaderMap, usage_event: UsageEvent, mut meter: Meter) -> Response<Body> {
    meter.answered();
    match answer {
        Answer::Whole(body, told) => {
            meter.ended();
            meter.told(told);
            with_headers(Body::whole(body), headers)
        }
        Answer::Stream(stream) => {
            let body = Body::stream(Metered::new(stream, usage_event, meter));
            let mut response = with_headers(body, headers);
            let headers = response.headers_mut();
            headers
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            // Tells nginx in front not to hold the stream back.
            headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
            response
        }
    }
}

fn with_headers(body: Body, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

fn json(body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A refusal in the door's shape.
fn refuse(door: Door, refusal: &Refusal, request_id: Uuid) -> Response<Body> {
    let mut response = json(door.error_body(refusal, request_id));
    *response.status_mut() = refusal.codes().status;
    let headers = response.headers_mut();
    match refusal {
        Refusal::MethodNotAllowed { allowed } => {
            if let Ok(value) = HeaderValue::from_str(allowed.as_str()) {
                headers.insert(header::ALLOW, value);
            }
        }
        Refusal::UpstreamBusy { retry_after: Some(seconds) } => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
        Refusal::LimitReached { exceeded, .. } => {
            *headers = with_headroom(&exceeded.headroom);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(exceeded.retry_after_seconds));
            if !exceeded.can_ever_pass {
                // OpenAI's clients repeat a 429 of themselves, and this one never passes.
                headers.insert("x-should-retry", HeaderValue::from_static("false"));
            }
        }
        Refusal::TooManyCalls { .. } => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
        }
        _ => {}
    }
    response
}
