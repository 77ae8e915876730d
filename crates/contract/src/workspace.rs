//! Workspaces.

use crate::grant::ModelGrants;
use crate::id::WorkspaceId;
use crate::text::WorkspaceName;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A workspace: a place of its own for keys, model permission, limits and usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Workspace {
    /// `ws-` and 16 characters.
    pub id: WorkspaceId,
    /// 1 to 30 characters, unique in the region whatever the case.
    pub name: String,
    /// The default workspace may call every model of the region and cannot be archived.
    pub is_default: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// How many keys it has.
    pub api_key_count: u32,
    /// How many keys it may have.
    pub api_key_limit: u32,
    /// How many models its keys may call; null: every model of the region.
    pub model_count: Option<u32>,
    /// Grows with each change; give it back with an update.
    pub version: u64,
}

/// Body of `workspace_create`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkspaceCreate {
    /// The new workspace's name.
    pub name: WorkspaceName,
}

/// Body of `workspace_update`: only the fields to change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkspaceUpdate {
    /// The new name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<WorkspaceName>,
    /// All models the workspace may call from now on, in place of what was there; as `grant_replace`, in one act with
    /// the name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grants: Option<ModelGrants>,
    /// The version that was read. A stale one is refused, so that no one's change is lost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<u64>,
}

/// Body of `workspace_archive`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkspaceArchive {
    /// The workspace's name, typed to confirm.
    pub name: String,
}
