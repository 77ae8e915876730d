//! How often one address may try to sign in. It bounds what a stranger can make the server write and mail, and how
//! fast a code can be guessed.

use crate::problem::Problem;
use http::StatusCode;
use keygate_contract::ErrorCode;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Attempts of one address in a window.
const ATTEMPTS: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered. When there are more, those whose window is over are forgotten, or else all.
const ADDRESSES: usize = 10_000;

/// Counts attempts by address, in fixed windows.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, (Instant, u32)>>);

impl Attempts {
    /// Counts one, or refuses it.
    pub(super) fn take(&self, address: &str) -> Result<(), Problem> {
        self.take_at(address, Instant::now()).map_err(|wait| {
            Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                ErrorCode::TooManyAttempts,
                format!(
                    "There were too many attempts to sign in from this address. Try again in {wait} seconds."
                ),
            )
            .retry_after(wait)
        })
    }

    fn take_at(&self, address: &str, now: Instant) -> Result<(), u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= ADDRESSES {
            counts.retain(|_, (start, _)| now.duration_since(*start) < WINDOW);
            if counts.len() >= ADDRESSES {
                counts.clear();
            }
        }
        let (start, count) = counts.entry(address.to_owned()).or_insert((now, 0));
        let age = now.duration_since(*start);
        if age >= WINDOW {
            (*start, *count) = (now, 0);
        } else if *count >= ATTEMPTS {
            return Err((WINDOW - age).as_secs() + 1);
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_attempts_again_after_the_window() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for _ in 0..ATTEMPTS {
            attempts.take_at("10.0.0.1", start).unwrap();
        }
        assert_eq!(attempts.take_at("10.0.0.1", start + Duration::from_secs(10)), Err(51));
        assert_eq!(attempts.take_at("10.0.0.2", start), Ok(()), "another address");
        assert_eq!(attempts.take_at("10.0.0.1", start + WINDOW), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for n in 0..3 * ADDRESSES {
            attempts.take_at(&n.to_string(), start).unwrap();
        }
        assert!(attempts.0.lock().unwrap().len() <= ADDRESSES);
    }
}
