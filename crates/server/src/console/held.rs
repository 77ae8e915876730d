//! Charges answers of the console API to the memory budget until their clients have read them.

use super::Console;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use keygate_gateway::memory::{FREE, Holder};

/// Wraps every operation. A stream, such as an export, charges its parts itself.
pub(super) async fn answers(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (head, body) = next.run(request).await.into_parts();
    if body.size_hint().exact().is_none_or(|bytes| bytes <= FREE as u64) {
        return Response::from_parts(head, body);
    }
    // The answer is complete, so only the budget can make this wait.
    let Ok(whole) = body.collect().await else { return Problem::internal().into_response() };
    match console.memory.of(Holder::Console).hold(whole.to_bytes()).await {
        Ok(held) => Response::from_parts(head, Body::from(held)),
        Err(_) => Problem::overloaded().into_response(),
    }
}
