//! Headers of answers: what is left of the limits, and what stands beside it.
//!
//! A map of headers hashes each name that is put into it, byte by byte, and the names here are long. So the map is made
//! once, and each answer gets a copy, in which only values are written. Measured, that is a fiftieth of a call.

use crate::limit::{Headroom, Room};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::sync::LazyLock;

/// Names the request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For each dimension: the limit, what is left of it, and when all of it is there again.
const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// What stands before them.
const FIRST: [HeaderName; 2] = [header::CONTENT_TYPE, REQUEST_ID];

/// JSON, a request id to be filled in, and what is left: of requests alone, and of tokens, too. A map keeps the order in
/// which its names were put in.
static WITHOUT_TOKENS: LazyLock<HeaderMap> = LazyLock::new(|| named(FIRST.into_iter().chain(REQUESTS)));
static WITH_TOKENS: LazyLock<HeaderMap> =
    LazyLock::new(|| named(FIRST.into_iter().chain(REQUESTS).chain(TOKENS)));

fn named(names: impl Iterator<Item = HeaderName>) -> HeaderMap {
    let mut headers: HeaderMap = names.map(|name| (name, HeaderValue::from_static(""))).collect();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

/// A reset is at most 61 seconds away. The form, `12s`, is the one that OpenAI's clients read
/// (<https://platform.openai.com/docs/guides/rate-limits>).
const RESETS: &str = "0s 1s 2s 3s 4s 5s 6s 7s 8s 9s 10s 11s 12s 13s 14s 15s 16s 17s 18s 19s 20s 21s 22s 23s 24s 25s \
    26s 27s 28s 29s 30s 31s 32s 33s 34s 35s 36s 37s 38s 39s 40s 41s 42s 43s 44s 45s 46s 47s 48s 49s \
    50s 51s 52s 53s 54s 55s 56s 57s 58s 59s 60s 61s";

/// Those, as headers: of a text that is static a copy costs nothing.
static RESET_VALUES: LazyLock<Vec<HeaderValue>> =
    LazyLock::new(|| RESETS.split(' ').map(HeaderValue::from_static).collect());

/// The headers of an answer in JSON that tells what is left. The request id is still to be filled in.
pub(crate) fn with_headroom(headroom: &Headroom) -> HeaderMap {
    let mut headers = if headroom.tokens.is_some() { WITH_TOKENS.clone() } else { WITHOUT_TOKENS.clone() };
    let rooms = [Some(&headroom.requests), headroom.tokens.as_ref()];
    let values = rooms.into_iter().flatten().flat_map(values);
    headers.values_mut().skip(FIRST.len()).zip(values).for_each(|(header, value)| *header = value);
    headers
}

fn values(room: &Room) -> [HeaderValue; 3] {
    let resets = &RESET_VALUES;
    let at = usize::try_from(room.reset_seconds).unwrap_or(usize::MAX).min(resets.len() - 1);
    [number(room.limit), number(room.remaining), resets[at].clone()]
}

/// A number as a header. `HeaderValue::from` allocates twice for it.
fn number(value: u64) -> HeaderValue {
    HeaderValue::from_str(itoa::Buffer::new().format(value)).expect("digits can stand in a header")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Scope;

    #[test]
    fn each_value_stands_under_its_name() {
        let room =
            |limit, remaining, reset_seconds| Room { scope: Scope::Account, limit, remaining, reset_seconds };
        let all = Headroom { requests: room(600, 599, 61), tokens: Some(room(9000, 0, 7)) };
        let told = |headers: &HeaderMap| -> Vec<(String, String)> {
            let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
            headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
        };
        let expected = [
            ("content-type", "application/json"),
            ("x-request-id", ""),
            ("x-ratelimit-limit-requests", "600"),
            ("x-ratelimit-remaining-requests", "599"),
            ("x-ratelimit-reset-requests", "61s"),
            ("x-ratelimit-limit-tokens", "9000"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "7s"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(told(&with_headroom(&all)), expected);
        assert_eq!(told(&with_headroom(&Headroom { tokens: None, ..all })), expected[..5]);
    }
}
