//! The line itself: each step of a call, in order, with no way back.

mod bodiless;
mod options;
mod proof;
mod response;

pub use options::{GatewayOptions, RegionAddress, Timeouts};

use crate::admit::Asking;
use crate::authorize::Target;
use crate::body::{self, Body};
use crate::call::BodyReader;
use crate::catalogue::Catalogue;
use crate::credential::{KeyHasher, TemporaryKeySigner};
use crate::directory::{Directory, KeyEntry};
use crate::door::{Door, Operation};
use crate::headers::{REQUEST_ID, with_headroom};
use crate::limit::{Headroom, Permit as Place, Subject};
use crate::memory::Holder;
use crate::meter::{Meter, Metering, Sending, UsageEvent};
use crate::note::{Begun, Note};
use crate::refusal::Refusal;
use crate::request::{header_bytes, key_of, read_body, workspace_host};
use crate::upstream::Outgoing;
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use keygate_contract::{ModelId, RegionId};
use keygate_store::now_ms;
use proof::Caller;
use response::{answered, refuse};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The data plane.
pub struct Gateway {
    catalogue: Arc<Catalogue>,
    directory: Arc<Directory>,
    hasher: KeyHasher,
    signer: TemporaryKeySigner,
    options: GatewayOptions,
    metering: Arc<Metering>,
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
        let metering = Arc::new(Metering {
            contexts: Arc::clone(&options.contexts),
            clock: options.clock,
            settle_within: options.timeouts.settle,
        });
        Self { catalogue, directory, hasher, signer, options, metering }
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
                let code = door.code(&refusal.codes());
                tracing::debug!(request.id = %request_id, region.id = %region, error.code = code, "request rejected");
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
        // Outlives `proven`, which is replaced if the key changes in the meantime.
        let held_by = Arc::clone(&proven.key);
        let memory = self.options.memory.of(Holder::Key(&held_by.memory));
        let body = read_body(body, self.options.body_limit, self.options.timeouts.body, memory).await?;
        let mut reader = BodyReader::new(&body.bytes, call);
        let id = ModelId::from(reader.model().await?.as_ref());
        let target = self.target(caller.region, &id);
        if let Some(note) = note {
            note.asked(target.slot(), false);
        }
        caller.now = now_ms();
        if !proven.holds(caller.now) {
            // While the body came the key was changed, or what proved it came to its end.
            proven = self.authenticate(caller, presented)?.proven()?;
        }
        let key = &proven.key;
        // Before the rest of the body is read: a body for a model that the key may not call must cost nothing more.
        let (model, limits) = self.permit(caller, key, target, &id)?;
        let route = self.options.upstreams.find(&id)?;
        let parsed = reader.rest().await?;
        if let Some(note) = note {
            note.asked(Some(model.slot), parsed.stream);
        }
        let asking = Asking {
            model,
            workspace: &key.workspace.id,
            limits,
            call,
            body: &parsed,
            terms: route.terms,
            contexts: &self.options.contexts,
        };
        let (mut meter, headroom) = self.admit(key, place, &asking, note)?;
        self.directory.used().note_use(key, caller.now);

        let asks_for_usage =
            parsed.stream && !parsed.wants_usage && route.tells_usage() && call.has_stream_options();
        let outgoing = Outgoing {
            call,
            door,
            stream: parsed.stream,
            body: body.replaced_by(parsed.rewritten(&body.bytes, route.name.as_deref(), asks_for_usage)),
            model: route.name.as_deref().map_or(id, ModelId::from),
            request_id: begun.request_id,
        };
        let usage_event = if asks_for_usage { UsageEvent::Hidden } else { UsageEvent::Shown };
        // From here on, only the upstream connection holds the body, and only until it is written.
        drop(body);
        meter.note().forwarded(route.number);
        let memory = (Arc::clone(&self.options.memory), held_by);
        match Sending::new(route.send(outgoing, memory), meter).await {
            (Ok(answer), meter) => Ok(answered(answer, with_headroom(&headroom), usage_event, meter)),
            (Err(refusal), mut meter) => {
                meter.failed(&refusal);
                Err(refusal)
            }
        }
    }

    /// Takes what the call may use out of the limits of its workspace and its account. The note goes into the meter.
    fn admit(
        &self,
        key: &KeyEntry,
        place: Place,
        asking: &Asking<'_>,
        note: &mut Option<Note>,
    ) -> Result<(Box<Meter>, Headroom), Refusal> {
        let (model, clock) = (asking.model, self.options.clock);
        let subject =
            Subject { account: &key.workspace.account, workspace: &key.workspace.id, slot: model.slot };
        let estimate = asking.estimate();
        let admitted = self.options.limiter.admit(subject, estimate.ask, clock.now());
        let admitted = admitted.map_err(|exceeded| Refusal::LimitReached {
            model: model.id.to_string(),
            exceeded: Box::new(exceeded),
        })?;
        let headroom = admitted.headroom();
        let note = note.take().expect("a call has a note from the proof of its key on");
        // Boxed: it is handed on several times until the answer has ended.
        let meter = Box::new(Meter::new(&self.metering, admitted, place, note, asking, estimate));
        Ok((meter, headroom))
    }

    fn operation(&self, door: Door, head: &http::request::Parts) -> Result<Operation, Refusal> {
        let limit = self.options.header_limit;
        if header_bytes(&head.headers, &head.uri) > limit {
            return Err(Refusal::HeadersTooLarge { limit });
        }
        door.operation(&head.method, head.uri.path())
    }

    fn region(&self, id: &RegionId) -> Option<&RegionAddress> {
        self.options.regions.iter().find(|region| region.id == *id)
    }

    fn target(&self, region: &RegionId, model: &ModelId) -> Target<'_> {
        self.catalogue.find(region, model).map_or(Target::UnknownModel, Target::Model)
    }
}

/// The refusal of a request whose body was not read. What is small enough to cost nothing is read and dropped, so that
/// the client gets to read why.
async fn drained<B: http_body::Body>(body: B, refusal: Refusal) -> Refusal {
    body::drain(body, 1 << 20, Duration::from_secs(1)).await;
    refusal
}
