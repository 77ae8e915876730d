//! Time: Unix milliseconds in the store, RFC 3339 on the wire.

use keygate_contract::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Unix milliseconds as the wire has them.
pub fn timestamp(ms: i64) -> Timestamp {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    Timestamp::from_rfc3339(time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_always_have_milliseconds() {
        assert_eq!(timestamp(1_795_163_400_000).as_str(), "2026-11-20T08:30:00.000Z");
        assert_eq!(timestamp(1_795_163_400_007).as_str(), "2026-11-20T08:30:00.007Z");
    }
}
