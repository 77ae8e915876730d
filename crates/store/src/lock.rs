//! Lets only one process at a time serve or write a database.

use crate::error::StoreError;
use std::fs::{File, TryLockError};
use std::path::Path;

/// The exclusive right to serve or write a database. The system releases it when the process ends, in whatever way.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Takes the lock of a database, which is a file next to it. Creates the database file if it does not exist.
    pub(crate) fn take(database: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Database(sqlx::Error::Io(error));
        crate::make_private(database);
        // Links and relative paths to one file are one database, as they are for SQLite.
        let mut path = database.canonicalize().map_err(failed)?.into_os_string();
        path.push(".lock");
        crate::make_private(Path::new(&path));
        // Not truncated, though it is empty: another process may be looking at it.
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database.display().to_string())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Gives it back before the last owner is gone.
    pub(crate) fn release(&self) {
        drop(self.0.unlock());
    }
}
