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
mod database;
mod directory;
mod error;
mod event;
mod grant;
mod health;
mod id;
mod limit;
mod lock;
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
pub use health::{WriteHealth, failure_log_is_due};
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

use database::{Anchor, Writer};
use lock::Lock;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteSynchronous;
use std::sync::Arc;

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// Any number may read.
    read: SqlitePool,
    write: Writer,
    anchor: Anchor,
    /// Held while this process serves the store.
    lock: Option<Arc<Lock>>,
}

impl Store {
    /// Opens the database at a `sqlite:` URL, even while another process serves it. Creates the file and brings its
    /// tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file cannot be opened, or was written by a newer Keygate.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        // FULL: a key deleted is on disk when the answer says so, even if the power goes.
        let options = database::options(url, SqliteSynchronous::Full)?;
        make_private(options.get_filename());
        let (read, write, anchor) =
            database::open(options, &sqlx::migrate!("./migrations"), "keygate").await?;
        Ok(Self { read, write, anchor, lock: None })
    }

    /// Opens the database to serve it. No other process can serve it until this one closes it: each would count limits
    /// separately, and would not know which keys the other deletes.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process serves it, or as [`Store::open`].
    pub async fn open_to_serve(url: &str) -> Result<Self, StoreError> {
        let options = database::options(url, SqliteSynchronous::Full)?;
        let lock = Lock::take(options.get_filename())?;
        Ok(Self { lock: Some(Arc::new(lock)), ..Self::open(url).await? })
    }

    /// Whether `value` is the check value that the store was first used with; the first one is kept.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn secret_check(&self, value: &[u8; 32]) -> Result<bool, StoreError> {
        let insert = sqlx::query(
            "INSERT INTO settings (name, value) VALUES ('secret_check', $1) ON CONFLICT (name) DO NOTHING",
        );
        self.write.execute(insert.bind(value.as_slice())).await?;
        let (kept,): (Vec<u8>,) = sqlx::query_as("SELECT value FROM settings WHERE name = 'secret_check'")
            .fetch_one(self.write.pool())
            .await?;
        Ok(kept == value)
    }

    /// Whether the database can be read.
    ///
    /// # Errors
    /// [`StoreError::Database`] when it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT count(*) FROM settings").execute(&self.read).await?;
        Ok(())
    }

    /// The write health of the database.
    pub fn write_health(&self) -> &WriteHealth {
        self.write.health()
    }

    /// Runs a small write, which updates [`Store::write_health`].
    pub async fn probe_write(&self) {
        let write = sqlx::query(
            "INSERT INTO settings (name, value) VALUES ('write_probe', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        self.write.probe(write.bind(now_ms().to_be_bytes().to_vec())).await;
    }

    /// Ends all connections; what was committed is on disk.
    pub async fn close(&self) {
        database::close(&self.read, &self.write, &self.anchor).await;
        if let Some(lock) = &self.lock {
            lock.release();
        }
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
