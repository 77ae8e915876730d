//! Models, and which of them a workspace may call.

use super::cache::QueryKey;
use super::client::Client;
use super::error::Result;
use super::workspace::WorkspaceKey;
use crate::uri::{encode, query};
use keygate_contract::{GrantList, ModelList, ModelType, RegionId, WorkspaceId};

/// Which models are wanted. The parts hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ModelFilter {
    /// Part of a name; empty: any.
    pub q: String,
    /// Who makes them; empty: anyone.
    pub vendor: String,
    /// What they work on.
    pub kind: Option<ModelType>,
}

impl ModelFilter {
    /// Whether it leaves anything out.
    pub fn is_narrow(&self) -> bool {
        *self != Self::default()
    }
}

/// Names a page of models.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelListKey {
    /// The region.
    pub region: RegionId,
    /// Only what this workspace may call, and how fast; none: all of the region.
    pub workspace: Option<WorkspaceId>,
    /// Which of them.
    pub filter: ModelFilter,
    /// Which page; empty: the first.
    pub page_token: String,
    /// How many a page holds, 1 to 100.
    pub page_size: u32,
}

impl QueryKey for ModelListKey {
    fn continues(&self, other: &Self) -> bool {
        self.region == other.region && self.workspace == other.workspace && self.page_size == other.page_size
    }
}

/// A page of models, with how many there are of each vendor and type.
///
/// # Errors
/// `not_found` for an unknown region or workspace, `invalid_page_token`, and what any request can meet.
pub async fn model_list(client: Client, key: &ModelListKey) -> Result<ModelList> {
    let ModelListKey { region, workspace, filter, page_token, page_size } = key;
    let query = query(&[
        ("workspace", workspace.as_ref().map_or("", WorkspaceId::as_str)),
        ("q", &filter.q),
        ("vendor", &filter.vendor),
        ("type", filter.kind.map_or("", ModelType::as_str)),
        ("page_size", &page_size.to_string()),
        ("page_token", page_token),
    ]);
    client.get(&format!("/regions/{}/models{query}", encode(region.as_str()))).await
}

/// All grants of a workspace, with the models as the region has them.
///
/// # Errors
/// `not_found`, and what any request can meet.
pub async fn grant_list(client: Client, workspace: &WorkspaceKey) -> Result<GrantList> {
    client.get(&format!("{}/model-grants?expand=models", workspace.path())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_filter_continues_the_list_and_another_workspace_does_not() {
        let all = ModelListKey {
            region: "cn-beijing".into(),
            workspace: None,
            filter: ModelFilter::default(),
            page_token: String::new(),
            page_size: 10,
        };
        let filter = ModelFilter { vendor: "Qwen".into(), ..ModelFilter::default() };
        assert!(filter.is_narrow() && !all.filter.is_narrow());
        assert!(ModelListKey { filter, ..all.clone() }.continues(&all));
        assert!(!ModelListKey { workspace: Some("ws-1".into()), ..all.clone() }.continues(&all));
    }
}
