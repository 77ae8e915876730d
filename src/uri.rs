//! The little of RFC 3986 that paths and queries need.

use std::fmt::Write;

/// The text as one path segment or query value: all but unreserved characters percent-encoded.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// A path segment or query value as text. None if it is not valid percent-encoded UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |b: u8| char::from(b).to_digit(16);
            let value = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A query of the fields that have a value, with its question mark; empty if none has.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        out.push_str(&encode(value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_leaves_nothing_that_means_something_in_a_path_or_query() {
        assert_eq!(encode("a/b?c=d&e#f%"), "a%2Fb%3Fc%3Dd%26e%23f%25");
        assert_eq!(encode("检 +"), "%E6%A3%80%20%2B");
    }

    #[test]
    fn decoding_is_the_way_back_and_refuses_nonsense() {
        for text in ["", "ws-1", "a/b?c=d&e#f%", "检 👩‍💻", "../.."] {
            assert_eq!(decode(&encode(text)).as_deref(), Some(text));
        }
        for bad in ["%", "%4", "%zz", "%FF", "%+4"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn query_leaves_out_what_is_empty() {
        assert_eq!(query(&[("q", ""), ("page_token", "")]), "");
        assert_eq!(query(&[("q", ""), ("page_token", "t 1")]), "?page_token=t%201");
        assert_eq!(query(&[("q", "a&b"), ("page_token", "t")]), "?q=a%26b&page_token=t");
    }
}
