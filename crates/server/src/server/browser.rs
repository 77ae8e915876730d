//! What browsers are told of this server: its cookie, its own origins, and where its console may connect.

use crate::config::{Config, origin_part};
use crate::console::{CookieReach, SessionCookie};
use keygate_contract::Region;
use std::net::IpAddr;

/// The session's cookie.
pub(super) fn cookie(config: &Config, console_url: &str) -> SessionCookie {
    let reach = match console_url.starts_with("https://") {
        true if config.cross_site_cookies => CookieReach::AnySite,
        true => CookieReach::SameSiteSecure,
        false => CookieReach::SameSite,
    };
    SessionCookie::new(config.session_cookie.clone(), reach)
}

/// Where this server's own console may be open: at its URL, and on this machine under the names that a loopback
/// address has.
pub(super) fn own_origins(config: &Config, console_url: &str) -> Vec<String> {
    let mut origins = vec![console_url.to_owned()];
    let uri: Option<http::Uri> = console_url.parse().ok();
    let address = uri
        .as_ref()
        .and_then(|uri| uri.host())
        .and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    if config.public_url.is_none() && address.is_some_and(|address| address.is_loopback()) {
        let port = uri.and_then(|uri| uri.port_u16()).map(|port| format!(":{port}")).unwrap_or_default();
        origins.push(format!("http://localhost{port}"));
    }
    origins
}

/// Where the console may connect beside its own origin: to the regions' endpoints, which it asks for their health. A
/// policy has no way to name an IPv6 address (Content Security Policy, section 2.3.1).
pub(super) fn connections(regions: &[Region]) -> Vec<String> {
    let mut origins = Vec::new();
    for endpoint in regions.iter().flat_map(|region| &region.endpoints) {
        let origin = origin_part(&endpoint.base_url).replace("{workspace}", "*");
        if !origin.contains('[') && !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    origins
}
