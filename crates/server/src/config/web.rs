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

/// The name of the session's cookie: a token (RFC 6265, section 4.1.1). Under https it gets the prefix `__Host-`,
/// unless the configured name has a prefix of its own, so that neither another host of the site nor an attacker on the
/// network can set it. Without https a prefix is rejected, because browsers silently drop such a cookie.
pub(super) fn session_cookie(name: Option<String>, is_https: bool) -> Result<String, ConfigError> {
    let name = name.unwrap_or_else(|| SESSION_COOKIE.into());
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !(1..=COOKIE_NAME_MAX).contains(&name.len()) || !name.bytes().all(is_token) {
        let text = format!("give 1 to {COOKIE_NAME_MAX} letters, digits or _ - . such as keygate_session");
        return Err(bad("session_cookie", text));
    }
    let lower = name.to_ascii_lowercase();
    let has_prefix = ["__host-", "__secure-", "__http-"].iter().any(|prefix| lower.starts_with(prefix));
    match (has_prefix, is_https) {
        (true, false) => Err(bad("session_cookie", "a cookie with this prefix needs an https `public_url`")),
        (false, true) => Ok(format!("__Host-{name}")),
        (true, true) | (false, false) => Ok(name),
    }
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
        let long = "a".repeat(64);
        for (name, without_tls, with_tls) in [
            (None, Some("keygate_session"), Some("__Host-keygate_session")),
            (Some("kg"), Some("kg"), Some("__Host-kg")),
            (Some(long.as_str()), Some(long.as_str()), Some(&*format!("__Host-{long}"))),
            (Some("__Secure-kg"), None, Some("__Secure-kg")),
            (Some("__Host-kg"), None, Some("__Host-kg")),
            (Some("__host-kg"), None, Some("__host-kg")),
            (Some("__hosting"), Some("__hosting"), Some("__Host-__hosting")),
            (Some(""), None, None),
            (Some(&*"a".repeat(65)), None, None),
            (Some("a b"), None, None),
            (Some("a=b"), None, None),
            (Some("a;b"), None, None),
            (Some("\u{fc}"), None, None),
        ] {
            let named = |is_https| session_cookie(name.map(str::to_owned), is_https).ok();
            assert_eq!(named(false).as_deref(), without_tls, "{name:?}");
            assert_eq!(named(true).as_deref(), with_tls, "{name:?}");
        }
    }
}
