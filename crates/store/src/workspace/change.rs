//! Creating, renaming and archiving workspaces.

use super::{Row, WorkspaceQuota, find};
use crate::Change;
use crate::audit::AuditRow;
use crate::error::{QuotaScope, StoreError};
use crate::event::{Event, ModelAccess, WorkspaceRecord};
use crate::id::random_id;
use crate::text::comparable;
use keygate_contract::{RegionId, Workspace, WorkspaceId, WorkspaceName};
use serde_json::json;
use std::collections::HashMap;

impl Change {
    /// Creates a workspace. Its keys may call no model until it is granted some.
    ///
    /// # Errors
    /// [`StoreError::Quota`], [`StoreError::NameTaken`] or [`StoreError::Database`].
    pub async fn workspace_create(
        &mut self,
        region: &RegionId,
        name: &WorkspaceName,
        quota: WorkspaceQuota,
    ) -> Result<Workspace, StoreError> {
        let (count,): (i64,) = sqlx::query_as(
            "SELECT count(*) FROM workspaces WHERE account_id = $1 AND region = $2 AND archived_at IS NULL",
        )
        .bind(self.actor.account.as_str())
        .bind(region.as_str())
        .fetch_one(&mut *self.tx)
        .await?;
        if count >= i64::from(quota.workspaces) {
            return Err(StoreError::Quota { scope: QuotaScope::Workspaces, limit: quota.workspaces });
        }
        let row = self.workspace_insert(region, name, false).await?;
        Ok(row.into_workspace(quota))
    }

    pub(crate) async fn default_workspace_create(
        &mut self,
        region: &RegionId,
        name: &WorkspaceName,
    ) -> Result<(), StoreError> {
        self.workspace_insert(region, name, true).await.map(drop)
    }

    async fn workspace_insert(
        &mut self,
        region: &RegionId,
        name: &WorkspaceName,
        is_default: bool,
    ) -> Result<Row, StoreError> {
        self.require_free_name(region, name, None).await?;
        let id = WorkspaceId::from(random_id("ws-"));
        sqlx::query(
            "INSERT INTO workspaces (id, account_id, region, name, name_key, is_default, created_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 1)",
        )
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .bind(region.as_str())
        .bind(name.as_str())
        .bind(comparable(name.as_str()))
        .bind(is_default)
        .bind(self.now)
        .execute(&mut *self.tx)
        .await?;
        self.audit(AuditRow::in_workspace(
            "workspace_create",
            ("workspace", id.as_str()),
            region,
            &id,
            json!({ "name": name }),
        ))
        .await?;
        let models = if is_default { ModelAccess::All } else { ModelAccess::Granted(HashMap::new()) };
        self.events.push(Event::WorkspacePut(WorkspaceRecord {
            id: id.clone(),
            account: self.actor.account.clone(),
            region: region.clone(),
            models,
        }));
        Ok(Row {
            id: id.to_string(),
            name: name.to_string(),
            is_default,
            created_at: self.now,
            version: 1,
            api_key_count: 0,
            model_count: 0,
        })
    }

    /// Renames a workspace; `None` leaves the name. A stale `version` changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::VersionConflict`], [`StoreError::NameTaken`] or [`StoreError::Database`].
    pub async fn workspace_update(
        &mut self,
        region: &RegionId,
        id: &WorkspaceId,
        name: Option<&WorkspaceName>,
        version: Option<u64>,
        quota: WorkspaceQuota,
    ) -> Result<Workspace, StoreError> {
        let mut row = find(&mut *self.tx, &self.actor.account, region, id).await?;
        if version.is_some_and(|v| v != row.version.unsigned_abs()) {
            return Err(StoreError::VersionConflict);
        }
        let Some(name) = name.filter(|n| n.as_str() != row.name) else {
            return Ok(row.into_workspace(quota));
        };
        self.require_free_name(region, name, Some(id)).await?;
        sqlx::query(
            "UPDATE workspaces SET name = $1, name_key = $2, version = version + 1 WHERE id = $3 AND account_id = $4",
        )
        .bind(name.as_str())
        .bind(comparable(name.as_str()))
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .execute(&mut *self.tx)
        .await?;
        let detail = json!({ "name": { "from": row.name, "to": name } });
        self.audit(AuditRow::in_workspace(
            "workspace_update",
            ("workspace", id.as_str()),
            region,
            id,
            detail,
        ))
        .await?;
        row.name = name.to_string();
        row.version += 1;
        Ok(row.into_workspace(quota))
    }

    /// One live workspace, as of this change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn workspace_view(
        &mut self,
        region: &RegionId,
        id: &WorkspaceId,
        quota: WorkspaceQuota,
    ) -> Result<Workspace, StoreError> {
        let row = find(&mut *self.tx, &self.actor.account, region, id).await?;
        Ok(row.into_workspace(quota))
    }

    /// Archives a workspace and deletes its keys with it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::DefaultWorkspace`], [`StoreError::NameMismatch`] or
    /// [`StoreError::Database`].
    pub async fn workspace_archive(
        &mut self,
        region: &RegionId,
        id: &WorkspaceId,
        typed_name: &str,
    ) -> Result<(), StoreError> {
        let row = find(&mut *self.tx, &self.actor.account, region, id).await?;
        if row.is_default {
            return Err(StoreError::DefaultWorkspace);
        }
        if typed_name.trim() != row.name {
            return Err(StoreError::NameMismatch);
        }
        sqlx::query(
            "UPDATE workspaces SET archived_at = $1, version = version + 1 WHERE id = $2 AND account_id = $3",
        )
        .bind(self.now)
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .execute(&mut *self.tx)
        .await?;
        let keys: Vec<(String,)> = sqlx::query_as(
            "UPDATE api_keys SET deleted_at = $1, version = version + 1 \
             WHERE workspace_id = $2 AND account_id = $3 AND deleted_at IS NULL RETURNING public_id",
        )
        .bind(self.now)
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .fetch_all(&mut *self.tx)
        .await?;
        let detail = json!({ "name": row.name, "api_keys_deleted": keys.len() });
        self.audit(AuditRow::in_workspace(
            "workspace_archive",
            ("workspace", id.as_str()),
            region,
            id,
            detail,
        ))
        .await?;
        self.events.push(Event::WorkspaceGone(id.clone()));
        self.events.extend(keys.into_iter().map(|(public_id,)| Event::ApiKeyGone { public_id }));
        Ok(())
    }

    async fn require_free_name(
        &mut self,
        region: &RegionId,
        name: &WorkspaceName,
        except: Option<&WorkspaceId>,
    ) -> Result<(), StoreError> {
        let taken: Option<(String,)> = sqlx::query_as(
            "SELECT id FROM workspaces WHERE account_id = $1 AND region = $2 AND name_key = $3 \
             AND archived_at IS NULL AND id <> $4",
        )
        .bind(self.actor.account.as_str())
        .bind(region.as_str())
        .bind(comparable(name.as_str()))
        .bind(except.map_or("", WorkspaceId::as_str))
        .fetch_optional(&mut *self.tx)
        .await?;
        if taken.is_some() { Err(StoreError::NameTaken) } else { Ok(()) }
    }
}
