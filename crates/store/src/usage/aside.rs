//! Reading beside the threads that serve.
//!
//! Who asks may be on a thread that also serves calls, and adding up thousands of rows would hold them up. So it is done
//! on the runtime's threads for work that blocks, a few questions at once, which take turns at the processor: a long one
//! does not hold up a short one, and at most half of the processors are taken from calls.

use crate::error::StoreError;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Questions that are read at once; the others wait. Each has a connection, and an answer in memory.
const PLACES: usize = 4;
/// Bytes of rows that are added up in a turn: a few milliseconds.
const TURN_BYTES: usize = 1 << 20;

/// Where reading is done.
#[derive(Clone, Debug)]
pub(super) struct Aside {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for Aside {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            turns: Arc::new(Semaphore::new((processors / 2).max(1))),
        }
    }
}

impl Aside {
    /// Does the work on another thread. It ends early when nobody waits for it any more.
    pub(super) async fn run<T, F>(&self, work: impl FnOnce() -> F + Send + 'static) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>>,
    {
        let place = acquire(&self.places).await?;
        let (mut tell, told) = oneshot::channel();
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || {
            let done = runtime.block_on(async {
                tokio::select! {
                    done = work() => Some(done),
                    () = tell.closed() => None,
                }
            });
            // Before the answer: who has it may ask the next question at once.
            drop(place);
            if let Some(done) = done {
                drop(tell.send(done));
            }
        });
        told.await.unwrap_or(Err(crashed()))
    }

    /// The right to use the processor for a while.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, StoreError> {
        Ok(Turn { aside: self, _permit: acquire(&self.turns).await?, bytes: 0 })
    }
}

/// A turn at the processor.
pub(super) struct Turn<'a> {
    aside: &'a Aside,
    _permit: OwnedSemaphorePermit,
    bytes: usize,
}

impl Turn<'_> {
    /// So many bytes were added up: those who wait go first, when it was much.
    pub(super) async fn used(mut self, bytes: usize) -> Result<Self, StoreError> {
        self.bytes += bytes;
        if self.bytes < TURN_BYTES {
            return Ok(self);
        }
        let aside = self.aside;
        drop(self);
        aside.turn().await
    }
}

async fn acquire(semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, StoreError> {
    Arc::clone(semaphore).acquire_owned().await.map_err(|_| crashed())
}

fn crashed() -> StoreError {
    StoreError::Database(sqlx::Error::WorkerCrashed)
}
