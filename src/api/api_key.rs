//! API keys.

use super::cache::QueryKey;
use super::client::{Client, IdempotencyKey};
use super::error::Result;
use super::queries::Queries;
use super::secret::Secret;
use super::workspace::WorkspaceKey;
use crate::uri::{encode, query};
use keygate_contract::{ApiKey, ApiKeyCreate, ApiKeyCreated, ApiKeyId, ApiKeyUpdate, Page};
use std::sync::Arc;

/// Names a page of a workspace's API keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiKeyListKey {
    /// The workspace.
    pub workspace: WorkspaceKey,
    /// Part of an id or description; empty: all.
    pub q: String,
    /// Which page; empty: the first.
    pub page_token: String,
}

impl QueryKey for ApiKeyListKey {
    fn continues(&self, other: &Self) -> bool {
        self.workspace == other.workspace
    }
}

/// A key just created. Its secret is held here alone and wiped with the last clone; it never enters a cache.
#[derive(Clone)]
pub struct CreatedKey {
    /// The key.
    pub key: ApiKey,
    /// None when the answer was repeated for a second attempt: the server does not keep secrets.
    pub secret: Option<Arc<Secret>>,
}

fn list_path(workspace: &WorkspaceKey) -> String {
    format!("{}/api-keys", workspace.path())
}

fn path(workspace: &WorkspaceKey, id: &ApiKeyId) -> String {
    format!("{}/{}", list_path(workspace), encode(id.as_str()))
}

/// A page of a workspace's keys, the newest first.
pub(crate) async fn api_key_list(client: Client, key: &ApiKeyListKey) -> Result<Page<ApiKey>> {
    let query = query(&[("q", &key.q), ("page_token", &key.page_token)]);
    client.get(&format!("{}{query}", list_path(&key.workspace))).await
}

/// One key.
///
/// # Errors
/// `not_found`, and what any request can meet.
pub async fn api_key_view(client: Client, workspace: &WorkspaceKey, id: &ApiKeyId) -> Result<ApiKey> {
    client.get(&path(workspace, id)).await
}

/// Creates a key. The answer holds its secret, this once.
///
/// # Errors
/// `api_key_quota`, and what any request can meet.
pub async fn api_key_create(
    queries: Queries,
    workspace: WorkspaceKey,
    body: ApiKeyCreate,
    key: IdempotencyKey,
) -> Result<CreatedKey> {
    let created = queries.client.post::<ApiKeyCreated>(&list_path(&workspace), &body, Some(&key)).await;
    queries.api_keys_changed(&workspace);
    created.map(|ApiKeyCreated { key, secret }| CreatedKey {
        key,
        secret: secret.map(|s| Arc::new(Secret::new(s))),
    })
}

/// Changes a key.
///
/// # Errors
/// `version_conflict`, and what any request can meet.
pub async fn api_key_update(
    queries: Queries,
    workspace: WorkspaceKey,
    id: ApiKeyId,
    body: ApiKeyUpdate,
) -> Result<ApiKey> {
    let updated = queries.client.patch(&path(&workspace, &id), &body).await;
    queries.api_keys_changed(&workspace);
    updated
}

/// Deletes a key: the next call with it fails.
///
/// # Errors
/// What any request can meet.
pub async fn api_key_delete(queries: Queries, workspace: WorkspaceKey, id: ApiKeyId) -> Result<()> {
    let deleted = queries.client.delete(&path(&workspace, &id)).await;
    queries.api_keys_changed(&workspace);
    deleted
}
