//! Where calls are written down.

use keygate_gateway::ended::EndedCall;
use keygate_store::StoreError;

/// Where calls are written down.
pub(crate) trait Ledger: Send {
    /// Writes calls down: when it returns, they outlive this process. What failed may be written again, and is there once.
    fn append(&mut self, calls: &[EndedCall]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Adds up what was written since the last time.
    fn fold(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Deletes a little of what is too old at `now`, in Unix milliseconds. Whether there is more.
    fn clean(&mut self, now: i64) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Forgets everything.
pub(crate) struct Book;

impl Ledger for Book {
    async fn append(&mut self, _: &[EndedCall]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn fold(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn clean(&mut self, _: i64) -> Result<bool, StoreError> {
        Ok(false)
    }
}
