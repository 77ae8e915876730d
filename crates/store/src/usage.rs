//! What was called: the log of calls, and sums over it. A database of its own beside the console's, so that neither waits
//! for the other's writes.
//!
//! The [`UsageWriter`] appends calls to the log in blocks, and folds what is new in the log into sums by minute, hour and
//! day. The mark of what is folded moves in the same transaction as the sums, so they hold each call once whenever the
//! process ends. [`UsageStore`] reads: sums for charts, the log for the list of calls.

mod aside;
mod block;
mod calls;
mod cell;
mod clean;
mod clock;
mod duration;
mod export;
mod figures;
mod fold;
mod kept;
mod lookup;
mod names;
mod query;
mod record;
mod rows;
mod size;
mod total;
mod writer;

pub use calls::CallFilter;
pub use clean::Retention;
pub use export::UsageExport;
pub use kept::SumsFrom;
pub use query::{UsageQuery, UsageScope};
pub use record::{CallCost, CallRecord, CallSubject, SubjectId};
pub use writer::UsageWriter;

use crate::database::{self, Anchor, Writer};
use crate::error::StoreError;
use crate::health::WriteHealth;
use crate::lock::Lock;
use crate::time::now_ms;
use aside::Aside;
use names::Names;
use sqlx::sqlite::SqliteSynchronous;
use sqlx::{SqliteConnection, SqlitePool};
use std::sync::Arc;

/// What was called. Cheap to clone.
#[derive(Clone, Debug)]
pub struct UsageStore {
    read: SqlitePool,
    /// One connection, shared with the writer: each waits for one short transaction of the other at most.
    write: Writer,
    anchor: Anchor,
    names: Arc<Names>,
    lock: Arc<Lock>,
    aside: Aside,
    /// The last trusted time as of when the database was opened, in Unix milliseconds.
    clock_at_open: Option<i64>,
}

impl UsageStore {
    /// Opens the database at a `sqlite:` URL, creating the file and bringing its tables up to date, and folds what was
    /// appended but not folded when it was last open. It is this process's alone until it is closed.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it open. [`StoreError::Database`] when the file cannot be opened, or was written by a newer Keygate.
    pub async fn open(url: &str) -> Result<(Self, UsageWriter), StoreError> {
        // NORMAL: what is committed outlives the process; the last moment may go with the power.
        let options = database::options(url, SqliteSynchronous::Normal)?;
        let lock = Arc::new(Lock::take(options.get_filename())?);
        let (read, write, anchor) =
            database::open(options, &sqlx::migrate!("./usage_migrations"), "usage").await?;
        let names = Arc::new(Names::load(write.pool()).await?);
        let mut writer = UsageWriter::open(write.clone(), Arc::clone(&names), Arc::clone(&lock)).await?;
        writer.fold().await?;
        let clock_at_open = clock::at_open(&write, &names).await?;
        Ok((Self { read, write, anchor, names, lock, aside: Aside::default(), clock_at_open }, writer))
    }

    /// Does what takes long with an answer, such as writing it down, where answers are made: beside the threads that serve.
    ///
    /// # Errors
    /// [`StoreError::Database`] when it panics.
    pub async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        self.aside
            .run(move || async move {
                let _turn = store.aside.turn().await?;
                Ok(work())
            })
            .await
    }

    /// Bytes of the database file.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn size(&self) -> Result<u64, StoreError> {
        let (bytes,): (i64,) =
            sqlx::query_as("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
                .fetch_one(&self.read)
                .await?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// Whether nothing was ever called.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let (has_any,): (bool,) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM usage_workspaces) OR EXISTS (SELECT 1 FROM call_blocks) \
             OR EXISTS (SELECT 1 FROM usage_rollups)",
        )
        .fetch_one(&self.read)
        .await?;
        Ok(!has_any)
    }

    /// Whether the file may grow; for tests of a full disk.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    #[doc(hidden)]
    pub async fn may_grow(&self, may: bool) -> Result<(), StoreError> {
        // A limit below what the file has is raised to that.
        let pragma = if may { "PRAGMA max_page_count = 4294967294" } else { "PRAGMA max_page_count = 1" };
        sqlx::query(pragma).execute(self.write.pool()).await?;
        Ok(())
    }

    /// Whether the database can be read.
    ///
    /// # Errors
    /// [`StoreError::Database`] when it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT folded FROM usage_state").execute(&self.read).await?;
        Ok(())
    }

    /// The write health of the database.
    pub fn write_health(&self) -> &WriteHealth {
        self.write.health()
    }

    /// Runs a small write, which updates [`UsageStore::write_health`].
    pub async fn probe_write(&self) {
        let write = sqlx::query("UPDATE usage_state SET probed_at = $1 WHERE id = 1");
        self.write.probe(write.bind(now_ms())).await;
    }

    /// Ends all connections, the writer's too; what was appended is on disk.
    pub async fn close(&self) {
        database::close(&self.read, &self.write, &self.anchor).await;
        self.lock.release();
    }
}

/// The row of `usage_state`.
#[derive(sqlx::FromRow)]
struct State {
    folded: i64,
    log_from: i64,
    page_key: Vec<u8>,
    log_bytes: i64,
    clock_at: i64,
}

impl State {
    async fn read(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let state = sqlx::query_as(
            "SELECT folded, log_from, page_key, log_bytes, clock_at FROM usage_state WHERE id = 1",
        );
        Ok(state.fetch_one(connection).await?)
    }
}
