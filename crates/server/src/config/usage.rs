//! How long usage is kept, and where figures are told to those who operate the server.

use super::{ConfigError, bad};
use keygate_contract::UsageRetention;
use keygate_store::Retention;
use serde::Deserialize;
use std::net::SocketAddr;

/// How long usage is kept, in days, and how large the log may be. Sums by the day are kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UsageConfig {
    /// The log of single calls.
    pub log_days: u32,
    /// The maximum size of the log in bytes: past it, the oldest rows are deleted before they expire.
    pub log_bytes: u64,
    /// Sums by the minute.
    pub minute_days: u32,
    /// Sums by the hour.
    pub hour_days: u32,
}

/// 10 GiB: at 50 bytes a request, 200 million requests.
const LOG_BYTES: u64 = 10 << 30;
/// A smaller value is a mistake in the unit: a busy minute has more.
const LOG_BYTES_LEAST: u64 = 1 << 20;

impl Default for UsageConfig {
    fn default() -> Self {
        Self { log_days: 14, log_bytes: LOG_BYTES, minute_days: 30, hour_days: 400 }
    }
}

impl UsageConfig {
    /// The same, as the console is told of it.
    pub(crate) fn told(self) -> UsageRetention {
        let Self { log_days, minute_days, hour_days, .. } = self;
        UsageRetention { log_days, minute_days, hour_days }
    }

    /// The same, as the store has it.
    pub(crate) fn retention(self) -> Retention {
        Retention { log: self.log_days, minutes: self.minute_days, hours: self.hour_days }
    }
}

/// A listener for those who operate the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// Its address. Off unless told.
    pub listen: Option<SocketAddr>,
}

/// Checks what types cannot. The log is searched with the help of the sums, and finer sums are looked at within coarser
/// ones, so each is kept at least as long as what leans on it.
pub(super) fn check_usage(usage: UsageConfig) -> Result<(), ConfigError> {
    for (field, days, least, most) in [
        ("usage.log_days", usage.log_days, 1, 3_660),
        ("usage.minute_days", usage.minute_days, usage.log_days, 3_660),
        ("usage.hour_days", usage.hour_days, usage.minute_days, 36_600),
    ] {
        if !(least..=most).contains(&days) {
            return Err(bad(field, format!("give {least} to {most} days")));
        }
    }
    if usage.log_bytes < LOG_BYTES_LEAST {
        return Err(bad("usage.log_bytes", format!("give at least {LOG_BYTES_LEAST} bytes")));
    }
    Ok(())
}

/// Refuses an address that a region has.
pub(super) fn check_admin(
    admin: AdminConfig,
    mut regions: impl Iterator<Item = SocketAddr>,
) -> Result<(), ConfigError> {
    match admin.listen {
        Some(listen) if listen.port() != 0 && regions.any(|region| region == listen) => {
            Err(bad("admin.listen", format!("{listen} is a region's address; give another")))
        }
        _ => Ok(()),
    }
}
