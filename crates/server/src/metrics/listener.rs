//! The listener of those who operate the server. No other listener has what it tells.

use super::Exposed;
use crate::listen::{Bounds, TimedStream, bound_unsent};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// The content type of the text format.
const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
/// Open connections. Scrapers are few; further ones wait to be accepted.
pub(crate) const ADMIN_CONNECTIONS: usize = 32;

/// The listener, bound.
pub(crate) struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        bound_unsent(&listener);
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers `GET /metrics` until the task is aborted. Its connections have the same limits as all others.
    pub(crate) fn serve(self, exposed: Exposed, bounds: Bounds) -> JoinHandle<()> {
        let places = Arc::new(Semaphore::new(ADMIN_CONNECTIONS));
        tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
                // Removes finished tasks.
                while connections.try_join_next().is_some() {}
                match self.listener.accept().await {
                    Ok((stream, _)) => {
                        let exposed = exposed.clone();
                        connections.spawn(async move {
                            let service = service_fn(move |request| {
                                std::future::ready(Ok::<_, Infallible>(answer(&exposed, &request)))
                            });
                            let stream = TokioIo::new(TimedStream::new(stream, bounds.write));
                            drop(bounds.builder().serve_connection(stream, service).await);
                            drop(place);
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the admin listener failed to accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        })
    }
}

fn answer(exposed: &Exposed, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => match exposed.text() {
            Ok(text) => {
                response.headers_mut().insert(header::CONTENT_TYPE, OPENMETRICS);
                *response.body_mut() = text.into();
            }
            Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        },
        (_, "/metrics") => {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        _ => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}
