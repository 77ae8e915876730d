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
    /// Another process has this database of usage open, and one process writes it.
    #[error(
        "another process uses {0}, and calls would be lost if two wrote to it; stop the other one, or give this one a \
         data folder of its own"
    )]
    InUse(String),
    /// A stored value that this build cannot read.
    #[error("unreadable stored value: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Whether the same call may work in a moment: the database is busy, away or closing.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)) => true,
            Self::Database(sqlx::Error::Database(e)) => {
                // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN: https://sqlite.org/rescode.html
                e.code()
                    .and_then(|c| c.parse::<u32>().ok())
                    .is_some_and(|c| matches!(c & 0xff, 5 | 6 | 10 | 13 | 14))
            }
            _ => false,
        }
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
