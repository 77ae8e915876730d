//! What browsers and proxies are trusted with: URLs, origins, the cookie's name, and addresses of proxies.

use super::{ConfigError, bad};
use keygate_contract::IpRule;

/// What the session's cookie is called unless told.
pub(crate) const SESSION_COOKIE: &str = "keygate_session";
/// The longest name of a cookie that is taken, in characters.
const COOKIE_NAME_MAX: usize = 64;

/// A URL of scheme, host and port alone, written as browsers write an origin: lower case, no default port, no slash at
/// its end.
pub(super) fn plain_url(field: &str, url: &str) -> Result<String, ConfigError> {
    origin(url)
        .ok_or_else(|| bad(field, "give scheme, host and port only, such as https://keygate.example.com"))
}

/// A URL of scheme, host and port alone as browsers write an origin.
pub(crate) fn origin(url: &str) -> Option<String> {
    let uri: http::Uri = url.strip_suffix('/').unwrap_or(url).parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let authority = uri.authority()?;
    let host = authority.host().to_ascii_lowercase();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_name(&host),
    };
    let port = match authority.as_str().get(host.len()..)?.strip_prefix(':') {
        Some(port) => Some(port.parse::<u16>().ok()?),
        None if authority.as_str().len() == host.len() => None,
        None => return None,
    };
    if !is_host || uri.path() != "/" || url.contains(['?', '#']) {
        return None;
    }
    Some(match port {
        Some(0) => return None,
        None => format!("{scheme}://{host}"),
        Some(80) if scheme == "http" => format!("{scheme}://{host}"),
        Some(443) if scheme == "https" => format!("{scheme}://{host}"),
        Some(port) => format!("{scheme}://{host}:{port}"),
    })
}

/// What stands before the path of a URL.
pub(crate) fn origin_part(url: &str) -> &str {
    url.match_indices('/').nth(2).map_or(url, |(end, _)| &url[..end])
}

/// A host name in lower case: labels of letters, digits and hyphens (RFC 1123, section 2.1), or an IPv4 address.
pub(super) fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

/// The origins of consoles that are served elsewhere.
pub(super) fn console_origins(given: &[String]) -> Result<Vec<String>, ConfigError> {
    let mut origins = Vec::with_capacity(given.len());
    for text in given {
        let origin = origin(text).ok_or_else(|| {
            bad(
                "console_origins",
                format!(
                    "`{text}` is no origin; give scheme, host and port of one console, without a path or a wildcard, \
                     such as https://console.example.com"
                ),
            )
        })?;
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

/// The addresses whose `X-Forwarded-For` is believed.
pub(super) fn trusted_proxies(given: &[String]) -> Result<Vec<IpRule>, ConfigError> {
    let rule = |text: &String| {
        IpRule::parse(text).map_err(|error| bad("trusted_proxies", format!("`{text}`: {error}")))
    };
    given.iter().map(rule).collect()
}

/// The name of the session's cookie: a token (RFC 6265, section 4.1.1) whose prefix promises nothing that the cookie
/// does not keep, because browsers drop such a cookie without a word.
pub(super) fn session_cookie(name: Option<String>, is_https: bool) -> Result<String, ConfigError> {
    let Some(name) = name else { return Ok(SESSION_COOKIE.into()) };
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !(1..=COOKIE_NAME_MAX).contains(&name.len()) || !name.bytes().all(is_token) {
        let text = format!("give 1 to {COOKIE_NAME_MAX} letters, digits or _ - . such as keygate_session");
        return Err(bad("session_cookie", text));
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("__host") {
        return Err(bad(
            "session_cookie",
            "a cookie with this prefix must have the path /, and this one has /console",
        ));
    }
    if !is_https && (lower.starts_with("__secure-") || lower.starts_with("__http-")) {
        return Err(bad("session_cookie", "a cookie with this prefix needs an https `public_url`"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (text, expected) in [
            ("https://Console.Example.com/", Some("https://console.example.com")),
            ("https://console.example.com:443", Some("https://console.example.com")),
            ("http://console.example.com:443", Some("http://console.example.com:443")),
            ("http://localhost:80", Some("http://localhost")),
            ("http://127.0.0.1:9000", Some("http://127.0.0.1:9000")),
            ("http://[::1]:9000", Some("http://[::1]:9000")),
            ("HTTPS://a.example", Some("https://a.example")),
            ("https://*.example.com", None),
            ("*", None),
            ("null", None),
            ("", None),
            ("console.example.com", None),
            ("ftp://example.com", None),
            ("https://example.com/console", None),
            ("https://example.com/?a", None),
            ("https://example.com:0", None),
            ("https://example.com?", None),
            ("https://example.com#top", None),
            ("https://me@example.com", None),
            ("https://example.com:", None),
            ("https://example.com:99999", None),
            ("https://[::1", None),
            ("https://b\u{fc}cher.example", None),
            ("https://a_b.example", None),
            ("https://example.com, https://b.example", None),
        ] {
            assert_eq!(origin(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_cookie_has_a_name_that_browsers_keep() {
        for (name, is_https, taken) in [
            ("keygate_session", false, true),
            ("a", false, true),
            (&"a".repeat(64), false, true),
            ("__Secure-kg", true, true),
            ("__Secure-kg", false, false),
            ("__host-kg", true, false),
            ("", false, false),
            (&"a".repeat(65), false, false),
            ("a b", false, false),
            ("a=b", false, false),
            ("a;b", false, false),
            ("\u{fc}", false, false),
        ] {
            assert_eq!(session_cookie(Some(name.into()), is_https).is_ok(), taken, "{name}");
        }
    }
}
