//! Waiting, but not for ever.

use futures_util::future::poll_immediate;
use std::pin::pin;
use std::time::Duration;
use tokio::time::error::Elapsed;

/// What the future gives within this time. As tokio's `timeout`, but for a future that is mostly ready at once: then no
/// clock is read.
///
/// # Errors
/// [`Elapsed`] when it takes longer.
pub(crate) async fn in_time<F: Future>(within: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    match poll_immediate(future.as_mut()).await {
        Some(output) => Ok(output),
        None => tokio::time::timeout(within, future).await,
    }
}
