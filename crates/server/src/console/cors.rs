//! Lets pages of consoles that are served elsewhere use the API. Any other origin gets not one header of CORS.

use super::Console;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, header};
use std::time::Duration;
use tower::{Layer as _, ServiceExt as _};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may keep what it was allowed: two hours, the most that Chromium takes.
const MAX_AGE: Duration = Duration::from_secs(2 * 60 * 60);

/// What listed origins may send and read.
pub(super) fn layer(listed: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(listed.iter().cloned()))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::CONTENT_TYPE, HeaderName::from_static("idempotency-key")])
        .expose_headers([
            HeaderName::from_static("x-request-id"),
            header::RETRY_AFTER,
            HeaderName::from_static("idempotency-replayed"),
        ])
        .max_age(MAX_AGE)
}

/// The middleware. The layer alone would tell every origin which methods and headers there are.
pub(super) async fn share(State(console): State<Console>, request: Request, next: Next) -> Response {
    if console.origins.is_listed(request.headers()) {
        let shared = console.0.cors.layer(next);
        return match shared.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
    }
    let mut response = next.run(request).await;
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    response
}
