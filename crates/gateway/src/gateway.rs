//! The line itself: each step of a call, in order, with no way back.

use crate::admit::Asking;
use crate::authorize::{Denial, Facts, Permit, Target, authorize};
use crate::body::{self, Body};
use crate::call::CallBody;
use crate::catalogue::{Catalogue, Model};
use crate::credential::{KeyHasher, Presented, TemporaryKeySigner};
use crate::directory::{Directory, KeyEntry, Proof, ProofError};
use crate::door::{Door, Operation};
use crate::ended::EndedCalls;
use crate::headers::{REQUEST_ID, with_headroom};
use crate::limit::{Clock, Headroom, Limiter, Limits, Permit as Place, Subject};
use crate::meter::{Meter, Metered, UsageEvent};
use crate::models;
use crate::note::{Begun, Note};
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

/// Whose call it is, and whether it may be made.
enum Authenticated {
    Proven(Proven),
    /// The key is known to be the caller's, and may not call.
    Refused(Arc<KeyEntry>, Refusal),
}

impl Authenticated {
    fn key(&self) -> &Arc<KeyEntry> {
        match self {
            Self::Proven(proven) => &proven.key,
            Self::Refused(key, _) => key,
        }
    }

    fn proven(self) -> Result<Proven, Refusal> {
        match self {
            Self::Proven(proven) => Ok(proven),
            Self::Refused(_, refusal) => Err(refusal),
        }
    }
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
    /// Where what is recorded of each call waits; each gateway has its own.
    pub ended: Arc<EndedCalls>,
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

    /// Says that the calls still under way are being cut off, and not left by their callers.
    pub fn cut_off(&self) {
        self.options.ended.stop();
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
        let now = now_ms();
        let begun = Begun::new(door, address, now);
        let request_id = begun.request_id;
        // Dropped with this future when the caller leaves: then that is what is recorded.
        let mut note = None;
        let mut response = match self.run(begun, region, now, request, &mut note).await {
            Ok(response) => response,
            Err(refusal) => {
                if let Some(mut note) = note {
                    note.refused(&refusal);
                }
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

    /// Puts the call's note into `note` as soon as there is one, and takes it out where something else sees to it that
    /// the call is recorded.
    async fn run<B>(
        &self,
        begun: Begun,
        region: &RegionId,
        now: i64,
        request: Request<B>,
        note: &mut Option<Note>,
    ) -> Result<Response<Body>, Refusal>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let domain = self.region(region).and_then(|r| r.workspace_domain.as_deref());
        let workspace = domain.and_then(|domain| workspace_host(&head, domain));
        let Begun { door, address, .. } = begun;
        let mut caller = Caller { door, region, workspace, address, now };
        let operation = match self.operation(door, &head) {
            Ok(operation) => operation,
            Err(refusal) => return Err(drained(body, refusal).await),
        };
        let authenticated = key_of(&head.headers, &head.uri)
            .and_then(|presented| Ok((presented, self.authenticate(caller, presented)?)));
        let (presented, authenticated) = match authenticated {
            Ok(authenticated) => authenticated,
            Err(refusal) => {
                self.options.ended.note_unknown();
                return Err(drained(body, refusal).await);
            }
        };
        if matches!(operation, Operation::Call(_)) {
            if let Err(refusal) = self.options.ended.enter().await {
                return Err(drained(body, refusal).await);
            }
            *note = Some(Note::new(&self.options.ended, begun, authenticated.key()));
        }
        let mut proven = match authenticated.proven() {
            Ok(proven) => proven,
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
        let target = self.target(caller.region, &id);
        if let Some(note) = note {
            note.asked(target.slot(), parsed.stream);
        }
        caller.now = now_ms();
        if !proven.holds(caller.now) {
            // While the body came the key was changed, or what proved it came to its end.
            proven = self.authenticate(caller, presented)?.proven()?;
        }
        let key = &proven.key;
        let (model, workspace) = self.permit(caller, key, target, &id)?;
        let route = self.options.upstreams.find(&id)?;
        let asking = Asking { model, workspace, call, body: &parsed };
        let (mut meter, headroom) = self.admit(key, place, &asking, note)?;
        self.directory.used().note_use(key, caller.now);

        let asks_for_usage =
            parsed.stream && !parsed.wants_usage && route.tells_usage() && call.has_stream_options();
        let outgoing = Outgoing {
            call,
            door,
            stream: parsed.stream,
            body: parsed.rewritten(&body, route.name.as_deref(), asks_for_usage),
            model: route.name.as_deref().map_or(id, ModelId::from),
            request_id: begun.request_id,
        };
        let usage_event = if asks_for_usage { UsageEvent::Hidden } else { UsageEvent::Shown };
        meter.note().forwarded(route.number);
        match route.send(outgoing).await {
            Ok(answer) => Ok(answered(answer, with_headroom(&headroom), usage_event, meter)),
            Err(refusal) => {
                meter.failed(&refusal);
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
    fn permit<'a>(
        &self,
        caller: Caller<'_>,
        key: &Arc<KeyEntry>,
        target: Target<'a>,
        id: &ModelId,
    ) -> Result<(&'a Model, Limits), Refusal> {
        match (target, self.authorize(caller, key, target, id.as_str())?) {
            (Target::Model(model), Permit::Call(limits)) => Ok((model, limits)),
            _ => Err(Refusal::ModelNotFound { model: id.to_string() }),
        }
    }

    /// Takes what the call may use out of the limits of its workspace and its account. The note goes into the meter.
    fn admit(
        &self,
        key: &KeyEntry,
        place: Place,
        asking: &Asking<'_>,
        note: &mut Option<Note>,
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
        let note = note.take().expect("a call has a note from the proof of its key on");
        let meter = Meter::new(admitted, place, clock, note, asking.prompt_tokens());
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
    ///
    /// # Errors
    /// When it is not proven: whose call this is, nobody can tell.
    fn authenticate(&self, caller: Caller<'_>, presented: Presented<'_>) -> Result<Authenticated, Refusal> {
        let key = self.directory.key(presented.public_id()).ok_or(Refusal::KeyInvalid)?;
        let (proof, revision) = {
            let state = key.state();
            (state.prove(presented, &self.hasher, &self.signer, caller.now), state.revision())
        };
        let proof = match proof {
            Ok(proof) => proof,
            Err(ProofError::Wrong) => return Err(Refusal::KeyInvalid),
            Err(ProofError::TemporaryExpired) => {
                return Ok(Authenticated::Refused(key, Refusal::TemporaryKeyExpired));
            }
        };
        Ok(match self.authorize(caller, &key, Target::ModelList, "") {
            Ok(_) => Authenticated::Proven(Proven { key, revision, proof }),
            Err(refusal) => Authenticated::Refused(key, refusal),
        })
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
            meter.note().stream_begun();
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
        Refusal::TooManyCalls { .. } | Refusal::UsageUnavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
        }
        _ => {}
    }
    response
}
