//! How calls of one minute are written into a block: about 50 bytes a call.

use super::record::{CallCost, CallRecord, LoggedCall};
use super::writer::Subject;
use crate::error::StoreError;
use keygate_contract::{CallClass, CallDoor, ThrottledBy};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

/// The first byte of a block: how the rest is to be read.
const FORMAT: u8 = 2;
/// The previous format, in which no record has [`COMBINED`].
const FORMAT_1: u8 = 1;
/// The most of an error code that is kept.
const ERROR_CODE_MOST: usize = 64;

const STREAM: u8 = 1;
const ESTIMATED: u8 = 2;
/// Followed by the number of requests that the record represents.
const COMBINED: u8 = 4;

/// A call as it is written. Fields are only ever added in another format.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    /// Milliseconds since the minute began.
    ended: u16,
    request_id: [u8; 16],
    api_key: u32,
    member: u32,
    model: u32,
    door: CallDoor,
    class: CallClass,
    status: u16,
    flags: u8,
    #[serde(borrow)]
    error_code: Option<&'a str>,
    throttled_by: Option<ThrottledBy>,
    tokens: (u64, u64, u64),
    latency_us: u64,
    forwarded_us: Option<u64>,
    first_token_us: Option<u64>,
    address: IpAddr,
    cost: WrittenCost,
}

#[derive(Serialize, Deserialize)]
enum WrittenCost {
    None,
    Unpriced,
    Priced([u8; 3], u64),
}

/// The minute that a Unix time in milliseconds belongs to. Times that no clock tells are moved to where the slots of the
/// sums begin or end.
pub(super) fn minute_of(ms: i64) -> i64 {
    ms.div_euclid(60_000).clamp(0, i64::from(u32::MAX))
}

fn flag(is_set: bool, bit: u8) -> u8 {
    if is_set { bit } else { 0 }
}

/// The text, cut where it is too long.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(ERROR_CODE_MOST)]
}

/// The block of calls that ended in the same minute.
pub(super) fn write(calls: &[(Subject, &CallRecord)]) -> Result<Vec<u8>, StoreError> {
    let mut block = Vec::with_capacity(1 + calls.len() * 64);
    block.push(FORMAT);
    for (subject, record) in calls {
        let written = Written {
            ended: u16::try_from(record.ended_at.rem_euclid(60_000)).unwrap_or_default(),
            request_id: record.request_id,
            api_key: subject.api_key,
            member: subject.member,
            model: subject.model,
            door: record.door,
            class: record.class,
            status: record.status,
            flags: flag(record.stream, STREAM)
                | flag(record.estimated, ESTIMATED)
                | flag(record.count > 1, COMBINED),
            error_code: record.error_code.as_deref().map(cut),
            throttled_by: record.throttled_by,
            tokens: (record.input_tokens, record.output_tokens, record.cached_tokens),
            latency_us: record.latency_us,
            forwarded_us: record.forwarded_us,
            first_token_us: record.first_token_us,
            address: record.address,
            cost: match record.cost {
                CallCost::None => WrittenCost::None,
                CallCost::Unpriced => WrittenCost::Unpriced,
                CallCost::Priced { currency, pico } => WrittenCost::Priced(currency, pico),
            },
        };
        let unwritable = |e: postcard::Error| StoreError::Corrupt(e.to_string());
        block = postcard::to_extend(&written, block).map_err(unwritable)?;
        if record.count > 1 {
            block = postcard::to_extend(&record.count, block).map_err(unwritable)?;
        }
    }
    Ok(block)
}

/// The calls of a block of `minute`, in the order they were written.
pub(super) fn read(minute: i64, block: &[u8]) -> Result<Vec<LoggedCall>, StoreError> {
    let corrupt = || StoreError::Corrupt(format!("calls of minute {minute}"));
    let (FORMAT | FORMAT_1, mut rest) =
        block.split_first().map(|(f, rest)| (*f, rest)).ok_or_else(corrupt)?
    else {
        return Err(corrupt());
    };
    let mut calls = Vec::with_capacity(rest.len() / 48);
    while !rest.is_empty() {
        let (written, after) = postcard::take_from_bytes::<Written<'_>>(rest).map_err(|_| corrupt())?;
        rest = after;
        let count = if written.flags & COMBINED == 0 {
            1
        } else {
            let (count, after) = postcard::take_from_bytes(rest).map_err(|_| corrupt())?;
            rest = after;
            count
        };
        calls.push(written.call(minute, count));
    }
    Ok(calls)
}

impl Written<'_> {
    fn call(self, minute: i64, count: u32) -> LoggedCall {
        LoggedCall {
            api_key: self.api_key,
            member: self.member,
            model: self.model,
            record: CallRecord {
                request_id: self.request_id,
                ended_at: minute * 60_000 + i64::from(self.ended),
                door: self.door,
                status: self.status,
                class: self.class,
                error_code: self.error_code.map(|code| Cow::Owned(code.to_owned())),
                throttled_by: self.throttled_by,
                stream: self.flags & STREAM != 0,
                input_tokens: self.tokens.0,
                output_tokens: self.tokens.1,
                cached_tokens: self.tokens.2,
                estimated: self.flags & ESTIMATED != 0,
                latency_us: self.latency_us,
                forwarded_us: self.forwarded_us,
                first_token_us: self.first_token_us,
                address: self.address,
                cost: match self.cost {
                    WrittenCost::None => CallCost::None,
                    WrittenCost::Unpriced => CallCost::Unpriced,
                    WrittenCost::Priced(currency, pico) => CallCost::Priced { currency, pico },
                },
                count,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(count: u32) -> CallRecord {
        CallRecord {
            request_id: [7; 16],
            ended_at: 60_000,
            door: CallDoor::Openai,
            status: 401,
            class: CallClass::ClientError,
            error_code: Some("invalid_api_key".into()),
            throttled_by: None,
            stream: false,
            input_tokens: 0,
            output_tokens: 0,
            cached_tokens: 0,
            estimated: false,
            latency_us: 9,
            forwarded_us: None,
            first_token_us: None,
            address: [192, 0, 2, 7].into(),
            cost: CallCost::None,
            count,
        }
    }

    fn block(counts: &[u32]) -> Vec<u8> {
        let subject = Subject { workspace: 1, api_key: 2, member: 3, model: 0 };
        let records: Vec<CallRecord> = counts.iter().map(|count| record(*count)).collect();
        write(&records.iter().map(|record| (subject, record)).collect::<Vec<_>>()).unwrap()
    }

    fn counts(block: &[u8]) -> Vec<u32> {
        read(1, block).unwrap().into_iter().map(|call| call.record.count).collect()
    }

    #[test]
    fn a_record_says_how_many_requests_it_stands_for() {
        assert_eq!(counts(&block(&[1, 60_000, 2, 1, u32::MAX])), [1, 60_000, 2, 1, u32::MAX]);
    }

    #[test]
    fn blocks_of_the_format_before_can_still_be_read() {
        let mut block = block(&[1, 1]);
        block[0] = FORMAT_1;
        assert_eq!(counts(&block), [1, 1]);
        block[0] = 3;
        assert!(read(1, &block).is_err());
    }
}
