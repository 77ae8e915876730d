//! Reads JSON text once, from its first byte to its last, and can stop at any byte and go on later.
//!
//! A body is up to 20 MiB that anybody may send. serde reads it in one go, and whoever walks its values collects or
//! recurses. This scanner checks the same grammar byte by byte, keeps 200 bytes of state whatever the body is, and
//! returns after as many bytes as it is given, so that a long body holds a worker only for a slice at a time. Property
//! tests hold it to serde's verdict. What the values mean is for its [`Sink`].

#[cfg(test)]
mod tests;

use std::ops::Range;

/// Levels of nesting that are read: as many as serde reads.
pub(crate) const DEPTH_MAX: usize = 127;
/// Fewer bytes than this may be read beyond the slice that was asked for: the rest of an escape.
const OVERSHOOT: usize = 16;

/// What is told of each value as it ends. Positions are in the text; those of strings are inside the quotes.
pub(crate) trait Sink {
    /// An object or a list begins at this byte.
    fn open(&mut self, at: usize, is_object: bool) -> Result<(), Fault>;
    /// It ends before this byte.
    fn close(&mut self, end: usize);
    /// The name of a field. `weight` is in thirds of a token.
    fn key(&mut self, at: Range<usize>, weight: u64) -> Result<(), Fault>;
    /// Whether the string that begins now is to be checked for base 64.
    fn is_media(&self) -> bool;
    /// A string.
    fn text(&mut self, text: Text) -> Result<(), Fault>;
    /// A number; `is_whole`: it has neither a sign, nor a fraction, nor an exponent.
    fn number(&mut self, at: Range<usize>, is_whole: bool) -> Result<(), Fault>;
    /// `true`, `false` or `null`.
    fn literal(&mut self, at: Range<usize>) -> Result<(), Fault>;
    /// Whether to stop behind the value that just ended.
    fn takes_pause(&mut self) -> bool;
}

/// A string that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Between the quotes, as it is written.
    pub(crate) at: Range<usize>,
    /// In thirds of a token: an ASCII character is one, a digit and any other character are three, and a character of
    /// four bytes is twelve. Tokenizers split numbers into digits, and what they do not know into bytes.
    pub(crate) weight: u64,
    /// Only of a string that [`Sink::is_media`] asked about: whether it is base 64, behind the head of a data URL if it has one.
    pub(crate) is_base64: bool,
}

/// Why a text is not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not UTF-8.
    Utf8,
    /// It is not JSON, as is seen at this byte.
    Syntax(usize),
    /// It nests deeper than [`DEPTH_MAX`] at this byte.
    Depth(usize),
    /// It is JSON, and not what the sink reads.
    Shape(usize),
}

/// Where a run has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// At the end of its slice.
    More,
    /// Where the sink paused.
    Paused,
    /// At the end of the text.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value begins.
    Value,
    /// A value begins, or the list ends.
    FirstItem,
    /// A name begins, or the object ends.
    FirstKey,
    Key,
    Colon,
    /// A value has ended.
    After,
    /// In a string.
    Text {
        is_key: bool,
    },
    Number(Number),
    /// The one value has ended.
    Done,
}

/// What a number has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl Number {
    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Zero | Self::Whole, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::ExponentSign,
            (Self::Exponent | Self::ExponentSign | Self::ExponentDigits, b'0'..=b'9') => Self::ExponentDigits,
            _ => return None,
        })
    }

    fn is_complete(self) -> bool {
        matches!(self, Self::Zero | Self::Whole | Self::Fraction | Self::ExponentDigits)
    }
}

/// Base 64 in a string, as far as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base64 {
    /// Not asked.
    Unasked,
    /// So far all is, from this byte on.
    Holds(usize),
    Broken,
}

/// Where a text is being read.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// Before this byte it is UTF-8.
    valid: usize,
    state: State,
    depth: usize,
    /// A bit for each level: whether it is an object.
    objects: u128,
    /// Where the string or number begins that is being read.
    start: usize,
    /// Of the string that is being read.
    weight: u64,
    base64: Base64,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            valid: 0,
            state: State::Value,
            depth: 0,
            objects: 0,
            start: 0,
            weight: 0,
            base64: Base64::Unasked,
        }
    }

    /// Reads the next `max` bytes, or some more.
    ///
    /// # Errors
    /// [`Fault`], after which it must not be called again.
    pub(crate) fn run<S: Sink>(&mut self, sink: &mut S, max: usize) -> Result<Progress, Fault> {
        let until = self.validate(self.at.saturating_add(max).min(self.text.len()))?;
        while self.at < until {
            match self.state {
                State::Text { is_key } => {
                    if !self.read_text(until)? {
                        break;
                    }
                    let at = self.start..self.at - 1;
                    if is_key {
                        self.state = State::Colon;
                        sink.key(at, self.weight)?;
                        continue;
                    }
                    let is_base64 = matches!(self.base64, Base64::Holds(_));
                    sink.text(Text { at, weight: self.weight, is_base64 })?;
                    self.end_value();
                }
                State::Number(number) => {
                    if !self.read_number(number, until)? {
                        break;
                    }
                    self.end_number(sink)?;
                }
                _ => {
                    let byte = self.text[self.at];
                    if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                        self.at += 1;
                        continue;
                    }
                    if !self.structure(sink, byte)? {
                        continue;
                    }
                }
            }
            if sink.takes_pause() {
                return Ok(Progress::Paused);
            }
        }
        if self.at < self.text.len() {
            return Ok(Progress::More);
        }
        if let (State::Number(number), 0) = (self.state, self.depth)
            && number.is_complete()
        {
            self.end_number(sink)?;
        }
        if self.state == State::Done { Ok(Progress::Done) } else { Err(Fault::Syntax(self.at)) }
    }

    /// Reads a byte between values. Whether a value has ended with it.
    fn structure<S: Sink>(&mut self, sink: &mut S, byte: u8) -> Result<bool, Fault> {
        let at = self.at;
        let in_object = self.depth > 0 && self.objects >> (self.depth - 1) & 1 == 1;
        match (self.state, byte) {
            (State::Value | State::FirstItem, b'"') => {
                self.begin_text(false, sink.is_media());
            }
            (State::FirstKey | State::Key, b'"') => self.begin_text(true, false),
            (State::Value | State::FirstItem, b'{' | b'[') => {
                let is_object = byte == b'{';
                if self.depth == DEPTH_MAX {
                    return Err(Fault::Depth(at));
                }
                let bit = 1 << self.depth;
                self.objects = if is_object { self.objects | bit } else { self.objects & !bit };
                self.depth += 1;
                self.state = if is_object { State::FirstKey } else { State::FirstItem };
                self.at += 1;
                sink.open(at, is_object)?;
            }
            (State::Value | State::FirstItem, b'-' | b'0'..=b'9') => {
                self.start = at;
                self.at += 1;
                self.state = State::Number(match byte {
                    b'-' => Number::Minus,
                    b'0' => Number::Zero,
                    _ => Number::Whole,
                });
            }
            (State::Value | State::FirstItem, b't' | b'f' | b'n') => {
                let rest = &self.text[at..];
                let word: &[u8] = [&b"true"[..], b"false", b"null"]
                    .into_iter()
                    .find(|word| rest.starts_with(word))
                    .ok_or(Fault::Syntax(at))?;
                self.at += word.len();
                sink.literal(at..self.at)?;
                self.end_value();
                return Ok(true);
            }
            (State::FirstKey | State::After, b'}') if in_object => return Ok(self.close(sink)),
            (State::FirstItem | State::After, b']') if !in_object && self.depth > 0 => {
                return Ok(self.close(sink));
            }
            (State::After, b',') => {
                self.at += 1;
                self.state = if in_object { State::Key } else { State::Value };
            }
            (State::Colon, b':') => {
                self.at += 1;
                self.state = State::Value;
            }
            _ => return Err(Fault::Syntax(at)),
        }
        Ok(false)
    }

    fn close<S: Sink>(&mut self, sink: &mut S) -> bool {
        self.at += 1;
        self.depth -= 1;
        sink.close(self.at);
        self.end_value();
        true
    }

    fn end_value(&mut self) {
        self.state = if self.depth == 0 { State::Done } else { State::After };
    }

    fn end_number<S: Sink>(&mut self, sink: &mut S) -> Result<(), Fault> {
        let State::Number(number) = self.state else { return Ok(()) };
        let is_whole = matches!(number, Number::Zero | Number::Whole) && self.text[self.start] != b'-';
        sink.number(self.start..self.at, is_whole)?;
        self.end_value();
        Ok(())
    }

    /// Whether the number ends before `until`.
    fn read_number(&mut self, mut number: Number, until: usize) -> Result<bool, Fault> {
        while self.at < until {
            match number.after(self.text[self.at]) {
                Some(next) => number = next,
                None if number.is_complete() => {
                    self.state = State::Number(number);
                    return Ok(true);
                }
                None => return Err(Fault::Syntax(self.at)),
            }
            self.at += 1;
        }
        self.state = State::Number(number);
        Ok(false)
    }

    fn begin_text(&mut self, is_key: bool, is_media: bool) {
        self.at += 1;
        self.start = self.at;
        self.weight = 0;
        self.state = State::Text { is_key };
        self.base64 = if is_media {
            Base64::Holds(self.at + data_url_head(&self.text[self.at..]))
        } else {
            Base64::Unasked
        };
    }

    /// Whether the string ends before `until`; then the quote at its end is read, too.
    fn read_text(&mut self, until: usize) -> Result<bool, Fault> {
        loop {
            let from = self.at;
            let mut weight = self.weight;
            let mut at = from;
            while at + 8 <= until {
                let word = word(&self.text[at..]);
                let special = special(word);
                if special != 0 {
                    let count = special.trailing_zeros() / 8;
                    weight += weigh(word & ((1u64 << (8 * count)) - 1)) - u64::from(8 - count);
                    at += count as usize;
                    break;
                }
                weight += weigh(word);
                at += 8;
            }
            while at < until && !matches!(self.text[at], b'"' | b'\\' | 0..0x20) {
                weight += match self.text[at] {
                    b'0'..=b'9' => 3,
                    0x80..0xC0 => 0,
                    0xC0..0xF0 => 3,
                    0xF0.. => 12,
                    _ => 1,
                };
                at += 1;
            }
            (self.at, self.weight) = (at, weight);
            self.check_base64(from, at);
            if at >= until {
                return Ok(false);
            }
            match self.text[at] {
                b'"' => {
                    self.at += 1;
                    return Ok(true);
                }
                b'\\' => self.escape()?,
                _ => return Err(Fault::Syntax(at)),
            }
        }
    }

    /// Reads an escape, which may end behind the slice.
    fn escape(&mut self) -> Result<(), Fault> {
        let fault = Fault::Syntax(self.at);
        let rest = &self.text[self.at + 1..];
        let (len, weight) = match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => (1, 1),
            Some(b'u') => match hex(&rest[1..]).ok_or(fault)? {
                0x30..0x3A => (5, 3),
                0..0x80 => (5, 1),
                // Half of a character: the other half must follow.
                0xD800..0xDC00 => {
                    let second = rest[5..].strip_prefix(b"\\u").and_then(hex);
                    second.filter(|unit| (0xDC00..0xE000).contains(unit)).ok_or(fault)?;
                    (11, 12)
                }
                0xDC00..0xE000 => return Err(fault),
                _ => (5, 3),
            },
            _ => return Err(fault),
        };
        if let Base64::Holds(from) = self.base64
            && self.at >= from
            && rest[0] != b'/'
        {
            self.base64 = Base64::Broken;
        }
        self.at += 1 + len;
        self.weight += weight;
        Ok(())
    }

    fn check_base64(&mut self, from: usize, to: usize) {
        if let Base64::Holds(begin) = self.base64
            && begin.max(from) < to
            && !self.text[begin.max(from)..to].iter().fold(true, |all, byte| all & is_base64(*byte))
        {
            self.base64 = Base64::Broken;
        }
    }

    /// Checks that the text is UTF-8 up to `until`; returns the end of the last character before that.
    fn validate(&mut self, until: usize) -> Result<usize, Fault> {
        if until <= self.valid {
            return Ok(until);
        }
        let ahead = until.saturating_add(OVERSHOOT).min(self.text.len());
        match std::str::from_utf8(&self.text[self.valid..ahead]) {
            Ok(_) => self.valid = ahead,
            // A character is cut by the end of the slice.
            Err(error) if error.error_len().is_none() && ahead < self.text.len() => {
                self.valid += error.valid_up_to();
            }
            Err(_) => return Err(Fault::Utf8),
        }
        Ok(until.min(self.valid))
    }
}

/// The bytes of what stands before the base 64 of a data URL; 0 if there is no such head.
fn data_url_head(text: &[u8]) -> usize {
    /// Longer types of media there are none.
    const HEAD_MAX: usize = 160;
    const MARK: &[u8] = b";base64,";
    let head = &text[..text.len().min(HEAD_MAX)];
    let head = &head[..memchr::memchr2(b'"', b' ', head).unwrap_or(head.len())];
    if !head.starts_with(b"data:") {
        return 0;
    }
    memchr::memmem::find(head, MARK).map_or(0, |at| at + MARK.len())
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

fn hex(text: &[u8]) -> Option<u32> {
    text.get(..4)?.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().expect("it has eight bytes"))
}

/// A top bit for each byte that ends a run of plain text: quote, backslash or control character. Bytes above the first
/// such may be wrong.
fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    (is_zero(quote) | is_zero(backslash) | (word.wrapping_sub(ONES * 0x20) & !word)) & TOPS
}

/// What eight bytes of text weigh ([`Text::weight`]). A byte of zero counts as ASCII.
fn weigh(word: u64) -> u64 {
    let other = word & TOPS;
    let first = other & (word << 1);
    let first_of_four = first & (word << 2) & (word << 3);
    // Below ten, once the bits of '0' are taken off; the sum does not reach the next byte.
    let digit = word ^ (ONES * b'0' as u64);
    let digits = !(((digit & !TOPS) + ONES * (0x80 - 10)) | digit) & TOPS;
    // What each byte weighs, at most 12, and the sum of the eight.
    let mark = |tops: u64| tops >> 7;
    let each = ONES - mark(other) + 3 * mark(first) + 9 * mark(first_of_four) + 2 * mark(digits);
    each.wrapping_mul(ONES) >> 56
}
