//! Since when sums are there: what was deleted stays deleted, also when it is to be kept longer from now on.

use super::UsageStore;
use super::cell::{self, Kind};
use crate::error::StoreError;
use keygate_contract::UsageStep;

/// Since when all sums of the finer steps are there, in Unix milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct SumsFrom {
    /// Those by minute.
    #[sqlx(rename = "minutes_from")]
    pub minutes: i64,
    /// Those by hour.
    #[sqlx(rename = "hours_from")]
    pub hours: i64,
}

impl UsageStore {
    /// Since when sums are there. Before, some or all were deleted.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn sums_from(&self) -> Result<SumsFrom, StoreError> {
        Ok(sqlx::query_as("SELECT minutes_from, hours_from FROM usage_state WHERE id = 1")
            .fetch_one(&self.read)
            .await?)
    }

    /// Notes that the rows of a workspace before `first`, in steps, are about to be deleted. To be called before any of them
    /// is. Only what there is counts: a clock that is ahead for a while deletes nothing of what comes later.
    pub(super) async fn note_deletion(
        &self,
        step: UsageStep,
        workspace: u32,
        kind: Kind,
        first: i64,
    ) -> Result<(), StoreError> {
        let update = match step {
            UsageStep::Minute => "UPDATE usage_state SET minutes_from = max(minutes_from, $1) WHERE id = 1",
            UsageStep::Hour => "UPDATE usage_state SET hours_from = max(hours_from, $1) WHERE id = 1",
            UsageStep::Day => return Ok(()),
        };
        let (last,): (Option<i64>,) =
            sqlx::query_as("SELECT max(slot) FROM usage_rollups WHERE slot >= $1 AND slot < $2")
                .bind(cell::slot(step, workspace, kind, 0))
                .bind(cell::slot(step, workspace, kind, first))
                .fetch_one(self.write.pool())
                .await?;
        if let Some(last) = last {
            let end = (cell::slot_time(last) + 1) * step.millis();
            self.write.execute(sqlx::query(update).bind(end)).await?;
        }
        Ok(())
    }
}
