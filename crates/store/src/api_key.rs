//! API keys. The store holds the public id and a keyed hash of the secret; the secret itself never comes here.

use crate::audit::AuditRow;
use crate::error::{QuotaScope, StoreError};
use crate::event::{ApiKeyRecord, Event};
use crate::id::random_id;
use crate::page::PageRequest;
use crate::text::{comparable, contains_pattern};
use crate::time::timestamp;
use crate::{Change, Store};
use keygate_contract::{
    AccountId, ApiKey, ApiKeyId, ApiKeyOwner, ApiKeyStatus, Description, MemberId, Page, Permission,
    RegionId, SearchText, WorkspaceId,
};
use serde_json::json;

/// How many keys there may be.
#[derive(Clone, Copy, Debug)]
pub struct ApiKeyQuota {
    /// In one workspace.
    pub per_workspace: u32,
    /// In all workspaces of the region.
    pub per_region: u32,
}

/// Which keys of a workspace.
#[derive(Clone, Debug)]
pub struct ApiKeyFilter {
    /// Part of the id or description.
    pub search: SearchText,
    /// Only keys in this state.
    pub status: Option<ApiKeyStatus>,
}

/// A key to be created.
#[derive(Clone, Debug)]
pub struct NewApiKey<'a> {
    /// What it is for.
    pub description: &'a Description,
    /// Whose key it is.
    pub owner: &'a MemberId,
    /// The part by which it is found.
    pub public_id: &'a str,
    /// Keyed hash of the part that proves it.
    pub secret_hash: [u8; 32],
    /// What is shown of it afterwards.
    pub masked: &'a str,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    masked: String,
    description: String,
    owner_id: String,
    owner_email: String,
    owner_disabled: bool,
    created_at: i64,
    version: i64,
}

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            masked: row.masked,
            description: row.description,
            permission: Permission::All {},
            status: if row.owner_disabled { ApiKeyStatus::OwnerDisabled } else { ApiKeyStatus::Active },
            created_by: ApiKeyOwner { id: row.owner_id.into(), email: row.owner_email },
            created_at: timestamp(row.created_at),
            expires_at: None,
            previous_secret: None,
            last_used_at: None,
            last_refused: None,
            version: row.version.unsigned_abs(),
        }
    }
}

/// Columns of [`Row`], of tables named `k` and `m`.
macro_rules! columns {
    () => {
        "k.id, k.masked, k.description, k.owner_id, m.email AS owner_email, \
         m.disabled_at IS NOT NULL AS owner_disabled, k.created_at, k.version"
    };
}

/// Keys `k` with their owners `m`, of live workspace `$3` of account `$1` in region `$2`.
macro_rules! of_workspace {
    () => {
        "FROM api_keys k JOIN members m ON m.id = k.owner_id JOIN workspaces w ON w.id = k.workspace_id \
         WHERE k.account_id = $1 AND k.region = $2 AND k.workspace_id = $3 AND k.deleted_at IS NULL \
         AND w.archived_at IS NULL"
    };
}

/// Of those, the ones whose description or id matches `$4` and whose owner is disabled as `$5` says, if it says.
macro_rules! matching {
    () => {
        " AND (k.description_key LIKE $4 ESCAPE '\\' OR k.id LIKE $4 ESCAPE '\\') \
         AND ($5 IS NULL OR (m.disabled_at IS NOT NULL) = $5)"
    };
}

/// Where a key stands in the list, newest first.
type Position = (i64, String);

/// Before every key: later than any time, and behind any id of the alphabet.
const START: (i64, &str) = (i64::MAX, "~");

impl Store {
    /// A page of a workspace's keys, newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the workspace, [`StoreError::PageToken`] or [`StoreError::Database`].
    pub async fn api_key_list(
        &self,
        account: &AccountId,
        region: &RegionId,
        workspace: &WorkspaceId,
        filter: &ApiKeyFilter,
        page: &PageRequest,
    ) -> Result<Page<ApiKey>, StoreError> {
        require_workspace(&self.read, account, region, workspace).await?;
        let (created_at, id) = page.position::<Position>()?.unwrap_or((START.0, START.1.into()));
        let pattern = contains_pattern(filter.search.as_str());
        let owner_disabled = filter.status.map(|s| s == ApiKeyStatus::OwnerDisabled);
        let rows: Vec<Row> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " ",
            of_workspace!(),
            matching!(),
            " AND (k.created_at, k.id) < ($6, $7) ORDER BY k.created_at DESC, k.id DESC LIMIT $8"
        ))
        .bind(account.as_str())
        .bind(region.as_str())
        .bind(workspace.as_str())
        .bind(&pattern)
        .bind(owner_disabled)
        .bind(created_at)
        .bind(id)
        .bind(page.rows())
        .fetch_all(&self.read)
        .await?;
        let (total,): (i64,) = sqlx::query_as(concat!("SELECT count(*) ", of_workspace!(), matching!()))
            .bind(account.as_str())
            .bind(region.as_str())
            .bind(workspace.as_str())
            .bind(&pattern)
            .bind(owner_disabled)
            .fetch_one(&self.read)
            .await?;
        Ok(page.page(rows, total, |row| (row.created_at, row.id.clone()), ApiKey::from))
    }

    /// One key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn api_key_view(
        &self,
        account: &AccountId,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
    ) -> Result<ApiKey, StoreError> {
        find(&self.read, account, region, workspace, id).await.map(ApiKey::from)
    }
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
        let (in_region, in_workspace): (i64, i64) = sqlx::query_as(
            "SELECT count(*), count(CASE WHEN workspace_id = $3 THEN 1 END) FROM api_keys \
             WHERE account_id = $1 AND region = $2 AND deleted_at IS NULL",
        )
        .bind(self.actor.account.as_str())
        .bind(region.as_str())
        .bind(workspace.as_str())
        .fetch_one(&mut *self.tx)
        .await?;
        for (count, limit, scope) in [
            (in_workspace, quota.per_workspace, QuotaScope::KeysPerWorkspace),
            (in_region, quota.per_region, QuotaScope::KeysPerRegion),
        ] {
            if count >= i64::from(limit) {
                return Err(StoreError::Quota { scope, limit });
            }
        }
        let id = ApiKeyId::from(random_id("key-"));
        sqlx::query(
            "INSERT INTO api_keys (id, account_id, region, workspace_id, owner_id, description, description_key, \
             public_id, secret_hash, masked, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1)",
        )
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .bind(region.as_str())
        .bind(workspace.as_str())
        .bind(new.owner.as_str())
        .bind(new.description.as_str())
        .bind(comparable(new.description.as_str()))
        .bind(new.public_id)
        .bind(new.secret_hash.as_slice())
        .bind(new.masked)
        .bind(self.now)
        .execute(&mut *self.tx)
        .await?;
        let detail = json!({ "description": new.description, "masked": new.masked });
        self.audit(AuditRow::in_workspace(
            "api_key_create",
            ("api_key", id.as_str()),
            region,
            workspace,
            detail,
        ))
        .await?;
        self.events.push(Event::ApiKeyPut(ApiKeyRecord {
            id: id.clone(),
            public_id: new.public_id.to_owned(),
            secret_hash: new.secret_hash,
            workspace: workspace.clone(),
            owner: new.owner.clone(),
        }));
        find(&mut *self.tx, &self.actor.account, region, workspace, &id).await.map(ApiKey::from)
    }

    /// Changes a key's description; `None` leaves it. A stale `version` changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::VersionConflict`] or [`StoreError::Database`].
    pub async fn api_key_update(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
        description: Option<&Description>,
        version: Option<u64>,
    ) -> Result<ApiKey, StoreError> {
        let mut row = find(&mut *self.tx, &self.actor.account, region, workspace, id).await?;
        if version.is_some_and(|v| v != row.version.unsigned_abs()) {
            return Err(StoreError::VersionConflict);
        }
        let Some(description) = description.filter(|d| d.as_str() != row.description) else {
            return Ok(row.into());
        };
        sqlx::query(
            "UPDATE api_keys SET description = $1, description_key = $2, version = version + 1 \
             WHERE id = $3 AND account_id = $4",
        )
        .bind(description.as_str())
        .bind(comparable(description.as_str()))
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .execute(&mut *self.tx)
        .await?;
        let detail = json!({ "description": { "from": row.description, "to": description } });
        self.audit(AuditRow::in_workspace(
            "api_key_update",
            ("api_key", id.as_str()),
            region,
            workspace,
            detail,
        ))
        .await?;
        row.description = description.to_string();
        row.version += 1;
        Ok(row.into())
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
        let row = find(&mut *self.tx, &self.actor.account, region, workspace, id).await?;
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
}

async fn find(
    db: impl sqlx::SqliteExecutor<'_>,
    account: &AccountId,
    region: &RegionId,
    workspace: &WorkspaceId,
    id: &ApiKeyId,
) -> Result<Row, StoreError> {
    sqlx::query_as(concat!("SELECT ", columns!(), " ", of_workspace!(), " AND k.id = $4"))
        .bind(account.as_str())
        .bind(region.as_str())
        .bind(workspace.as_str())
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .ok_or(StoreError::NotFound)
}

async fn require_workspace(
    db: impl sqlx::SqliteExecutor<'_>,
    account: &AccountId,
    region: &RegionId,
    id: &WorkspaceId,
) -> Result<(), StoreError> {
    let found: Option<(i64,)> = sqlx::query_as(
        "SELECT 1 FROM workspaces WHERE account_id = $1 AND region = $2 AND id = $3 AND archived_at IS NULL",
    )
    .bind(account.as_str())
    .bind(region.as_str())
    .bind(id.as_str())
    .fetch_optional(db)
    .await?;
    found.map(drop).ok_or(StoreError::NotFound)
}
