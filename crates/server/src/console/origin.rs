//! Refuses requests that a page of another origin sends with the person's cookie.
//!
//! Browsers say where a request comes from: `Origin` with every method but GET and HEAD, and `Sec-Fetch-Site` where the
//! connection is safe. Neither can be set by a page. The cookie is `SameSite=Strict` unless the configuration says
//! otherwise, and bodies must be JSON, which a form cannot send; this is the third lock, and the only one that also
//! covers pages of another port of the same host, which shares its cookies.
//!
//! `Host` is not looked at: a proxy may have put its own there, or left the port out of it.

use super::Console;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use keygate_contract::ErrorCode;

/// The origins whose pages may change things.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    /// Where this server's own console is open, the address to tell first.
    own: Vec<HeaderValue>,
    /// Where consoles are open that are served elsewhere.
    listed: Vec<HeaderValue>,
}

impl Origins {
    /// Origins as browsers write them.
    pub(crate) fn new(own: &[String], listed: &[String]) -> Self {
        let values = |texts: &[String]| texts.iter().filter_map(|text| text.parse().ok()).collect();
        Self { own: values(own), listed: values(listed) }
    }

    /// Consoles that are served elsewhere.
    pub(super) fn listed(&self) -> &[HeaderValue] {
        &self.listed
    }

    /// Whether the request is from a page of a console that is served elsewhere.
    pub(super) fn is_listed(&self, headers: &HeaderMap) -> bool {
        headers.get(header::ORIGIN).is_some_and(|origin| self.listed.contains(origin))
    }

    fn verdict(&self, headers: &HeaderMap, has_cookie: bool) -> Verdict {
        let site = headers.get("sec-fetch-site");
        if site.is_some_and(|site| site == "same-origin") {
            return Verdict::Take;
        }
        let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
        if origins.peek().is_some() {
            let is_known = origins.all(|origin| self.own.contains(origin) || self.listed.contains(origin));
            return if is_known { Verdict::Take } else { Verdict::OtherOrigin };
        }
        match site {
            Some(_) => Verdict::OtherOrigin,
            None if has_cookie => Verdict::NoOrigin,
            // Not a browser, and nobody's cookie: it signs in, or is told to.
            None => Verdict::Take,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Take,
    /// A page of another origin sent it.
    OtherOrigin,
    /// It has a session and does not say where it comes from.
    NoOrigin,
}

/// The middleware.
pub(super) async fn guard(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(next.run(request).await);
    }
    let has_cookie = console.cookie.token(request.headers()).is_some();
    let own = || console.origins.own.first().and_then(|own| own.to_str().ok()).unwrap_or_default();
    let message = match console.origins.verdict(request.headers(), has_cookie) {
        Verdict::Take => return Ok(next.run(request).await),
        Verdict::OtherOrigin => format!(
            "This request comes from a page of another origin. Open the console at {}, or name the page's origin in \
             the server's `public_url` or `console_origins`.",
            own()
        ),
        Verdict::NoOrigin => format!(
            "This request has a session's cookie and does not say where it comes from. Send the header `Origin: {}`.",
            own()
        ),
    };
    Err(Problem::new(StatusCode::FORBIDDEN, ErrorCode::CrossOrigin, message))
}

#[cfg(test)]
mod tests {
    use super::Verdict::{NoOrigin, OtherOrigin, Take};
    use super::*;

    const OWN: (&str, &str) = ("origin", "https://keygate.example.com");
    const LISTED: (&str, &str) = ("origin", "https://console.example.org");
    const EVIL: (&str, &str) = ("origin", "https://evil.example");
    const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
    const SAME_SITE: (&str, &str) = ("sec-fetch-site", "same-site");
    const CROSS_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");
    const NONE: (&str, &str) = ("sec-fetch-site", "none");

    #[test]
    fn only_pages_of_a_console_and_programs_without_a_cookie_may_change_things() {
        let origins = Origins::new(&[OWN.1.to_owned()], &[LISTED.1.to_owned()]);
        // Each: the headers, the verdict with the session's cookie, and without it.
        for (pairs, with, without) in [
            (&[][..], NoOrigin, Take),
            (&[OWN][..], Take, Take),
            (&[LISTED][..], Take, Take),
            (&[EVIL][..], OtherOrigin, OtherOrigin),
            (&[SAME_ORIGIN][..], Take, Take),
            (&[SAME_SITE][..], OtherOrigin, OtherOrigin),
            (&[CROSS_SITE][..], OtherOrigin, OtherOrigin),
            (&[NONE][..], OtherOrigin, OtherOrigin),
            (&[SAME_ORIGIN, ("origin", "http://192.168.1.7:8080")][..], Take, Take),
            (&[SAME_SITE, LISTED][..], Take, Take),
            (&[CROSS_SITE, LISTED][..], Take, Take),
            (&[CROSS_SITE, OWN][..], Take, Take),
            (&[SAME_SITE, EVIL][..], OtherOrigin, OtherOrigin),
            (&[CROSS_SITE, EVIL][..], OtherOrigin, OtherOrigin),
            (&[OWN, EVIL][..], OtherOrigin, OtherOrigin),
            // What is near an origin is not it.
            (&[("origin", "null")][..], OtherOrigin, OtherOrigin),
            (&[("origin", "")][..], OtherOrigin, OtherOrigin),
            (&[("origin", "http://keygate.example.com")][..], OtherOrigin, OtherOrigin),
            (&[("origin", "https://keygate.example.com:8443")][..], OtherOrigin, OtherOrigin),
            (&[("origin", "https://keygate.example.com.evil.example")][..], OtherOrigin, OtherOrigin),
            (&[("origin", "https://a.console.example.org")][..], OtherOrigin, OtherOrigin),
            (
                &[("origin", "https://console.example.org, https://evil.example")][..],
                OtherOrigin,
                OtherOrigin,
            ),
            // The same host as the request went to, which a page of another port has behind a proxy, too.
            (&[("host", "evil.example"), EVIL][..], OtherOrigin, OtherOrigin),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().unwrap());
            }
            assert_eq!(origins.verdict(&headers, true), with, "with the cookie: {pairs:?}");
            assert_eq!(origins.verdict(&headers, false), without, "without: {pairs:?}");
        }
    }
}
