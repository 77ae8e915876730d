//! What is sent to the caller.

use crate::body::Body;
use crate::door::Door;
use crate::headers::with_headroom;
use crate::meter::{Meter, Metered, UsageEvent};
use crate::refusal::Refusal;
use crate::upstream::Answer;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use uuid::Uuid;

/// The answer on its way to the client, metered to its end.
pub(super) fn answered(
    answer: Answer,
    headers: HeaderMap,
    usage_event: UsageEvent,
    mut meter: Box<Meter>,
) -> Response<Body> {
    meter.answered();
    match answer {
        Answer::Whole(body, told) => {
            meter.ended();
            meter.told_whole(&body, told);
            // A client that disconnects before it has the whole answer is recorded like one that leaves a stream.
            meter.note().stream_begun();
            with_headers(Body::metered(body, meter), headers)
        }
        Answer::Stream(stream) => {
            meter.note().stream_begun();
            let body = Body::stream(Metered::new(stream, usage_event, meter));
            let mut response = with_headers(body, headers);
            let headers = response.headers_mut();
            headers
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            // Tells nginx in front not to hold the stream back.
            headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
            response
        }
    }
}

fn with_headers(body: Body, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

pub(super) fn json(body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A refusal in the door's shape.
pub(super) fn refuse(door: Door, refusal: &Refusal, request_id: Uuid) -> Response<Body> {
    let mut response = json(door.error_body(refusal, request_id));
    *response.status_mut() = refusal.codes().status;
    let headers = response.headers_mut();
    match refusal {
        Refusal::MethodNotAllowed { allowed } => {
            if let Ok(value) = HeaderValue::from_str(allowed.as_str()) {
                headers.insert(header::ALLOW, value);
            }
        }
        Refusal::UpstreamBusy { retry_after: Some(seconds) } => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
        Refusal::LimitReached { exceeded, .. } => {
            *headers = with_headroom(&exceeded.headroom);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(exceeded.retry_after_seconds));
            if !exceeded.can_ever_pass {
                // OpenAI's clients repeat a 429 of themselves, and this one never passes.
                headers.insert("x-should-retry", HeaderValue::from_static("false"));
            }
        }
        Refusal::MemoryFull => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(5));
        }
        Refusal::TooManyCalls { .. } | Refusal::UsageUnavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
        }
        _ => {}
    }
    response
}
