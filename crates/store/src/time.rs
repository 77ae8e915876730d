//! Time: Unix milliseconds in the store, RFC 3339 on the wire.

use keygate_contract::Timestamp;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Now, in Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time by which expired rows are deleted: the earlier of `now` and what the clock should show, if it was right
/// when the database was opened. So a clock that is briefly ahead deletes nothing that is needed once it is right
/// again.
pub(crate) fn for_deletion(now: i64) -> i64 {
    static START: OnceLock<(i64, Instant)> = OnceLock::new();
    let (start, at) = *START.get_or_init(|| (now_ms(), Instant::now()));
    now.min(start.saturating_add(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX)))
}

/// Unix milliseconds as the wire has them.
pub fn timestamp(ms: i64) -> Timestamp {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    Timestamp::from_rfc3339(time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// What the wire has, in Unix milliseconds; `None` when it is not RFC 3339, or a time that cannot be written again.
pub fn from_timestamp(text: &Timestamp) -> Option<i64> {
    // The reader below takes other forms of ISO 8601, too.
    let text = Some(text.as_str()).filter(|text| is_rfc3339(text))?;
    let ms = text.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    jiff::Timestamp::from_millisecond(ms).is_ok().then_some(ms)
}

/// Whether a text has the form of RFC 3339, section 5.6: date, `T`, time with seconds, and `Z` or an offset.
fn is_rfc3339(text: &str) -> bool {
    let is_like = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                like => byte.eq_ignore_ascii_case(&like),
            })
    };
    let Some((time, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else { return false };
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if offset.len() == fraction.len() {
                return false;
            }
            offset
        }
        None => rest,
    };
    let is_offset = is_like(offset, "Z")
        || (is_like(offset, "+00:00") || is_like(offset, "-00:00")) && &offset[1..3] < "24";
    is_like(time, "0000-00-00T00:00:00") && is_offset
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
        assert_eq!(read("2026-11-20t08:30:00.0071234z"), Some(1_795_163_400_007));
        for bad in [
            "tomorrow",
            "2026-11-20",
            "2026-11-20T08:30:00",
            "2026-11-20T08Z",
            "20261120T083000Z",
            "2026-11-20T08:30:00.Z",
            "2026-11-20T08:30:00Z[UTC]",
            "2026-11-20T08:30:00+25:00",
            "2026-11-20T08:30:00+0800",
            "2026-13-20T08:30:00Z",
            "9999-12-31T23:59:59Z",
            "",
            "ü",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let last = read("9999-12-30T22:00:00.5Z");
        assert!(last.is_none_or(|ms| timestamp(ms).as_str().starts_with("9999")), "{last:?}");
        assert_eq!(timestamp(1_795_163_400_007).as_str(), "2026-11-20T08:30:00.007Z");
    }
}
