//! Kept connections to one upstream.
//!
//! hyper speaks HTTP/1.1 on each connection and hyper-rustls opens it; this remembers which are free, and drives each
//! from the call that is on it. There is no task beside the call that would have to be woken for every step of it, as
//! there is with the pooled client of hyper-util: see `docs/adr/0008-workers-and-upstream-pools.md`.

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use std::error::Error as StdError;
use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::net::TcpStream;
use tower_service::Service as _;

/// Connections kept without a call. More than the calls usually under way costs nothing but sockets.
const IDLE_MAX: usize = 1024;
/// How long such a connection is kept. Below the 60 s after which common servers close theirs.
const IDLE_LIFE: Duration = Duration::from_secs(50);

/// Why a call got no answer.
#[derive(Debug, Error)]
pub(super) enum CallError {
    /// No connection could be opened.
    #[error("connect: {0}")]
    Connect(Box<dyn StdError + Send + Sync>),
    /// The connection broke, or the answer is not HTTP.
    #[error("{0}")]
    Call(hyper::Error),
}

/// Kept connections to one upstream.
pub(super) struct Pool {
    connector: HttpsConnector<HttpConnector>,
    /// Scheme and authority to connect to.
    target: Uri,
    connect_within: Duration,
    /// Free connections, the one freed last on top: under little load the others grow old and are let go.
    free: Arc<Free>,
}

type Free = Mutex<Vec<(Link, Instant)>>;

impl Pool {
    pub(super) fn new(target: Uri, connect_within: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self { connector, target, connect_within, free: Arc::default() }
    }

    /// Sends a request and waits for the head of its answer. A kept connection that turns out to be closed before the
    /// request was written is replaced by another; a request that may have reached the upstream is never sent again.
    pub(super) async fn call(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Pooled>, CallError> {
        while let Some(mut link) = self.take() {
            match link.exchange(request).await {
                Ok(answer) => return Ok(answer.map(|body| self.pooled(body, link))),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(CallError::Call(failed.into_error())),
                },
            }
        }
        let mut link = self.connect().await?;
        let answer = link.exchange(request).await.map_err(|failed| CallError::Call(failed.into_error()))?;
        Ok(answer.map(|body| self.pooled(body, link)))
    }

    /// A free connection that is still open.
    fn take(&self) -> Option<Link> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((mut link, since)) = free.pop() {
            if since.elapsed() >= IDLE_LIFE {
                // All below are older still.
                free.clear();
            } else if link.is_open() {
                return Some(link);
            }
        }
        None
    }

    async fn connect(&self) -> Result<Link, CallError> {
        let opened = async {
            let stream = self.connector.clone().call(self.target.clone()).await?;
            let (sender, connection) = Builder::new().writev(false).handshake(stream).await?;
            Ok::<_, Box<dyn StdError + Send + Sync>>(Link { sender, connection: Some(Box::pin(connection)) })
        };
        tokio::time::timeout(self.connect_within, opened)
            .await
            .map_err(|_| CallError::Connect("no connection in time".into()))?
            .map_err(CallError::Connect)
    }

    fn pooled(&self, inner: Incoming, link: Link) -> Pooled {
        Pooled { inner, link: Some(link), free: Arc::clone(&self.free) }
    }
}

/// A connection: the side that requests are given to, and the side that reads and writes, which moves only when polled.
struct Link {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    connection: Option<Pin<Box<Wire>>>,
}

/// HTTP/1.1 over TCP, with TLS or without.
type Wire = Connection<MaybeHttpsStream<TokioIo<TcpStream>>, Full<Bytes>>;

impl Link {
    /// Lets the connection do what it can now; `cx` is woken when it can do more.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && connection.as_mut().poll(cx).is_ready()
        {
            // How it ended is told by the request or body that is on it.
            self.connection = None;
        }
    }

    /// Whether it can take a request. It is asked while no call waits for it, so no one need be woken.
    fn is_open(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some() && !self.sender.is_closed()
    }

    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        let mut answer = pin!(self.sender.try_send_request(request));
        poll_fn(|cx| {
            self.drive(cx);
            // Only the line above can make it ready, so it need not wake.
            answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        })
        .await
    }
}

/// The body of an answer. When it has been read to its end, its connection is free again; dropped before, the
/// connection closes and the upstream learns that no one listens.
pub(super) struct Pooled {
    inner: Incoming,
    /// `None` once it was given back.
    link: Option<Link>,
    free: Arc<Free>,
}

impl Pooled {
    fn give_back(&mut self) {
        if let Some(link) = self.link.take().filter(|link| link.connection.is_some()) {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            if free.len() < IDLE_MAX {
                free.push((link, Instant::now()));
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
        let this = &mut *self;
        // Asking tells the connection that more is wanted, driving it brings more, and asking again finds it. Only the
        // connection can make a frame ready, so only the connection need wake.
        let mut quiet = Context::from_waker(Waker::noop());
        let mut frame = Pin::new(&mut this.inner).poll_frame(&mut quiet);
        if frame.is_pending()
            && let Some(link) = &mut this.link
        {
            link.drive(cx);
            frame = Pin::new(&mut this.inner).poll_frame(&mut quiet);
        }
        if let Poll::Ready(None) = frame {
            this.give_back();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        // Asked for one more frame, it gives the connection back.
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
