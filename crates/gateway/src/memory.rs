//! One budget for the bytes of requests and answers that the process holds.
//!
//! Bytes are charged as they arrive, never for what a peer only declares. The charge travels with the bytes and is
//! released when the last handle to them is dropped. The first [`FREE`] bytes of a body or an answer are not charged:
//! they are part of the cost of a connection, which `limits.connections` bounds.
//!
//! While the budget is exhausted, a body waits and its socket is not read. Bodies could wait for each other until they
//! time out. Each level therefore keeps a reserve for one body, the *last*, which runs to its end on the reserve and
//! then frees what the others wait for. Only the last body of a share may become the last of the process, so that two
//! of them cannot wait for each other.

mod buffer;

pub use buffer::{Buffer, FillError, Filled};

use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes of each body or answer that are not charged.
pub const FREE: usize = 16 << 10;
/// Bytes per unit of the semaphores, whose counts have 32 bits.
const UNIT: usize = 1 << 10;
/// Bytes that each key may take from the pool for small holders.
const SMALL: usize = 1 << 20;
/// The minimum share of the console API, in bytes: two of its largest bodies.
const CONSOLE_MIN: usize = 2 << 20;

/// The budget stayed exhausted for as long as a body may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// The memory budget for requests and answers of the process. All workers share it.
#[derive(Debug)]
pub struct MemoryBudget {
    process: Level,
    /// Bytes of the pool for small holders.
    small: usize,
    /// Bytes of the process without that pool and its reserve.
    free: usize,
    console: Arc<Level>,
    /// Bytes of one key, including its reserve.
    key_share: usize,
    /// The size of the largest request body.
    body_max: usize,
    /// How long a body waits.
    within: Duration,
    rejected: AtomicU64,
}

/// What one key holds. Empty until the key first sends or receives more than [`FREE`] bytes.
#[derive(Debug, Default)]
pub struct KeyMemory(OnceLock<Arc<Level>>);

/// Who holds the bytes.
#[derive(Clone, Copy, Debug)]
pub enum Holder<'a> {
    /// A key of the gateway.
    Key(&'a KeyMemory),
    /// All members who are signed in to the console.
    Console,
}

/// The budget as one holder sees it.
#[derive(Clone, Copy, Debug)]
pub struct MemoryOf<'a> {
    budget: &'a Arc<MemoryBudget>,
    holder: Holder<'a>,
}

/// A limit on bytes: what any body may take, and the reserve for the last body.
#[derive(Debug)]
struct Level {
    /// For small holders, so that they need not wait for large ones.
    small: Semaphore,
    free: Semaphore,
    last: Semaphore,
}

impl Level {
    fn new(small: usize, bytes: usize) -> Self {
        Self {
            small: Semaphore::new(small / UNIT),
            free: Semaphore::new(bytes / UNIT),
            last: Semaphore::new(1),
        }
    }
}

impl MemoryBudget {
    /// A budget of `total` bytes, for bodies of at most `body_max` bytes, which must not exceed `total`. A body waits
    /// up to `within` for bytes.
    pub fn new(total: usize, body_max: usize, within: Duration) -> Self {
        // A quarter: three keys at their limits leave a quarter to all others, and one key can still hold several large
        // bodies at a time.
        let key_share = (total / 4).max(body_max).min(total);
        // Members of an account send little. An eighth holds about a hundred of their largest answers.
        let console = (total / 8).max(CONSOLE_MIN).min(total);
        // An eighth of the rest. Large answers that are read slowly can hold all else for a long time, and small
        // requests of other keys still pass.
        let small = (total - key_share) / 8;
        let free = total - key_share - small;
        Self {
            process: Level::new(small, free),
            small,
            free,
            console: Arc::new(Level::new(0, console)),
            key_share,
            body_max,
            within,
            rejected: AtomicU64::new(0),
        }
    }

    /// The largest answer that is read whole, in bytes: the share of a key.
    pub fn answer_max(&self) -> usize {
        self.key_share
    }

    /// Bytes charged now. A reserve in use counts in full.
    pub fn in_use(&self) -> u64 {
        let free = self.process.free.available_permits().saturating_mul(UNIT);
        let small = self.process.small.available_permits().saturating_mul(UNIT);
        let last = if self.process.last.available_permits() == 0 { self.key_share } else { 0 };
        (self.free.saturating_sub(free) + self.small.saturating_sub(small) + last) as u64
    }

    /// The number of bodies and answers so far that did not get memory in time.
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// The budget as `holder` sees it.
    pub fn of<'a>(self: &'a Arc<Self>, holder: Holder<'a>) -> MemoryOf<'a> {
        MemoryOf { budget: self, holder }
    }
}

impl MemoryOf<'_> {
    /// Charges bytes that are already in memory, and attaches the charge to them.
    ///
    /// # Errors
    /// [`OutOfMemory`] if the budget does not have them in time. The bytes are then dropped.
    pub async fn hold(self, bytes: Bytes) -> Result<Bytes, OutOfMemory> {
        if bytes.len() <= FREE {
            return Ok(bytes);
        }
        let mut charge = self.charge();
        charge.grow(bytes.len()).await?;
        Ok(Held::together(bytes, &Arc::new(charge)))
    }

    /// The largest answer that is read whole, in bytes.
    pub(crate) fn answer_max(self) -> usize {
        self.budget.answer_max()
    }

    /// Counts a body that was given up while it waited for the budget.
    pub(crate) fn note_rejected(self) {
        self.budget.rejected.fetch_add(1, Ordering::Relaxed);
    }

    fn charge(self) -> Charge {
        let budget = self.budget;
        let share = match self.holder {
            Holder::Key(key) => key.0.get_or_init(|| {
                let free = budget.key_share.saturating_sub(budget.body_max);
                Arc::new(Level::new(SMALL, free))
            }),
            Holder::Console => &budget.console,
        };
        Charge {
            budget: Arc::clone(budget),
            share: Arc::clone(share),
            of_small: 0,
            of_share: Part::default(),
            of_process: Part::default(),
        }
    }
}

/// Bytes with their charge.
struct Held<B> {
    bytes: B,
    _charge: Arc<Charge>,
}

impl<B: AsRef<[u8]> + Send + 'static> Held<B> {
    /// The bytes, which keep the charge until their last handle is dropped.
    fn together(bytes: B, charge: &Arc<Charge>) -> Bytes {
        Bytes::from_owner(Self { bytes, _charge: Arc::clone(charge) })
    }
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Held<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

/// The charge of one body or answer. Dropping it releases all of it.
#[derive(Debug)]
struct Charge {
    budget: Arc<MemoryBudget>,
    share: Arc<Level>,
    /// Units taken from the pool for small holders.
    of_small: usize,
    of_share: Part,
    of_process: Part,
}

/// What a charge holds of one level.
#[derive(Debug, Default)]
struct Part {
    units: usize,
    /// Whether this is the last body, which takes all further bytes from the reserve.
    is_last: bool,
}

impl Part {
    fn take(&mut self, taken: Taken<'_>) {
        match taken {
            Taken::Units(permit) => {
                self.units += permit.num_permits();
                permit.forget();
            }
            Taken::Last(permit) => {
                permit.forget();
                self.is_last = true;
            }
        }
    }

    fn give_back(&mut self, level: &Level) {
        level.free.add_permits(std::mem::take(&mut self.units));
        if std::mem::take(&mut self.is_last) {
            level.last.add_permits(1);
        }
    }
}

enum Taken<'a> {
    Units(SemaphorePermit<'a>),
    Last(SemaphorePermit<'a>),
}

impl Charge {
    /// Charges `bytes` more.
    async fn grow(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).map_err(|_| OutOfMemory)?;
        if self.grow_at_once(units) {
            return Ok(());
        }
        let budget = Arc::clone(&self.budget);
        // Boxed, because it is rare, and every request would otherwise carry its size.
        let grown = tokio::time::timeout(budget.within, Box::pin(self.wait(units))).await;
        grown.map_err(|_| {
            budget.rejected.fetch_add(1, Ordering::Relaxed);
            OutOfMemory
        })
    }

    /// Takes from the pool for small holders, while the key holds little of it.
    fn grow_small(&mut self, units: u32) -> bool {
        let Ok(of_key) = self.share.small.try_acquire_many(units) else { return false };
        let Ok(of_pool) = self.budget.process.small.try_acquire_many(units) else { return false };
        of_key.forget();
        of_pool.forget();
        self.of_small += units as usize;
        true
    }

    fn grow_at_once(&mut self, units: u32) -> bool {
        if self.grow_small(units) {
            return true;
        }
        let at_once = |part: &Part, level: &'_ Level| -> Option<usize> {
            if part.is_last {
                return Some(0);
            }
            let permit = level.free.try_acquire_many(units).ok()?;
            permit.forget();
            Some(units as usize)
        };
        let Some(of_share) = at_once(&self.of_share, &self.share) else { return false };
        let Some(of_process) = at_once(&self.of_process, &self.budget.process) else {
            self.share.free.add_permits(of_share);
            return false;
        };
        self.of_share.units += of_share;
        self.of_process.units += of_process;
        true
    }

    async fn wait(&mut self, units: u32) {
        if !self.of_share.is_last {
            let taken = units_or_last(&self.share, units).await;
            self.of_share.take(taken);
        }
        if !self.of_process.is_last && !self.of_share.is_last {
            // The last body of the process must be the last of its share.
            let taken = tokio::select! {
                permit = self.budget.process.free.acquire_many(units) => Taken::Units(permit.expect(NEVER_CLOSED)),
                permit = self.share.last.acquire() => Taken::Last(permit.expect(NEVER_CLOSED)),
            };
            match taken {
                units @ Taken::Units(_) => return self.of_process.take(units),
                last @ Taken::Last(_) => self.of_share.take(last),
            }
        }
        if !self.of_process.is_last {
            let taken = units_or_last(&self.budget.process, units).await;
            self.of_process.take(taken);
        }
    }
}

/// Why acquiring a permit never fails.
const NEVER_CLOSED: &str = "no level is closed";

async fn units_or_last(level: &Level, units: u32) -> Taken<'_> {
    tokio::select! {
        biased;
        permit = level.free.acquire_many(units) => Taken::Units(permit.expect(NEVER_CLOSED)),
        permit = level.last.acquire() => Taken::Last(permit.expect(NEVER_CLOSED)),
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.share.small.add_permits(self.of_small);
        self.budget.process.small.add_permits(self.of_small);
        self.of_share.give_back(&self.share);
        self.of_process.give_back(&self.budget.process);
    }
}

#[cfg(test)]
mod tests;
