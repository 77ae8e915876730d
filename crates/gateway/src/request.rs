//! What the gateway reads of a request: the key, and the body as a whole.

use crate::credential;
use crate::memory::{Buffer, FillError, Filled, MemoryOf};
use crate::refusal::Refusal;
use crate::time::in_time;
use bytes::Bytes;
use http::{HeaderMap, Uri, header};
use std::pin::pin;
use std::time::Duration;

/// The key of a call.
///
/// # Errors
/// [`Refusal::KeyMissing`], [`Refusal::KeyInQuery`] or [`Refusal::KeyInvalid`].
pub(crate) fn key_of<'h>(headers: &'h HeaderMap, uri: &Uri) -> Result<credential::Presented<'h>, Refusal> {
    let text = match (headers.get(header::AUTHORIZATION), headers.get("x-api-key")) {
        (Some(value), _) => value.to_str().ok().and_then(bearer),
        (None, Some(value)) => value.to_str().ok().map(str::trim),
        (None, None) if uri.query().is_some_and(credential::is_in) => {
            return Err(Refusal::KeyInQuery);
        }
        (None, None) => return Err(Refusal::KeyMissing),
    };
    text.and_then(credential::parse).ok_or(Refusal::KeyInvalid)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The workspace whose own host, a label before `domain`, a request names; `None` for any other host.
pub(crate) fn workspace_host<'h>(head: &'h http::request::Parts, domain: &str) -> Option<&'h str> {
    let named = || head.headers.get(header::HOST)?.to_str().ok();
    // A target in absolute form beats the header (RFC 9112, section 3.2.2).
    let host = head.uri.authority().map(http::uri::Authority::as_str).or_else(named)?;
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_end_matches('.');
    let at = host.len().checked_sub(domain.len())?;
    let below = host.get(at..)?.eq_ignore_ascii_case(domain);
    host.get(..at).filter(|_| below)?.strip_suffix('.')
}

/// Bytes of all headers: names, values and four for each `: ` and line end.
pub fn header_bytes(headers: &HeaderMap, uri: &Uri) -> usize {
    let uri = uri.path_and_query().map_or(0, |p| p.as_str().len());
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() + uri
}

/// At most this much of a rejected body is read and dropped, so that the client sees the error.
const DRAIN_MAX: usize = 256 << 20;
/// How long a body that got no memory is read and dropped.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);

/// The whole body.
///
/// # Errors
/// [`Refusal::BodyTooLarge`], [`Refusal::BodyTimeout`], [`Refusal::MemoryFull`], or [`Refusal::BadBody`] if it was cut
/// off.
pub(crate) async fn read_body<B>(
    body: B,
    limit: usize,
    within: Duration,
    memory: MemoryOf<'_>,
) -> Result<Filled, Refusal>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = pin!(body);
    let mut buffer = Buffer::new(memory, limit);
    let filled = in_time(within, buffer.fill(body.as_mut())).await;
    let was_waiting = buffer.was_waiting();
    // Drops what has arrived before the rest is read.
    drop(buffer);
    match filled {
        Ok(Ok(filled)) => Ok(filled),
        Ok(Err(FillError::TooLarge)) => {
            crate::body::drain(body, DRAIN_MAX, within).await;
            Err(Refusal::BodyTooLarge { limit })
        }
        Ok(Err(FillError::OutOfMemory)) => {
            crate::body::drain(body, DRAIN_MAX, DRAIN_WITHIN).await;
            Err(Refusal::MemoryFull)
        }
        Ok(Err(FillError::Broken(_))) => {
            Err(Refusal::BadBody { message: "The body was cut off. Send it again.".into(), param: None })
        }
        Err(_) if was_waiting => {
            memory.note_rejected();
            crate::body::drain(body, DRAIN_MAX, DRAIN_WITHIN).await;
            Err(Refusal::MemoryFull)
        }
        Err(_) => Err(Refusal::BodyTimeout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::KeyHasher;
    use http::HeaderValue;

    #[test]
    fn a_key_is_taken_from_either_header_and_from_nowhere_else() {
        let key = KeyHasher::new(&[1; 32]).mint().secret;
        let key = key.expose();
        let read = |name: Option<&'static str>, value: String, uri: &str| {
            let mut headers = HeaderMap::new();
            if let Some(name) = name {
                headers.insert(name, HeaderValue::from_str(&value).unwrap());
            }
            key_of(&headers, &uri.parse().unwrap()).map(|k| k.public_id().as_str().to_owned())
        };
        let id = key[6..18].to_owned();
        assert_eq!(read(Some("authorization"), format!("Bearer {key}"), "/"), Ok(id.clone()));
        assert_eq!(read(Some("authorization"), format!("bearer  {key} "), "/"), Ok(id.clone()));
        assert_eq!(read(Some("x-api-key"), key.to_owned(), "/"), Ok(id));
        assert_eq!(read(Some("authorization"), key.to_owned(), "/"), Err(Refusal::KeyInvalid));
        assert_eq!(read(Some("authorization"), format!("Basic {key}"), "/"), Err(Refusal::KeyInvalid));
        assert_eq!(read(None, String::new(), "/"), Err(Refusal::KeyMissing));
        assert_eq!(read(None, String::new(), &format!("/?api_key={key}")), Err(Refusal::KeyInQuery));
    }

    #[test]
    fn a_workspaces_own_host_names_the_workspace() {
        let named = |host: &str, uri: &str| {
            let request = http::Request::builder().uri(uri).header("host", host).body(()).unwrap();
            workspace_host(&request.into_parts().0, "ap.example.com").map(str::to_owned)
        };
        for (host, workspace) in [
            ("ws-1.ap.example.com", Some("ws-1")),
            ("WS-1.AP.example.com:8080", Some("WS-1")),
            ("ws-1.ap.example.com.", Some("ws-1")),
            ("a.ws-1.ap.example.com", Some("a.ws-1")),
            (".ap.example.com", Some("")),
            ("ap.example.com", None),
            ("notap.example.com", None),
            ("ws-1.example.com", None),
            ("[::1]:8080", None),
            ("é.ap.example.com", None),
            ("", None),
        ] {
            assert_eq!(named(host, "/").as_deref(), workspace, "{host}");
        }
        let absolute = named("ap.example.com", "http://ws-2.ap.example.com:8080/x");
        assert_eq!(absolute.as_deref(), Some("ws-2"));
    }
}
