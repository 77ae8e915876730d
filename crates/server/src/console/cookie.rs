//! The session's cookie.

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

/// The session's longest life, in seconds; the server ends it earlier when it is idle.
const LIFE: i64 = 7 * 24 * 60 * 60;

/// What the session's cookie is called, and where browsers send it.
#[derive(Clone, Debug)]
pub(crate) struct SessionCookie {
    name: String,
    reach: CookieReach,
}

/// From which pages browsers send the cookie, and over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieReach {
    /// Pages of the same site, over anything: there is no TLS.
    SameSite,
    /// Pages of the same site, over TLS.
    SameSiteSecure,
    /// Pages of any site, over TLS, and apart for each site, so that it works where cookies of third parties do not.
    AnySite,
}

impl SessionCookie {
    pub(crate) fn new(name: String, reach: CookieReach) -> Self {
        Self { name, reach }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The header that gives a browser the session.
    pub(super) fn set(&self, token: &str) -> HeaderValue {
        self.header(token, LIFE)
    }

    /// The header that takes it away.
    pub(super) fn clear(&self) -> HeaderValue {
        self.header("", 0)
    }

    fn header(&self, token: &str, max_age: i64) -> HeaderValue {
        let any_site = self.reach == CookieReach::AnySite;
        let cookie = Cookie::build((self.name.as_str(), token))
            .path("/console")
            .http_only(true)
            .same_site(if any_site { SameSite::None } else { SameSite::Strict })
            .secure(self.reach != CookieReach::SameSite)
            .partitioned(any_site)
            .max_age(cookie::time::Duration::seconds(max_age))
            .build();
        let mut value = HeaderValue::from_str(&cookie.to_string()).expect("a token is base64url");
        value.set_sensitive(true);
        value
    }

    /// The token in a request's cookies.
    pub(super) fn token(&self, headers: &HeaderMap) -> Option<Zeroizing<String>> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == self.name)
            .map(|cookie| Zeroizing::new(cookie.value().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_where_to_send_it() {
        for (reach, has, has_not) in [
            (CookieReach::SameSite, &["SameSite=Strict"][..], &["Secure", "Partitioned"][..]),
            (CookieReach::SameSiteSecure, &["SameSite=Strict", "Secure"], &["Partitioned"]),
            (CookieReach::AnySite, &["SameSite=None", "Secure", "Partitioned"], &["Strict"]),
        ] {
            let cookie = SessionCookie::new("kg".into(), reach);
            for (header, starts, life) in [
                (cookie.set("token"), "kg=token; ", "Max-Age=604800"),
                (cookie.clear(), "kg=; ", "Max-Age=0"),
            ] {
                let parts: Vec<&str> = header.to_str().unwrap().split("; ").collect();
                assert!(header.to_str().unwrap().starts_with(starts));
                for part in has.iter().chain(&["HttpOnly", "Path=/console", life]) {
                    assert!(parts.contains(part), "{reach:?}: {part} in {parts:?}");
                }
                assert!(!has_not.iter().any(|part| parts.contains(part)), "{reach:?}: {parts:?}");
            }
        }
    }

    #[test]
    fn the_token_is_found_by_the_whole_name() {
        let cookie = SessionCookie::new("kg".into(), CookieReach::SameSite);
        for (sent, expected) in [
            ("kg=a", Some("a")),
            ("other=x; kg=a", Some("a")),
            ("kgx=a", None),
            ("KG=a", None),
            ("kg", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, sent.parse().unwrap());
            assert_eq!(cookie.token(&headers).as_deref().map(String::as_str), expected, "{sent}");
        }
    }
}
