//! The gateway's windows of the last minute, kept so that a restart forgets no call.

use crate::Store;
use crate::error::StoreError;
use keygate_contract::{AccountId, ModelId, RegionId, WorkspaceId};
use std::collections::HashMap;

/// The window of a scope and a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitWindow {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: RegionId,
    /// The model.
    pub model: ModelId,
    /// The workspace; `None`: the account as a whole.
    pub workspace: Option<WorkspaceId>,
    /// What was charged, in the order of time.
    pub charges: Vec<Charge>,
}

impl LimitWindow {
    /// When it was last charged, in Unix milliseconds; 0 when nothing is.
    fn last_charged_at(&self) -> i64 {
        self.charges.last().map_or(0, Charge::at)
    }

    /// When it was last charged with a call, in Unix milliseconds, if any of the calls still counts.
    fn last_called_at(&self) -> Option<i64> {
        self.charges.iter().rev().find(|charge| charge.requests > 0).map(Charge::at)
    }
}

/// What was charged in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The Unix second.
    pub second: u64,
    /// Calls.
    pub requests: u64,
    /// Tokens.
    pub tokens: u64,
}

impl Charge {
    fn at(&self) -> i64 {
        i64::try_from(self.second.saturating_mul(1000)).unwrap_or(i64::MAX)
    }
}

impl Store {
    /// Saves windows, each in place of what was saved of it, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Database`]; then none is saved.
    pub async fn limit_windows_save(&self, windows: &[LimitWindow]) -> Result<(), StoreError> {
        self.write.watch(self.limit_windows_write(windows)).await
    }

    async fn limit_windows_write(&self, windows: &[LimitWindow]) -> Result<(), StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        for window in windows {
            let charges: Vec<_> = window.charges.iter().map(|c| (c.second, c.requests, c.tokens)).collect();
            let charges = serde_json::to_string(&charges).expect("charges are plain numbers");
            sqlx::query(
                "INSERT INTO limit_windows (account_id, region, model, workspace_id, charges, last_charged_at, \
                 last_called_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (account_id, region, model, workspace_id) DO UPDATE SET charges = excluded.charges, \
                 last_charged_at = excluded.last_charged_at, \
                 last_called_at = coalesce(excluded.last_called_at, limit_windows.last_called_at)",
            )
            .bind(window.account.as_str())
            .bind(window.region.as_str())
            .bind(window.model.as_str())
            .bind(window.workspace.as_ref().map_or("", WorkspaceId::as_str))
            .bind(charges)
            .bind(window.last_charged_at())
            .bind(window.last_called_at())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The windows that were charged at or after `since`, in Unix milliseconds.
    ///
    /// # Errors
    /// [`StoreError::Database`] or [`StoreError::Corrupt`].
    pub async fn limit_windows(&self, since: i64) -> Result<Vec<LimitWindow>, StoreError> {
        let rows: Vec<(String, String, String, String, String)> = sqlx::query_as(
            "SELECT account_id, region, model, workspace_id, charges FROM limit_windows WHERE last_charged_at >= $1",
        )
        .bind(since)
        .fetch_all(&self.read)
        .await?;
        rows.into_iter()
            .map(|(account, region, model, workspace, charges)| {
                let charges: Vec<(u64, u64, u64)> = serde_json::from_str(&charges)
                    .map_err(|_| StoreError::Corrupt(format!("charges of {model}")))?;
                Ok(LimitWindow {
                    account: account.into(),
                    region: region.into(),
                    model: model.into(),
                    workspace: (!workspace.is_empty()).then(|| workspace.into()),
                    charges: charges
                        .into_iter()
                        .map(|(second, requests, tokens)| Charge { second, requests, tokens })
                        .collect(),
                })
            })
            .collect()
    }

    /// When keys of a workspace last called each model, in Unix milliseconds.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn models_last_called(
        &self,
        account: &AccountId,
        workspace: &WorkspaceId,
    ) -> Result<HashMap<ModelId, i64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT model, last_called_at FROM limit_windows \
             WHERE workspace_id = $1 AND account_id = $2 AND last_called_at IS NOT NULL",
        )
        .bind(workspace.as_str())
        .bind(account.as_str())
        .fetch_all(&self.read)
        .await?;
        Ok(rows.into_iter().map(|(model, at)| (model.into(), at)).collect())
    }
}
