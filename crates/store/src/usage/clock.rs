//! The last trusted time: deletion by age does not follow a clock that is far from it.

use super::calls::minutes_in_log;
use super::names::Names;
use super::{State, UsageStore};
use crate::database::Writer;
use crate::error::StoreError;

/// The time of the last round of deletion that trusted the clock or, before the first one, the end of the newest
/// request in the log. `None`: the log has nothing that could be deleted too early.
pub(super) async fn at_open(write: &Writer, names: &Names) -> Result<Option<i64>, StoreError> {
    let mut connection = write.pool().acquire().await?;
    let state = State::read(&mut connection).await?;
    if state.clock_at > 0 {
        return Ok(Some(state.clock_at));
    }
    let mut newest = None;
    let workspaces = names.read().workspaces();
    for workspace in workspaces {
        newest = newest.max(minutes_in_log(&mut connection, workspace).await?.map(|(_, newest)| newest));
    }
    Ok(newest.map(|minute| minute.saturating_mul(60_000)))
}

impl UsageStore {
    /// The last trusted time as of when the database was opened, in Unix milliseconds; `None` if there was none and the
    /// log was empty.
    pub fn known_time(&self) -> Option<i64> {
        self.clock_at_open
    }

    /// Stores a time, in Unix milliseconds, at which the clock is trusted.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn known_time_set(&self, now: i64) -> Result<(), StoreError> {
        let update = sqlx::query("UPDATE usage_state SET clock_at = $1 WHERE id = 1").bind(now);
        self.write.execute(update).await?;
        Ok(())
    }
}
