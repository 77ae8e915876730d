//! Makes, changes and deletes keys.

use super::{Row, find, require_workspace};
use crate::Change;
use crate::audit::AuditRow;
use crate::error::{QuotaScope, StoreError};
use crate::event::Event;
use crate::id::random_id;
use crate::text::comparable;
use crate::time::timestamp;
use keygate_contract::{ApiKey, ApiKeyId, Description, MemberId, Permission, RegionId, WorkspaceId};
use serde_json::{Map, Value, json};

/// How many keys there may be.
#[derive(Clone, Copy, Debug)]
pub struct ApiKeyQuota {
    /// In one workspace.
    pub per_workspace: u32,
    /// In all workspaces of the region.
    pub per_region: u32,
    /// Of one member in the region; `None` where only the others hold.
    pub per_owner: Option<u32>,
}

/// A key to be created.
#[derive(Clone, Debug)]
pub struct NewApiKey<'a> {
    /// What it is for.
    pub description: &'a Description,
    /// What it may do.
    pub permission: &'a Permission,
    /// When it stops working, in Unix milliseconds; `None`: never.
    pub expires_at: Option<i64>,
    /// Whose key it is.
    pub owner: &'a MemberId,
    /// The part by which it is found.
    pub public_id: &'a str,
    /// Keyed hash of the part that proves it.
    pub secret_hash: [u8; 32],
    /// What is shown of it afterwards.
    pub masked: &'a str,
}

/// What to change of a key; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ApiKeyEdit<'a> {
    /// What it is for.
    pub description: Option<&'a Description>,
    /// What it may do.
    pub permission: Option<&'a Permission>,
    /// When it stops working, in Unix milliseconds, or never.
    pub expires_at: Option<Option<i64>>,
    /// The version that was read; another one changes nothing.
    pub version: Option<u64>,
}

impl Change {
    /// Creates a key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the workspace, [`StoreError::Quota`] or [`StoreError::Database`].
    pub async fn api_key_create(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        new: NewApiKey<'_>,
        quota: ApiKeyQuota,
    ) -> Result<ApiKey, StoreError> {
        require_workspace(&mut *self.tx, &self.actor.account, region, workspace).await?;
        self.api_key_quota(region, workspace, new.owner, quota).await?;
        let id = ApiKeyId::from(random_id("key-"));
        sqlx::query(
            "INSERT INTO api_keys (id, account_id, region, workspace_id, owner_id, description, description_key, \
             permission, expires_at, public_id, secret_hash, masked, created_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)",
        )
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .bind(region.as_str())
        .bind(workspace.as_str())
        .bind(new.owner.as_str())
        .bind(new.description.as_str())
        .bind(comparable(new.description.as_str()))
        .bind(column(new.permission))
        .bind(new.expires_at)
        .bind(new.public_id)
        .bind(new.secret_hash.as_slice())
        .bind(new.masked)
        .bind(self.now)
        .execute(&mut *self.tx)
        .await?;
        let detail = json!({
            "description": new.description, "permission": new.permission,
            "expires_at": new.expires_at.map(timestamp), "masked": new.masked,
        });
        self.api_key_changed("api_key_create", region, workspace, &id, detail).await
    }

    /// What a key may do, as of this change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Database`] or [`StoreError::Corrupt`].
    pub async fn api_key_permission(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
    ) -> Result<Permission, StoreError> {
        self.api_key_row(region, workspace, id).await?.key(self.now).map(|key| key.permission)
    }

    /// Changes what a key is for, what it may do and when it ends. A stale version changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::VersionConflict`] or [`StoreError::Database`].
    pub async fn api_key_update(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
        edit: ApiKeyEdit<'_>,
    ) -> Result<ApiKey, StoreError> {
        let row = self.api_key_row(region, workspace, id).await?;
        if edit.version.is_some_and(|v| v != row.version()) {
            return Err(StoreError::VersionConflict);
        }
        let description = edit.description.map_or(row.description.as_str(), Description::as_str);
        let permission = edit.permission.map_or_else(|| row.permission.clone(), column);
        let expires_at = edit.expires_at.unwrap_or(row.expires_at);
        let mut detail = Map::new();
        let mut note = |field: &str, is_other: bool, from: Value, to: Value| {
            if is_other {
                detail.insert(field.into(), json!({ "from": from, "to": to }));
            }
        };
        let json_of = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        note("description", description != row.description, json!(row.description), json!(description));
        note("permission", permission != row.permission, json_of(&row.permission), json_of(&permission));
        note(
            "expires_at",
            expires_at != row.expires_at,
            json!(row.expires_at.map(timestamp)),
            json!(expires_at.map(timestamp)),
        );
        if detail.is_empty() {
            return row.key(self.now);
        }
        sqlx::query(
            "UPDATE api_keys SET description = $1, description_key = $2, permission = $3, expires_at = $4, \
             version = version + 1 WHERE id = $5 AND account_id = $6",
        )
        .bind(description)
        .bind(comparable(description))
        .bind(&permission)
        .bind(expires_at)
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .execute(&mut *self.tx)
        .await?;
        self.api_key_changed("api_key_update", region, workspace, id, Value::Object(detail)).await
    }

    /// Disables a key; one that is disabled stays so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn api_key_disable(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
    ) -> Result<ApiKey, StoreError> {
        self.api_key_switch("api_key_disable", region, workspace, id, Some(self.now)).await
    }

    /// Enables a key; one that is enabled stays so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn api_key_enable(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
    ) -> Result<ApiKey, StoreError> {
        self.api_key_switch("api_key_enable", region, workspace, id, None).await
    }

    async fn api_key_switch(
        &mut self,
        action: &'static str,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
        disabled_at: Option<i64>,
    ) -> Result<ApiKey, StoreError> {
        let row = self.api_key_row(region, workspace, id).await?;
        let switched = sqlx::query(
            "UPDATE api_keys SET disabled_at = $1, version = version + 1 \
             WHERE id = $2 AND account_id = $3 AND (disabled_at IS NULL) <> ($1 IS NULL)",
        )
        .bind(disabled_at)
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .execute(&mut *self.tx)
        .await?;
        if switched.rows_affected() == 0 {
            return row.key(self.now);
        }
        let detail = json!({ "description": row.description, "masked": row.masked });
        self.api_key_changed(action, region, workspace, id, detail).await
    }

    /// Deletes a key. Its row stays for the audit log; it opens nothing any more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn api_key_delete(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
    ) -> Result<(), StoreError> {
        let row = self.api_key_row(region, workspace, id).await?;
        let (public_id,): (String,) = sqlx::query_as(
            "UPDATE api_keys SET deleted_at = $1, version = version + 1 WHERE id = $2 AND account_id = $3 \
             RETURNING public_id",
        )
        .bind(self.now)
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .fetch_one(&mut *self.tx)
        .await?;
        let detail = json!({ "description": row.description, "masked": row.masked });
        self.audit(AuditRow::in_workspace(
            "api_key_delete",
            ("api_key", id.as_str()),
            region,
            workspace,
            detail,
        ))
        .await?;
        self.events.push(Event::ApiKeyGone { public_id });
        Ok(())
    }

    pub(super) async fn api_key_row(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
    ) -> Result<Row, StoreError> {
        find(&mut *self.tx, &self.actor.account, region, workspace, id, self.now).await
    }

    /// Writes the audit row of a key that was just changed, tells the directory, and reads the key as it is now.
    pub(super) async fn api_key_changed(
        &mut self,
        action: &'static str,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
        detail: Value,
    ) -> Result<ApiKey, StoreError> {
        self.audit(AuditRow::in_workspace(action, ("api_key", id.as_str()), region, workspace, detail))
            .await?;
        let record = self.api_key_record(id).await?;
        self.events.push(Event::ApiKeyPut(record));
        self.api_key_row(region, workspace, id).await?.key(self.now)
    }

    async fn api_key_quota(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        owner: &MemberId,
        quota: ApiKeyQuota,
    ) -> Result<(), StoreError> {
        let (in_region, in_workspace, of_owner): (i64, i64, i64) = sqlx::query_as(
            "SELECT count(*), count(CASE WHEN workspace_id = $3 THEN 1 END), count(CASE WHEN owner_id = $4 THEN 1 END) \
             FROM api_keys WHERE account_id = $1 AND region = $2 AND deleted_at IS NULL",
        )
        .bind(self.actor.account.as_str())
        .bind(region.as_str())
        .bind(workspace.as_str())
        .bind(owner.as_str())
        .fetch_one(&mut *self.tx)
        .await?;
        for (count, limit, scope) in [
            (in_workspace, Some(quota.per_workspace), QuotaScope::KeysPerWorkspace),
            (of_owner, quota.per_owner, QuotaScope::KeysPerOwner),
            (in_region, Some(quota.per_region), QuotaScope::KeysPerRegion),
        ] {
            if let Some(limit) = limit.filter(|limit| count >= i64::from(*limit)) {
                return Err(StoreError::Quota { scope, limit });
            }
        }
        Ok(())
    }
}

/// A permission as it is stored.
fn column(permission: &Permission) -> String {
    serde_json::to_string(permission).expect("a permission is plain data")
}
