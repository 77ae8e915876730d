//! Refuses requests that a page of another origin sends with the person's cookie.
//!
//! Browsers say where a request comes from: `Sec-Fetch-Site` and, with every method but GET and HEAD, `Origin`. Neither
//! can be set by a page. The cookie is `SameSite=Strict`, and bodies must be JSON, which a form cannot send; this is
//! the third lock, and the only one that also covers pages of another port of the same host.

use super::Console;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};
use keygate_contract::ErrorCode;

/// The middleware.
pub(super) async fn guard(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || is_own(request.headers(), &console.origins) {
        Ok(next.run(request).await)
    } else {
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            ErrorCode::CrossOrigin,
            "This request comes from a page of another origin. Open the console at its own address.",
        ))
    }
}

fn is_own(headers: &HeaderMap, own: &[String]) -> bool {
    let site = headers.get("sec-fetch-site");
    if site.is_some_and(|site| site == "same-origin") {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        // Not a browser: those send one of the two with every request that changes something.
        return site.is_none();
    };
    let Ok(origin) = origin.to_str() else { return false };
    // A browser that does not say `Sec-Fetch-Site` at all: the page's host is all there is to compare.
    let same_host = || {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        site.is_none() && origin.split_once("://").map(|(_, host)| host) == host
    };
    own.iter().any(|o| o == origin) || same_host()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_consoles_own_pages_and_programs_may_change_things() {
        let own = ["https://keygate.example.com".to_owned()];
        for (pairs, expected) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8090")][..], true),
            (&[("origin", "http://127.0.0.1:8080")][..], true),
            (&[("origin", "https://keygate.example.com")][..], true),
            (&[("origin", "http://127.0.0.1:3000")][..], false),
            (&[("origin", "null")][..], false),
            (&[("origin", "https://evil.example")][..], false),
            (&[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:3000")][..], false),
            (&[("sec-fetch-site", "cross-site")][..], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://127.0.0.1:8080")][..], false),
            (&[("sec-fetch-site", "none")][..], false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_own(&headers, &own), expected, "{pairs:?}");
        }
    }
}
