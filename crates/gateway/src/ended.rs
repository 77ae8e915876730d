//! Calls that have ended: what is kept of each, and where it waits to be written down.
//!
//! Each gateway has a queue of its own, which its worker fills and whoever writes records empties. A call takes a place
//! in it before anything of it is done, and its record has the place until it is written. So a queue has an end, and
//! where writing fails, calls wait and are then refused: none is answered that could not be recorded.

use crate::catalogue::{Catalogue, Cost, Rate};
use crate::directory::KeyEntry;
use crate::refusal::Refusal;
use crate::rejections::CombinedRejections;
use keygate_contract::{CallClass, CallDoor, ThrottledBy};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// A call that has ended. Nothing of what was asked or answered is in it.
#[derive(Clone, Debug)]
pub struct EndedCall {
    /// The key it came with, which names workspace and owner.
    pub key: Arc<KeyEntry>,
    /// The model's slot in the catalogue; `None`: it asked for none, or for one that the region does not have.
    pub slot: Option<usize>,
    /// The upstream it was sent to, by its place in `Upstreams::ids`; `None`: to none, or to the echo.
    pub upstream: Option<usize>,
    /// As the caller was told it. Version 7: it holds when the call began.
    pub request_id: Uuid,
    /// Unix milliseconds.
    pub ended_at: i64,
    /// The protocol.
    pub door: CallDoor,
    /// The address that was seen.
    pub address: IpAddr,
    /// The HTTP status of the answer; 499 when the caller left before there was one.
    pub status: u16,
    /// How it ended.
    pub class: CallClass,
    /// The code by which the door tells what went wrong.
    pub error_code: Option<&'static str>,
    /// The limit that refused it.
    pub throttled_by: Option<ThrottledBy>,
    /// Whether it asked for a stream.
    pub stream: bool,
    /// What it used.
    pub tokens: Tokens,
    /// What that cost.
    pub cost: Cost,
    /// From the head of the request to the end of the answer, in microseconds.
    pub latency_us: u64,
    /// Until it was sent on, in microseconds.
    pub forwarded_us: Option<u64>,
    /// Until the first word, or piece of a tool call, of a stream came, in microseconds.
    pub first_token_us: Option<u64>,
    /// How many requests it represents: more than 1 if rejections beyond a key's budget were combined. It then
    /// describes the latest of them.
    pub count: u32,
}

/// Tokens of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of the prompt.
    pub input: u64,
    /// Of the answer.
    pub output: u64,
    /// Those of the prompt that the upstream had in its cache.
    pub cached: u64,
    /// Whether they are estimates, or partly so.
    pub estimated: bool,
}

impl Tokens {
    pub(crate) fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// Records of calls. Each has its own place in memory, found while the call is under way: what is put into the queue under
/// its lock is only where that is.
pub type Records = Vec<Box<EndedCall>>;

/// The records of one gateway that wait to be written down.
#[derive(Debug)]
pub struct EndedCalls {
    waiting: Mutex<Records>,
    /// Rejections beyond their key's budget. A combined row takes one permit, however many requests it represents.
    combined: Mutex<CombinedRejections>,
    /// A place for each call under way and each record that is not written.
    places: Semaphore,
    /// How long a call waits for a place.
    within: Duration,
    /// By slot.
    rates: Box<[Rate]>,
    /// Whether the calls under way are being cut off.
    stopped: AtomicBool,
    unknown: AtomicU64,
    unrecorded: AtomicU64,
}

/// Calls under way and records not yet written, at most: some ten megabytes.
const PLACES: usize = 50_000;
/// How long a call waits for a place.
const WITHIN: Duration = Duration::from_secs(5);

impl EndedCalls {
    /// An empty queue for calls of these models.
    pub fn new(catalogue: &Catalogue) -> Self {
        Self::with_places(catalogue, PLACES, WITHIN)
    }

    /// The same with so many places, for which a call waits so long.
    pub fn with_places(catalogue: &Catalogue, places: usize, within: Duration) -> Self {
        Self {
            waiting: Mutex::default(),
            combined: Mutex::default(),
            places: Semaphore::new(places),
            within,
            rates: catalogue.rates(),
            stopped: AtomicBool::new(false),
            unknown: AtomicU64::new(0),
            unrecorded: AtomicU64::new(0),
        }
    }

    /// Takes out all records that wait. Their places stay taken until [`EndedCalls::written`].
    pub fn take(&self) -> Records {
        let mut records = Records::new();
        self.take_into(&mut records);
        records
    }

    /// The same into `records`, which must be empty, and whose memory the queue goes on with: where two take turns, none
    /// has to be found while calls are made.
    pub fn take_into(&self, records: &mut Records) {
        debug_assert!(records.is_empty(), "what is in there would come back as new");
        std::mem::swap(&mut *self.lock(), records);
        self.lock_combined().drain_into(records, self.is_stopped());
    }

    /// Gives the places of so many records to others: they are written.
    pub fn written(&self, records: usize) {
        self.places.add_permits(records);
    }

    /// How many records wait to be taken out.
    pub fn depth(&self) -> usize {
        self.lock().len() + self.lock_combined().len()
    }

    /// Requests so far whose key was not sent or is not known. They leave no record: they are nobody's.
    pub fn unknown(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    /// Calls so far that got no place and so left no record. Each was refused, or its caller left while it waited.
    pub fn unrecorded(&self) -> u64 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// Says that the calls still under way are being cut off: their callers did not leave.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Takes a place for a call, which its record keeps.
    ///
    /// # Errors
    /// [`Refusal::UsageUnavailable`] when there was none in time.
    pub(crate) async fn enter(&self) -> Result<(), Refusal> {
        match self.places.try_acquire() {
            Ok(place) => place.forget(),
            // Boxed, or every call would carry room for it.
            Err(_) => Box::pin(self.wait()).await?,
        }
        Ok(())
    }

    async fn wait(&self) -> Result<(), Refusal> {
        let unrecorded = Unrecorded(&self.unrecorded);
        let place = tokio::time::timeout(self.within, self.places.acquire()).await;
        match place {
            Ok(Ok(place)) => {
                place.forget();
                std::mem::forget(unrecorded);
                Ok(())
            }
            _ => Err(Refusal::UsageUnavailable),
        }
    }

    /// Puts a record in, whose call has a place.
    pub fn push(&self, record: Box<EndedCall>) {
        self.lock().push(record);
    }

    /// Adds the record of a request that was rejected, or abandoned, before it was forwarded. Beyond its key's budget,
    /// it is combined with others of its kind, and its permit is released.
    pub(crate) fn push_rejected(&self, record: Box<EndedCall>) {
        if record.key.rejections.spend(record.ended_at) {
            self.push(record);
        } else if self.lock_combined().add(record) {
            self.places.add_permits(1);
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn cost(&self, slot: usize, tokens: Tokens) -> Cost {
        self.rates.get(slot).map_or(Cost::Unpriced, |rate| rate.cost(tokens.input, tokens.output))
    }

    pub(crate) fn note_unknown(&self) {
        self.unknown.fetch_add(1, Ordering::Relaxed);
    }

    fn lock_combined(&self) -> MutexGuard<'_, CombinedRejections> {
        self.combined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a call that waits in vain, also when its caller leaves meanwhile.
struct Unrecorded<'a>(&'a AtomicU64);

impl Drop for Unrecorded<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
