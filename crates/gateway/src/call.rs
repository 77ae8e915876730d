//! What the gateway reads of a call's body, in one pass, and what it changes in it before it is passed on.

use crate::refusal::Refusal;
use crate::tokens::{PromptSeed, Prompts, Weight, WeightOfPrompt};
use bytes::Bytes;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// The most that a call may ask for of anything counted: what 32 bits hold, with a sign. No model comes near.
const COUNT_MAX: u64 = i32::MAX as u64;

/// What is called, and how.
#[derive(Debug)]
pub(crate) struct CallBody<'a> {
    /// The model as the body names it.
    pub(crate) model: Cow<'a, str>,
    /// Whether a stream is asked for.
    pub(crate) stream: bool,
    /// What the prompt weighs: all of the body that is not one of the fields read here.
    pub(crate) prompt: Weight,
    /// The most tokens of an answer that the call asks for, if it says.
    pub(crate) max_tokens: Option<u64>,
    /// How many answers to each prompt it asks for, those among them that it does not want to see.
    pub(crate) answers: u64,
    /// How many prompts there are: `prompt` of completions and `input` of embeddings may be lists.
    pub(crate) prompts: u64,
    /// Whether the client itself asks a stream for its usage.
    pub(crate) wants_usage: bool,
    model_at: Range<usize>,
    /// Where the value of `stream_options` stands, if there is one, and what it is.
    stream_options: Option<(Range<usize>, &'a str)>,
}

/// The fields as they stand. Each may stand once: of two, the upstream might take the other.
#[derive(Default)]
struct Fields<'a> {
    model: Option<&'a RawValue>,
    stream: Option<&'a RawValue>,
    stream_options: Option<&'a RawValue>,
    max_tokens: Option<&'a RawValue>,
    max_completion_tokens: Option<&'a RawValue>,
    max_output_tokens: Option<&'a RawValue>,
    n: Option<&'a RawValue>,
    best_of: Option<&'a RawValue>,
    background: Option<&'a RawValue>,
    prompt: Weight,
    prompts: u64,
}

/// Names that are read here and that a parser which ignores case, as Go's does, would take in place of the right ones.
fn is_another_spelling(name: &str) -> bool {
    const READ: [&str; 9] = [
        "model",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "n",
        "best_of",
        "background",
    ];
    let is_plain = name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    // To such a parser the long s is an s; lowering turns the sign of kelvin into a k.
    !is_plain && READ.contains(&name.replace('\u{17f}', "s").to_lowercase().as_str())
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Fields::default();
                while let Some(BorrowedText(name)) = map.next_key()? {
                    let (field, name) = match name.as_ref() {
                        "model" => (&mut fields.model, "model"),
                        "stream" => (&mut fields.stream, "stream"),
                        "stream_options" => (&mut fields.stream_options, "stream_options"),
                        "max_tokens" => (&mut fields.max_tokens, "max_tokens"),
                        "max_completion_tokens" => {
                            (&mut fields.max_completion_tokens, "max_completion_tokens")
                        }
                        "max_output_tokens" => (&mut fields.max_output_tokens, "max_output_tokens"),
                        "n" => (&mut fields.n, "n"),
                        "best_of" => (&mut fields.best_of, "best_of"),
                        "background" => (&mut fields.background, "background"),
                        "prompt" | "input" => {
                            let Prompts { weight, count } = map.next_value_seed(PromptSeed)?;
                            fields.prompt.add(weight);
                            fields.prompts = fields.prompts.max(count);
                            continue;
                        }
                        other if is_another_spelling(other) => {
                            return Err(A::Error::custom("another spelling"));
                        }
                        _ => {
                            fields.prompt.add(map.next_value_seed(WeightOfPrompt)?);
                            continue;
                        }
                    };
                    if field.replace(map.next_value()?).is_some() {
                        return Err(A::Error::duplicate_field(name));
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Read)
    }
}

/// A string that is copied only when it holds escapes.
#[derive(Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> CallBody<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`Refusal::BadBody`] or [`Refusal::ModelMissing`].
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).map_err(|_| Refusal::BadBody {
            message: "The body is not UTF-8. Send JSON.".into(),
            param: None,
        })?;
        let fields: Fields<'a> = serde_json::from_str(text).map_err(|e| bad_json(&e))?;
        // A raw value is a slice of `text`, so its distance from the start is its place.
        let place = |raw: &str| {
            let start = raw.as_ptr() as usize - text.as_ptr() as usize;
            start..start + raw.len()
        };
        let raw = fields.model.ok_or(Refusal::ModelMissing)?;
        let model: Option<BorrowedText<'a>> = value("model", "a string", raw)?;
        let model = model.map(|text| text.0).filter(|name| !name.is_empty()).ok_or(Refusal::ModelMissing)?;
        let options: Option<StreamOptions> = match fields.stream_options {
            // A list would be read by the order of its items.
            Some(raw) if raw.get().starts_with('[') => return Err(wrong("stream_options", "an object")),
            Some(raw) => value("stream_options", "an object", raw)?,
            None => None,
        };
        if let Some(raw) = fields.background
            && value("background", "true or false", raw)?.unwrap_or(false)
        {
            // It would go on after its answer, where nothing counts it.
            return Err(wrong("background", "false: calls that go on in the background are not served"));
        }
        let counted = [
            ("max_completion_tokens", fields.max_completion_tokens),
            ("max_tokens", fields.max_tokens),
            ("max_output_tokens", fields.max_output_tokens),
        ];
        let mut max_tokens = None;
        for (name, raw) in counted {
            // Of several the largest is reserved: which of them the upstream goes by is not known.
            max_tokens = max_tokens.max(count(name, raw, 0)?);
        }
        Ok(Self {
            model,
            stream: match fields.stream {
                Some(raw) => value("stream", "true or false", raw)?.unwrap_or(false),
                None => false,
            },
            prompt: fields.prompt,
            max_tokens,
            answers: count("n", fields.n, 1)?.max(count("best_of", fields.best_of, 1)?).unwrap_or(1),
            prompts: fields.prompts.max(1),
            wants_usage: options.is_some_and(|options| options.include_usage == Some(true)),
            model_at: place(raw.get()),
            stream_options: fields.stream_options.map(|raw| (place(raw.get()), raw.get())),
        })
    }

    /// The body as the upstream gets it: with its own name of the model, if that is another, and asking for the usage
    /// of a stream.
    pub(crate) fn rewritten(&self, body: &Bytes, model: Option<&str>, ask_for_usage: bool) -> Bytes {
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        if let Some(name) = model {
            edits.push((self.model_at.clone(), serde_json::Value::from(name).to_string()));
        }
        if ask_for_usage {
            edits.push(self.ask_for_usage(body));
        }
        if edits.is_empty() {
            return body.clone();
        }
        edits.sort_by_key(|(range, _)| range.start);
        let mut changed =
            Vec::with_capacity(body.len() + edits.iter().map(|(_, new)| new.len()).sum::<usize>());
        let mut from = 0;
        for (range, new) in edits {
            changed.extend_from_slice(&body[from..range.start]);
            changed.extend_from_slice(new.as_bytes());
            from = range.end;
        }
        changed.extend_from_slice(&body[from..]);
        changed.into()
    }

    fn ask_for_usage(&self, body: &Bytes) -> (Range<usize>, String) {
        match &self.stream_options {
            Some((range, options)) => {
                // Other options stay as they are; `null` becomes an object.
                let mut options: serde_json::Map<_, _> = serde_json::from_str(options).unwrap_or_default();
                options.insert("include_usage".into(), true.into());
                (range.clone(), serde_json::Value::from(options).to_string())
            }
            None => {
                let start = body.iter().position(|b| *b == b'{').map_or(0, |brace| brace + 1);
                (start..start, r#""stream_options":{"include_usage":true},"#.to_owned())
            }
        }
    }
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// A field's value; `None` for null.
fn value<'a, T: de::Deserialize<'a>>(
    name: &str,
    expected: &str,
    raw: &'a RawValue,
) -> Result<Option<T>, Refusal> {
    serde_json::from_str(raw.get()).map_err(|_| wrong(name, expected))
}

/// A field that counts something; `None` when it is null or not there.
fn count(name: &str, raw: Option<&RawValue>, least: u64) -> Result<Option<u64>, Refusal> {
    let Some(raw) = raw else { return Ok(None) };
    let expected = || format!("a whole number from {least} to {COUNT_MAX}");
    let number: Option<u64> = value(name, &expected(), raw)?;
    match number {
        Some(number) if !(least..=COUNT_MAX).contains(&number) => Err(wrong(name, &expected())),
        number => Ok(number),
    }
}

fn wrong(name: &str, expected: &str) -> Refusal {
    Refusal::BadBody { message: format!("The field `{name}` must be {expected}."), param: Some(name.into()) }
}

/// What is wrong with a body, without quoting it.
fn bad_json(error: &serde_json::Error) -> Refusal {
    let place = format!("line {}, column {}", error.line(), error.column());
    let message = if error.is_data() {
        format!(
            "The body must be a JSON object in which no field stands twice or in another spelling; see {place}."
        )
    } else {
        format!("The body is not valid JSON, at {place}.")
    };
    Refusal::BadBody { message, param: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<CallBody<'_>, Refusal> {
        CallBody::parse(body.as_bytes())
    }

    fn param(body: &str) -> Option<String> {
        match parse(body) {
            Err(Refusal::BadBody { param, .. }) => param,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn the_model_is_found_wherever_it_stands() {
        let text = r#"{"messages":[{"model":"no"}], "stream":true, "model" : "qwen\u002dplus" ,"x":1}"#;
        let call = parse(text).unwrap();
        assert_eq!((call.model.as_ref(), call.stream), ("qwen-plus", true));
        let body = Bytes::from_static(text.as_bytes());
        assert_eq!(
            call.rewritten(&body, Some("up\"stream"), false),
            r#"{"messages":[{"model":"no"}], "stream":true, "model" : "up\"stream" ,"x":1}"#
        );
        assert_eq!(call.rewritten(&body, None, false), body);
    }

    #[test]
    fn a_stream_is_asked_for_its_usage_and_nothing_else_changes() {
        for (text, expected) in [
            (
                r#" {"model":"a","stream":true}"#,
                r#" {"stream_options":{"include_usage":true},"model":"b","stream":true}"#,
            ),
            (
                r#"{"stream_options":null,"model":"a"}"#,
                r#"{"stream_options":{"include_usage":true},"model":"b"}"#,
            ),
            (
                r#"{"model":"a","stream_options":{"include_usage":false,"x":[1]}}"#,
                r#"{"model":"b","stream_options":{"include_usage":true,"x":[1]}}"#,
            ),
        ] {
            let call = parse(text).unwrap();
            assert!(!call.wants_usage);
            assert_eq!(call.rewritten(&Bytes::from_static(text.as_bytes()), Some("b"), true), expected);
        }
        assert!(parse(r#"{"model":"a","stream_options":{"include_usage":true}}"#).unwrap().wants_usage);
    }

    #[test]
    fn a_body_that_two_parsers_could_read_differently_is_refused() {
        for body in [
            r#"{"model":"a","model":"b"}"#,
            r#"{"model":"a","stream":true,"stream":false}"#,
            r#"{"model":"a","max_tokens":1,"max_tokens":2}"#,
            r#"{"model":"a","max_tokens":1,"max\u005ftokens":2}"#,
            r#"{"model":"a","Model":"b"}"#,
            r#"{"model":"a","MAX_TOKENS":9}"#,
            r#"{"model":"a","\u017ftream":true}"#,
            r#"{"model":"a","max_to\u212aens":9}"#,
        ] {
            assert_eq!(param(body), None, "{body}");
        }
    }

    #[test]
    fn bodies_without_a_model_or_without_json_are_told_apart() {
        for body in ["{}", r#"{"model":""}"#, r#"{"model":null}"#] {
            assert_eq!(parse(body).unwrap_err(), Refusal::ModelMissing, "{body}");
        }
        for body in ["", "[", "[]", "\"x\"", "{\"model\":", "null"] {
            assert_eq!(param(body), None, "{body}");
        }
        assert_eq!(param(r#"{"model":7}"#).as_deref(), Some("model"));
        assert_eq!(param(r#"{"model":"a","stream":"yes"}"#).as_deref(), Some("stream"));
        assert_eq!(param(r#"{"model":"a","stream_options":[true]}"#).as_deref(), Some("stream_options"));
        assert_eq!(param(r#"{"model":"a","background":true}"#).as_deref(), Some("background"));
        assert!(parse(r#"{"model":"a","background":false,"Messages":[]}"#).is_ok());
        assert!(matches!(CallBody::parse(b"\xff{}"), Err(Refusal::BadBody { .. })));
    }

    #[test]
    fn what_is_counted_must_be_a_whole_number_that_can_be() {
        for value in ["-1", "1.5", "1e12", "1000000000000", "\"5\"", "[]", "true"] {
            for name in ["max_tokens", "max_completion_tokens", "max_output_tokens", "n"] {
                assert_eq!(
                    param(&format!(r#"{{"model":"a","{name}":{value}}}"#)).as_deref(),
                    Some(name),
                    "{value}"
                );
            }
        }
        assert_eq!(param(r#"{"model":"a","n":0}"#).as_deref(), Some("n"));
        let call = parse(r#"{"model":"a","max_tokens":5,"max_completion_tokens":7,"n":2}"#).unwrap();
        assert_eq!((call.max_tokens, call.answers), (Some(7), 2));
        assert_eq!(parse(r#"{"model":"a","n":2,"best_of":5}"#).unwrap().answers, 5);
        let call = parse(r#"{"model":"a","max_tokens":null,"n":null}"#).unwrap();
        assert_eq!((call.max_tokens, call.answers), (None, 1));
    }

    #[test]
    fn the_prompt_is_weighed_without_what_only_steers() {
        let weigh = |body: &str| parse(body).unwrap().prompt.tokens();
        let messages = r#""messages":[{"role":"user","content":"Hello there"}]"#;
        assert_eq!(weigh(&format!(r#"{{"model":"a",{messages}}}"#)), 9);
        assert_eq!(weigh(&format!(r#"{{"model":"a","max_tokens":9,"stream":true,{messages}}}"#)), 9);
    }
}
