//! Reads JSON text once, from its first byte to its last, and can pause at any byte and continue later.
//!
//! Anybody can send a body of up to 20 MiB. serde reads it in one go, and code that walks its values has to collect
//! them or recurse. This scanner checks the same grammar byte by byte, keeps 200 bytes of state for any body, and
//! returns after the number of bytes it was asked to read, so that a long body occupies a worker for only a slice at a
//! time. Property tests check that it agrees with serde. Its [`Sink`] decides what the values mean.

#[cfg(test)]
mod tests;

use std::ops::Range;

/// The deepest nesting that is read, the same as serde's.
pub(crate) const DEPTH_MAX: usize = 127;
/// A run may read fewer than this many bytes beyond its slice: the rest of an escape.
const OVERSHOOT: usize = 16;

/// Receives each value as it ends. Positions are offsets in the text; those of strings are inside the quotes.
pub(crate) trait Sink {
    /// An object or a list begins at this byte.
    fn open(&mut self, at: usize, is_object: bool) -> Result<(), Fault>;
    /// An object or a list ends before this byte.
    fn close(&mut self, end: usize);
    /// The name of a field. `weight` is in thirds of a token.
    fn key(&mut self, at: Range<usize>, weight: u64) -> Result<(), Fault>;
    /// Whether the string that begins now is to be checked for base64.
    fn is_media(&self) -> bool;
    /// A string.
    fn text(&mut self, text: Text) -> Result<(), Fault>;
    /// A number; `is_whole`: it has neither a sign, nor a fraction, nor an exponent.
    fn number(&mut self, at: Range<usize>, is_whole: bool) -> Result<(), Fault>;
    /// `true`, `false` or `null`.
    fn literal(&mut self, at: Range<usize>) -> Result<(), Fault>;
    /// Whether to pause after the value that just ended.
    fn takes_pause(&mut self) -> bool;
}

/// A string that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// The position between the quotes; escapes are not decoded.
    pub(crate) at: Range<usize>,
    /// In thirds of a token: an ASCII character is one, a digit and any other character are three, and a character of
    /// four bytes is twelve. Tokenizers split numbers into digits, and unknown characters into bytes.
    pub(crate) weight: u64,
    /// Whether the string is base64, after the header of a data URL if it has one. Only set if [`Sink::is_media`] asked
    /// for it.
    pub(crate) is_base64: bool,
}

/// Why a text could not be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not UTF-8.
    Utf8,
    /// It is not JSON, as detected at this byte.
    Syntax(usize),
    /// It nests deeper than [`DEPTH_MAX`] at this byte.
    Depth(usize),
    /// It is valid JSON that the sink rejected.
    Shape(usize),
}

/// Where a run stopped.
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
    /// The top-level value has ended.
    Done,
}

/// The part of a number that was read last.
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

/// Whether a string is base64, as far as it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base64 {
    /// The sink did not ask.
    Unasked,
    /// So far all of it is, from this byte on.
    Holds(usize),
    Broken,
}

/// The position and state in a text.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// The text is valid UTF-8 before this byte.
    valid: usize,
    state: State,
    depth: usize,
    /// A bit for each level: whether it is an object.
    objects: u128,
    /// The same of the current level.
    in_object: bool,
    /// Where the current string or number begins.
    start: usize,
    /// State of the current string.
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
            in_object: false,
            start: 0,
            weight: 0,
            base64: Base64::Unasked,
        }
    }

    /// Reads the next `max` bytes, or slightly more.
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

    /// Reads a byte between values. Returns whether it ended a value.
    fn structure<S: Sink>(&mut self, sink: &mut S, byte: u8) -> Result<bool, Fault> {
        let at = self.at;
        let in_object = self.in_object;
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
                self.in_object = is_object;
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
        self.in_object = self.depth > 0 && self.objects >> (self.depth - 1) & 1 == 1;
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

    /// Returns whether the number ends before `until`.
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

    /// Returns whether the string ends before `until`; if so, its closing quote is read, too.
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

    /// Reads an escape, which may end beyond the slice.
    fn escape(&mut self) -> Result<(), Fault> {
        let fault = Fault::Syntax(self.at);
        let rest = &self.text[self.at + 1..];
        let (len, weight) = match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => (1, 1),
            Some(b'u') => match hex(&rest[1..]).ok_or(fault)? {
                0x30..0x3A => (5, 3),
                0..0x80 => (5, 1),
                // A high surrogate: the low one must follow.
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

    /// Checks that the text is valid UTF-8 up to `until`; returns the end of the last character before that.
    fn validate(&mut self, until: usize) -> Result<usize, Fault> {
        if until <= self.valid {
            return Ok(until);
        }
        let ahead = until.saturating_add(OVERSHOOT).min(self.text.len());
        match std::str::from_utf8(&self.text[self.valid..ahead]) {
            Ok(_) => self.valid = ahead,
            // The slice ends within a character.
            Err(error) if error.error_len().is_none() && ahead < self.text.len() => {
                self.valid += error.valid_up_to();
            }
            Err(_) => return Err(Fault::Utf8),
        }
        Ok(until.min(self.valid))
    }
}

/// The length of the data URL header before the base64; 0 if there is none.
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

/// The top bit is set in each byte that ends a run of plain text: a quote, a backslash or a control character. Bytes
/// above the first such byte may be wrong.
fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    (is_zero(quote) | is_zero(backslash) | (word.wrapping_sub(ONES * 0x20) & !word)) & TOPS
}

/// The weight of eight bytes of text ([`Text::weight`]). A byte of zero counts as ASCII.
fn weigh(word: u64) -> u64 {
    let other = word & TOPS;
    let first = other & (word << 1);
    let first_of_four = first & (word << 2) & (word << 3);
    // Below ten after the bits of '0' are removed; the sum does not carry into the next byte.
    let digit = word ^ (ONES * b'0' as u64);
    let digits = !(((digit & !TOPS) + ONES * (0x80 - 10)) | digit) & TOPS;
    // The weight of each byte, at most 12, and the sum of the eight.
    let mark = |tops: u64| tops >> 7;
    let each = ONES - mark(other) + 3 * mark(first) + 9 * mark(first_of_four) + 2 * mark(digits);
    each.wrapping_mul(ONES) >> 56
}
