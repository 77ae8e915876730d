//! Runs a change so that it is whole: committed, known to the gateway, and only then answered.

use crate::problem::Problem;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};
use keygate_gateway::directory::Directory;
use keygate_store::{Actor, Change, Once, Repeat, Store};
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Runs changes.
#[derive(Clone)]
pub(crate) struct Changes {
    store: Store,
    directory: Arc<Directory>,
    /// Held from before a change begins until the directory has its events, so that the directory hears of changes in
    /// the order of their commits.
    gate: Arc<Mutex<()>>,
}

/// Whose change it is.
pub(super) struct Author {
    pub(super) actor: Actor,
    /// Of their session.
    pub(super) token_hash: [u8; 32],
}

/// What came of a change.
pub(super) enum Done<T> {
    /// It was made now.
    Fresh(StatusCode, T),
    /// It was made before, for the same `Idempotency-Key`.
    Repeated(Repeat),
}

impl Changes {
    pub(crate) fn new(store: Store, directory: Arc<Directory>) -> Self {
        Self { store, directory, gate: Arc::default() }
    }

    /// Runs `work` in a transaction of `author`, at most once for `once`. They must be signed in still: the body of their
    /// request may have taken its time.
    ///
    /// It runs on a task of its own: when the client goes away in the middle, the change is still finished, and the
    /// directory never misses what the store has.
    pub(super) async fn run<T, E, F>(
        &self,
        author: Author,
        once: Option<Once>,
        status: StatusCode,
        work: F,
    ) -> Result<Done<T>, Problem>
    where
        T: Serialize + Send + 'static,
        E: Into<Problem>,
        F: for<'a> FnOnce(&'a mut Change) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let this = self.clone();
        let whole = async move {
            let _gate = this.gate.lock().await;
            let mut change = this.store.change(author.actor).await?;
            if !change.session_goes_on(&author.token_hash).await? {
                return Err(Problem::not_signed_in());
            }
            if let Some(once) = &once
                && let Some(repeat) = change.repeat(once).await?
            {
                return Ok(Done::Repeated(repeat));
            }
            let value = work(&mut change).await.map_err(Into::into)?;
            if let Some(once) = &once {
                let body = serde_json::to_string(&value).expect("answers are plain data");
                change.remember(once, &Repeat { status: status.as_u16(), body }).await?;
            }
            let events = change.commit().await?;
            this.directory.apply(events).map_err(|error| {
                tracing::error!(%error, "the directory does not fit the store");
                Problem::internal()
            })?;
            Ok(Done::Fresh(status, value))
        };
        tokio::spawn(whole).await.map_err(|error| {
            tracing::error!(%error, "a change panicked");
            Problem::internal()
        })?
    }
}

impl<T: Serialize> IntoResponse for Done<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Fresh(StatusCode::NO_CONTENT, _) => StatusCode::NO_CONTENT.into_response(),
            Self::Fresh(status, value) => (status, axum::Json(value)).into_response(),
            Self::Repeated(repeat) => repeated(repeat),
        }
    }
}

fn repeated(repeat: Repeat) -> Response {
    let status = StatusCode::from_u16(repeat.status).unwrap_or(StatusCode::OK);
    let mut response = match status {
        StatusCode::NO_CONTENT => status.into_response(),
        status => (status, [(header::CONTENT_TYPE, "application/json")], repeat.body).into_response(),
    };
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}
