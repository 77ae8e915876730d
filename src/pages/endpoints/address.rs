//! Where applications call, as this page shows it: each base URL with its host, for the workspace of the switcher.

use keygate_contract::{Endpoint, EndpointKind, Protocol, Region, WorkspaceId};

/// The protocols in the order of the page.
pub(super) const PROTOCOLS: [Protocol; 3] = [Protocol::Openai, Protocol::Dashscope, Protocol::Anthropic];

/// What stands in a base URL where the workspace's id goes.
const PLACEHOLDER: &str = "{workspace}";

/// An endpoint that can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) protocol: Protocol,
    pub(super) kind: EndpointKind,
    pub(super) base_url: String,
    /// Scheme, name and port. None if the base URL is not one of HTTP, or its workspace is not known yet.
    pub(super) host: Option<String>,
    pub(super) operations: Vec<String>,
}

/// The addresses of a region, the widest reach first.
pub(super) fn addresses(region: &Region, workspace: Option<&WorkspaceId>) -> Vec<Address> {
    let mut all: Vec<_> = region.endpoints.iter().map(|endpoint| address(endpoint, workspace)).collect();
    all.sort_by_key(|address| address.kind as u8);
    all
}

fn address(endpoint: &Endpoint, workspace: Option<&WorkspaceId>) -> Address {
    let Endpoint { protocol, base_url, kind, operations } = endpoint.clone();
    let base_url = match workspace {
        Some(id) if kind == EndpointKind::Workspace => base_url.replace(PLACEHOLDER, id.as_str()),
        _ => base_url,
    };
    let base_url = base_url.trim_end_matches('/').to_owned();
    let host = host_of(&base_url).map(str::to_owned);
    Address { protocol, kind, base_url, host, operations }
}

/// The hosts to ask, each once.
pub(super) fn hosts(addresses: &[Address]) -> Vec<String> {
    let mut hosts: Vec<String> = addresses.iter().filter_map(|address| address.host.clone()).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Scheme, name and port of a base URL.
fn host_of(base_url: &str) -> Option<&str> {
    let (scheme, rest) = base_url.split_once("://")?;
    let name = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let callable = matches!(scheme, "http" | "https") && !name.is_empty() && !name.contains(PLACEHOLDER);
    callable.then(|| &base_url[..scheme.len() + "://".len() + name.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(protocol: Protocol, kind: EndpointKind, base_url: &str) -> Endpoint {
        Endpoint { protocol, kind, base_url: base_url.to_owned(), operations: Vec::new() }
    }

    #[test]
    fn a_host_is_scheme_name_and_port() {
        assert_eq!(host_of("https://api.example.com/v1"), Some("https://api.example.com"));
        assert_eq!(host_of("http://[::1]:8080?x#/"), Some("http://[::1]:8080"));
        assert_eq!(host_of("http://127.0.0.1:8080"), Some("http://127.0.0.1:8080"));
        for bad in ["", "api.example.com/v1", "https:///v1", "javascript://a/b", "https://{workspace}.a/v1"] {
            assert_eq!(host_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_workspace_host_names_the_workspace_once_it_is_known() {
        let own = endpoint(Protocol::Openai, EndpointKind::Workspace, "https://{workspace}.a/v1/");
        assert_eq!(address(&own, None).host, None);
        let known = address(&own, Some(&"ws-1".into()));
        assert_eq!(
            (known.base_url.as_str(), known.host.as_deref()),
            ("https://ws-1.a/v1", Some("https://ws-1.a"))
        );
    }

    #[test]
    fn a_host_of_several_protocols_is_asked_once() {
        let of = |protocol, path: &str| {
            address(&endpoint(protocol, EndpointKind::Public, &format!("http://a/{path}")), None)
        };
        let all = [of(Protocol::Openai, "compatible-mode/v1"), of(Protocol::Anthropic, "apps/anthropic")];
        assert_eq!(hosts(&all), ["http://a"]);
    }
}
