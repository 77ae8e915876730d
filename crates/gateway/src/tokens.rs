//! How many tokens a text will come to, before or without an upstream that says.
//!
//! No tokenizer is asked: each model has another, and reading a long prompt with one costs more than passing it on. Three
//! ASCII bytes, or one other character, count as a token. English comes to about four bytes a token and Chinese to
//! less than one token a character with the models of the catalogue, so the estimate is mostly high; what it was too
//! high by is given back when the call ends.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The field that holds who says something.
const ROLE: &str = "role";

/// The weight of a text, in thirds of a token, so that many small pieces sum to the same as one large one. In an
/// answer, a number weighs a token. Field names weigh nothing, and neither does the role, because models do not
/// generate them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight(u64);

impl Weight {
    /// A weight in thirds of a token.
    pub(crate) fn new(thirds: u64) -> Self {
        Self(thirds)
    }

    /// Tokens, rounded up.
    pub(crate) fn tokens(self) -> u64 {
        self.0.div_ceil(3)
    }

    /// Whether anything is said.
    pub(crate) fn says_something(self) -> bool {
        self.0 > 0
    }

    /// Adds another.
    pub(crate) fn add(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    fn of_text(text: &str) -> Self {
        let other = text.bytes().filter(|byte| *byte >= 0xC0).count();
        let ascii = text.bytes().filter(u8::is_ascii).count();
        Self((ascii + 3 * other) as u64)
    }
}

/// A kind of medium, determined by the field that holds it.
///
/// The cost of a medium depends on its pixels or seconds, and its size in bytes is evidence of those. Each kind has a
/// minimum for media of unknown size, and counts for more by its size, at the rate of the most compact encoding in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Medium {
    Image,
    Audio,
    Video,
    Document,
}

impl Medium {
    /// A picture of 1,024 by 1,344 pixels, at 28 by 28 pixels a token
    /// (<https://help.aliyun.com/zh/model-studio/vision>). It is the minimum of every kind.
    const FLOOR: u64 = 1_750;
    /// Any picture is scaled down to at most this, even if a call asks for high resolution.
    const IMAGE_MOST: u64 = 16_384;
    /// The extra weight of a picture, in thirds of a token, if a call raises the image resolution.
    pub(crate) const ENLARGED: u64 = 3 * (Self::IMAGE_MOST - Self::FLOOR);
    /// JPEG at fair quality takes 0.33 bytes a pixel; a token has 784 pixels.
    const IMAGE_BYTES: u64 = 256;
    /// Speech in AMR, the most compact codec that models accept, takes 594 bytes a second; a second is 25 tokens.
    const AUDIO_BYTES: u64 = 24;
    /// WAV is uncompressed: at least 8,000 bytes a second.
    const WAV_BYTES: u64 = 320;
    /// Two frames a second, up to 768 tokens per pair, at 400 kbit/s.
    const VIDEO_BYTES: u64 = 64;
    /// A document counts as text of the same length.
    const DOCUMENT_BYTES: u64 = 3;

    /// The kind for a field of this name.
    pub(crate) fn of_field(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"image_url" | b"image" | b"input_image" => Self::Image,
            b"input_audio" | b"audio" | b"audio_url" => Self::Audio,
            b"video" | b"video_url" | b"input_video" => Self::Video,
            b"file" | b"input_file" | b"file_data" | b"file_url" => Self::Document,
            _ => return None,
        })
    }

    pub(crate) fn is_image(self) -> bool {
        self == Self::Image
    }

    /// The minimum weight, in thirds of a token.
    pub(crate) fn least(self) -> u64 {
        3 * Self::FLOOR
    }

    /// The weight of base64 data, optionally after the header of a data URL, in thirds of a token.
    pub(crate) fn weight(self, base64: &[u8]) -> u64 {
        // The first bytes of WAV, "RIFF", in base64.
        let head = &base64[..base64.len().min(200)];
        let is_wav = memchr::memmem::find(head, b"UklGR").is_some();
        let bytes = base64.len() as u64 / 4 * 3;
        let tokens = match self {
            Self::Image => (bytes / Self::IMAGE_BYTES).min(Self::IMAGE_MOST),
            Self::Audio if is_wav => bytes / Self::WAV_BYTES,
            Self::Audio => bytes / Self::AUDIO_BYTES,
            Self::Video => bytes / Self::VIDEO_BYTES,
            Self::Document => bytes / Self::DOCUMENT_BYTES,
        };
        3 * tokens.max(Self::FLOOR)
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk { medium: None })
    }
}

/// Walks a JSON value and builds nothing.
#[derive(Clone, Copy)]
struct Walk {
    /// The kind of medium that a text here contains or links to, if any.
    medium: Option<Medium>,
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
        let words = Weight::of_text(text);
        Ok(match self.medium {
            // Text that is not base64 weighs as text.
            Some(medium) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Weight(medium.weight(text.as_bytes()))
            }
            Some(medium) => Weight(words.0.max(medium.least())),
            None => words,
        })
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
        while let Some(name) = fields.next_key_seed(ReadName)? {
            let medium = match name {
                Name::Role => {
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                }
                Name::Medium(medium) => Some(medium),
                // A nested object holds the medium that the object around it names.
                Name::Holder => Some(self.medium.unwrap_or(Medium::Image)),
                Name::Other => None,
            };
            sum.add(fields.next_value_seed(Walk { medium })?);
        }
        Ok(sum)
    }
}

/// A field's name, as far as it matters.
enum Name {
    Role,
    Medium(Medium),
    /// A field that can hold any kind of medium.
    Holder,
    Other,
}

struct ReadName;

impl<'de> serde::de::DeserializeSeed<'de> for ReadName {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ReadName {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(match name {
            ROLE => Name::Role,
            "url" | "data" | "b64_json" => Name::Holder,
            other => Medium::of_field(other.as_bytes()).map_or(Name::Other, Name::Medium),
        })
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
        assert_eq!(tokens(messages), (4u64 + 11).div_ceil(3), "who says it does not, in an answer");
        assert_eq!(tokens("[1, 2.5, -3, true, null]"), 3);
        assert_eq!(tokens(r#"{"properties":{"a_long_name_of_a_parameter":{}}}"#), 0);
    }

    #[test]
    fn a_medium_counts_by_what_its_bytes_can_be_at_the_least() {
        let kib = "A".repeat(1024 * 4 / 3);
        let of = |medium: Medium, kibs: usize| medium.weight(kib.repeat(kibs).as_bytes()) / 3;
        for medium in [Medium::Image, Medium::Audio, Medium::Video, Medium::Document] {
            assert_eq!(of(medium, 1), 1_750, "{medium:?}");
        }
        assert_eq!(of(Medium::Image, 1000), 3_999);
        assert_eq!(of(Medium::Image, 10_000), 16_384, "no picture comes to more");
        assert_eq!(of(Medium::Audio, 1000), 42_656);
        assert_eq!(of(Medium::Video, 1000), 15_996);
        assert_eq!(of(Medium::Document, 1000), 341_250);
        let wav = format!("data:audio/wav;base64,UklGR{}", kib.repeat(1000));
        assert!((3_190..3_210).contains(&(Medium::Audio.weight(wav.as_bytes()) / 3)));
    }

    #[test]
    fn in_an_answer_only_fields_of_media_hold_media() {
        let bytes = "A".repeat(100_000);
        assert_eq!(tokens(&format!(r#"{{"image_url":{{"url":"data:image/png;base64,{bytes}"}}}}"#)), 1_750);
        assert_eq!(tokens(&format!(r#"{{"audio":{{"data":"{bytes}"}}}}"#)), 3_125);
        assert_eq!(tokens(r#"{"image_url":"https://example.com/a.png"}"#), 1_750);
        for words in [
            format!(r#""data:image/png;base64,{bytes}""#),
            format!(r#"{{"content":"data:a;base64,{bytes}"}}"#),
            format!(r#"{{"url":"{}"}}"#, "many words ".repeat(10_000)),
            format!(r#"{{"data":"{}"}}"#, "许多字".repeat(20_000)),
        ] {
            assert!(tokens(&words) > 30_000, "{}", &words[..40]);
        }
    }

    #[test]
    fn pieces_come_to_what_the_whole_does() {
        let mut pieces = Weight::default();
        "a stream of single letters".chars().for_each(|c| pieces.add(Weight::of_text(&c.to_string())));
        assert_eq!(pieces, Weight::of_text("a stream of single letters"));
    }
}
