//! Workspaces.

use super::cache::QueryKey;
use super::client::{Client, IdempotencyKey};
use super::error::Result;
use super::queries::Queries;
use crate::uri::{encode, query};
use keygate_contract::{
    Page, RegionId, Workspace, WorkspaceArchive, WorkspaceCreate, WorkspaceId, WorkspaceUpdate,
};

/// Names a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkspaceKey {
    /// The region it is in.
    pub region: RegionId,
    /// Its id, unique in the region.
    pub id: WorkspaceId,
}

impl WorkspaceKey {
    pub(super) fn path(&self) -> String {
        format!("{}/{}", list_path(&self.region), encode(self.id.as_str()))
    }
}

impl QueryKey for WorkspaceKey {}

/// Names a page of a region's workspaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkspaceListKey {
    /// The region.
    pub region: RegionId,
    /// Part of a name or id; empty: all.
    pub q: String,
    /// Which page; empty: the first.
    pub page_token: String,
}

impl WorkspaceListKey {
    /// The first page of all workspaces of a region.
    pub fn first(region: RegionId) -> Self {
        Self { region, q: String::new(), page_token: String::new() }
    }
}

impl QueryKey for WorkspaceListKey {
    fn continues(&self, other: &Self) -> bool {
        self.region == other.region
    }
}

fn list_path(region: &RegionId) -> String {
    format!("/regions/{}/workspaces", encode(region.as_str()))
}

/// A page of a region's workspaces, the default one first.
///
/// # Errors
/// `not_found` for an unknown region, and what any request can meet.
pub async fn workspace_list(client: Client, key: &WorkspaceListKey) -> Result<Page<Workspace>> {
    let query = query(&[("q", &key.q), ("page_token", &key.page_token)]);
    client.get(&format!("{}{query}", list_path(&key.region))).await
}

/// One workspace.
///
/// # Errors
/// `not_found`, and what any request can meet.
pub async fn workspace_view(client: Client, key: &WorkspaceKey) -> Result<Workspace> {
    client.get(&key.path()).await
}

/// Creates a workspace.
///
/// # Errors
/// `name_taken`, `workspace_quota`, and what any request can meet.
pub async fn workspace_create(
    queries: Queries,
    region: RegionId,
    body: WorkspaceCreate,
    key: IdempotencyKey,
) -> Result<Workspace> {
    let created = queries.client.post(&list_path(&region), &body, Some(&key)).await;
    queries.workspaces_changed(&region);
    created
}

/// Changes a workspace, its grants included.
///
/// # Errors
/// `name_taken`, `version_conflict`, `invalid_field` about one of the grants, and what any request can meet.
pub async fn workspace_update(
    queries: Queries,
    key: WorkspaceKey,
    body: WorkspaceUpdate,
) -> Result<Workspace> {
    let updated = queries.client.patch(&key.path(), &body).await;
    queries.workspaces_changed(&key.region);
    if body.grants.is_some() {
        queries.grants_changed(&key);
    }
    updated
}

/// Archives a workspace: its keys die at once, its history stays.
///
/// # Errors
/// `name_mismatch`, `default_workspace`, and what any request can meet.
pub async fn workspace_archive(queries: Queries, key: WorkspaceKey, body: WorkspaceArchive) -> Result<()> {
    let done = queries.client.command(&format!("{}/archive", key.path()), &body, None).await;
    queries.workspaces_changed(&key.region);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_search_continues_the_list_and_another_region_does_not() {
        let all = WorkspaceListKey::first("cn-beijing".into());
        let found = WorkspaceListKey { q: "team".into(), ..all.clone() };
        assert!(found.continues(&all) && found != all);
        assert!(!found.continues(&WorkspaceListKey::first("us-east-1".into())));
    }

    #[test]
    fn an_id_from_the_address_bar_cannot_leave_its_segment() {
        let key = WorkspaceKey { region: "../x".into(), id: "a/b?c".into() };
        assert_eq!(key.path(), "/regions/..%2Fx/workspaces/a%2Fb%3Fc");
    }
}
