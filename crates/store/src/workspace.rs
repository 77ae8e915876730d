//! Workspaces.

use crate::audit::AuditRow;
use crate::error::{QuotaScope, StoreError};
use crate::event::{Event, ModelAccess, WorkspaceRecord};
use crate::id::random_id;
use crate::page::PageRequest;
use crate::text::{comparable, contains_pattern};
use crate::time::timestamp;
use crate::{Change, Store};
use keygate_contract::{AccountId, Page, RegionId, SearchText, Workspace, WorkspaceId, WorkspaceName};
use serde_json::json;
use std::collections::HashMap;

/// How many workspaces and keys there may be.
#[derive(Clone, Copy, Debug)]
pub struct WorkspaceQuota {
    /// Workspaces of an account in a region.
    pub workspaces: u32,
    /// Keys of a workspace; shown with each.
    pub keys_per_workspace: u32,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: String,
    name: String,
    pub(crate) is_default: bool,
    created_at: i64,
    pub(crate) version: i64,
    api_key_count: i64,
    model_count: i64,
}

impl Row {
    fn into_workspace(self, quota: WorkspaceQuota) -> Workspace {
        Workspace {
            id: self.id.into(),
            name: self.name,
            is_default: self.is_default,
            created_at: timestamp(self.created_at),
            api_key_count: count(self.api_key_count),
            api_key_limit: quota.keys_per_workspace,
            model_count: (!self.is_default).then(|| count(self.model_count)),
            version: self.version.unsigned_abs(),
        }
    }
}

pub(crate) fn count(rows: i64) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

/// Columns of [`Row`], of a table named `w`.
macro_rules! columns {
    () => {
        "w.id, w.name, w.is_default, w.created_at, w.version, \
         (SELECT count(*) FROM api_keys k WHERE k.workspace_id = w.id AND k.deleted_at IS NULL) AS api_key_count, \
         (SELECT count(*) FROM model_grants g WHERE g.workspace_id = w.id) AS model_count"
    };
}

/// Live workspaces `w` of account `$1` in region `$2` whose name or id matches the pattern `$3`.
macro_rules! matching {
    () => {
        "FROM workspaces w WHERE w.account_id = $1 AND w.region = $2 AND w.archived_at IS NULL \
         AND (w.name_key LIKE $3 ESCAPE '\\' OR w.id LIKE $3 ESCAPE '\\')"
    };
}

/// Where a workspace stands in the list: the default one first, then by age.
type Position = (i64, i64, String);

impl Store {
    /// A page of the live workspaces, the default one first, then the oldest.
    ///
    /// # Errors
    /// [`StoreError::PageToken`] or [`StoreError::Database`].
    pub async fn workspace_list(
        &self,
        account: &AccountId,
        region: &RegionId,
        search: &SearchText,
        quota: WorkspaceQuota,
        page: &PageRequest,
    ) -> Result<Page<Workspace>, StoreError> {
        let (rank, created_at, id) = page.position::<Position>()?.unwrap_or((-1, 0, String::new()));
        let pattern = contains_pattern(search.as_str());
        let rows: Vec<Row> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " ",
            matching!(),
            " AND (CASE WHEN w.is_default THEN 0 ELSE 1 END, w.created_at, w.id) > ($4, $5, $6) \
             ORDER BY CASE WHEN w.is_default THEN 0 ELSE 1 END, w.created_at, w.id LIMIT $7"
        ))
        .bind(account.as_str())
        .bind(region.as_str())
        .bind(&pattern)
        .bind(rank)
        .bind(created_at)
        .bind(id)
        .bind(page.rows())
        .fetch_all(&self.read)
        .await?;
        let (total,): (i64,) = sqlx::query_as(concat!("SELECT count(*) ", matching!()))
            .bind(account.as_str())
            .bind(region.as_str())
            .bind(&pattern)
            .fetch_one(&self.read)
            .await?;
        let position = |row: &Row| (i64::from(!row.is_default), row.created_at, row.id.clone());
        Ok(page.page(rows, total, position, |row| row.into_workspace(quota)))
    }

    /// One live workspace.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn workspace_view(
        &self,
        account: &AccountId,
        region: &RegionId,
        id: &WorkspaceId,
        quota: WorkspaceQuota,
    ) -> Result<Workspace, StoreError> {
        let row = find(&self.read, account, region, id).await?;
        Ok(row.into_workspace(quota))
    }

    /// The default workspace of an account in a region.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn default_workspace(
        &self,
        account: &AccountId,
        region: &RegionId,
    ) -> Result<WorkspaceId, StoreError> {
        let found: Option<(String,)> =
            sqlx::query_as("SELECT id FROM workspaces WHERE account_id = $1 AND region = $2 AND is_default")
                .bind(account.as_str())
                .bind(region.as_str())
                .fetch_optional(&self.read)
                .await?;
        found.map(|(id,)| id.into()).ok_or(StoreError::NotFound)
    }

    /// Whether a workspace that an account has, or had, in a region is archived.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn workspace_is_archived(
        &self,
        account: &AccountId,
        region: &RegionId,
        id: &WorkspaceId,
    ) -> Result<bool, StoreError> {
        let found: Option<(bool,)> = sqlx::query_as(
            "SELECT archived_at IS NOT NULL FROM workspaces WHERE account_id = $1 AND region = $2 AND id = $3",
        )
        .bind(account.as_str())
        .bind(region.as_str())
        .bind(id.as_str())
        .fetch_optional(&self.read)
        .await?;
        found.map(|(is_archived,)| is_archived).ok_or(StoreError::NotFound)
    }

    /// The ids of all workspaces of an account in a region, those that are archived among them.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn workspace_ids(
        &self,
        account: &AccountId,
        region: &RegionId,
    ) -> Result<Vec<WorkspaceId>, StoreError> {
        let ids: Vec<(String,)> =
            sqlx::query_as("SELECT id FROM workspaces WHERE account_id = $1 AND region = $2 ORDER BY id")
                .bind(account.as_str())
                .bind(region.as_str())
                .fetch_all(&self.read)
                .await?;
        Ok(ids.into_iter().map(|(id,)| id.into()).collect())
    }
}

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

/// One live workspace's row.
pub(crate) async fn find(
    db: impl sqlx::SqliteExecutor<'_>,
    account: &AccountId,
    region: &RegionId,
    id: &WorkspaceId,
) -> Result<Row, StoreError> {
    sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM workspaces w WHERE w.account_id = $1 AND w.region = $2 AND w.id = $3 AND w.archived_at IS NULL"
    ))
    .bind(account.as_str())
    .bind(region.as_str())
    .bind(id.as_str())
    .fetch_optional(db)
    .await?
    .ok_or(StoreError::NotFound)
}
