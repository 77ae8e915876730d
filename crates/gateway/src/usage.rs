//! What an upstream says a call has used, and what its answer weighs where it does not say.

use crate::tokens::Weight;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// More than this is no number of tokens: JSON cannot tell it exactly. How many a call can have used is for
/// [`crate::belief`].
const ABSURD: u64 = 1 << 53;

/// Tokens of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) output: u64,
    /// Those of the input that the upstream had in its cache.
    pub(crate) cached: u64,
}

impl Usage {
    /// Reads a usage block, by the names of chat and completions or by those of responses. `None` for one that cannot
    /// be true: not whole numbers, negative, or absurd.
    fn read(block: &RawValue) -> Option<Self> {
        // Some upstreams write both names, for clients of both kinds.
        #[derive(Deserialize)]
        struct Block<'a> {
            prompt_tokens: Option<Count>,
            input_tokens: Option<Count>,
            completion_tokens: Option<Count>,
            output_tokens: Option<Count>,
            total_tokens: Option<Count>,
            #[serde(borrow, default)]
            prompt_tokens_details: Option<&'a RawValue>,
            #[serde(borrow, default)]
            input_tokens_details: Option<&'a RawValue>,
            #[serde(borrow, default)]
            cache_read_input_tokens: Option<&'a RawValue>,
        }
        let block: Block<'_> = serde_json::from_str(block.get()).ok()?;
        let either = |one: Option<Count>, other: Option<Count>| one.or(other).map(|count| count.0);
        let input = either(block.prompt_tokens, block.input_tokens);
        let output = either(block.completion_tokens, block.output_tokens);
        let usage = match (input, output, block.total_tokens.map(|count| count.0)) {
            // Embeddings and ranks have no output, and some upstreams say the sum alone.
            (None, None, Some(total)) => Self { input: total, ..Self::default() },
            (None, None, None) => return None,
            (input, output, total) => {
                let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
                // Some count what a model thinks in the sum alone.
                Self { input, output: output.max(total.unwrap_or(0).saturating_sub(input)), cached: 0 }
            }
        };
        let details = block.prompt_tokens_details.or(block.input_tokens_details).and_then(cached_of);
        let cached = details.or_else(|| cached(block.cache_read_input_tokens?)).unwrap_or(0);
        let usage = Self { cached: cached.min(usage.input), ..usage };
        (usage.input <= ABSURD && usage.output <= ABSURD).then_some(usage)
    }
}

/// Tokens of a prompt that were in a cache, by the details of its tokens. Details that cannot be read, or cannot be true,
/// tell nothing; what they are details of is believed all the same.
fn cached_of(details: &RawValue) -> Option<u64> {
    #[derive(Deserialize)]
    struct Details<'a> {
        #[serde(borrow, default)]
        cached_tokens: Option<&'a RawValue>,
    }
    let details: Details<'_> = serde_json::from_str(details.get()).ok()?;
    cached(details.cached_tokens?)
}

fn cached(count: &RawValue) -> Option<u64> {
    let count: Count = serde_json::from_str(count.get()).ok()?;
    (count.0 <= ABSURD).then_some(count.0)
}

/// A number of tokens: whole, if need be with a point and zeros behind it.
#[derive(Clone, Copy)]
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let whole = number.as_u64().or_else(|| {
            let float = number.as_f64().filter(|n| n.fract() == 0.0 && (0.0..=ABSURD as f64).contains(n))?;
            format!("{float:.0}").parse().ok()
        });
        whole.map(Self).ok_or_else(|| serde::de::Error::custom("not a number of tokens"))
    }
}

/// What an answer, or an event of one, tells of the call's use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// What the upstream says, if it does.
    pub(crate) usage: Option<Usage>,
    /// What its words weigh.
    pub(crate) output: Weight,
    /// Whether it says the usage and nothing else: the event that `stream_options.include_usage` adds.
    pub(crate) is_usage_only: bool,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(default)]
    choices: Option<Choices>,
    /// Of responses: what was said, in a whole answer.
    #[serde(default)]
    output: Weight,
    /// Of responses: what is said, in an event.
    #[serde(default)]
    delta: Weight,
    /// Of responses: the whole answer, in its last event.
    #[serde(borrow, default)]
    response: Option<Inner<'a>>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Weight,
    #[serde(default)]
    message: Weight,
    #[serde(default)]
    text: Weight,
}

/// Choices, of which only the sum is kept: an upstream may send millions.
#[derive(Clone, Copy)]
struct Choices {
    output: Weight,
    is_empty: bool,
}

impl<'de> Deserialize<'de> for Choices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sum;
        impl<'de> Visitor<'de> for Sum {
            type Value = Choices;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of choices")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Choices, A::Error> {
                let mut sum = Choices { output: Weight::default(), is_empty: true };
                while let Some(choice) = items.next_element::<Option<Choice>>()? {
                    sum.is_empty = false;
                    if let Some(choice) = choice {
                        sum.output.add(choice.delta);
                        sum.output.add(choice.message);
                        sum.output.add(choice.text);
                    }
                }
                Ok(sum)
            }
        }
        deserializer.deserialize_seq(Sum)
    }
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

/// Reads an answer that is not a stream. Its words are weighed only if it does not tell its usage: nearly all do, and
/// weighing costs more than the rest of reading.
///
/// # Errors
/// When it is not JSON, or of a shape that no such answer has.
pub(crate) fn read_whole(json: &[u8]) -> serde_json::Result<Told> {
    #[derive(Deserialize)]
    struct Whole<'a> {
        #[serde(borrow, default)]
        usage: Option<&'a RawValue>,
    }
    let whole: Whole<'_> = serde_json::from_slice(json)?;
    match whole.usage.and_then(Usage::read) {
        Some(usage) => Ok(Told { usage: Some(usage), ..Told::default() }),
        None => read(json),
    }
}

/// Reads one event of a stream.
///
/// # Errors
/// When it is not JSON, or of a shape that no such answer has.
pub(crate) fn read(json: &[u8]) -> serde_json::Result<Told> {
    let answer: Answer<'_> = serde_json::from_slice(json)?;
    let block = answer.usage.or(answer.response.and_then(|response| response.usage));
    let usage = block.and_then(Usage::read);
    let mut output = answer.output;
    output.add(answer.delta);
    if let Some(choices) = answer.choices {
        output.add(choices.output);
    }
    // Also when it cannot be believed: the client did not ask for the event.
    let is_usage_only = answer.usage.is_some() && answer.choices.is_some_and(|choices| choices.is_empty);
    Ok(Told { usage, output, is_usage_only })
}

/// The id by which a response, or the last event of its stream, can be referenced.
pub(crate) fn response_id(json: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow, default)]
        id: Option<Cow<'a, str>>,
    }
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow, default)]
        id: Option<Cow<'a, str>>,
        #[serde(borrow, default)]
        response: Option<Response<'a>>,
    }
    let event: Event<'_> = serde_json::from_slice(json).ok()?;
    event.response.and_then(|response| response.id).or(event.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: &str) -> Option<(u64, u64)> {
        read(json.as_bytes()).unwrap().usage.map(|u| (u.input, u.output))
    }

    #[test]
    fn usage_is_read_by_the_names_of_every_operation() {
        assert_eq!(
            usage(r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#),
            Some((3, 4))
        );
        assert_eq!(
            usage(r#"{"output":[],"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}"#),
            Some((3, 4))
        );
        assert_eq!(
            usage(
                r#"{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":4}}}"#
            ),
            Some((3, 4))
        );
        assert_eq!(usage(r#"{"data":[],"usage":{"prompt_tokens":5,"total_tokens":5}}"#), Some((5, 0)));
        assert_eq!(usage(r#"{"usage":{"total_tokens":5}}"#), Some((5, 0)));
        let both =
            r#"{"usage":{"prompt_tokens":3,"input_tokens":3,"completion_tokens":4,"output_tokens":4}}"#;
        assert_eq!(usage(both), Some((3, 4)), "by both names at once");
        assert_eq!(usage(r#"{"usage":{"prompt_tokens":3.0,"completion_tokens":4}}"#), Some((3, 4)));
        assert_eq!(usage(r#"{"choices":[null],"usage":{"prompt_tokens":3}}"#), Some((3, 0)));
        let thought = r#"{"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":17}}"#;
        assert_eq!(usage(thought), Some((3, 14)), "the sum counts, where it is more");
    }

    #[test]
    fn tokens_of_a_cache_are_read_by_every_name_and_are_no_more_than_the_prompt() {
        let cached = |block: &str| {
            read(format!(r#"{{"usage":{{"prompt_tokens":9,"completion_tokens":4{block}}}}}"#).as_bytes())
                .unwrap()
                .usage
                .map(|usage| (usage.input, usage.cached))
        };
        for (block, expected) in [
            ("", 0),
            (r#","prompt_tokens_details":{"cached_tokens":5}"#, 5),
            (r#","prompt_tokens_details":{"audio_tokens":1,"cached_tokens":5.0}"#, 5),
            (r#","input_tokens_details":{"cached_tokens":5}"#, 5),
            (r#","cache_read_input_tokens":5"#, 5),
            (r#","prompt_tokens_details":{"audio_tokens":1},"cache_read_input_tokens":5"#, 5),
            (r#","prompt_tokens_details":{"cached_tokens":10}"#, 9),
            (r#","prompt_tokens_details":{"cached_tokens":-5}"#, 0),
            (r#","prompt_tokens_details":{"cached_tokens":1e30}"#, 0),
            (r#","prompt_tokens_details":{"cached_tokens":"5"}"#, 0),
            (r#","prompt_tokens_details":"much""#, 0),
            (r#","prompt_tokens_details":null,"input_tokens_details":[]"#, 0),
            (r#","cache_read_input_tokens":null"#, 0),
        ] {
            assert_eq!(cached(block), Some((9, expected)), "{block}");
        }
    }

    #[test]
    fn usage_that_cannot_be_true_counts_as_none() {
        for block in [
            "null",
            "{}",
            "7",
            r#"{"prompt_tokens":-1,"completion_tokens":4}"#,
            r#"{"prompt_tokens":1.5}"#,
            r#"{"prompt_tokens":"3"}"#,
            r#"{"completion_tokens":1000000000000000000}"#,
            r#"{"completion_tokens":1e30}"#,
        ] {
            assert_eq!(usage(&format!(r#"{{"choices":[],"usage":{block}}}"#)), None, "{block}");
        }
    }

    #[test]
    fn the_words_of_an_answer_are_weighed_and_nothing_around_them() {
        let tokens = |json: &str| read(json.as_bytes()).unwrap().output.tokens();
        assert_eq!(
            tokens(r#"{"id":"chatcmpl-1","model":"m","choices":[{"index":0,"delta":{"content":"abc"}}]}"#),
            1
        );
        assert_eq!(tokens(r#"{"choices":[{"delta":{"reasoning_content":"abcdef","content":null}}]}"#), 2);
        assert_eq!(tokens(r#"{"choices":[{"text":"abc"},{"text":"abc"}]}"#), 2);
        assert_eq!(tokens(r#"{"type":"response.output_text.delta","delta":"abc","item_id":"msg_1"}"#), 1);
        assert_eq!(tokens(r#"{"object":"list","data":[{"embedding":[0.1,0.2]}]}"#), 0);
        assert_eq!(read(b"[1]").unwrap_or_default(), Told::default());
    }

    #[test]
    fn a_whole_answer_is_weighed_only_if_it_tells_no_usage() {
        let whole = |json: &str| read_whole(json.as_bytes()).unwrap();
        let words = r#""choices":[{"message":{"role":"assistant","content":"abcdef"}}]"#;
        let told = whole(&format!(r#"{{{words},"usage":{{"prompt_tokens":3,"completion_tokens":4}}}}"#));
        assert_eq!(told, Told { usage: Some(Usage { input: 3, output: 4, cached: 0 }), ..Told::default() });
        for usage in ["", r#","usage":null"#, r#","usage":{"prompt_tokens":-1}"#] {
            assert_eq!(whole(&format!("{{{words}{usage}}}")).output.tokens(), 2, "{usage}");
        }
    }

    #[test]
    fn only_an_event_without_choices_says_the_usage_alone() {
        let only = |json: &str| read(json.as_bytes()).unwrap().is_usage_only;
        assert!(only(r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#));
        assert!(!only(r#"{"choices":[{"delta":{}}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#));
        assert!(only(r#"{"choices":[],"usage":{"prompt_tokens":-3}}"#), "believed or not");
        assert!(!only(r#"{"choices":[],"usage":null}"#));
        assert!(!only(r#"{"response":{"usage":{"input_tokens":3}}}"#));
    }
}
