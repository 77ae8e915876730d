//! Counts the bytes of the log, and deletes its oldest rows if they exceed the limit.

use super::{State, UsageStore, block};
use crate::error::StoreError;
use sqlx::SqliteConnection;

/// The size of a row without its calls: the row itself, its index entry, and its share of their pages. The migration
/// uses the same number.
const ROW_BYTES: i64 = 48;
/// The most rows read in one transaction, and roughly the most bytes deleted in it, so that an append never waits long.
const ROWS_MOST: i64 = 500;
const BYTES_MOST: i64 = 4 << 20;

/// The size of a row with `calls` bytes of calls.
pub(super) fn row_bytes(calls: impl TryInto<i64>) -> i64 {
    calls.try_into().unwrap_or(i64::MAX / 2) + ROW_BYTES
}

/// Records that blocks of `bytes` bytes were deleted, and that the log begins at `minute` at the earliest.
pub(super) async fn deleted(
    connection: &mut SqliteConnection,
    minute: i64,
    bytes: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE usage_state SET deleted_to = max(deleted_to, $1), log_bytes = max(log_bytes - $2, 0) WHERE id = 1",
    )
    .bind(minute)
    .bind(bytes)
    .execute(connection)
    .await?;
    Ok(())
}

impl UsageStore {
    /// The size of the log in bytes, without the last second.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn log_bytes(&self) -> Result<u64, StoreError> {
        let mut connection = self.read.acquire().await?;
        Ok(State::read(&mut connection).await?.log_bytes.unsigned_abs())
    }

    /// Deletes the oldest rows of the log, whatever their age, until it has at most `most` bytes. Works in small steps,
    /// and returns the number of deleted rows. Sums stay. The file does not shrink, but its free pages are reused.
    ///
    /// `now` is in Unix milliseconds. The future can be dropped at any time; the next call continues.
    ///
    /// # Errors
    /// [`StoreError::Database`]; rows deleted until then stay deleted.
    pub async fn clean_to_size(&self, most: u64, now: i64) -> Result<u64, StoreError> {
        self.write.watch(self.clean_all_to_size(most, now)).await
    }

    async fn clean_all_to_size(&self, most: u64, now: i64) -> Result<u64, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut total = 0;
        loop {
            let rows = self.clean_oldest(most, block::minute_of(now)).await?;
            if rows == 0 {
                break;
            }
            total += rows;
        }
        if total > 0 {
            // Readers see whole minutes: the rest of the last one is deleted, too.
            let workspaces = self.names.read().workspaces();
            for workspace in workspaces {
                total += self.clean_log(workspace).await?;
            }
        }
        Ok(total)
    }

    /// One step of [`UsageStore::clean_to_size`]: deletes in the order of writing.
    async fn clean_oldest(&self, most: i64, latest: i64) -> Result<u64, StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let state = State::read(&mut tx).await?;
        let over = state.log_bytes.saturating_sub(most).min(BYTES_MOST);
        if over <= 0 {
            return Ok(0);
        }
        let oldest: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT seq, minute, length(calls) FROM call_blocks WHERE seq <= $1 ORDER BY seq LIMIT $2",
        )
        .bind(state.folded)
        .bind(ROWS_MOST)
        .fetch_all(&mut *tx)
        .await?;
        let (mut last, mut bytes, mut begins, mut rows) = (0, 0, 0, 0);
        for (seq, minute, length) in oldest {
            if bytes >= over {
                break;
            }
            last = seq;
            rows += 1;
            bytes += row_bytes(length);
            // A request recorded while the clock was ahead must not hide current ones.
            if minute <= latest {
                begins = begins.max(minute + 1);
            }
        }
        sqlx::query("DELETE FROM call_blocks WHERE seq <= $1").bind(last).execute(&mut *tx).await?;
        // If no rows are left, the size is 0, whatever was counted.
        deleted(&mut tx, begins, if rows == 0 { i64::MAX } else { bytes }).await?;
        sqlx::query("UPDATE usage_state SET log_from = max(log_from, $1) WHERE id = 1")
            .bind(begins)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(rows)
    }
}
