//! Removes the values of secrets from text that leaves the process.
//!
//! A secret is recognized by its value, not by its format: an upstream's key need not begin with `sk-`, and an upstream
//! may quote it in an error, in a stream event or in an answer. Each value is searched for verbatim, JSON-escaped and
//! URL-encoded. In a stream, a value is found even if it spans chunks.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use zeroize::Zeroizing;

/// What replaces a secret.
pub(crate) const REDACTED: &str = "[redacted]";
/// The shortest value that counts as a secret, in bytes. Shorter ones, such as the `EMPTY` that local servers accept as
/// a key, occur in ordinary text.
const SECRET_MIN: usize = 8;

/// Knows the values of some secrets. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor(Option<Arc<Patterns>>);

struct Patterns {
    values: Vec<Zeroizing<Vec<u8>>>,
    search: AhoCorasick,
    longest: usize,
    /// By byte: whether a value begins with it.
    starts: [bool; 256],
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// A redactor of these values. Values of fewer than 8 bytes are left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.len() >= SECRET_MIN);
        let mut values: Vec<Zeroizing<Vec<u8>>> = long.flat_map(forms).map(Zeroizing::new).collect();
        values.sort_unstable_by(|a, b| a.as_slice().cmp(b.as_slice()));
        values.dedup_by(|a, b| a.as_slice() == b.as_slice());
        if values.is_empty() {
            return Self(None);
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(values.iter().map(|value| value.as_slice()))
            .expect("a handful of short patterns fits an automaton");
        let longest = values.iter().map(|value| value.len()).max().unwrap_or(0);
        let mut starts = [false; 256];
        values.iter().for_each(|value| starts[usize::from(value[0])] = true);
        Self(Some(Arc::new(Patterns { values, search, longest, starts })))
    }

    /// The text without the secrets.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.0 {
            Some(patterns) if patterns.search.is_match(text) => {
                Cow::Owned(patterns.search.replace_all(text, &vec![REDACTED; patterns.values.len()]))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// The bytes without the secrets: the same bytes if there are none.
    pub fn bytes(&self, bytes: Bytes) -> Bytes {
        match &self.0 {
            Some(patterns) if patterns.search.is_match(&bytes) => {
                patterns.search.replace_all_bytes(&bytes, &vec![REDACTED; patterns.values.len()]).into()
            }
            _ => bytes,
        }
    }

    /// A redactor of one stream.
    pub(crate) fn stream(&self) -> StreamRedactor {
        StreamRedactor { redactor: self.clone(), held: Vec::new() }
    }
}

/// What `encodeURIComponent` and its like leave as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');
/// What RFC 3986 leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A value in every form that is searched for: as it is; as JSON writes it, with none, some or all characters escaped; as
/// URLs encode it; and in base 64, by itself and as a header has it.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let json = |escapes: &dyn Fn(char) -> bool, upper: bool| -> String {
        secret
            .encode_utf16()
            .map(|unit| match char::from_u32(unit.into()).filter(|c| !escapes(*c)) {
                Some(plain) => plain.to_string(),
                None if upper => format!("\\u{unit:04X}"),
                None => format!("\\u{unit:04x}"),
            })
            .collect()
    };
    let quoted = serde_json::Value::from(secret).to_string();
    let quoted = quoted[1..quoted.len() - 1].to_owned();
    let mut forms = vec![secret.to_owned(), quoted.replace('/', "\\/"), quoted];
    for upper in [false, true] {
        forms.push(json(&|_| true, upper));
        forms.push(json(&|c| !c.is_ascii_alphanumeric(), upper));
        forms.push(json(&|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.' | '~'), upper));
        forms.push(json(&|c| c == '+', upper));
        // As PHP and Go do for HTML; .NET escapes `+` too.
        forms.push(json(&|c| matches!(c, '<' | '>' | '&' | '+' | '\'' | '='), upper));
    }
    for set in [NON_ALPHANUMERIC, COMPONENT, UNRESERVED] {
        let encoded = utf8_percent_encode(secret, set).to_string();
        forms.push(lowered_escapes(&encoded));
        forms.push(encoded.replace("%20", "+"));
        forms.push(encoded);
    }
    for text in [secret.to_owned(), format!("Bearer {secret}")] {
        forms.push(STANDARD.encode(&text).trim_end_matches('=').to_owned());
        forms.push(URL_SAFE_NO_PAD.encode(&text));
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// The same with lower-case digits in its percent escapes.
fn lowered_escapes(encoded: &str) -> String {
    let mut digits = 0u8;
    let lower = |c: char| {
        let is_digit = digits > 0;
        digits = if c == '%' { 2 } else { digits.saturating_sub(1) };
        if is_digit { c.to_ascii_lowercase() } else { c }
    };
    encoded.chars().map(lower).collect()
}

impl Patterns {
    /// Where the longest suffix of `data` begins that a later chunk could complete to a secret; the end of `data` if
    /// there is none.
    fn held_from(&self, data: &[u8]) -> usize {
        let from = data.len().saturating_sub(self.longest - 1);
        (from..data.len())
            .find(|at| {
                let end = &data[*at..];
                self.starts[usize::from(end[0])]
                    && self.values.iter().any(|value| value.len() > end.len() && value.starts_with(end))
            })
            .unwrap_or(data.len())
    }
}

/// Redacts a stream that arrives in chunks. It holds back the end of a chunk only while that may be the beginning of a
/// secret.
pub(crate) struct StreamRedactor {
    redactor: Redactor,
    held: Vec<u8>,
}

impl StreamRedactor {
    /// Takes the next chunk and returns what may be passed on.
    pub(crate) fn feed(&mut self, chunk: Bytes) -> Bytes {
        let Some(patterns) = &self.redactor.0 else { return chunk };
        let data = if self.held.is_empty() {
            chunk
        } else {
            self.held.extend_from_slice(&chunk);
            std::mem::take(&mut self.held).into()
        };
        let mut held_from = patterns.held_from(&data);
        if held_from == data.len() && !patterns.search.is_match(&data) {
            return data;
        }
        let (mut out, mut from) = (Vec::with_capacity(data.len()), 0);
        for found in patterns.search.find_iter(&data) {
            if held_from <= found.start() {
                // It may become a longer secret that begins no later.
                break;
            }
            out.extend_from_slice(&data[from..found.start()]);
            out.extend_from_slice(REDACTED.as_bytes());
            from = found.end();
            if held_from < from {
                held_from = from + patterns.held_from(&data[from..]);
            }
        }
        out.extend_from_slice(&data[from..held_from]);
        self.held.extend_from_slice(&data[held_from..]);
        out.into()
    }

    /// What was held back when the stream ends. Most of a secret is redacted, too.
    pub(crate) fn finish(&mut self) -> Bytes {
        let held = std::mem::take(&mut self.held);
        if held.len() < SECRET_MIN { held.into() } else { Bytes::from_static(REDACTED.as_bytes()) }
    }
}

/// A body whose data is redacted as it is read.
pub(crate) struct RedactedBody<B> {
    inner: B,
    redactor: StreamRedactor,
    is_finished: bool,
}

impl<B> RedactedBody<B> {
    pub(crate) fn new(inner: B, redactor: &Redactor) -> Self {
        Self { inner, redactor: redactor.stream(), is_finished: false }
    }
}

impl<B: http_body::Body<Data = Bytes> + Unpin> http_body::Body for RedactedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        loop {
            if this.is_finished {
                return Poll::Ready(None);
            }
            let data = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.redactor.feed(data),
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    this.is_finished = true;
                    this.redactor.finish()
                }
            };
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        // A replacement differs in length from what it replaces.
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "up-3a/9f\"72c1";

    fn split(redactor: &Redactor, chunks: &[&[u8]]) -> Vec<u8> {
        let mut stream = redactor.stream();
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend_from_slice(&stream.feed(Bytes::copy_from_slice(chunk)));
        }
        out.extend_from_slice(&stream.finish());
        out
    }

    #[test]
    fn a_secret_is_removed_in_every_form() {
        let redactor = Redactor::new([KEY]);
        for text in [
            "up-3a/9f\"72c1",
            "up-3a/9f\\\"72c1",
            "up-3a\\/9f\\\"72c1",
            "up%2D3a%2F9f%2272c1",
            "up-3a%2F9f%2272c1",
            "up-3a%2f9f%2272c1",
            "\\u0075\\u0070\\u002d\\u0033\\u0061\\u002f\\u0039\\u0066\\u0022\\u0037\\u0032\\u0063\\u0031",
            "up-3a\\u002f9f\\u002272c1",
            "up-3a\\u002F9f\\u002272c1",
            "dXAtM2EvOWYiNzJjMQ",
            "QmVhcmVyIHVwLTNhLzlmIjcyYzE",
        ] {
            assert_eq!(redactor.text(&format!("<{text}>")), "<[redacted]>", "{text}");
            assert_eq!(redactor.bytes(Bytes::from(text.to_owned())), REDACTED);
        }
        assert_eq!(redactor.text("up-3a/9f"), "up-3a/9f");
    }

    #[test]
    fn short_values_and_none_are_not_redacted() {
        assert_eq!(Redactor::new(["EMPTY"]).text("EMPTY"), "EMPTY");
        assert_eq!(Redactor::default().text(KEY), KEY);
    }

    #[test]
    fn a_secret_is_found_in_every_split_of_a_stream() {
        let redactor = Redactor::new([KEY]);
        let text = format!("data: {{\"key\":\"{KEY}\"}}\n\ndata: up-3 {KEY}{KEY}\n\n");
        let expected = text.replace(KEY, REDACTED).into_bytes();
        for at in 0..=text.len() {
            let (a, b) = text.as_bytes().split_at(at);
            assert_eq!(split(&redactor, &[a, b]), expected, "split at {at}");
        }
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(split(&redactor, &single), expected);
    }

    #[test]
    fn a_stream_that_ends_within_a_secret_does_not_show_its_beginning() {
        let redactor = Redactor::new([KEY]);
        for end in 0..KEY.len() {
            let expected = if end < SECRET_MIN { &KEY[..end] } else { REDACTED };
            assert_eq!(
                split(&redactor, &[b"data: ", &KEY.as_bytes()[..end]]),
                format!("data: {expected}").into_bytes()
            );
        }
    }

    #[test]
    fn nothing_is_held_back_that_cannot_become_a_secret() {
        let mut stream = Redactor::new([KEY]).stream();
        assert_eq!(stream.feed(Bytes::from_static(b"data: hello\n\n")), "data: hello\n\n");
        assert_eq!(stream.feed(Bytes::from_static(b"data: up")), "data: ");
        assert_eq!(stream.feed(Bytes::from_static(b"on\n\n")), "upon\n\n");
    }

    proptest! {
        #[test]
        fn a_stream_and_the_whole_are_redacted_alike(
            secrets in prop::collection::vec("[ab]{8,11}", 1..4),
            words in prop::collection::vec("[abc]{0,12}", 0..6),
            cuts in prop::collection::vec(0usize..120, 0..8),
        ) {
            let redactor = Redactor::new(secrets.iter().map(String::as_str));
            let text: String =
                words.iter().enumerate().map(|(n, word)| format!("{word}{}", secrets[n % secrets.len()])).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let (mut chunks, mut from) = (Vec::new(), 0);
            for cut in cuts.into_iter().chain([text.len()]) {
                chunks.push(&text.as_bytes()[from..cut]);
                from = cut;
            }
            // A separator ends whatever could become a secret.
            let text = format!("{text}.");
            chunks.push(b".");
            let whole = redactor.text(&text);
            prop_assert_eq!(split(&redactor, &chunks), whole.as_bytes());
        }
    }
}
