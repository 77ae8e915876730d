//! Workspaces.

use crate::Store;
use crate::error::StoreError;
use crate::page::PageRequest;
use crate::text::contains_pattern;
use crate::time::timestamp;
use keygate_contract::{AccountId, Page, RegionId, SearchText, Workspace, WorkspaceId};

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

mod change;

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
