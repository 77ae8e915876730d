//! What the gateway reads of a call: the key, the body, and of the body the model.

use crate::credential;
use crate::refusal::Refusal;
use bytes::Bytes;
use http::{HeaderMap, Uri, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

/// The key of a call.
///
/// # Errors
/// [`Refusal::KeyMissing`], [`Refusal::KeyInQuery`] or [`Refusal::KeyInvalid`].
pub(crate) fn key_of<'h>(headers: &'h HeaderMap, uri: &Uri) -> Result<credential::Presented<'h>, Refusal> {
    let text = match (headers.get(header::AUTHORIZATION), headers.get("x-api-key")) {
        (Some(value), _) => value.to_str().ok().and_then(bearer),
        (None, Some(value)) => value.to_str().ok().map(str::trim),
        (None, None) if uri.query().is_some_and(|q| q.contains(credential::PREFIX)) => {
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

/// Bytes of all headers: names, values and four for each `: ` and line end.
pub fn header_bytes(headers: &HeaderMap, uri: &Uri) -> usize {
    let uri = uri.path_and_query().map_or(0, |p| p.as_str().len());
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() + uri
}

/// The whole body.
///
/// # Errors
/// [`Refusal::BodyTooLarge`], [`Refusal::BodyTimeout`], or [`Refusal::BadBody`] when it was cut off.
pub(crate) async fn read_body<B>(body: B, limit: usize, within: Duration) -> Result<Bytes, Refusal>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Up to this much is read and dropped, so that the client gets to see the refusal.
    const DRAIN_MAX: usize = 256 << 20;
    if body.size_hint().lower() > limit as u64 {
        crate::body::drain(body, DRAIN_MAX, within).await;
        return Err(Refusal::BodyTooLarge { limit });
    }
    let mut body = std::pin::pin!(Limited::new(body, limit));
    match tokio::time::timeout(within, body.as_mut().collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge { limit }),
        Ok(Err(_)) => {
            Err(Refusal::BadBody { message: "The body was cut off. Send it again.".into(), param: None })
        }
        Err(_) => Err(Refusal::BodyTimeout),
    }
}

/// What the gateway itself reads of a call's body. A field that stands twice is an error: the upstream might take the
/// other one.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    stream: Option<bool>,
}

/// What is called, and how.
#[derive(Debug)]
pub(crate) struct CallBody<'a> {
    /// The model as the body names it.
    pub(crate) model: Cow<'a, str>,
    /// Where the name stands in the body, quotes included.
    pub(crate) model_at: Range<usize>,
    /// Whether a stream is asked for.
    pub(crate) stream: bool,
}

/// Reads the model out of a body.
///
/// # Errors
/// [`Refusal::BadBody`] or [`Refusal::ModelMissing`].
pub(crate) fn parse_call(body: &[u8]) -> Result<CallBody<'_>, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Refusal::BadBody { message: "The body is not UTF-8. Send JSON.".into(), param: None })?;
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|e| bad_json(&e))?;
    let raw = fields.model.ok_or(Refusal::ModelMissing)?;
    let model: Cow<'_, str> = serde_json::from_str::<BorrowedText<'_>>(raw.get())
        .map_err(|_| Refusal::BadBody {
            message: "The field `model` must be a string.".into(),
            param: Some("model".into()),
        })?
        .0;
    if model.is_empty() {
        return Err(Refusal::ModelMissing);
    }
    // `raw` is a slice of `text`, so its distance from the start is its place.
    let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
    Ok(CallBody { model, model_at: start..start + raw.get().len(), stream: fields.stream.unwrap_or(false) })
}

/// A string that is copied only when it holds escapes.
#[derive(Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

/// What is wrong with a body, without quoting it.
fn bad_json(error: &serde_json::Error) -> Refusal {
    let place = format!("line {}, column {}", error.line(), error.column());
    let message = if error.is_data() {
        // The only fields that are read are `model` and `stream`.
        format!(
            "A field of the body has the wrong type or stands twice, before {place}. `stream` must be true or false."
        )
    } else {
        format!("The body is not valid JSON, at {place}.")
    };
    Refusal::BadBody { message, param: None }
}

/// The body with another name for the model.
pub(crate) fn with_model(body: &Bytes, at: &Range<usize>, name: &str) -> Bytes {
    let quoted = serde_json::Value::from(name).to_string();
    let mut changed = Vec::with_capacity(body.len() + quoted.len());
    changed.extend_from_slice(&body[..at.start]);
    changed.extend_from_slice(quoted.as_bytes());
    changed.extend_from_slice(&body[at.end..]);
    changed.into()
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
            key_of(&headers, &uri.parse().unwrap()).map(|k| k.public_id.as_str().to_owned())
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
    fn the_model_is_found_wherever_it_stands() {
        let body = br#"{"messages":[{"model":"no"}], "stream":true, "model" : "qwen\u002dplus" ,"x":1}"#;
        let call = parse_call(body).unwrap();
        assert_eq!((call.model.as_ref(), call.stream), ("qwen-plus", true));
        let changed = with_model(&Bytes::from_static(body), &call.model_at, "up\"stream");
        assert_eq!(
            changed,
            &br#"{"messages":[{"model":"no"}], "stream":true, "model" : "up\"stream" ,"x":1}"#[..]
        );
    }

    #[test]
    fn a_body_that_two_parsers_could_read_differently_is_refused() {
        for body in [r#"{"model":"a","model":"b"}"#, r#"{"model":"a","stream":true,"stream":false}"#] {
            assert!(matches!(parse_call(body.as_bytes()), Err(Refusal::BadBody { .. })), "{body}");
        }
    }

    #[test]
    fn bodies_without_a_model_or_without_json_are_told_apart() {
        for body in ["{}", r#"{"model":""}"#, r#"{"model":null}"#] {
            assert_eq!(parse_call(body.as_bytes()).unwrap_err(), Refusal::ModelMissing, "{body}");
        }
        for body in
            ["", "[", "[]", "\"x\"", "{\"model\":", r#"{"model":7}"#, r#"{"model":"a","stream":"yes"}"#]
        {
            assert!(matches!(parse_call(body.as_bytes()), Err(Refusal::BadBody { .. })), "{body}");
        }
        assert!(matches!(parse_call(b"\xff{}"), Err(Refusal::BadBody { .. })));
    }
}
