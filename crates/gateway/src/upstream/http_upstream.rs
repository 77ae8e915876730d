//! An OpenAI-compatible service over HTTP, with a pool of connections.

use super::pool::{CallError, Pool, Pooled};
use super::{Answer, Outgoing};
use crate::door::Call;
use crate::gateway::Timeouts;
use crate::memory::{Buffer, FillError, MemoryOf};
use crate::redact::{RedactedBody, Redactor};
use crate::refusal::Refusal;
use crate::sse::Relay;
use crate::time::in_time;
use crate::usage::{self, Told};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::pin::pin;
use thiserror::Error;

/// The most of an error that is read, in bytes.
const ERROR_MAX: usize = 64 << 10;
/// The most of an upstream's message and of the parameter that it names, in bytes. Some quote the whole request.
const MESSAGE_MAX: usize = 4 << 10;
const PARAM_MAX: usize = 256;

/// Answers of this size, in bytes, are not read on the worker.
const LARGE: usize = 1 << 20;

/// Why an upstream cannot be set up.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// The base URL is not one.
    #[error("`{0}` is not an http or https URL such as http://127.0.0.1:8000/v1")]
    BaseUrl(String),
    /// The key cannot stand in a header.
    #[error("the API key holds characters that a header cannot hold")]
    ApiKey,
}

/// An OpenAI-compatible service.
pub struct HttpUpstream {
    id: String,
    /// Base URL without a slash at its end.
    base: String,
    /// The four paths below it, parsed once.
    uris: [Uri; 4],
    host: HeaderValue,
    authorization: Option<HeaderValue>,
    pool: Pool,
    timeouts: Timeouts,
    tells_usage: bool,
    /// Redacts the key, because an upstream may quote it.
    redactor: Redactor,
}

impl HttpUpstream {
    /// A service at `base_url`, called with `api_key` if it wants one.
    ///
    /// # Errors
    /// [`UpstreamError`] when the URL or the key cannot be used.
    pub fn new(
        id: &str,
        base_url: &str,
        api_key: Option<&SecretString>,
        timeouts: Timeouts,
    ) -> Result<Self, UpstreamError> {
        let bad_url = || UpstreamError::BaseUrl(base_url.to_owned());
        let base = base_url.trim_end_matches('/').to_owned();
        let parsed: Uri = base.parse().map_err(|_| bad_url())?;
        let scheme = parsed.scheme_str().filter(|s| matches!(*s, "http" | "https")).ok_or_else(bad_url)?;
        let authority = parsed.authority().filter(|_| parsed.query().is_none()).ok_or_else(bad_url)?;
        let prefix = parsed.path().trim_end_matches('/');
        let uri = |call: Call| format!("{prefix}{}", call.path()).parse::<Uri>().map_err(|_| bad_url());
        let uris = [
            uri(Call::ChatCompletions)?,
            uri(Call::Completions)?,
            uri(Call::Embeddings)?,
            uri(Call::Responses)?,
        ];
        let authorization = api_key
            .map(|key| {
                let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
                    .map_err(|_| UpstreamError::ApiKey)?;
                value.set_sensitive(true);
                Ok(value)
            })
            .transpose()?;
        let target = Uri::builder().scheme(scheme).authority(authority.clone()).path_and_query("/").build();
        let pool = Pool::new(target.map_err(|_| bad_url())?, timeouts.connect, timeouts.first_byte);
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| bad_url())?;
        let redactor = Redactor::new(api_key.map(ExposeSecret::expose_secret));
        Ok(Self {
            id: id.to_owned(),
            base,
            uris,
            host,
            authorization,
            pool,
            timeouts,
            tells_usage: true,
            redactor,
        })
    }

    /// For a service that refuses `stream_options`: its streams are not asked for their usage, and are metered by
    /// estimate.
    #[must_use]
    pub fn without_stream_usage(mut self) -> Self {
        self.tells_usage = false;
        self
    }

    pub(crate) fn tells_usage(&self) -> bool {
        self.tells_usage
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it is.
    pub fn base_url(&self) -> &str {
        &self.base
    }

    pub(crate) async fn send(&self, mut outgoing: Outgoing, memory: MemoryOf<'_>) -> Result<Answer, Refusal> {
        let request_id = outgoing.request_id;
        let answer = self.exchange(&mut outgoing).await?;
        if is_event_stream(answer.headers()) && answer.status().is_success() {
            let body = RedactedBody::new(answer.into_body(), &self.redactor);
            let relay = Relay::new(body, &self.id, &outgoing, self.timeouts.idle);
            return Ok(Answer::Stream(Box::pin(relay)));
        }
        let status = answer.status().as_u16();
        let whole = self.whole(answer, memory).await.map(|(body, told)| Answer::Whole(body, told));
        whole.inspect_err(|refusal| {
            // The code alone: the upstream's words may quote the caller's.
            let code = refusal.codes().compatible;
            tracing::warn!(upstream.id = %self.id, request.id = %request_id, http.status = status, error.code = code, "upstream refused or broke");
        })
    }

    /// Takes the body out, so that its memory is free once it is written.
    async fn exchange(&self, outgoing: &mut Outgoing) -> Result<Response<Pooled>, Refusal> {
        let mut request = Request::new(std::mem::take(&mut outgoing.body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uris[outgoing.call as usize].clone();
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let accept = if outgoing.stream { "text/event-stream" } else { "application/json" };
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        if let Some(value) = &self.authorization {
            headers.insert(header::AUTHORIZATION, value.clone());
        }
        self.pool.call(request).await.map_err(|error| {
            tracing::warn!(upstream.id = %self.id, request.id = %outgoing.request_id, %error, "upstream failed");
            match error {
                CallError::Connect(_) => Refusal::UpstreamUnreachable,
                CallError::Call(_) => Refusal::UpstreamBroken,
                CallError::Timeout => Refusal::UpstreamTimeout,
            }
        })
    }

    /// An answer that is not a stream: read whole, so that a broken one becomes a clear error.
    async fn whole(&self, answer: Response<Pooled>, memory: MemoryOf<'_>) -> Result<(Bytes, Told), Refusal> {
        let (head, body) = answer.into_parts();
        let is_success = head.status.is_success();
        let refused = |body: &[u8]| refused(head.status, &head.headers, body, &self.redactor);
        let most = if is_success { memory.answer_max() } else { ERROR_MAX };
        let (mut body, mut buffer) = (pin!(body), Buffer::new(memory, most));
        let filled = in_time(self.timeouts.whole, buffer.fill(body.as_mut()))
            .await
            .map_err(|_| Refusal::UpstreamTimeout)?
            .map_err(|error| match error {
                FillError::OutOfMemory => Refusal::MemoryFull,
                FillError::TooLarge if is_success => Refusal::AnswerTooLarge,
                FillError::TooLarge => refused(&[]),
                FillError::Broken(_) => Refusal::UpstreamBroken,
            })?;
        let body = filled.replaced_by(self.redactor.bytes(filled.bytes.clone()));
        if !is_success {
            return Err(refused(&body));
        }
        let told = if body.len() < LARGE {
            read_usage(&body)?
        } else {
            // Beside the worker, whose other requests would wait.
            let large = body.clone();
            let read = tokio::task::spawn_blocking(move || read_usage(&large));
            read.await.map_err(|_| Refusal::UpstreamBroken)??
        };
        Ok((body, told))
    }
}

/// What an answer reports of its use.
fn read_usage(body: &[u8]) -> Result<Told, Refusal> {
    match usage::read_whole(body) {
        Ok(told) => Ok(told),
        // JSON of another shape is the client's to understand, if it is all there.
        Err(error) if error.is_data() && serde_json::from_slice::<IgnoredAny>(body).is_ok() => {
            Ok(Told::default())
        }
        Err(_) => Err(Refusal::UpstreamBroken),
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
}

/// What an upstream's refusal means to the caller. One about the upstream's own key or path is not the caller's to
/// mend, and its words may hold part of that key.
fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8], redactor: &Redactor) -> Refusal {
    #[derive(Deserialize)]
    struct ErrorBody {
        error: ErrorDetail,
    }
    #[derive(Deserialize)]
    struct ErrorDetail {
        message: String,
        param: Option<String>,
    }
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let retry_after =
                headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
            Refusal::UpstreamBusy { retry_after }
        }
        StatusCode::GATEWAY_TIMEOUT => Refusal::UpstreamTimeout,
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => match serde_json::from_slice::<ErrorBody>(body) {
            Ok(ErrorBody { error }) if !error.message.contains("sk-") => {
                // Again with JSON escapes decoded, because they may hide a secret.
                let plain = |text: &str, most: usize| {
                    let text = redactor.text(text);
                    text[..text.floor_char_boundary(most)].to_owned()
                };
                Refusal::UpstreamRejected {
                    status,
                    message: plain(&error.message, MESSAGE_MAX),
                    param: error.param.map(|param| plain(&param, PARAM_MAX)),
                }
            }
            _ => Refusal::UpstreamRejected {
                status,
                message: "The model did not accept this request. Check its parameters.".into(),
                param: None,
            },
        },
        _ => Refusal::UpstreamBroken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_must_be_http_and_plain() {
        let new = |url: &str| HttpUpstream::new("u", url, None, Timeouts::default());
        assert_eq!(
            new("http://127.0.0.1:9/v1/").unwrap_or_else(|e| panic!("{e}")).base_url(),
            "http://127.0.0.1:9/v1"
        );
        for bad in ["127.0.0.1:9", "ftp://x/v1", "http://x/v1?key=1", "not a url", ""] {
            assert!(new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_upstreams_refusal_of_its_own_key_is_not_the_callers() {
        let body = br#"{"error":{"message":"Incorrect API key provided: sk-upstream-secret","type":"x"}}"#;
        for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND] {
            assert_eq!(
                refused(status, &HeaderMap::new(), body, &Redactor::default()),
                Refusal::UpstreamBroken
            );
        }
        let body = br#"{"error":{"message":"temperature is too high","param":"temperature"}}"#;
        assert_eq!(
            refused(StatusCode::BAD_REQUEST, &HeaderMap::new(), body, &Redactor::default()),
            Refusal::UpstreamRejected {
                status: StatusCode::BAD_REQUEST,
                message: "temperature is too high".into(),
                param: Some("temperature".into()),
            }
        );
    }
}
