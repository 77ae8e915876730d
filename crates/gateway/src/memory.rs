//! One budget for the bytes of requests and answers that the process holds.
//!
//! Bytes are charged as they arrive, never for what a peer only declares, and the charge travels with the bytes: it ends
//! when the last handle to them is dropped. The first [`FREE`] bytes of a body or an answer are not charged. They are
//! part of what a connection costs, and `limits.connections` bounds them.
//!
//! A body waits while the budget has nothing left, and its socket is not read meanwhile. Bodies that wait for each other
//! would wait until their time-outs, so each level keeps a reserve for one of them, the *last*: it runs to its end on
//! the reserve and then frees what the others wait for. Only the last of a share may become the last of the process, so
//! two of them cannot wait for each other.

mod buffer;

pub use buffer::{Buffer, FillError, Filled};

use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes of each body or answer that are not charged.
pub const FREE: usize = 16 << 10;
/// Bytes in a unit of the semaphores, whose counts have 32 bits.
const UNIT: usize = 1 << 10;
/// The least that the console API shares, in bytes: two of its largest bodies.
const CONSOLE_MIN: usize = 2 << 20;

/// The budget was used up for as long as a body may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// The bytes that the process may hold of requests and answers. All workers share it.
#[derive(Debug)]
pub struct MemoryBudget {
    process: Level,
    /// Bytes that the process has beside the reserve of the last.
    free: usize,
    console: Arc<Level>,
    /// Bytes of one key: its free part and its reserve.
    key_share: usize,
    /// Bytes of the largest body of a request.
    body_max: usize,
    /// How long a body waits.
    within: Duration,
    rejected: AtomicU64,
}

/// What one key holds. Empty until the key first sends or gets more than [`FREE`] bytes.
#[derive(Debug, Default)]
pub struct KeyMemory(OnceLock<Arc<Level>>);

/// Whose bytes they are.
#[derive(Clone, Copy, Debug)]
pub enum Holder<'a> {
    /// A key of the gateway.
    Key(&'a KeyMemory),
    /// Those who are signed in to the console.
    Console,
}

/// The budget as one holder sees it.
#[derive(Clone, Copy, Debug)]
pub struct MemoryOf<'a> {
    budget: &'a Arc<MemoryBudget>,
    holder: Holder<'a>,
}

/// A bound on bytes: what any body may take, and the reserve of the last.
#[derive(Debug)]
struct Level {
    free: Semaphore,
    last: Semaphore,
}

impl Level {
    fn new(bytes: usize) -> Self {
        Self { free: Semaphore::new(bytes / UNIT), last: Semaphore::new(1) }
    }
}

impl MemoryBudget {
    /// A budget of `total` bytes, for bodies of `body_max` bytes at most, which must not be more than `total`. A body
    /// waits `within` for bytes of it.
    pub fn new(total: usize, body_max: usize, within: Duration) -> Self {
        // A quarter: three keys at their bounds leave a quarter to all others, and one key with large bodies still has
        // several of them at a time.
        let key_share = (total / 4).max(body_max).min(total);
        // Members of an account send little. An eighth is some hundred of their largest answers.
        let console = (total / 8).max(CONSOLE_MIN).min(total);
        let free = total - key_share;
        Self {
            process: Level::new(free),
            free,
            console: Arc::new(Level::new(console)),
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

    /// Bytes charged now. The reserve of the last counts whole while it is taken.
    pub fn in_use(&self) -> u64 {
        let free = self.process.free.available_permits().saturating_mul(UNIT);
        let last = if self.process.last.available_permits() == 0 { self.key_share } else { 0 };
        (self.free.saturating_sub(free) + last) as u64
    }

    /// Bodies and answers so far that got nothing of the budget in time.
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// The budget as `holder` sees it.
    pub fn of<'a>(self: &'a Arc<Self>, holder: Holder<'a>) -> MemoryOf<'a> {
        MemoryOf { budget: self, holder }
    }
}

impl MemoryOf<'_> {
    /// Charges bytes that are there already, and keeps the charge with them.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the budget does not have them in time. They are dropped then.
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

    /// Counts a body that was given up while it waited.
    pub(crate) fn note_rejected(self) {
        self.budget.rejected.fetch_add(1, Ordering::Relaxed);
    }

    fn charge(self) -> Charge {
        let budget = self.budget;
        let share = match self.holder {
            Holder::Key(key) => key.0.get_or_init(|| {
                let free = budget.key_share.saturating_sub(budget.body_max);
                Arc::new(Level::new(free))
            }),
            Holder::Console => &budget.console,
        };
        Charge {
            budget: Arc::clone(budget),
            share: Arc::clone(share),
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
    /// The bytes, which keep the charge until the last handle to them is dropped.
    fn together(bytes: B, charge: &Arc<Charge>) -> Bytes {
        Bytes::from_owner(Self { bytes, _charge: Arc::clone(charge) })
    }
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Held<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

/// What is charged for one body or answer. Dropping it gives all of it back.
#[derive(Debug)]
struct Charge {
    budget: Arc<MemoryBudget>,
    share: Arc<Level>,
    of_share: Part,
    of_process: Part,
}

/// What a charge holds of a level.
#[derive(Debug, Default)]
struct Part {
    units: usize,
    /// Whether it is the last, and takes all further bytes out of the reserve.
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
    /// Charges so many bytes more.
    async fn grow(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).map_err(|_| OutOfMemory)?;
        if self.grow_at_once(units) {
            return Ok(());
        }
        let budget = Arc::clone(&self.budget);
        // Boxed: it is rare, and every request would carry room for it.
        let grown = tokio::time::timeout(budget.within, Box::pin(self.wait(units))).await;
        grown.map_err(|_| {
            budget.rejected.fetch_add(1, Ordering::Relaxed);
            OutOfMemory
        })
    }

    fn grow_at_once(&mut self, units: u32) -> bool {
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
            // The last of the process must be the last of its share.
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

/// Why a permit of a level always comes.
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
        self.of_share.give_back(&self.share);
        self.of_process.give_back(&self.budget.process);
    }
}

#[cfg(test)]
mod tests;
