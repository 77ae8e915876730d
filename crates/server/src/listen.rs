//! Listeners: one a region. Each takes the gateway's paths; the first also serves the console.
//!
//! The gateway's requests do not pass through the router of the console: a path is looked at once, and the call goes
//! down the gateway's line.

mod timed_stream;

pub(crate) use timed_stream::{TimedStream, bound_unsent};

use axum::Router;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use keygate_contract::{IpRule, RegionId};
use keygate_gateway::door::Door;
use keygate_gateway::{Gateway, client_address, next_piece};
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt as _;

/// Who calls: the other end of the connection, or whom trusted proxies name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What a listener serves.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) region: RegionId,
    pub(crate) gateway: Arc<Gateway>,
    /// Everything that is not the gateway's.
    pub(crate) router: Router,
    /// Proxies that are believed when they say who called.
    pub(crate) trusted_proxies: Arc<[IpRule]>,
    /// The limits of every connection.
    pub(crate) bounds: Bounds,
    /// A place for each connection that may be open at once; more wait to be accepted.
    pub(crate) places: Arc<Semaphore>,
}

/// The limits of a listener's connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The most bytes of a request's headers.
    pub(crate) header_bytes: usize,
    /// How long a request's headers may take, and a connection may be idle.
    pub(crate) header: Duration,
    /// The time over which a client must keep up the minimum rate while data waits for it.
    pub(crate) write: Duration,
}

/// Bytes beyond the header limit that a connection reads, so that a slightly larger request gets an error that says so.
/// For an even larger one, hyper returns 431 without a body.
const HEADER_SLACK: usize = 8 << 10;

impl Bounds {
    /// How connections are served.
    pub(crate) fn builder(&self) -> Builder {
        // HTTP/1.1 alone: HTTP/2 without TLS is spoken by no client of these protocols, and telling the two apart would
        // leave a connection that sends nothing without a time-out.
        let mut builder = Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.header).max_headers(200);
        // Most answers are small: one copy into one buffer costs less than a vectored write. Large ones are sent in
        // chunks, and at most this buffer plus one chunk is copied.
        builder.writev(false).max_buf_size(self.header_bytes + HEADER_SLACK);
        builder
    }
}

/// Accepts connections until `stop`, then lets the calls under way finish, for `grace` at most.
pub(crate) async fn listen(
    listener: TcpListener,
    service: Service,
    mut stop: watch::Receiver<bool>,
    grace: Duration,
) {
    let builder = service.bounds.builder();
    let service = Arc::new(service);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = async {
            let place =
                Arc::clone(&service.places).acquire_owned().await.expect("the semaphore is never closed");
            listener.accept().await.map(|accepted| (accepted, place))
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        match accepted {
            Ok(((stream, peer), place)) => {
                let (builder, service, watcher) = (builder.clone(), Arc::clone(&service), graceful.watcher());
                tokio::spawn(async move {
                    serve(&builder, stream, peer.ip(), service, watcher).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: the connections there are must end before there are more.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(region.id = %service.region, "calls under way were cut off at the stop");
    }
}

async fn serve(builder: &Builder, stream: TcpStream, peer: IpAddr, service: Arc<Service>, watcher: Watcher) {
    // A call is a handful of small packets; waiting to fill them only adds time.
    drop(stream.set_nodelay(true));
    let stream = TimedStream::new(stream, service.bounds.write);
    let service = service_fn(move |request| Arc::clone(&service).answer(peer, request));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // Clients break connections all day; each call's own end is seen where it is handled.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection ended");
    }
}

impl Service {
    /// Owns the service, and boxes what calls do not need: hyper moves this whole future for each request, and one
    /// future around another holds twice its size.
    async fn answer(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let address = client_address(peer, request.headers(), &self.trusted_proxies);
        match Door::of(request.uri().path()) {
            Some(door) => {
                Ok(self.gateway.call(door, &self.region, address, request).await.map(Body::Gateway))
            }
            None => Box::pin(self.route(address, request)).await,
        }
    }

    async fn route(
        &self,
        address: IpAddr,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        request.extensions_mut().insert(Peer(address));
        let response = self.router.clone().oneshot(request.map(axum::body::Body::new)).await?;
        Ok(response.map(|body| Body::Router(Pieces { body, rest: Bytes::new() })))
    }
}

/// The body of either side.
pub(crate) enum Body {
    Gateway(keygate_gateway::Body),
    Router(Pieces),
}

/// A body of the router, sent in chunks. A connection copies each chunk into its own buffer, and an unread static file
/// or export must not be copied whole for each client.
pub(crate) struct Pieces {
    body: axum::body::Body,
    /// The rest of a frame.
    rest: Bytes,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        let piece = next_piece(&mut self.rest).unwrap_or_default();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.get_mut() {
            Self::Gateway(body) => {
                let frame = ready!(Pin::new(body).poll_frame(cx));
                Poll::Ready(frame.map(|f| f.map_err(|never| match never {})))
            }
            Self::Router(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Gateway(body) => body.is_end_stream(),
            Self::Router(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Gateway(body) => body.size_hint(),
            Self::Router(body) => body.size_hint(),
        }
    }
}
