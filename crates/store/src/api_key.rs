//! API keys. The store holds the public id and a keyed hash of the secret; the secret itself never comes here.

mod change;
mod record;
mod secret;
mod used;

pub use change::{ApiKeyEdit, ApiKeyQuota, NewApiKey};
pub use secret::NewSecret;
pub use used::ApiKeyUse;

pub(crate) use record::{RecordRow, record_columns};

use crate::Store;
use crate::error::StoreError;
use crate::page::PageRequest;
use crate::text::contains_pattern;
use crate::time::{now_ms, timestamp};
use crate::workspace::count;
use keygate_contract::{
    AccountId, ApiKey, ApiKeyCounts, ApiKeyId, ApiKeyOwner, ApiKeyStatus, MemberId, Page, PreviousSecret,
    RefusedAddress, RegionId, SearchText, WorkspaceId,
};

/// Which keys of a workspace.
#[derive(Clone, Debug)]
pub struct ApiKeyFilter {
    /// Part of the id or description.
    pub search: SearchText,
    /// Only keys in this state.
    pub status: Option<ApiKeyStatus>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    masked: String,
    description: String,
    permission: String,
    status: String,
    owner_id: String,
    owner_email: String,
    created_at: i64,
    expires_at: Option<i64>,
    previous_masked: Option<String>,
    previous_expires_at: Option<i64>,
    last_used_at: Option<i64>,
    refused_address: Option<String>,
    refused_at: Option<i64>,
    version: i64,
}

impl Row {
    fn version(&self) -> u64 {
        self.version.unsigned_abs()
    }

    /// The key as it is at `now`.
    fn key(self, now: i64) -> Result<ApiKey, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt(format!("{what} of {}", self.id));
        let permission = serde_json::from_str(&self.permission).map_err(|_| corrupt("permission"))?;
        let status = match self.status.as_str() {
            "active" => ApiKeyStatus::Active,
            "disabled" => ApiKeyStatus::Disabled,
            "expired" => ApiKeyStatus::Expired,
            "owner_disabled" => ApiKeyStatus::OwnerDisabled,
            _ => return Err(corrupt("status")),
        };
        let previous_secret = self.previous_masked.zip(self.previous_expires_at).filter(|(_, at)| *at > now);
        Ok(ApiKey {
            id: self.id.into(),
            masked: self.masked,
            description: self.description,
            permission,
            status,
            created_by: ApiKeyOwner { id: self.owner_id.into(), email: self.owner_email },
            created_at: timestamp(self.created_at),
            expires_at: self.expires_at.map(timestamp),
            previous_secret: previous_secret
                .map(|(masked, at)| PreviousSecret { masked, expires_at: timestamp(at) }),
            last_used_at: self.last_used_at.map(timestamp),
            last_refused: self
                .refused_address
                .zip(self.refused_at)
                .map(|(address, at)| RefusedAddress { address, at: timestamp(at) }),
            version: self.version.unsigned_abs(),
        })
    }
}

/// A status as the query below writes it.
fn status_text(status: ApiKeyStatus) -> &'static str {
    match status {
        ApiKeyStatus::Active => "active",
        ApiKeyStatus::Disabled => "disabled",
        ApiKeyStatus::Expired => "expired",
        ApiKeyStatus::OwnerDisabled => "owner_disabled",
    }
}

/// The status of a key `k` with its owner `m` at `$4`: the one place that derives it for people. The gateway decides for
/// itself, call by call.
macro_rules! status {
    () => {
        "CASE WHEN k.disabled_at IS NOT NULL THEN 'disabled' WHEN k.expires_at <= $4 THEN 'expired' \
         WHEN m.disabled_at IS NOT NULL THEN 'owner_disabled' ELSE 'active' END"
    };
}

/// Columns of [`Row`], of tables named `k` and `m`.
macro_rules! columns {
    () => {
        concat!(
            "k.id, k.masked, k.description, k.permission, ",
            status!(),
            " AS status, k.owner_id, m.email AS owner_email, k.created_at, k.expires_at, k.previous_masked, \
             k.previous_expires_at, k.last_used_at, k.refused_address, k.refused_at, k.version"
        )
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

/// Of those, the ones whose description or id matches `$5`, and whose status is `$6`, if one is asked for.
macro_rules! matching {
    () => {
        concat!(
            " AND (k.description_key LIKE $5 ESCAPE '\\' OR k.id LIKE $5 ESCAPE '\\') AND ($6 IS NULL OR $6 = ",
            status!(),
            ")"
        )
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
    /// [`StoreError::NotFound`] for the workspace, [`StoreError::PageToken`], [`StoreError::Database`] or [`StoreError::Corrupt`].
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
        let status = filter.status.map(status_text);
        let now = now_ms();
        let rows: Vec<Row> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " ",
            of_workspace!(),
            matching!(),
            " AND (k.created_at, k.id) < ($7, $8) ORDER BY k.created_at DESC, k.id DESC LIMIT $9"
        ))
        .bind(account.as_str())
        .bind(region.as_str())
        .bind(workspace.as_str())
        .bind(now)
        .bind(&pattern)
        .bind(status)
        .bind(created_at)
        .bind(id)
        .bind(page.rows())
        .fetch_all(&self.read)
        .await?;
        let (total,): (i64,) = sqlx::query_as(concat!("SELECT count(*) ", of_workspace!(), matching!()))
            .bind(account.as_str())
            .bind(region.as_str())
            .bind(workspace.as_str())
            .bind(now)
            .bind(&pattern)
            .bind(status)
            .fetch_one(&self.read)
            .await?;
        let page = page.page(rows, total, |row| (row.created_at, row.id.clone()), |row| row);
        let Page { items, next_page_token, total } = page;
        let items = items.into_iter().map(|row: Row| row.key(now)).collect::<Result<_, _>>()?;
        Ok(Page { items, next_page_token, total })
    }

    /// How many keys there are in a region, and how many of them a member owns.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn api_key_counts(
        &self,
        account: &AccountId,
        region: &RegionId,
        owner: &MemberId,
    ) -> Result<ApiKeyCounts, StoreError> {
        let (in_region, of_owner): (i64, i64) = sqlx::query_as(
            "SELECT count(*), count(CASE WHEN owner_id = $3 THEN 1 END) FROM api_keys \
             WHERE account_id = $1 AND region = $2 AND deleted_at IS NULL",
        )
        .bind(account.as_str())
        .bind(region.as_str())
        .bind(owner.as_str())
        .fetch_one(&self.read)
        .await?;
        Ok(ApiKeyCounts { keys_in_region: count(in_region), keys_of_owner: count(of_owner) })
    }

    /// One key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Database`] or [`StoreError::Corrupt`].
    pub async fn api_key_view(
        &self,
        account: &AccountId,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
    ) -> Result<ApiKey, StoreError> {
        let now = now_ms();
        find(&self.read, account, region, workspace, id, now).await?.key(now)
    }
}

async fn find(
    db: impl sqlx::SqliteExecutor<'_>,
    account: &AccountId,
    region: &RegionId,
    workspace: &WorkspaceId,
    id: &ApiKeyId,
    now: i64,
) -> Result<Row, StoreError> {
    sqlx::query_as(concat!("SELECT ", columns!(), " ", of_workspace!(), " AND k.id = $5"))
        .bind(account.as_str())
        .bind(region.as_str())
        .bind(workspace.as_str())
        .bind(now)
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
