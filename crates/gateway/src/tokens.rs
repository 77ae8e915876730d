//! How many tokens a text will come to, before or without an upstream that says.
//!
//! No tokenizer is asked: each model has another, and reading a long prompt with one costs more than passing it on. Three
//! ASCII bytes, or one other character, count as a token. English comes to about four bytes a token and Chinese to
//! less than one token a character with the models of the catalogue, so the estimate is mostly high; what it was too
//! high by is given back when the call ends.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// What an image, a recording or a video counts for, wherever it is: a picture of 1,024 by 1,344 pixels comes to this
/// at 28 by 28 pixels a token (<https://help.aliyun.com/zh/model-studio/vision>).
const MEDIUM: u64 = 1_750;
/// Fields that hold a medium, or say where it is.
const MEDIA_FIELDS: [&str; 6] = ["url", "image_url", "image", "video", "audio", "data"];
/// The field that holds who says something.
const ROLE: &str = "role";
/// What stands before a medium that is in the text itself.
const DATA_URL: &str = "data:";

/// The weight of everything a JSON value says, in thirds of a token, so that many small pieces come to the same as one
/// large. A number weighs a token. Names of fields weigh nothing in an answer, and what they say in a prompt: those of a
/// tool's parameters are read by the model, too. Nor weighs in an answer who says it, which models do not write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight(u64);

impl Weight {
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

    /// What stands where a medium does: bytes in base 64, or an address. Words that only pretend to be one weigh what
    /// they say.
    fn of_medium(text: &str) -> Self {
        let is_one = text.bytes().all(|byte| byte.is_ascii_graphic());
        let medium = 3 * MEDIUM;
        Self(if is_one { medium } else { Self::of_text(text).0.max(medium) })
    }
}

/// Whether a text is a medium wherever it stands: `data:image/png;base64,…`.
fn is_inline_medium(text: &str) -> bool {
    /// Longer types of media there are none.
    const HEAD_MAX: usize = 128;
    text.strip_prefix(DATA_URL).and_then(|rest| rest.split_once(";base64,")).is_some_and(|(kind, bytes)| {
        kind.len() <= HEAD_MAX && bytes.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

/// What is asked for with one call: the weight of it all, and how many prompts it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prompts {
    pub(crate) weight: Weight,
    /// 1 for a text or the numbers of its tokens, and one each in a list of either.
    pub(crate) count: u64,
}

/// Reads a prompt, or a list of them.
pub(crate) struct PromptSeed;

impl<'de> serde::de::DeserializeSeed<'de> for PromptSeed {
    type Value = Prompts;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Prompts, D::Error> {
        let raw: &serde_json::value::RawValue = serde::Deserialize::deserialize(deserializer)?;
        let text = raw.get();
        let fail = |error| serde::de::Error::custom(error);
        let weight = WeightOfPrompt::read(text).map_err(fail)?;
        if !text.starts_with('[') {
            return Ok(Prompts { weight, count: 1 });
        }
        let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(text).map_err(fail)?;
        let whole = items.iter().filter(|item| item.get().starts_with(['"', '[', '{'])).count();
        Ok(Prompts { weight, count: (whole as u64).max(1) })
    }
}

/// Weighs a value of a prompt.
pub(crate) struct WeightOfPrompt;

impl WeightOfPrompt {
    fn read(json: &str) -> serde_json::Result<Weight> {
        use serde::de::DeserializeSeed as _;
        Self.deserialize(&mut serde_json::Deserializer::from_str(json))
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for WeightOfPrompt {
    type Value = Weight;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Weight, D::Error> {
        deserializer.deserialize_any(Walk { is_medium: false, with_names: true })
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk { is_medium: false, with_names: false })
    }
}

/// Walks a JSON value and builds nothing.
#[derive(Clone, Copy)]
struct Walk {
    /// Whether a text here is a medium, or its address.
    is_medium: bool,
    /// Whether names of fields weigh.
    with_names: bool,
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
        let is_medium = self.is_medium || is_inline_medium(text);
        Ok(if is_medium { Weight::of_medium(text) } else { Weight::of_text(text) })
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
        while let Some(Name { is_medium, is_role, weight }) = fields.next_key_seed(ReadName)? {
            if self.with_names {
                sum.add(weight);
            } else if is_role {
                fields.next_value::<IgnoredAny>()?;
                continue;
            }
            sum.add(fields.next_value_seed(Walk { is_medium, ..self })?);
        }
        Ok(sum)
    }
}

/// A field's name, as far as it matters.
struct Name {
    is_medium: bool,
    is_role: bool,
    weight: Weight,
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
        Ok(Name {
            is_medium: MEDIA_FIELDS.contains(&name),
            is_role: name == ROLE,
            weight: Weight::of_text(name),
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
        assert_eq!(WeightOfPrompt::read(messages).unwrap().tokens(), (19u64 + 19).div_ceil(3));
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
        assert_eq!(tokens(r#""data:image/png;base64,iVBORw0KGgo=""#), MEDIUM);
    }

    #[test]
    fn words_that_pretend_to_be_a_medium_weigh_what_they_say() {
        let words = "many words ".repeat(10_000);
        for json in [
            format!(r#""data: {words}""#),
            format!(r#""data:text/plain;base64,{words}""#),
            format!(r#""data:{words};base64,AAAA""#),
            format!(r#"{{"url":"{words}"}}"#),
            format!(r#"{{"data":"{}"}}"#, "许多字".repeat(20_000)),
        ] {
            assert!(tokens(&json) > 30_000, "{}", &json[..40]);
        }
    }

    #[test]
    fn names_weigh_in_a_prompt_and_not_in_an_answer() {
        let json = r#"{"properties":{"a_long_name_of_a_parameter":{}}}"#;
        assert_eq!(tokens(json), 0);
        assert_eq!(WeightOfPrompt::read(json).unwrap().tokens(), (10u64 + 26).div_ceil(3));
    }

    #[test]
    fn a_list_of_prompts_is_as_many_as_it_has() {
        use serde::de::DeserializeSeed as _;
        let count =
            |json: &str| PromptSeed.deserialize(&mut serde_json::Deserializer::from_str(json)).unwrap().count;
        for (json, expected) in
            [(r#""a""#, 1), ("[]", 1), (r#"["a","b"]"#, 2), ("[1,2,3]", 1), ("[[1,2],[3]]", 2), ("null", 1)]
        {
            assert_eq!(count(json), expected, "{json}");
        }
    }

    #[test]
    fn pieces_come_to_what_the_whole_does() {
        let mut pieces = Weight::default();
        "a stream of single letters".chars().for_each(|c| pieces.add(Weight::of_text(&c.to_string())));
        assert_eq!(pieces, Weight::of_text("a stream of single letters"));
    }
}
