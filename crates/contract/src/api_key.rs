//! API keys.

use crate::id::{ApiKeyId, MemberId};
use crate::page::Page;
use crate::permission::Permission;
use crate::seconds::{Overlap, TemporaryKeyLife};
use crate::text::Description;
use crate::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

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
    /// When it stops working by itself; null: never.
    pub expires_at: Option<Timestamp>,
    /// The secret before the last reset, while it still works.
    pub previous_secret: Option<PreviousSecret>,
    /// When a call last came with it, to the minute; null: never.
    pub last_used_at: Option<Timestamp>,
    /// The last call that was refused for the address it came from. Its caller was not told the address.
    pub last_refused: Option<RefusedAddress>,
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

/// A secret that was replaced and works for a while yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviousSecret {
    /// Its first and last four characters.
    pub masked: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A call from an address outside the key's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefusedAddress {
    /// The address the gateway saw.
    pub address: String,
    /// When.
    pub at: Timestamp,
}

/// Whether calls with a key are taken. Derived from the key and its owner, never stored; the first that holds, in this
/// order: disabled, expired, owner disabled, active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyStatus {
    /// Calls are taken.
    Active,
    /// Someone disabled the key; it works again when it is enabled.
    Disabled,
    /// Its time is over; it works again when it is given more.
    Expired,
    /// The key's owner is disabled; the key works again when they are enabled.
    OwnerDisabled,
}

/// Answer of `api_key_list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyList {
    /// One page of the keys found.
    #[serde(flatten)]
    pub page: Page<ApiKey>,
    /// How many keys count towards the limits, found or not. A server from before they were told leaves them out.
    #[serde(flatten)]
    pub counts: ApiKeyCounts,
}

/// How many keys there are in all workspaces of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyCounts {
    /// Everyone's, for the limit `keys_per_region`.
    #[serde(default)]
    pub keys_in_region: u32,
    /// Those of the person who asks, for the limit `keys_per_owner`.
    #[serde(default)]
    pub keys_of_owner: u32,
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
    /// When it stops working by itself, RFC 3339, in the future; never unless told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
}

/// Answer of `api_key_create` and `api_key_reset`: the key, and its secret this once.
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
    /// What the key may do from now on, in place of what was there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub permission: Option<Permission>,
    /// When it stops working by itself, RFC 3339, in the future; null: never.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "told")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    pub expires_at: Option<Option<Timestamp>>,
    /// The version that was read. A stale one is refused, so that no one's change is lost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<u64>,
}

/// Tells a field that is null from one that is not there.
fn told<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Body of `api_key_reset`. It may be left out.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ApiKeyReset {
    /// How long the secret of now works beside the new one, in seconds.
    #[serde(default)]
    pub overlap_seconds: Overlap,
}

/// Body of `temporary_key_create`. It may be left out.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TemporaryKeyCreate {
    /// How long it works, in seconds.
    #[serde(default)]
    pub expires_in_seconds: TemporaryKeyLife,
}

/// Answer of `temporary_key_create`: a key that may do what its parent may, for a short time.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemporaryKeyCreated {
    /// What applications send, this once. Absent when the answer is repeated for an `Idempotency-Key`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
    /// When it stops working.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_tells_no_expiry_from_none_said() {
        let read = |json: &str| serde_json::from_str::<ApiKeyUpdate>(json).unwrap().expires_at;
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"expires_at":null}"#), Some(None));
        let time = Timestamp::from_rfc3339("2027-01-01T00:00:00Z".into());
        assert_eq!(read(r#"{"expires_at":"2027-01-01T00:00:00Z"}"#), Some(Some(time)));
        let never = ApiKeyUpdate { expires_at: Some(None), ..ApiKeyUpdate::default() };
        assert_eq!(serde_json::to_string(&never).unwrap(), r#"{"expires_at":null}"#);
    }

    #[test]
    fn a_created_key_is_the_key_with_its_secret_beside() {
        let json = serde_json::json!({
            "id": "key-1", "masked": "sk-kg-abcd…wxyz", "description": "ci", "permission": {"kind": "all"},
            "status": "active", "created_by": {"id": "mem-1", "email": "mei@example.com"},
            "created_at": "2026-11-20T08:30:00.000Z", "expires_at": null, "previous_secret": null, "last_used_at": null,
            "last_refused": null, "version": 1, "secret": "s"
        });
        let created: ApiKeyCreated = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(created.secret.as_deref(), Some("s"));
        assert_eq!(serde_json::to_value(created).unwrap(), json);
    }
}
