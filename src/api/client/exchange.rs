//! One request and its answer.

use super::IdempotencyKey;
use crate::api::error::{ApiError, Result};
use crate::api::secret::Secret;
use gloo_net::http::{Headers, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::{AbortSignal, RequestCache, RequestCredentials};

/// The body of a success, and its status.
pub(super) struct Answer {
    status: u16,
    body: String,
}

pub(super) async fn send(
    method: Method,
    url: &str,
    body: Option<String>,
    key: Option<&IdempotencyKey>,
    patience_ms: u32,
) -> std::result::Result<Response, gloo_net::Error> {
    let headers = Headers::new();
    headers.set("accept", "application/json");
    if let Some(IdempotencyKey(key)) = key {
        headers.set("idempotency-key", key);
    }
    if body.is_some() {
        headers.set("content-type", "application/json");
    }
    let request = RequestBuilder::new(url)
        .method(method)
        .headers(headers)
        .cache(RequestCache::NoStore)
        // Each backend has its cookie, whatever page asks. It says itself which pages may.
        .credentials(RequestCredentials::Include)
        .abort_signal(Some(&AbortSignal::timeout_with_u32(patience_ms)));
    match body {
        Some(body) => request.body(body)?.send().await,
        None => request.send().await,
    }
}

pub(super) async fn read(response: Response) -> Result<Answer> {
    let status = response.status();
    let retry_after = response.headers().get("retry-after").and_then(|seconds| seconds.parse().ok());
    let body = response.text().await.map_err(|_| ApiError::unreachable())?;
    if response.ok() {
        Ok(Answer { status, body })
    } else {
        Err(ApiError::from_body(status, &body, retry_after))
    }
}

pub(super) fn parse<T: DeserializeOwned>(answer: Answer) -> Result<T> {
    let parsed = serde_json::from_str(&answer.body).map_err(|_| ApiError::unreadable(answer.status));
    // The answer to a created key holds its secret: wipe it here, for all answers alike.
    drop(Secret::new(answer.body));
    parsed
}

pub(super) fn write(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("the contract's types are plain data")
}
