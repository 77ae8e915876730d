//! The cookies: the session's, and two that identify a browser at sign-in.

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The session.
    Session,
    /// The browser that requested a code.
    Code,
    /// A browser in which someone has signed in before.
    Browser,
}

impl Purpose {
    /// The suffix to the name of the session's cookie.
    fn suffix(self) -> &'static str {
        match self {
            Self::Session => "",
            Self::Code => "_code",
            Self::Browser => "_browser",
        }
    }

    /// The cookie's maximum lifetime, in seconds. The server may end it earlier.
    fn life(self) -> i64 {
        match self {
            Self::Session => 7 * 24 * 60 * 60,
            Self::Code => 10 * 60,
            Self::Browser => 180 * 24 * 60 * 60,
        }
    }
}

/// The names of the cookies, and where browsers send them.
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
        self.header(Purpose::Session, token)
    }

    /// The header that takes it away.
    pub(super) fn clear(&self) -> HeaderValue {
        self.header(Purpose::Session, "")
    }

    /// The header that sets the cookie for a code.
    pub(super) fn set_code(&self, nonce: &str) -> HeaderValue {
        self.header(Purpose::Code, nonce)
    }

    /// The header that removes it.
    pub(super) fn clear_code(&self) -> HeaderValue {
        self.header(Purpose::Code, "")
    }

    /// The header that sets the cookie of a known browser.
    pub(super) fn set_browser(&self, token: &str) -> HeaderValue {
        self.header(Purpose::Browser, token)
    }

    /// An empty value makes the browser remove the cookie.
    fn header(&self, purpose: Purpose, value: &str) -> HeaderValue {
        let any_site = self.reach == CookieReach::AnySite;
        // `__Host-` requires this path, and guarantees that no other host of the site can set the cookie.
        let is_host = self.name.to_ascii_lowercase().starts_with("__host-");
        let cookie = Cookie::build((format!("{}{}", self.name, purpose.suffix()), value))
            .path(if is_host { "/" } else { "/console" })
            .http_only(true)
            .same_site(if any_site { SameSite::None } else { SameSite::Strict })
            .secure(self.reach != CookieReach::SameSite)
            .partitioned(any_site)
            .max_age(cookie::time::Duration::seconds(if value.is_empty() { 0 } else { purpose.life() }))
            .build();
        let mut value = HeaderValue::from_str(&cookie.to_string()).expect("a token is base64url");
        value.set_sensitive(true);
        value
    }

    /// The session's token in a request's cookies.
    pub(super) fn token(&self, headers: &HeaderMap) -> Option<Zeroizing<String>> {
        self.value(headers, Purpose::Session)
    }

    /// The cookie of the browser's last code request.
    pub(super) fn code_nonce(&self, headers: &HeaderMap) -> Option<Zeroizing<String>> {
        self.value(headers, Purpose::Code)
    }

    /// The cookie of the last sign-in in the browser.
    pub(super) fn browser(&self, headers: &HeaderMap) -> Option<Zeroizing<String>> {
        self.value(headers, Purpose::Browser)
    }

    fn value(&self, headers: &HeaderMap, purpose: Purpose) -> Option<Zeroizing<String>> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name().strip_prefix(self.name.as_str()) == Some(purpose.suffix()))
            .map(|cookie| Zeroizing::new(cookie.value().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_where_to_send_it() {
        for (name, reach, has, has_not) in [
            (
                "kg",
                CookieReach::SameSite,
                &["SameSite=Strict", "Path=/console"][..],
                &["Secure", "Partitioned"][..],
            ),
            (
                "__Secure-kg",
                CookieReach::SameSiteSecure,
                &["SameSite=Strict", "Secure", "Path=/console"],
                &["Partitioned"],
            ),
            (
                "__Host-kg",
                CookieReach::SameSiteSecure,
                &["SameSite=Strict", "Secure", "Path=/"],
                &["Partitioned"],
            ),
            (
                "__Host-kg",
                CookieReach::AnySite,
                &["SameSite=None", "Secure", "Partitioned", "Path=/"],
                &["Strict"],
            ),
        ] {
            let cookie = SessionCookie::new(name.into(), reach);
            for (header, starts, life) in [
                (cookie.set("token"), "=token; ", "Max-Age=604800"),
                (cookie.clear(), "=; ", "Max-Age=0"),
                (cookie.set_code("nonce"), "_code=nonce; ", "Max-Age=600"),
                (cookie.clear_code(), "_code=; ", "Max-Age=0"),
                (cookie.set_browser("token"), "_browser=token; ", "Max-Age=15552000"),
            ] {
                let parts: Vec<&str> = header.to_str().unwrap().split("; ").collect();
                assert!(header.to_str().unwrap().starts_with(&format!("{name}{starts}")));
                for part in has.iter().chain(&["HttpOnly", life]) {
                    assert!(parts.contains(part), "{reach:?}: {part} in {parts:?}");
                }
                assert!(!has_not.iter().any(|part| parts.contains(part)), "{reach:?}: {parts:?}");
                assert!(!parts.iter().any(|part| part.starts_with("Domain")), "{parts:?}");
            }
        }
    }

    #[test]
    fn the_token_is_found_by_the_whole_name() {
        let cookie = SessionCookie::new("kg".into(), CookieReach::SameSite);
        for (sent, expected) in [
            ("kg=a", [Some("a"), None, None]),
            ("other=x; kg=a", [Some("a"), None, None]),
            ("kg_code=b; kg_browser=c; kg=a", [Some("a"), Some("b"), Some("c")]),
            ("kgx=a", [None; 3]),
            ("KG=a", [None; 3]),
            ("kg", [None; 3]),
            ("", [None; 3]),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, sent.parse().unwrap());
            let found = [cookie.token(&headers), cookie.code_nonce(&headers), cookie.browser(&headers)];
            assert_eq!(found.each_ref().map(|f| f.as_deref().map(String::as_str)), expected, "{sent}");
        }
    }
}
