//! Limits the sign-in attempts of a network. This bounds the lookups, writes and mails that a stranger can cause. The
//! limits on guessing are counted in the store.

use super::network::Network;
use crate::problem::Problem;
use http::StatusCode;
use keygate_contract::ErrorCode;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Attempts per window of one IPv4 address, IPv6 /64 or known browser.
const ATTEMPTS: u32 = 30;
/// Attempts per window of one IPv6 /48.
const SITE_ATTEMPTS: u32 = 120;
const WINDOW: Duration = Duration::from_secs(60);
/// The most counts that are kept; about 10 MB.
const COUNTS: usize = 65_536;

/// Counts attempts in fixed windows.
#[derive(Debug)]
pub(crate) struct Attempts(Mutex<Counts>);

/// Who makes the attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Subject {
    Network(Network),
    /// An IPv6 /48.
    Site(u64),
    /// A known browser, by the keyed hash of its cookie.
    Browser([u8; 32]),
}

impl Subject {
    fn most(self) -> u32 {
        match self {
            Self::Site(_) => SITE_ATTEMPTS,
            Self::Network(_) | Self::Browser(_) => ATTEMPTS,
        }
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self(Mutex::new(Counts::new(COUNTS)))
    }
}

impl Attempts {
    /// Counts an attempt from a network, or rejects it.
    pub(super) fn take(&self, network: Network) -> Result<(), Problem> {
        self.take_at(network, Instant::now()).map_err(|wait| too_many("network", wait))
    }

    /// Counts an attempt from a known browser, or rejects it.
    pub(super) fn take_of_browser(&self, token_hash: [u8; 32]) -> Result<(), Problem> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.take(Subject::Browser(token_hash), Instant::now()).map_err(|wait| too_many("browser", wait))
    }

    fn take_at(&self, network: Network, now: Instant) -> Result<(), u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let site = network.site().map(Subject::Site);
        // An attempt that one limit rejects must not count toward the other.
        for subject in site.into_iter().chain([Subject::Network(network)]) {
            counts.check(subject, now)?;
        }
        site.map_or(Ok(()), |site| counts.take(site, now))?;
        counts.take(Subject::Network(network), now)
    }
}

fn too_many(who: &str, wait: u64) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooManyAttempts,
        format!("Too many sign-in attempts from this {who}. Try again in {wait} seconds."),
    )
    .retry_after(wait)
}

/// A bounded table of counts. Expired windows are removed. If the table is full, a new count evicts the lowest one, the
/// oldest of several. So a flood of new subjects evicts itself and resets nobody near their limit.
#[derive(Debug)]
struct Counts {
    most: usize,
    /// The start and count of each window.
    windows: HashMap<Subject, (Instant, u32)>,
    by_count: BTreeSet<(u32, Instant, Subject)>,
    /// In the order in which the windows end. Entries of evicted windows are ignored.
    by_start: VecDeque<(Instant, Subject)>,
}

impl Counts {
    fn new(most: usize) -> Self {
        Self { most, windows: HashMap::new(), by_count: BTreeSet::new(), by_start: VecDeque::new() }
    }

    /// Returns the start and count of the subject's window or, if its attempts are used up, the seconds left of it.
    fn check(&mut self, subject: Subject, now: Instant) -> Result<(Instant, u32), u64> {
        self.sweep(now);
        let (start, count) = self.windows.get(&subject).copied().unwrap_or((now, 0));
        if count < subject.most() {
            return Ok((start, count));
        }
        Err(WINDOW.saturating_sub(now.saturating_duration_since(start)).as_secs() + 1)
    }

    /// Counts an attempt, or returns the seconds left of the window.
    fn take(&mut self, subject: Subject, now: Instant) -> Result<(), u64> {
        let (start, count) = self.check(subject, now)?;
        if count == 0 {
            if self.windows.len() >= self.most
                && let Some((_, _, lowest)) = self.by_count.pop_first()
            {
                self.windows.remove(&lowest);
            }
            self.by_start.push_back((start, subject));
        } else {
            self.by_count.remove(&(count, start, subject));
        }
        self.windows.insert(subject, (start, count + 1));
        self.by_count.insert((count + 1, start, subject));
        Ok(())
    }

    /// Removes expired windows.
    fn sweep(&mut self, now: Instant) {
        let windows = &self.windows;
        let is_kept = |entry: &(Instant, Subject)| windows.get(&entry.1).is_some_and(|w| w.0 == entry.0);
        if self.by_start.len() > 2 * self.most {
            self.by_start.retain(is_kept);
        }
        while let Some(&(start, subject)) = self.by_start.front() {
            if now.saturating_duration_since(start) < WINDOW {
                break;
            }
            self.by_start.pop_front();
            if let Some(&(kept, count)) = self.windows.get(&subject)
                && kept == start
            {
                self.windows.remove(&subject);
                self.by_count.remove(&(count, start, subject));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::of(address.parse().unwrap())
    }

    fn taken(attempts: &Attempts, addresses: impl Iterator<Item = String>, now: Instant) -> usize {
        addresses.filter(|address| attempts.take_at(network(address), now).is_ok()).count()
    }

    #[test]
    fn an_address_has_its_attempts_again_after_the_window() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for _ in 0..ATTEMPTS {
            attempts.take_at(network("10.0.0.1"), start).unwrap();
        }
        assert_eq!(attempts.take_at(network("10.0.0.1"), start + Duration::from_secs(10)), Err(51));
        assert_eq!(attempts.take_at(network("::ffff:10.0.0.1"), start), Err(61), "mapped is the same");
        assert_eq!(attempts.take_at(network("10.0.0.2"), start), Ok(()), "another address");
        assert_eq!(attempts.take_at(network("10.0.0.1"), start + WINDOW), Ok(()));
    }

    #[test]
    fn ipv6_counts_by_64_and_by_48() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let of_one_64 = (0..3000).map(|n| format!("2001:db8:1:2::{n:x}"));
        assert_eq!(taken(&attempts, of_one_64, now), 30);
        let of_one_48 = (0..3000).map(|n| format!("2001:db8:1:{n:x}::1"));
        assert_eq!(taken(&attempts, of_one_48, now), 120 - 30, "what was rejected did not count");
        assert_eq!(taken(&attempts, std::iter::once("2001:db8:2::1".to_owned()), now), 1, "another /48");
    }

    #[test]
    fn a_flood_of_addresses_is_bounded_and_resets_nobody() {
        let (mut counts, start) = (Counts::new(100), Instant::now());
        let subject = |n: u32| Subject::Network(Network::V4(n.into()));
        for _ in 0..ATTEMPTS {
            counts.take(subject(0), start).unwrap();
        }
        for n in 1..10_000 {
            let now = start + Duration::from_millis(u64::from(n));
            counts.take(subject(n), now).unwrap();
            assert!(counts.take(subject(0), now).is_err(), "reset after {n}");
            assert!(counts.windows.len() <= 100 && counts.by_start.len() <= 201);
            assert_eq!(counts.windows.len(), counts.by_count.len());
        }
        assert_eq!(counts.windows.len(), 100, "one makes way at a time");
        counts.take(subject(0), start + WINDOW).unwrap();
        counts.take(subject(0), start + 3 * WINDOW).unwrap();
        assert_eq!((counts.windows.len(), counts.by_count.len(), counts.by_start.len()), (1, 1, 1));
    }
}
