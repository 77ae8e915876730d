//! A region as the console shows it: where its applications call, what its keys can do, its limits, and how long its usage
//! is kept.

use crate::config::RegionConfig;
use keygate_contract::{Endpoint, EndpointKind, Protocol, Region, UsageRetention};
use keygate_gateway::door::Door;

/// The region, reached at `url`.
pub(super) fn region(config: &RegionConfig, url: &str, usage: UsageRetention) -> Region {
    let hosts = [
        Some((EndpointKind::Public, url.to_owned())),
        config.private_url.clone().map(|url| (EndpointKind::Private, url)),
        config
            .workspace_domain
            .as_ref()
            .map(|domain| (EndpointKind::Workspace, below(url, "{workspace}", domain))),
    ];
    let doors = [
        (Protocol::Openai, Door::Openai),
        (Protocol::Dashscope, Door::Dashscope),
        (Protocol::Anthropic, Door::Anthropic),
    ];
    let endpoint = |(protocol, door): (Protocol, Door), (kind, host): &(EndpointKind, String)| Endpoint {
        protocol,
        base_url: format!("{host}{}", door.path()),
        kind: *kind,
        operations: operations(config, door),
    };
    Region {
        id: config.id.clone(),
        name: config.name.clone(),
        endpoints: doors
            .into_iter()
            .flat_map(|door| hosts.iter().flatten().map(move |host| endpoint(door, host)))
            .collect(),
        features: config.features,
        limits: config.limits,
        usage,
    }
}

fn operations(config: &RegionConfig, door: Door) -> Vec<String> {
    // The one operation of this door makes temporary keys.
    let is_served = door != Door::Dashscope || config.features.temporary_keys;
    door.operations().iter().filter(|_| is_served).map(|operation| (*operation).to_owned()).collect()
}

/// The URL of a host below `domain`, with the scheme and the port of `url`.
pub(super) fn below(url: &str, label: &str, domain: &str) -> String {
    let uri: Option<http::Uri> = url.parse().ok();
    let scheme = uri.as_ref().and_then(|uri| uri.scheme_str()).unwrap_or("http");
    let port = match uri.as_ref().and_then(http::Uri::port_u16) {
        Some(port) if (scheme, port) != ("http", 80) && (scheme, port) != ("https", 443) => {
            format!(":{port}")
        }
        _ => String::new(),
    };
    format!("{scheme}://{label}.{domain}{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspaces_host_has_scheme_and_port_of_its_region() {
        for (url, expected) in [
            ("https://keygate.example.com", "https://ws.ap.example.com"),
            ("https://keygate.example.com:443", "https://ws.ap.example.com"),
            ("https://keygate.example.com:8443", "https://ws.ap.example.com:8443"),
            ("http://127.0.0.1:8080", "http://ws.ap.example.com:8080"),
            ("http://[::1]:80", "http://ws.ap.example.com"),
        ] {
            assert_eq!(below(url, "ws", "ap.example.com"), expected);
        }
    }
}
