//! What a listener serves beside the gateway, and what is around it.

use crate::assets::{self, Assets};
use crate::console::{self, Console};
use crate::problem::{self, Finish, Problem};
use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use http::{HeaderValue, header};

/// What the first listener serves: the console API, health, and the console itself.
pub(super) fn console_router(console: Console, assets: Assets, health: Router) -> Router {
    Router::new()
        .nest(console::PREFIX, console::router(console))
        .merge(health)
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback_service(assets::router(assets))
}

/// What a listener without the console serves beside the gateway.
pub(super) fn gateway_router(health: Router) -> Router {
    health
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async || Problem::not_found())
}

/// What is around every request that is not the gateway's: the request's id, the shape of errors, the log line and the
/// headers that keep browsers safe.
pub(super) fn around(router: Router, public_url: &str, finish: Finish) -> Router {
    let https = public_url.starts_with("https://");
    router
        .layer(from_fn_with_state(finish, problem::finish))
        .layer(map_response(move |response| std::future::ready(secured(response, https))))
}

fn secured(mut response: Response, https: bool) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let defaults = [
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}
