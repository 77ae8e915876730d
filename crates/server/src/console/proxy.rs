//! Detects a proxy that is missing from the configuration. All its clients appear under its address, so their sign-ins
//! count together, and audit rows and the address lists of keys see only that address.

use super::Console;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, header};
use std::sync::atomic::{AtomicBool, Ordering};

/// Logs one warning.
#[derive(Debug)]
pub(crate) struct ProxyCheck {
    /// Whether there is still something to warn about.
    armed: AtomicBool,
}

impl ProxyCheck {
    /// Without `trusted_proxies` there may be an unlisted proxy. With https there must be one, because the listener
    /// speaks HTTP.
    pub(crate) fn new(has_trusted_proxies: bool, console_url: &str) -> Self {
        if !has_trusted_proxies && console_url.starts_with("https://") {
            tracing::warn!(
                public_url = console_url,
                "public_url is https, so a proxy must be in front of this server, but trusted_proxies is empty: all \
                 clients appear under the proxy's address and share one budget of sign-in attempts. Add the proxy to \
                 trusted_proxies"
            );
        }
        Self { armed: AtomicBool::new(!has_trusted_proxies) }
    }

    fn look(&self, headers: &HeaderMap) {
        if !self.armed.load(Ordering::Relaxed) {
            return;
        }
        let is_forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
        if is_forwarded && self.armed.swap(false, Ordering::Relaxed) {
            tracing::warn!(
                "a request carries X-Forwarded-For or Forwarded, but trusted_proxies is empty: the header is ignored, \
                 and clients behind one proxy share one budget of sign-in attempts. If a proxy is in front of this \
                 server, add it to trusted_proxies; otherwise a client sent the header, and no action is needed"
            );
        }
    }
}

/// The middleware.
pub(super) async fn notice(State(console): State<Console>, request: Request, next: Next) -> Response {
    console.proxy.look(request.headers());
    next.run(request).await
}
