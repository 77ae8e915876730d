//! Regions.

use super::backend::BackendId;
use super::client::{Client, REGIONS};
use super::error::Result;
use keygate_contract::{EndpointKind, Page, Protocol, Region};

/// The regions of a backend. They are few: one page holds them. Requests about them go there from now on.
pub(crate) async fn region_list(client: Client, backend: BackendId) -> Result<Page<Region>> {
    client.serving(|serving| serving.ask(backend));
    let answer = client.at(backend).get::<Page<Region>>(REGIONS).await;
    let ids = answer.as_ref().ok().map(|page| page.items.iter().map(|region| region.id.clone()).collect());
    client.serving(|serving| serving.tell(backend, ids));
    answer
}

/// What to give an OpenAI client as its base URL, preferring the address that anyone can reach.
pub fn openai_base_url(region: &Region) -> Option<&str> {
    let of_kind =
        |kind| region.endpoints.iter().find(move |e| e.protocol == Protocol::Openai && e.kind == kind);
    of_kind(EndpointKind::Public)
        .or_else(|| of_kind(EndpointKind::Private))
        .map(|e| e.base_url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(endpoints: &[(&str, &str, &str)]) -> Region {
        let endpoint = |(protocol, kind, url): &(&str, &str, &str)| serde_json::json!({"protocol": protocol, "kind": kind, "base_url": url});
        serde_json::from_value(serde_json::json!({
            "id": "cn-beijing", "name": "Beijing", "endpoints": endpoints.iter().map(endpoint).collect::<Vec<_>>(),
            "features": {"custom_permission": true, "temporary_keys": true},
            "limits": {"workspaces": 20, "keys_per_workspace": 20, "keys_per_region": 50, "keys_per_owner": null}
        }))
        .unwrap()
    }

    #[test]
    fn the_public_address_comes_first_and_has_no_slash_at_its_end() {
        let both = region(&[
            ("anthropic", "public", "https://a/apps/anthropic"),
            ("openai", "private", "https://p/compatible-mode/v1"),
            ("openai", "public", "https://o/compatible-mode/v1/"),
        ]);
        assert_eq!(openai_base_url(&both), Some("https://o/compatible-mode/v1"));
        let private =
            region(&[("openai", "private", "https://p/v1"), ("openai", "workspace", "https://w/v1")]);
        assert_eq!(openai_base_url(&private), Some("https://p/v1"));
        assert_eq!(openai_base_url(&region(&[("dashscope", "public", "https://d")])), None);
    }
}
