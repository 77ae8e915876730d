//! How many tokens a text will come to, before or without an upstream that says.
//!
//! No tokenizer is asked: each model has another, and reading a long prompt with one costs more than passing it on. Three
//! ASCII bytes, or one other character, count as a token. English comes to about four bytes a token and Chinese to
//! less than one token a character with the models of the catalogue, so the estimate is mostly high; what it was too
//! high by is given back when the call ends.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// What an image, a recording or a video counts for, wherever it is: a picture of 1,024 by 1,344 pixels comes to this
/// at 28 by 28 pixels a token (<https://help.aliyun.com/zh/model-studio/vision>).
const MEDIUM: u64 = 1_750;
/// Fields that hold a medium, or say where it is.
const MEDIA_FIELDS: [&str; 6] = ["url", "image_url", "image", "video", "audio", "data"];
/// What stands before a medium that is in the text itself.
const DATA_URL: &str = "data:";

/// The weight of everything a JSON value says, in thirds of a token, so that many small pieces come to the same as one
/// large. Names of fields weigh nothing, a number weighs a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight(u64);

impl Weight {
    /// Tokens, rounded up.
    pub(crate) fn tokens(self) -> u64 {
        self.0.div_ceil(3)
    }

    /// Adds another.
    pub(crate) fn add(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    fn of_text(text: &str) -> Self {
        if text.starts_with(DATA_URL) {
            return Self::of_medium();
        }
        let other = text.bytes().filter(|byte| *byte >= 0xC0).count();
        let ascii = text.bytes().filter(u8::is_ascii).count();
        Self((ascii + 3 * other) as u64)
    }

    fn of_medium() -> Self {
        Self(3 * MEDIUM)
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk { is_medium: false })
    }
}

/// Walks a JSON value and builds nothing.
#[derive(Clone, Copy)]
struct Walk {
    /// Whether a text here is a medium, or its address.
    is_medium: bool,
}

impl<'de> serde::de::DeserializeSeed<'de> for Walk {
    type Value = Weight;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Weight, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = Weight;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Weight, E> {
        Ok(if self.is_medium { Weight::of_medium() } else { Weight::of_text(text) })
    }

    fn visit_unit<E>(self) -> Result<Weight, E> {
        Ok(Weight::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Weight, E> {
        Ok(Weight::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Weight, E> {
        Ok(Weight(3))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Weight, E> {
        Ok(Weight(3))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Weight, E> {
        Ok(Weight(3))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Weight, A::Error> {
        let mut sum = Weight::default();
        while let Some(weight) = items.next_element_seed(self)? {
            sum.add(weight);
        }
        Ok(sum)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Weight, A::Error> {
        let mut sum = Weight::default();
        while let Some(is_medium) = fields.next_key_seed(IsMedium)? {
            sum.add(fields.next_value_seed(Walk { is_medium })?);
        }
        Ok(sum)
    }
}

/// Reads a field's name only to see whether a medium is in it.
struct IsMedium;

impl<'de> serde::de::DeserializeSeed<'de> for IsMedium {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsMedium {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(MEDIA_FIELDS.contains(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(json: &str) -> u64 {
        serde_json::from_str::<Weight>(json).unwrap().tokens()
    }

    #[test]
    fn a_text_comes_to_about_its_tokens_and_rather_to_more() {
        assert_eq!(tokens(r#""""#), 0);
        assert_eq!(tokens(r#""Hi""#), 1);
        // 44 bytes of English are 9 or 10 tokens.
        assert_eq!(tokens(r#""The quick brown fox jumps over the lazy dog.""#), 15);
        assert_eq!(tokens(r#""你好，世界""#), 5);
        assert_eq!(tokens(r#""\u4f60\u597d""#), 2, "escaped or not");
        assert_eq!(tokens(r#""🙂🙂""#), 2);
    }

    #[test]
    fn everything_said_counts_wherever_it_stands() {
        let messages = r#"[{"role":"user","content":[{"type":"text","text":"Hello there"}]}]"#;
        assert_eq!(tokens(messages), (4u64 + 4 + 11).div_ceil(3));
        assert_eq!(tokens("[1, 2.5, -3, true, null]"), 3);
    }

    #[test]
    fn a_medium_counts_the_same_however_long_its_bytes_are() {
        let inline = format!(r#"{{"image_url":{{"url":"data:image/png;base64,{}"}}}}"#, "A".repeat(100_000));
        assert_eq!(tokens(&inline), MEDIUM);
        assert_eq!(tokens(r#"{"image_url":{"url":"https://example.com/a.png"}}"#), MEDIUM);
        assert_eq!(tokens(r#"{"image_url":"https://example.com/a.png"}"#), MEDIUM);
        let audio = format!(r#"{{"input_audio":{{"data":"{}","format":"wav"}}}}"#, "A".repeat(100_000));
        assert_eq!(tokens(&audio), MEDIUM + 1);
        assert_eq!(tokens(r#""data:text/plain,x""#), MEDIUM);
    }

    #[test]
    fn pieces_come_to_what_the_whole_does() {
        let mut pieces = Weight::default();
        "a stream of single letters".chars().for_each(|c| pieces.add(Weight::of_text(&c.to_string())));
        assert_eq!(pieces, Weight::of_text("a stream of single letters"));
    }
}
