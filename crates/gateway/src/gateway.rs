//! The line itself: each step of a call, in order, with no way back.

use crate::admit::Asking;
use crate::authorize::{Denial, Facts, Permit, Target, authorize};
use crate::body::{self, Body};
use crate::call::CallBody;
use crate::catalogue::{Catalogue, Model};
use crate::credential::KeyHasher;
use crate::directory::{Directory, KeyEntry};
use crate::door::{Door, Operation};
use crate::headers::{REQUEST_ID, with_headroom};
use crate::limit::{Clock, Headroom, Limiter, Limits, Permit as Place, Subject};
use crate::meter::{Meter, Metered, UsageEvent};
use crate::models;
use crate::refusal::Refusal;
use crate::request::{header_bytes, key_of, read_body};
use crate::upstream::{Answer, Outgoing, Upstreams};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use keygate_contract::{ModelId, RegionId};
use percent_encoding::percent_decode_str;
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
    /// Its OpenAI-compatible base URL.
    pub base_url: String,
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
    options: GatewayOptions,
}

impl Gateway {
    /// A gateway that knows keys by `directory` and proves them with `hasher`.
    pub fn new(
        catalogue: Arc<Catalogue>,
        directory: Arc<Directory>,
        hasher: KeyHasher,
        options: GatewayOptions,
    ) -> Self {
        Self { catalogue, directory, hasher, options }
    }

    /// Answers a request that came to the listener of `region`, at a path of `door`.
    pub async fn call<B>(&self, door: Door, region: &RegionId, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let request_id = Uuid::new_v4();
        let mut response = match self.run(door, region, request, request_id).await {
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
        request: Request<B>,
        request_id: Uuid,
    ) -> Result<Response<Body>, Refusal>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let begun = self.operation(door, &head).and_then(|operation| {
            let key = self.authenticate(region, &head)?;
            Ok((operation, key))
        });
        let (operation, key) = match begun {
            Ok(begun) => begun,
            Err(refusal) => return Err(drained(body, refusal).await),
        };
        let call = match operation {
            Operation::Call(call) => call,
            Operation::ModelList => {
                self.authorize(region, &key, Target::ModelList, "")?;
                return Ok(json(models::list(&self.catalogue, region, &key.workspace.state())));
            }
            Operation::ModelView(id) => return self.model_view(region, &key, &id),
        };

        let limit = self.options.calls_per_key;
        let Some(place) = key.gauge.try_enter(limit) else {
            return Err(drained(body, Refusal::TooManyCalls { limit }).await);
        };
        let body = read_body(body, self.options.body_limit, self.options.timeouts.body).await?;
        let parsed = CallBody::parse(&body)?;
        let id = ModelId::from(parsed.model.as_ref());
        let (model, workspace) = self.permit(region, &key, &id)?;
        let route = self.options.upstreams.find(&id)?;
        let asking = Asking { model, workspace, call, body: &parsed };
        let (meter, headroom) = self.admit(&key, place, &asking, request_id)?;

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

    /// What the key may do with a model of the region.
    fn permit(&self, region: &RegionId, key: &KeyEntry, id: &ModelId) -> Result<(&Model, Limits), Refusal> {
        let target = self.target(region, id);
        match (target, self.authorize(region, key, target, id.as_str())?) {
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

    /// Which key this is. A key of another region is told so only when its whole secret is right.
    fn authenticate(&self, region: &RegionId, head: &http::request::Parts) -> Result<Arc<KeyEntry>, Refusal> {
        let presented = key_of(&head.headers, &head.uri)?;
        let key = self.directory.key(presented.public_id).ok_or(Refusal::KeyInvalid)?;
        if !self.hasher.verify(presented, &key.secret_hash) {
            return Err(Refusal::KeyInvalid);
        }
        self.authorize(region, &key, Target::ModelList, "")?;
        Ok(key)
    }

    fn authorize(
        &self,
        region: &RegionId,
        key: &KeyEntry,
        target: Target<'_>,
        model: &str,
    ) -> Result<Permit, Refusal> {
        let facts = Facts {
            called_region: region,
            key_region: &key.workspace.region,
            key_live: key.is_live(),
            owner_active: key.owner.is_active(),
            workspace: &key.workspace.state(),
            target,
        };
        authorize(facts).map_err(|denial| match denial {
            Denial::WrongRegion => {
                let own = self.options.regions.iter().find(|r| r.id == key.workspace.region);
                Refusal::WrongRegion { base_url: own.map(|r| r.base_url.clone()) }
            }
            Denial::KeyGone => Refusal::KeyInvalid,
            Denial::OwnerDisabled => Refusal::OwnerDisabled,
            Denial::ModelNotFound => Refusal::ModelNotFound { model: model.to_owned() },
            Denial::ModelNotGranted => Refusal::ModelNotGranted { model: model.to_owned() },
        })
    }

    fn target(&self, region: &RegionId, model: &ModelId) -> Target<'_> {
        self.catalogue.find(region, model).map_or(Target::UnknownModel, Target::Model)
    }

    fn model_view(
        &self,
        region: &RegionId,
        key: &KeyEntry,
        encoded: &str,
    ) -> Result<Response<Body>, Refusal> {
        let id = ModelId::from(percent_decode_str(encoded).decode_utf8_lossy().into_owned());
        self.authorize(region, key, self.target(region, &id), id.as_str())?;
        let model =
            self.catalogue.find(region, &id).ok_or(Refusal::ModelNotFound { model: id.to_string() })?;
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
