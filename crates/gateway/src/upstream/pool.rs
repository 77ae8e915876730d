//! Kept connections to one upstream.
//!
//! hyper speaks HTTP/1.1 on each connection and hyper-rustls opens it; this only remembers which are free. The pooled
//! client of hyper-util does more (HTTP/2, several hosts, proxies) and costs a tenth of a call's time for it: see
//! `docs/adr/0008-workers-and-upstream-pools.md`.

mod written;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use thiserror::Error;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep};
use tower_service::Service as _;
use written::{Outbound, Watched, Written};

/// Connections kept without a call. More than the calls usually under way costs nothing but sockets.
const IDLE_MAX: usize = 1024;
/// How long such a connection is kept. Below the 60 s after which common servers close theirs.
const IDLE_LIFE: Duration = Duration::from_secs(50);

/// The most bytes of an answer's headers, and of a connection's buffer in each direction.
const BUFFER_MAX: usize = 64 << 10;
/// How long an idle connection may take to become ready. It is ready at once, or something is wrong with it.
const READY_WITHIN: Duration = Duration::from_millis(50);

/// Why a call got no answer.
#[derive(Debug, Error)]
pub(super) enum CallError {
    /// No connection could be opened.
    #[error("connect: {0}")]
    Connect(Box<dyn StdError + Send + Sync>),
    /// The connection broke, or the answer is not HTTP.
    #[error("{0}")]
    Call(hyper::Error),
    /// The answer did not begin in time.
    #[error("no answer in time")]
    Timeout,
}

/// Kept connections to one upstream.
pub(super) struct Pool {
    connector: HttpsConnector<HttpConnector>,
    /// Scheme and authority to connect to.
    target: Uri,
    connect_within: Duration,
    answer_within: Duration,
    /// Free connections, the one freed last on top: under little load the others grow old and are let go.
    free: Arc<Free>,
}

type Free = Mutex<Vec<Kept>>;

/// A connection that is kept.
struct Kept {
    sender: SendRequest<Outbound>,
    /// Whether the whole request has been written.
    written: Arc<Written>,
    _connection: Connection,
    /// Ends a call that waits for too long. Kept with the connection, because moving an alarm on costs a fraction of
    /// setting one: it is looked at again only when it goes off.
    alarm: Pin<Box<Sleep>>,
    /// When it was last used.
    since: Instant,
}

/// The task that drives a connection. Dropping this ends it: otherwise, an upstream that neither reads nor answers
/// would keep the task, its socket and the request's body for ever.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Pool {
    pub(super) fn new(target: Uri, connect_within: Duration, answer_within: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self { connector, target, connect_within, answer_within, free: Arc::default() }
    }

    /// Sends a request and waits for the head of its answer. A kept connection that turns out to be closed before the
    /// request was written is replaced by another; a request that may have reached the upstream is never sent again.
    pub(super) async fn call(&self, request: Request<Bytes>) -> Result<Response<Pooled>, CallError> {
        let mut request = request.map(Outbound::new);
        let now = Instant::now();
        let deadline = now + self.answer_within;
        while let Some(mut kept) = self.take(now) {
            // Mostly it is ready, and an alarm is not free.
            if !kept.sender.is_ready() {
                kept.alarm.as_mut().reset(now + READY_WITHIN);
                if !matches!(before(kept.alarm.as_mut(), kept.sender.ready()).await, Some(Ok(()))) {
                    continue;
                }
            }
            kept.alarm.as_mut().reset(deadline);
            request.body_mut().report_to(&kept.written);
            let answer = before(kept.alarm.as_mut(), kept.sender.try_send_request(request)).await;
            match answer.ok_or(CallError::Timeout)? {
                Ok(answer) => return Ok(self.pooled(answer, kept)),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(CallError::Call(failed.into_error())),
                },
            }
        }
        // Boxed, or every call would carry room for it.
        let (sender, written, connection) = Box::pin(self.connect()).await?;
        let alarm = Box::pin(tokio::time::sleep_until(deadline));
        let mut kept = Kept { sender, written, _connection: connection, alarm, since: now };
        request.body_mut().report_to(&kept.written);
        let answer = before(kept.alarm.as_mut(), kept.sender.send_request(request)).await;
        let answer = answer.ok_or(CallError::Timeout)?.map_err(CallError::Call)?;
        Ok(self.pooled(answer, kept))
    }

    fn take(&self, now: Instant) -> Option<Kept> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = free.pop()?;
        if now.saturating_duration_since(kept.since) < IDLE_LIFE {
            return Some(kept);
        }
        // All below are older still.
        free.clear();
        None
    }

    async fn connect(&self) -> Result<(SendRequest<Outbound>, Arc<Written>, Connection), CallError> {
        let written = Arc::new(Written::default());
        let opened = async {
            let stream = self.connector.clone().call(self.target.clone()).await?;
            let stream = Watched::new(stream, Arc::clone(&written));
            let mut builder = Builder::new();
            builder.writev(false).max_buf_size(BUFFER_MAX);
            let (sender, connection) = builder.handshake(stream).await?;
            Ok::<_, Box<dyn StdError + Send + Sync>>((sender, connection))
        };
        let (sender, connection) = tokio::time::timeout(self.connect_within, opened)
            .await
            .map_err(|_| CallError::Connect("no connection in time".into()))?
            .map_err(CallError::Connect)?;
        let task = tokio::spawn(async move {
            // How a connection ends is seen by the call that is on it, if any.
            drop(connection.await);
        });
        Ok((sender, written, Connection(task.abort_handle())))
    }

    fn pooled(&self, answer: Response<Incoming>, kept: Kept) -> Response<Pooled> {
        answer.map(|inner| Pooled { inner, kept: Some(kept), free: Arc::clone(&self.free) })
    }
}

/// What the future gives, or nothing when the alarm goes off first.
async fn before<F: Future>(mut alarm: Pin<&mut Sleep>, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => alarm.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// The body of an answer. When it has been read to its end, its connection is free again; dropped before, the
/// connection closes and the upstream learns that no one listens.
pub(super) struct Pooled {
    inner: Incoming,
    kept: Option<Kept>,
    free: Arc<Free>,
}

impl Pooled {
    fn give_back(&mut self) {
        // An upstream may answer before it has read the request. The unread rest would delay the next request.
        let is_free = |kept: &Kept| !kept.sender.is_closed() && kept.written.is_whole();
        if let Some(mut kept) = self.kept.take().filter(is_free) {
            kept.since = Instant::now();
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            if free.len() < IDLE_MAX {
                free.push(kept);
            }
        }
    }
}

impl http_body::Body for Pooled {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if frame.is_none() {
            self.give_back();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        // Asked for one more frame, it gives the connection back.
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
