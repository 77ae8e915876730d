//! What Keygate remembers.
//!
//! One module a resource; each holds its queries and nothing else does. Reads are methods of [`Store`]. Writes are
//! methods of [`Change`]: one transaction that also holds the audit row, the answer to repeat for an
//! `Idempotency-Key`, and the [`Event`]s that the gateway's directory applies after the commit.
//!
//! Every query is scoped by account in its `WHERE`. Parameters are bound; no text is built from input.

mod account;
mod api_key;
mod audit;
mod change;
mod directory;
mod error;
mod event;
mod grant;
mod id;
mod limit;
mod page;
mod session;
mod sign_in;
mod text;
mod time;
mod usage;
mod workspace;

pub use account::{NewAccount, Owner};
pub use api_key::{ApiKeyEdit, ApiKeyFilter, ApiKeyQuota, ApiKeyUse, NewApiKey, NewSecret};
pub use audit::{Actor, AuditRow};
pub use change::{Change, Once, Repeat};
pub use directory::DirectoryContent;
pub use error::{QuotaScope, StoreError};
pub use event::{
    ApiKeyRecord, Event, GrantedLimits, MemberRecord, ModelAccess, PreviousSecretRecord, WorkspaceRecord,
};
pub use grant::Grants;
pub use limit::{Charge, LimitWindow};
pub use page::PageRequest;
pub use session::NewSession;
pub use sign_in::{BrowserToken, CodeCheck, EmailCode, LinkCheck, NewCode, SignInSource};
pub use time::{from_timestamp, now_ms, timestamp};
pub use usage::{
    CallCost, CallFilter, CallRecord, CallSubject, Retention, SubjectId, SumsFrom, UsageExport, UsageQuery,
    UsageScope, UsageStore, UsageWriter,
};
pub use workspace::WorkspaceQuota;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::str::FromStr;
use std::time::Duration;

/// How long a statement waits for another process that writes, such as `keygate sign-in-link`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request waits for a connection before the store counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that read. SQLite in WAL mode reads beside its one writer.
const READERS: u32 = 8;

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// Any number may read.
    read: SqlitePool,
    /// Holds one connection: SQLite has one writer, and waiting for it here is fair and in order.
    write: SqlitePool,
}

impl Store {
    /// Opens the database at a `sqlite:` URL, creating the file and bringing its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file cannot be opened, or was written by a newer Keygate.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a key deleted is on disk when the answer says so, even if the power goes.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        make_private(options.get_filename());
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.clone())
            .await?;
        sqlx::migrate!("./migrations").run(&write).await?;
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { read, write })
    }

    /// Whether `value` is the check value that the store was first used with; the first one is kept.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn secret_check(&self, value: &[u8; 32]) -> Result<bool, StoreError> {
        sqlx::query(
            "INSERT INTO settings (name, value) VALUES ('secret_check', $1) ON CONFLICT (name) DO NOTHING",
        )
        .bind(value.as_slice())
        .execute(&self.write)
        .await?;
        let (kept,): (Vec<u8>,) = sqlx::query_as("SELECT value FROM settings WHERE name = 'secret_check'")
            .fetch_one(&self.write)
            .await?;
        Ok(kept == value)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Database`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.read).await?;
        Ok(())
    }

    /// Ends all connections; what was committed is on disk.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// Makes the file before SQLite does, for its owner alone; the files beside it get the same rights. One that is there
/// is left as it is, and what cannot be made is SQLite's to report.
fn make_private(file: &std::path::Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(file));
}
