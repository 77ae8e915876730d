//! One process at a time: block numbers and names are given out in memory.

use crate::error::StoreError;
use std::fs::{File, TryLockError};
use std::path::Path;

/// The right to write the database. It goes with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock of a database by a file beside it.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Database(sqlx::Error::Io(error));
        let mut path = database.as_os_str().to_owned();
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
    pub(super) fn release(&self) {
        drop(self.0.unlock());
    }
}
