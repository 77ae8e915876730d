//! What the gateway must know, as it is stored and as it changes.

use keygate_contract::{AccountId, ApiKeyId, MemberId, ModelId, Permission, RegionId, WorkspaceId};
use std::collections::HashMap;

/// A change that the gateway's directory applies after the commit, in the order of commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A workspace was created or changed.
    WorkspacePut(WorkspaceRecord),
    /// A workspace was archived; its keys are gone with it.
    WorkspaceGone(WorkspaceId),
    /// A key was created or changed.
    ApiKeyPut(ApiKeyRecord),
    /// A key was deleted.
    ApiKeyGone {
        /// Its public id.
        public_id: String,
    },
    /// A member was created, enabled or disabled.
    MemberPut(MemberRecord),
}

/// A live workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceRecord {
    /// Its id.
    pub id: WorkspaceId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Its region.
    pub region: RegionId,
    /// The models its keys may call.
    pub models: ModelAccess,
}

/// The models that a workspace's keys may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelAccess {
    /// Every model of the region, within the account's limits: the default workspace.
    All,
    /// These, within these limits. A new workspace has none.
    Granted(HashMap<ModelId, GrantedLimits>),
}

/// What a workspace may do with a model in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantedLimits {
    /// Calls.
    pub rpm: u64,
    /// Tokens; `None` for a model that is not metered in them.
    pub tpm: Option<u64>,
}

/// A key that was not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// Its id.
    pub id: ApiKeyId,
    /// The part of the key by which it is found.
    pub public_id: String,
    /// Keyed hash of the part that proves it.
    pub secret_hash: [u8; 32],
    /// The secret before the last reset, if it was to work for a while.
    pub previous: Option<PreviousSecretRecord>,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The member whose key it is.
    pub owner: MemberId,
    /// What it may do.
    pub permission: Permission,
    /// Whether it is disabled.
    pub disabled: bool,
    /// When it stops working, in Unix milliseconds; `None`: never.
    pub expires_at: Option<i64>,
}

/// A secret that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousSecretRecord {
    /// Its keyed hash.
    pub hash: [u8; 32],
    /// When it stops working, in Unix milliseconds.
    pub expires_at: i64,
}

/// A member, as far as keys care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// Their id.
    pub id: MemberId,
    /// Whether they are enabled; their keys fail while they are not.
    pub active: bool,
}
