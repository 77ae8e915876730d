//! Why the store refused or failed.

use keygate_contract::ApiKeyStatus;
use thiserror::Error;

/// Why the store refused or failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Not there, or of another account.
    #[error("not found")]
    NotFound,
    /// It was changed since `version` was read.
    #[error("changed since it was read")]
    VersionConflict,
    /// Another workspace of the region has the name.
    #[error("the name is taken")]
    NameTaken,
    /// The typed name is not the workspace's.
    #[error("the typed name does not match")]
    NameMismatch,
    /// The default workspace cannot do this.
    #[error("not for the default workspace")]
    DefaultWorkspace,
    /// The key is in a state in which nothing can be made from it.
    #[error("the key is {0:?}")]
    KeyInactive(ApiKeyStatus),
    /// There are `limit` of them already.
    #[error("the quota of {scope:?} is used up")]
    Quota {
        /// What is counted.
        scope: QuotaScope,
        /// How many there may be.
        limit: u32,
    },
    /// The page token is not one that the list gave out.
    #[error("unreadable page token")]
    PageToken,
    /// The `Idempotency-Key` was used for another request.
    #[error("idempotency key of another request")]
    IdempotencyConflict,
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("migration: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// More spans than one answer holds.
    #[error("more than {most} spans")]
    TooMuch {
        /// How many it holds.
        most: usize,
    },
    /// Another process serves this database.
    #[error(
        "another process is using {0}. Two processes on one database would lose requests, count limits separately and \
         miss each other's changes; stop the other one, or give this one its own data folder"
    )]
    InUse(String),
    /// A stored value that this build cannot read.
    #[error("unreadable stored value: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Whether the same operation may succeed shortly: the database is busy, unavailable, full or closing. Nothing was
    /// changed in that case.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Database(error) if is_unavailable(error))
    }
}

/// Whether the fault is in the database, not in the statement.
pub(crate) fn is_unavailable(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed | E::Io(_) => true,
        E::Database(e) => {
            // SQLITE_BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN and PROTOCOL, with any extended
            // code: https://sqlite.org/rescode.html
            let code = e.code().and_then(|code| code.parse::<u32>().ok());
            code.is_some_and(|code| matches!(code & 0xff, 5..=10 | 13..=15))
        }
        _ => false,
    }
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaScope {
    /// Workspaces of an account in a region.
    Workspaces,
    /// Keys of a workspace.
    KeysPerWorkspace,
    /// Keys of a member in a region.
    KeysPerOwner,
    /// Keys of an account in a region.
    KeysPerRegion,
}
