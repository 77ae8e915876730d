//! Where calls go: an OpenAI-compatible service, or the built-in echo.

mod echo;
mod http_upstream;
mod pool;

pub use crate::call::OutputLimit;
pub use http_upstream::{HttpUpstream, UpstreamError};

use crate::directory::KeyEntry;
use crate::door::{Call, Door};
use crate::map::HashMap;
use crate::memory::{Holder, MemoryBudget};
use crate::refusal::Refusal;
use crate::sse::Piece;
use crate::usage::Told;
use bytes::Bytes;
use futures_util::Stream;
use keygate_contract::ModelId;
use std::pin::Pin;
use std::sync::Arc;
use uuid::Uuid;

/// A call on its way out.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) call: Call,
    pub(crate) door: Door,
    /// The model's name at the upstream; the body holds it.
    pub(crate) model: ModelId,
    pub(crate) stream: bool,
    pub(crate) body: Bytes,
    pub(crate) request_id: Uuid,
}

/// What an upstream answers to a call it takes.
pub(crate) enum Answer {
    /// JSON, whole, and what it tells of the call's use.
    Whole(Bytes, Told),
    /// Server-sent events, as they come.
    Stream(Pin<Box<dyn Stream<Item = Piece> + Send>>),
}

/// Where calls go.
#[derive(Clone)]
enum Upstream {
    Http(Arc<HttpUpstream>),
    Echo,
}

/// Which upstream serves which model, and under what name.
#[derive(Clone)]
pub struct Upstreams {
    routes: HashMap<ModelId, Route>,
    /// Serves the models without a route.
    fallback: Option<Route>,
    /// The services, in the order in which they were first routed to.
    ids: Vec<String>,
}

/// How a service counts tokens, and what is assumed about context outside a request's body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Indexed by the order of [`OutputLimit::ALL`].
    obeys: [bool; 3],
    /// The share of a model's window that is reserved for context of unknown size.
    pub(crate) unseen_context: f32,
}

impl Terms {
    /// A service that keeps every answer, reasoning included, within each of these limits. For context that a request
    /// references and that was never seen, it reserves `unseen_context`, a share of the model's window from 0 to 1.
    pub fn new(obeys: &[OutputLimit], unseen_context: f32) -> Self {
        Self { obeys: OutputLimit::ALL.map(|name| obeys.contains(&name)), unseen_context }
    }

    pub(crate) fn obeys(&self, name: OutputLimit) -> bool {
        self.obeys[name as usize]
    }
}

/// A request that was sent, until its answer begins.
pub(crate) type Sent = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

#[derive(Clone)]
pub(crate) struct Route {
    upstream: Upstream,
    pub(crate) terms: Terms,
    /// The model's name there, if it is another.
    pub(crate) name: Option<String>,
    /// The service's place among all, if it is one.
    pub(crate) number: Option<usize>,
}

impl Upstreams {
    /// No routes; the echo serves every model if `echo` is `Echo::On`.
    pub fn new(echo: Echo) -> Self {
        let fallback = match echo {
            Echo::On => {
                // It enforces every limit, and stores nothing.
                let terms = Terms::new(&OutputLimit::ALL, 0.0);
                Some(Route { upstream: Upstream::Echo, terms, name: None, number: None })
            }
            Echo::Off => None,
        };
        Self { routes: HashMap::default(), fallback, ids: Vec::new() }
    }

    /// Sends calls of `model` to `upstream`, as `name` if it has another name there, and counts them on these terms.
    #[must_use]
    pub fn route(
        mut self,
        model: ModelId,
        upstream: &Arc<HttpUpstream>,
        name: Option<String>,
        terms: Terms,
    ) -> Self {
        let known = self.ids.iter().position(|id| id == upstream.id());
        let number = known.unwrap_or_else(|| {
            self.ids.push(upstream.id().to_owned());
            self.ids.len() - 1
        });
        let upstream = Upstream::Http(Arc::clone(upstream));
        let route = Route { upstream, terms, name, number: Some(number) };
        self.routes.insert(model, route);
        self
    }

    /// The services that calls are sent to.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    pub(crate) fn find(&self, model: &ModelId) -> Result<&Route, Refusal> {
        self.routes.get(model).or(self.fallback.as_ref()).ok_or(Refusal::NoUpstream)
    }
}

/// Whether the built-in echo serves the models that have no upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// It does.
    On,
    /// They answer 503.
    Off,
}

impl Route {
    /// Whether streams are asked for their usage.
    pub(crate) fn tells_usage(&self) -> bool {
        match &self.upstream {
            Upstream::Http(upstream) => upstream.tells_usage(),
            Upstream::Echo => true,
        }
    }

    /// Sends a call. A whole answer is charged to the memory of its key. The future borrows nothing, so it can continue
    /// after the caller has disconnected.
    pub(crate) fn send(&self, outgoing: Outgoing, (budget, key): (Arc<MemoryBudget>, Arc<KeyEntry>)) -> Sent {
        let upstream = self.upstream.clone();
        Box::pin(async move {
            let memory = budget.of(Holder::Key(&key.memory));
            match &upstream {
                Upstream::Http(upstream) => upstream.send(outgoing, memory).await,
                Upstream::Echo => match echo::answer(&outgoing)? {
                    Answer::Whole(body, told) => {
                        let body = memory.hold(body).await.map_err(|_| Refusal::MemoryFull)?;
                        Ok(Answer::Whole(body, told))
                    }
                    stream @ Answer::Stream(_) => Ok(stream),
                },
            }
        })
    }
}
