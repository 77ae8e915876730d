//! Deleting what is older than it is kept.

use super::calls::minutes_in_log;
use super::cell::{self, Kind};
use super::size::{self, row_bytes};
use super::{State, UsageStore, block};
use crate::error::StoreError;
use keygate_contract::{UsageRetention, UsageStep};

/// The most rows that are deleted at once, so that appending waits for a moment at most: a row may have 150 kB and more.
const ROWS_MOST: i64 = 20;

/// How many days things are kept. Sums by day are kept for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The log of calls.
    pub log: u32,
    /// Sums by minute, by whole days; at least as long as the log, which is searched by them.
    pub minutes: u32,
    /// Sums by hour; at least as long as those by minute.
    pub hours: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { log: 14, minutes: 30, hours: 400 }
    }
}

impl UsageStore {
    /// Deletes what is older than it is kept, in small steps, and tells how many rows that were. Calls are appended in
    /// between. It can be dropped at any time, and goes on when it is called again.
    ///
    /// # Errors
    /// [`StoreError::Database`]; what was deleted until then stays deleted.
    pub async fn clean(&self, retention: Retention, now: i64) -> Result<u64, StoreError> {
        self.write.watch(self.clean_all(retention, now)).await
    }

    async fn clean_all(&self, retention: Retention, now: i64) -> Result<u64, StoreError> {
        let first = |days: u32, step: UsageStep| UsageRetention::since(days, now).div_euclid(step.millis());
        let minutes = retention.minutes.max(retention.log);
        let hours = retention.hours.max(minutes);
        // From here on readers no longer see the old part of the log: its pages never show half of it.
        let log_from =
            block::minute_of(now.saturating_sub(i64::from(retention.log) * UsageStep::Day.millis()));
        let workspaces = self.names.read().workspaces();
        self.log_begins(log_from, &workspaces).await?;
        let mut deleted = 0;
        for workspace in workspaces {
            deleted += self.clean_log(workspace).await?;
            for (step, days) in [(UsageStep::Minute, minutes), (UsageStep::Hour, hours)] {
                for kind in Kind::ALL {
                    deleted += self.clean_sums(step, workspace, kind, first(days, step)).await?;
                }
            }
        }
        Ok(deleted)
    }

    /// Moves the beginning of the log to a minute, back too: a clock that was ahead for a while must not hide what is
    /// called when it is right again. Not to before what was deleted, nor beyond the newest call.
    async fn log_begins(&self, minute: i64, workspaces: &[u32]) -> Result<(), StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let mut newest = None;
        for workspace in workspaces {
            newest = newest.max(minutes_in_log(&mut tx, *workspace).await?.map(|(_, newest)| newest));
        }
        let minute = newest.map_or(0, |newest| minute.min(newest + 1));
        sqlx::query("UPDATE usage_state SET log_from = max($1, deleted_to) WHERE id = 1")
            .bind(minute)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Deletes the rows of a workspace from before the beginning of the log.
    pub(super) async fn clean_log(&self, workspace: u32) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
            let state = State::read(&mut tx).await?;
            // What is not in the sums yet stays until it is.
            let rows: Vec<(i64, i64)> = sqlx::query_as(
                "DELETE FROM call_blocks WHERE seq IN (SELECT seq FROM call_blocks \
                 WHERE workspace = $1 AND minute < $2 AND seq <= $3 ORDER BY minute, seq LIMIT $4) \
                 RETURNING minute, length(calls)",
            )
            .bind(workspace)
            .bind(state.log_from)
            .bind(state.folded)
            .bind(ROWS_MOST)
            .fetch_all(&mut *tx)
            .await?;
            if let Some((newest, _)) = rows.iter().max() {
                let bytes: i64 = rows.iter().map(|(_, length)| row_bytes(*length)).sum();
                size::deleted(&mut tx, newest + 1, bytes).await?;
            }
            tx.commit().await?;
            let rows = rows.len() as u64;
            deleted += rows;
            if rows < ROWS_MOST.unsigned_abs() {
                return Ok(deleted);
            }
        }
    }

    async fn clean_sums(
        &self,
        step: UsageStep,
        workspace: u32,
        kind: Kind,
        first: i64,
    ) -> Result<u64, StoreError> {
        self.note_deletion(step, workspace, kind, first).await?;
        let mut deleted = 0;
        loop {
            let delete = sqlx::query(
                "DELETE FROM usage_rollups WHERE slot IN (SELECT slot FROM usage_rollups \
                 WHERE slot >= $1 AND slot < $2 ORDER BY slot LIMIT $3)",
            )
            .bind(cell::slot(step, workspace, kind, 0))
            .bind(cell::slot(step, workspace, kind, first))
            .bind(ROWS_MOST);
            let rows = self.write.execute(delete).await?.rows_affected();
            deleted += rows;
            if rows < ROWS_MOST.unsigned_abs() {
                return Ok(deleted);
            }
        }
    }
}
