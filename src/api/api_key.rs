//! API keys.

use super::cache::QueryKey;
use super::client::{Client, IdempotencyKey};
use super::error::Result;
use super::queries::Queries;
use super::secret::Secret;
use super::workspace::WorkspaceKey;
use crate::uri::{encode, query};
use keygate_contract::{
    ApiKey, ApiKeyCreate, ApiKeyCreated, ApiKeyId, ApiKeyList, ApiKeyReset, ApiKeyStatus, ApiKeyUpdate,
    TemporaryKeyCreate, TemporaryKeyCreated, Timestamp,
};
use std::sync::Arc;

/// Names a page of a workspace's API keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiKeyListKey {
    /// The workspace.
    pub workspace: WorkspaceKey,
    /// Part of an id or description; empty: all.
    pub q: String,
    /// In which state they are; none: any.
    pub status: Option<ApiKeyStatus>,
    /// Which page; empty: the first.
    pub page_token: String,
    /// How many a page holds, 1 to 100.
    pub page_size: u32,
}

impl QueryKey for ApiKeyListKey {
    fn continues(&self, other: &Self) -> bool {
        self.workspace == other.workspace && self.page_size == other.page_size
    }
}

/// A key just created, or reset. Its secret is held here alone and wiped with the last clone; it never enters a cache.
#[derive(Clone)]
pub struct CreatedKey {
    /// The key.
    pub key: ApiKey,
    /// None when the answer was repeated for a second attempt: the server does not keep secrets.
    pub secret: Option<Arc<Secret>>,
}

impl From<ApiKeyCreated> for CreatedKey {
    fn from(ApiKeyCreated { key, secret }: ApiKeyCreated) -> Self {
        Self { key, secret: secret.map(|secret| Arc::new(Secret::new(secret))) }
    }
}

/// A temporary key just made, held as the secret of a key is.
#[derive(Clone)]
pub struct TemporaryKey {
    /// None when the answer was repeated for a second attempt.
    pub token: Option<Arc<Secret>>,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// All states a key can be in, in the order in which they are told.
pub const STATUSES: [ApiKeyStatus; 4] =
    [ApiKeyStatus::Active, ApiKeyStatus::Disabled, ApiKeyStatus::Expired, ApiKeyStatus::OwnerDisabled];

/// A state's name on the wire.
pub fn status_name(status: ApiKeyStatus) -> &'static str {
    match status {
        ApiKeyStatus::Active => "active",
        ApiKeyStatus::Disabled => "disabled",
        ApiKeyStatus::Expired => "expired",
        ApiKeyStatus::OwnerDisabled => "owner_disabled",
    }
}

/// The state of this name.
pub fn status_of(name: &str) -> Option<ApiKeyStatus> {
    STATUSES.into_iter().find(|status| status_name(*status) == name)
}

fn list_path(workspace: &WorkspaceKey) -> String {
    format!("{}/api-keys", workspace.path())
}

fn path(workspace: &WorkspaceKey, id: &ApiKeyId) -> String {
    format!("{}/{}", list_path(workspace), encode(id.as_str()))
}

/// A page of a workspace's keys, the newest first, and how many there are in the region.
pub(crate) async fn api_key_list(client: Client, key: &ApiKeyListKey) -> Result<ApiKeyList> {
    let status = key.status.map_or("", status_name);
    let query = query(&[
        ("q", &key.q),
        ("status", status),
        ("page_size", &key.page_size.to_string()),
        ("page_token", &key.page_token),
    ]);
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
    created.map(CreatedKey::from)
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

/// Refuses calls with a key until it is enabled.
///
/// # Errors
/// What any request can meet.
pub async fn api_key_disable(queries: Queries, workspace: WorkspaceKey, id: ApiKeyId) -> Result<ApiKey> {
    act(queries, workspace, id, "disable").await
}

/// Takes calls with a key again.
///
/// # Errors
/// What any request can meet.
pub async fn api_key_enable(queries: Queries, workspace: WorkspaceKey, id: ApiKeyId) -> Result<ApiKey> {
    act(queries, workspace, id, "enable").await
}

async fn act(queries: Queries, workspace: WorkspaceKey, id: ApiKeyId, act: &str) -> Result<ApiKey> {
    let path = format!("{}/{act}", path(&workspace, &id));
    let changed = queries.client.post(&path, &serde_json::json!({}), None).await;
    queries.api_keys_changed(&workspace);
    changed
}

/// Gives a key a new secret. The answer holds it, this once.
///
/// # Errors
/// What any request can meet.
pub async fn api_key_reset(
    queries: Queries,
    workspace: WorkspaceKey,
    id: ApiKeyId,
    body: ApiKeyReset,
    key: IdempotencyKey,
) -> Result<CreatedKey> {
    let path = format!("{}/reset", path(&workspace, &id));
    let reset = queries.client.post::<ApiKeyCreated>(&path, &body, Some(&key)).await;
    queries.api_keys_changed(&workspace);
    reset.map(CreatedKey::from)
}

/// Ends the time in which the secret before the last reset works.
///
/// # Errors
/// What any request can meet.
pub async fn api_key_overlap_end(queries: Queries, workspace: WorkspaceKey, id: ApiKeyId) -> Result<()> {
    let ended = queries.client.delete(&format!("{}/previous-secret", path(&workspace, &id))).await;
    queries.api_keys_changed(&workspace);
    ended
}

/// Makes a temporary key. The answer holds it, this once.
///
/// # Errors
/// `api_key_inactive`, `not_in_region`, and what any request can meet.
pub async fn temporary_key_create(
    client: Client,
    workspace: WorkspaceKey,
    id: ApiKeyId,
    body: TemporaryKeyCreate,
    key: IdempotencyKey,
) -> Result<TemporaryKey> {
    let path = format!("{}/temporary-key", path(&workspace, &id));
    let created = client.post::<TemporaryKeyCreated>(&path, &body, Some(&key)).await?;
    let TemporaryKeyCreated { token, expires_at } = created;
    Ok(TemporaryKey { token: token.map(|token| Arc::new(Secret::new(token))), expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_states_name_is_the_one_on_the_wire() {
        for status in STATUSES {
            assert_eq!(serde_json::to_value(status).unwrap(), status_name(status));
            assert_eq!(status_of(status_name(status)), Some(status));
        }
        assert_eq!(status_of(""), None);
    }
}
