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

/// What the wire has, in Unix milliseconds; `None` when it is not RFC 3339.
pub fn from_timestamp(text: &Timestamp) -> Option<i64> {
    text.as_str().parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_always_have_milliseconds() {
        assert_eq!(timestamp(1_795_163_400_000).as_str(), "2026-11-20T08:30:00.000Z");
        let read = |text: &str| from_timestamp(&Timestamp::from_rfc3339(text.into()));
        assert_eq!(read("2026-11-20T08:30:00.007Z"), Some(1_795_163_400_007));
        assert_eq!(read("2026-11-20T16:30:00+08:00"), Some(1_795_163_400_000));
        assert_eq!([read("tomorrow"), read("2026-11-20"), read("2026-11-20T08:30:00")], [None; 3]);
        assert_eq!(timestamp(1_795_163_400_007).as_str(), "2026-11-20T08:30:00.007Z");
    }
}
