//! The connections to a database file.
//!
//! **A connection that SQLite rolled back is closed.** On a full disk, an I/O error, lack of memory or an interrupt,
//! SQLite rolls back the transaction by itself. sqlx does not notice, and its own `ROLLBACK` fails: the connection
//! counts as inside a transaction for ever, and no other transaction can begin on it. So a connection that counts as
//! inside a transaction, or is in one, never returns to its pool. The pool opens a new one at the next request, and
//! retries at the one after that if it cannot.
//!
//! **One connection stays open for as long as the database.** This keeps other connections from reading the write-ahead
//! log from its beginning. That matters after a commit whose sync failed: the file may hold all of its pages, and a
//! reader of the log would take them for committed, although the change was reported as failed.

use crate::error::{StoreError, is_unavailable};
use crate::health::WriteHealth;
use futures_util::FutureExt as _;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteQueryResult,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a statement waits for another process that writes, such as `keygate sign-in-link`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request waits for a connection before the store counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a probe write may take before it counts as failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long closing waits for connections that are in use.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that read. SQLite in WAL mode reads beside its one writer.
const READERS: u32 = 8;

/// The options for opening a database.
pub(crate) fn options(url: &str, synchronous: SqliteSynchronous) -> Result<SqliteConnectOptions, StoreError> {
    // Starts measuring the elapsed time.
    crate::time::for_deletion(0);
    Ok(SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true))
}

/// Keeps the write-ahead log in use.
#[derive(Clone, Debug)]
pub(crate) struct Anchor(Arc<Mutex<Option<SqliteConnection>>>);

impl Anchor {
    async fn open(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let mut connection = options.clone().read_only(true).connect().await?;
        // The first read opens the log.
        sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut connection).await?;
        Ok(Self(Arc::new(Mutex::new(Some(connection)))))
    }

    pub(crate) async fn close(&self) {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(connection) = connection {
            drop(connection.close().await);
        }
    }
}

/// Opens the connections of a database and brings its tables up to date.
pub(crate) async fn open(
    options: SqliteConnectOptions,
    migrator: &Migrator,
    name: &'static str,
) -> Result<(SqlitePool, Writer, Anchor), StoreError> {
    let health = WriteHealth::new(name);
    let pool = pool(Access::Write, &health).connect_with(options.clone()).await?;
    migrator.run(&pool).await?;
    let anchor = Anchor::open(&options).await?;
    let read = pool_of_readers(options, &health).await?;
    Ok((read, Writer { pool, health }, anchor))
}

async fn pool_of_readers(
    options: SqliteConnectOptions,
    health: &WriteHealth,
) -> Result<SqlitePool, StoreError> {
    Ok(pool(Access::Read, health).connect_with(options.read_only(true)).await?)
}

/// The access that the connections of a pool have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// The options of every pool.
fn pool(access: Access, health: &WriteHealth) -> SqlitePoolOptions {
    let health = health.clone();
    let options =
        SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).after_release(move |connection, _| {
            let health = health.clone();
            async move { Ok(is_usable(connection, access, &health).await) }.boxed()
        });
    match access {
        Access::Read => options.max_connections(READERS),
        // SQLite has one writer. Its connection is reopened only if it must be: on a full disk, that may fail.
        Access::Write => options.max_connections(1).idle_timeout(None).max_lifetime(None),
    }
}

/// Whether a connection is outside any transaction, according to both sqlx and SQLite.
async fn is_usable(connection: &mut SqliteConnection, access: Access, health: &WriteHealth) -> bool {
    if connection.is_in_transaction() {
        // A dropped transaction is rolled back on the connection's own thread: wait for that.
        if connection.ping().await.is_err() {
            return false;
        }
        if connection.is_in_transaction() {
            if access == Access::Write {
                health.failed(&"SQLite rolled back a transaction");
            }
            return false;
        }
    }
    // Outside a transaction, SQLite rejects the rollback. If it succeeds, this connection cannot be trusted.
    access == Access::Read || sqlx::query("ROLLBACK").execute(connection).await.is_err()
}

/// The one connection that writes. SQLite has one writer, and waiting for it here is fair and in order.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pool: SqlitePool,
    health: WriteHealth,
}

impl Writer {
    /// Begins a transaction.
    pub(crate) async fn begin_with(&self, statement: &'static str) -> Result<WriteTransaction, sqlx::Error> {
        let begun = self.pool.begin_with(statement).await;
        if let Err(error) = &begun {
            self.report(error);
        }
        Ok(WriteTransaction { tx: begun?, writer: self.clone() })
    }

    /// Runs a single write statement, which is its own transaction.
    pub(crate) async fn execute(
        &self,
        statement: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<SqliteQueryResult, sqlx::Error> {
        let mut connection = self.acquire().await?;
        self.observe(statement.execute(&mut *connection).await)
    }

    /// The connection.
    pub(crate) async fn acquire(&self) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
        let acquired = self.pool.acquire().await;
        if let Err(error) = &acquired {
            self.report(error);
        }
        acquired
    }

    /// Reports the outcome of a write that is its own transaction.
    pub(crate) fn observe<T>(&self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        match &result {
            Ok(_) => self.health.succeeded(),
            Err(error) => self.report(error),
        }
        result
    }

    /// Runs a transaction, and reports a failure that neither its beginning nor its commit reported: on a full disk, a
    /// statement of a large transaction may fail and leave the transaction open.
    pub(crate) async fn watch<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let failures = self.health.failures();
        let result = work.await;
        if let Err(StoreError::Database(error)) = &result
            && self.health.failures() == failures
        {
            self.report(error);
        }
        result
    }

    /// Runs a small write, to find out whether the database can be written.
    pub(crate) async fn probe(&self, statement: Query<'_, Sqlite, SqliteArguments>) {
        let write = async {
            let mut connection = self.pool.acquire().await?;
            statement.execute(&mut *connection).await
        };
        match tokio::time::timeout(PROBE_TIMEOUT, write).await {
            Ok(Ok(_)) => self.health.probed(),
            Ok(Err(error)) => self.report(&error),
            Err(_) => self.health.failed(&"the probe write timed out"),
        }
    }

    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    pub(crate) fn health(&self) -> &WriteHealth {
        &self.health
    }

    fn report(&self, error: &sqlx::Error) {
        if is_unavailable(error) && !matches!(error, sqlx::Error::PoolClosed) {
            self.health.failed(error);
        }
    }
}

/// A transaction that may write. If it is dropped without a commit, it is rolled back.
#[derive(Debug)]
pub(crate) struct WriteTransaction {
    tx: Transaction<'static, Sqlite>,
    writer: Writer,
}

impl WriteTransaction {
    /// Commits. If this fails, nothing of the transaction is in the database.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.writer.observe(self.tx.commit().await)
    }
}

impl Deref for WriteTransaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.tx
    }
}

impl DerefMut for WriteTransaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }
}

/// Closes all connections, but gives up on one that hangs on a failing disk.
pub(crate) async fn close(read: &SqlitePool, write: &Writer, anchor: &Anchor) {
    let close = async {
        read.close().await;
        anchor.close().await;
        // The last connection checkpoints the log into the database, which a read-only connection cannot do.
        write.pool.close().await;
    };
    if tokio::time::timeout(CLOSE_TIMEOUT, close).await.is_err() {
        tracing::warn!(database = write.health.database(), "the database did not close in time");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn opened(dir: &tempfile::TempDir) -> (SqlitePool, Writer, Anchor, std::path::PathBuf) {
        let file = dir.path().join("keygate.db");
        let options = options(&format!("sqlite:{}", file.display()), SqliteSynchronous::Full).unwrap();
        let (read, write, anchor) = open(options, &sqlx::migrate!("./migrations"), "test").await.unwrap();
        (read, write, anchor, file)
    }

    fn setting(name: &'static str) -> Query<'static, Sqlite, SqliteArguments> {
        sqlx::query("INSERT INTO settings (name, value) VALUES ($1, x'00')").bind(name)
    }

    #[tokio::test]
    async fn the_log_stays_in_use_when_every_pool_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let (read, write, anchor, file) = opened(&dir).await;
        write.execute(setting("a")).await.unwrap();
        read.close().await;
        write.acquire().await.unwrap().close().await.unwrap();
        // The last connection to a database checkpoints the log into it and deletes the log.
        let log = file.with_extension("db-wal");
        assert!(log.metadata().unwrap().len() > 0);
        write.execute(setting("b")).await.unwrap();
        close(&read, &write, &anchor).await;
        assert!(!log.exists());
    }

    #[tokio::test]
    async fn a_transaction_that_sqlx_does_not_count_does_not_return() {
        let dir = tempfile::tempdir().unwrap();
        let (_read, write, _anchor, _) = opened(&dir).await;
        let mut connection = write.acquire().await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await.unwrap();
        setting("lost").execute(&mut *connection).await.unwrap();
        drop(connection);
        let mut tx = write.begin_with("BEGIN IMMEDIATE").await.unwrap();
        setting("kept").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let names: Vec<(String,)> =
            sqlx::query_as("SELECT name FROM settings").fetch_all(write.pool()).await.unwrap();
        assert_eq!(names, [("kept".to_owned(),)]);
    }

    #[tokio::test]
    async fn a_transaction_that_is_dropped_does_not_count_as_a_failure() {
        let dir = tempfile::tempdir().unwrap();
        let (_read, write, _anchor, _) = opened(&dir).await;
        for _ in 0..20 {
            let mut tx = write.begin_with("BEGIN IMMEDIATE").await.unwrap();
            setting("dropped").execute(&mut *tx).await.unwrap();
        }
        write.execute(setting("dropped")).await.unwrap();
        assert_eq!(write.health().failures(), 0);
    }

    #[tokio::test]
    async fn a_database_that_may_only_be_read_is_unavailable() {
        let dir = tempfile::tempdir().unwrap();
        let (read, _write, _anchor, _) = opened(&dir).await;
        let error = setting("read-only").execute(&read).await.unwrap_err();
        assert!(is_unavailable(&error), "{error}");
    }
}
