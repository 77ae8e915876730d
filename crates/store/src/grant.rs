//! Grants: which models the keys of a workspace may call, and how fast.

use crate::audit::AuditRow;
use crate::error::StoreError;
use crate::event::{Event, GrantedLimits, ModelAccess, WorkspaceRecord};
use crate::workspace::find;
use crate::{Change, Store};
use keygate_contract::{AccountId, ModelGrant, ModelId, PerMinute, RegionId, WorkspaceId};
use serde_json::json;
use sqlx::SqliteConnection;
use std::collections::HashMap;

/// What a workspace is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    /// Whether it is the default workspace, which may call every model and has no grants.
    pub is_default: bool,
    /// In the order of the models' ids.
    pub items: Vec<ModelGrant>,
    /// The workspace's version.
    pub version: u64,
}

impl Store {
    /// What a workspace is granted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Database`] or [`StoreError::Corrupt`].
    pub async fn grant_list(
        &self,
        account: &AccountId,
        region: &RegionId,
        workspace: &WorkspaceId,
    ) -> Result<Grants, StoreError> {
        // One transaction, so that the version is that of the grants.
        let mut db = self.read.begin().await?;
        grants(&mut db, account, region, workspace).await
    }
}

impl Change {
    /// What a workspace is granted, as of this change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Database`] or [`StoreError::Corrupt`].
    pub async fn grant_list(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
    ) -> Result<Grants, StoreError> {
        grants(&mut self.tx, &self.actor.account, region, workspace).await
    }

    /// Grants exactly `wanted`, in place of what was there. The caller has checked that no model stands twice and that
    /// limits are within the account's. Returns the workspace's version; the same set again leaves it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::VersionConflict`], [`StoreError::DefaultWorkspace`] or
    /// [`StoreError::Database`].
    pub async fn grant_replace(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        wanted: &[ModelGrant],
        version: Option<u64>,
    ) -> Result<u64, StoreError> {
        let held = self.grant_list(region, workspace).await?;
        if held.is_default {
            return Err(StoreError::DefaultWorkspace);
        }
        if version.is_some_and(|v| v != held.version) {
            return Err(StoreError::VersionConflict);
        }
        let difference = Difference::between(&held.items, wanted);
        if difference.is_empty() {
            return Ok(held.version);
        }
        for grant in &difference.removed {
            sqlx::query("DELETE FROM model_grants WHERE workspace_id = $1 AND model = $2")
                .bind(workspace.as_str())
                .bind(grant.model.as_str())
                .execute(&mut *self.tx)
                .await?;
        }
        for grant in difference.added.iter().chain(&difference.changed) {
            sqlx::query(
                "INSERT INTO model_grants (workspace_id, model, rpm, tpm) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (workspace_id, model) DO UPDATE SET rpm = excluded.rpm, tpm = excluded.tpm",
            )
            .bind(workspace.as_str())
            .bind(grant.model.as_str())
            .bind(column(grant.rpm))
            .bind(grant.tpm.map(column))
            .execute(&mut *self.tx)
            .await?;
        }
        sqlx::query("UPDATE workspaces SET version = version + 1 WHERE id = $1 AND account_id = $2")
            .bind(workspace.as_str())
            .bind(self.actor.account.as_str())
            .execute(&mut *self.tx)
            .await?;
        let detail = json!({
            "added": difference.added, "changed": difference.changed,
            "removed": difference.removed.iter().map(|g| &g.model).collect::<Vec<_>>(),
        });
        self.audit(AuditRow::in_workspace(
            "grant_replace",
            ("workspace", workspace.as_str()),
            region,
            workspace,
            detail,
        ))
        .await?;
        self.events.push(Event::WorkspacePut(WorkspaceRecord {
            id: workspace.clone(),
            account: self.actor.account.clone(),
            region: region.clone(),
            models: ModelAccess::Granted(wanted.iter().map(granted).collect()),
        }));
        Ok(held.version + 1)
    }
}

/// What turns one set of grants into another.
#[derive(Debug, Default)]
struct Difference<'a> {
    added: Vec<&'a ModelGrant>,
    changed: Vec<&'a ModelGrant>,
    removed: Vec<&'a ModelGrant>,
}

impl<'a> Difference<'a> {
    fn between(held: &'a [ModelGrant], wanted: &'a [ModelGrant]) -> Self {
        let mut left: HashMap<&ModelId, &ModelGrant> = held.iter().map(|g| (&g.model, g)).collect();
        let mut difference = Self::default();
        for grant in wanted {
            match left.remove(&grant.model) {
                None => difference.added.push(grant),
                Some(old) if old != grant => difference.changed.push(grant),
                Some(_) => {}
            }
        }
        difference.removed = held.iter().filter(|g| left.contains_key(&g.model)).collect();
        difference
    }

    fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

fn granted(grant: &ModelGrant) -> (ModelId, GrantedLimits) {
    (grant.model.clone(), GrantedLimits { rpm: grant.rpm.get(), tpm: grant.tpm.map(PerMinute::get) })
}

/// A limit as a column: the contract keeps it far below what a column holds.
fn column(limit: PerMinute) -> i64 {
    i64::try_from(limit.get()).unwrap_or(i64::MAX)
}

/// What a workspace's keys may call, read at start: a row of [`crate::directory`].
pub(crate) fn access(is_default: bool, rows: Vec<GrantRow>) -> Result<ModelAccess, StoreError> {
    if is_default {
        return Ok(ModelAccess::All);
    }
    let grants = rows.into_iter().map(GrantRow::into_grant).collect::<Result<Vec<_>, _>>()?;
    Ok(ModelAccess::Granted(grants.iter().map(granted).collect()))
}

#[derive(sqlx::FromRow)]
pub(crate) struct GrantRow {
    pub(crate) workspace_id: String,
    model: String,
    rpm: i64,
    tpm: Option<i64>,
}

impl GrantRow {
    fn into_grant(self) -> Result<ModelGrant, StoreError> {
        let limit = |value: i64| {
            u64::try_from(value)
                .ok()
                .and_then(|value| PerMinute::try_from(value).ok())
                .ok_or_else(|| StoreError::Corrupt(format!("limit of {}", self.model)))
        };
        Ok(ModelGrant {
            rpm: limit(self.rpm)?,
            tpm: self.tpm.map(limit).transpose()?,
            model: self.model.into(),
        })
    }
}

async fn grants(
    db: &mut SqliteConnection,
    account: &AccountId,
    region: &RegionId,
    workspace: &WorkspaceId,
) -> Result<Grants, StoreError> {
    let found = find(&mut *db, account, region, workspace).await?;
    let rows: Vec<GrantRow> = sqlx::query_as(
        "SELECT g.workspace_id, g.model, g.rpm, g.tpm FROM model_grants g JOIN workspaces w ON w.id = g.workspace_id \
         WHERE w.account_id = $1 AND w.id = $2 ORDER BY lower(g.model), g.model",
    )
    .bind(account.as_str())
    .bind(workspace.as_str())
    .fetch_all(db)
    .await?;
    Ok(Grants {
        is_default: found.is_default,
        items: rows.into_iter().map(GrantRow::into_grant).collect::<Result<_, _>>()?,
        version: found.version.unsigned_abs(),
    })
}
