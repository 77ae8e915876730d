//! API keys.

use crate::id::{ApiKeyId, MemberId};
use crate::text::Description;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An API key. The secret is not part of it: it is shown once, by [`ApiKeyCreated`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// `key-` and 16 characters. It stays for the life of the key.
    pub id: ApiKeyId,
    /// The first and last four characters behind the prefix, such as `sk-kg-T4mW…5Qh6`.
    pub masked: String,
    /// What the key is for, in its owner's words.
    pub description: String,
    /// What the key may do within its workspace.
    pub permission: Permission,
    /// Whether calls with it are taken.
    pub status: ApiKeyStatus,
    /// Whose key it is; it fails while they are disabled.
    pub created_by: ApiKeyOwner,
    /// When it was created.
    pub created_at: Timestamp,
    /// When a call last came with it; null: never.
    pub last_used_at: Option<Timestamp>,
    /// Grows with each change; give it back with an update.
    pub version: u64,
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyOwner {
    /// The member.
    pub id: MemberId,
    /// How the console names them.
    pub email: String,
}

/// What a key may do within its workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Permission {
    /// Everything the workspace may.
    All {},
}

impl Default for Permission {
    fn default() -> Self {
        Self::All {}
    }
}

/// Whether calls with a key are taken. Derived from the key and its owner, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyStatus {
    /// Calls are taken.
    Active,
    /// The key's owner is disabled; the key works again when they are enabled.
    OwnerDisabled,
}

/// Body of `api_key_create`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ApiKeyCreate {
    /// What the key is for, 1 to 128 characters.
    pub description: Description,
    /// What the key may do; everything the workspace may, unless told.
    #[serde(default)]
    pub permission: Permission,
}

/// Answer of `api_key_create`: the key, and its secret this once.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyCreated {
    /// The key.
    #[serde(flatten)]
    pub key: ApiKey,
    /// What applications send. Absent when the answer is repeated for an `Idempotency-Key`: the secret is not kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<String>,
}

/// Body of `api_key_update`: only the fields to change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ApiKeyUpdate {
    /// The new description.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<Description>,
    /// The version that was read. A stale one is refused, so that no one's change is lost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_takes_no_field_it_does_not_know() {
        assert_eq!(serde_json::from_str::<Permission>(r#"{"kind":"all"}"#).unwrap(), Permission::All {});
        for bad in [r#"{"kind":"all","ips":["10.0.0.1"]}"#, r#"{"kind":"most"}"#, "{}", r#""all""#] {
            assert!(serde_json::from_str::<Permission>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_created_key_is_the_key_with_its_secret_beside() {
        let json = serde_json::json!({
            "id": "key-1", "masked": "sk-kg-abcd…wxyz", "description": "ci", "permission": {"kind": "all"},
            "status": "active", "created_by": {"id": "mem-1", "email": "mei@example.com"},
            "created_at": "2026-11-20T08:30:00.000Z", "last_used_at": null, "version": 1, "secret": "s"
        });
        let created: ApiKeyCreated = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(created.secret.as_deref(), Some("s"));
        assert_eq!(serde_json::to_value(created).unwrap(), json);
    }
}
