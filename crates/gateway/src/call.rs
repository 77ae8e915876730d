//! What the gateway reads of a call's body, in one pass, and what it changes in it before it is passed on.

mod reading;
#[cfg(test)]
mod tests;

use reading::References;

use crate::door::Call;
use crate::refusal::Refusal;
use crate::scan::{Fault, Progress, Scanner};
use crate::tokens::Weight;
use bytes::Bytes;
use reading::Reading;
use serde::{Deserialize, de};
use std::borrow::Cow;
use std::ops::Range;

/// The most that a call may ask for of anything counted: what 32 bits hold, with a sign. No model comes near.
const COUNT_MAX: u64 = i32::MAX as u64;
/// Bytes of a body that are read before the worker's other requests get a turn: well below a millisecond.
const SLICE: usize = 128 << 10;
/// The longest model name that is looked up, in bytes: ids have at most 128 characters.
const MODEL_MAX: usize = 1024;
/// The longest value of a field that controls the call, in bytes: such a value is read in one go.
const FIELD_MAX: usize = 8 << 10;

/// What is called, and how.
#[derive(Debug)]
pub(crate) struct CallBody<'a> {
    body: &'a [u8],
    /// Whether a stream is asked for.
    pub(crate) stream: bool,
    /// What the prompt weighs: all of the body that is not one of the fields read here.
    pub(crate) prompt: Weight,
    /// The output limits that the request sets, for the names that its operation has.
    limits: [Option<u64>; 3],
    /// The thinking budget, which comes on top of them; 0 if it is missing or unreadable.
    pub(crate) thinking: u64,
    /// How many answers to each prompt it asks for, those among them that it does not want to see.
    pub(crate) answers: u64,
    /// How many prompts there are: `prompt` of completions and `input` of embeddings may be lists.
    pub(crate) prompts: u64,
    /// Whether the prompt contains media.
    pub(crate) has_media: bool,
    /// Whether the client itself asks a stream for its usage.
    pub(crate) wants_usage: bool,
    references: References,
    /// The earlier response that this request continues.
    previous: Option<Range<usize>>,
    model_at: Range<usize>,
    /// The position of the value of `stream_options`, if any.
    stream_options: Option<Range<usize>>,
}

/// The names of output limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum OutputLimit {
    /// For chat and completions.
    MaxTokens,
    /// For chat.
    MaxCompletionTokens,
    /// For responses.
    MaxOutputTokens,
}

impl OutputLimit {
    /// All names.
    pub const ALL: [Self; 3] = [Self::MaxTokens, Self::MaxCompletionTokens, Self::MaxOutputTokens];

    /// Whether the operation has this limit. A limit of another operation has no effect.
    fn is_of(self, call: Call) -> bool {
        match call {
            Call::ChatCompletions => matches!(self, Self::MaxTokens | Self::MaxCompletionTokens),
            Call::Completions => self == Self::MaxTokens,
            Call::Responses => self == Self::MaxOutputTokens,
            Call::Embeddings => false,
        }
    }

    fn field(self) -> Field {
        match self {
            Self::MaxTokens => Field::MaxTokens,
            Self::MaxCompletionTokens => Field::MaxCompletionTokens,
            Self::MaxOutputTokens => Field::MaxOutputTokens,
        }
    }
}

/// A field that controls the call. Duplicates are rejected, because the upstream might use the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
enum Field {
    Model,
    Stream,
    StreamOptions,
    MaxTokens,
    MaxCompletionTokens,
    MaxOutputTokens,
    N,
    BestOf,
    Background,
    PreviousResponseId,
    Conversation,
    ThinkingBudget,
}

impl Field {
    const COUNT: usize = 12;
    const NAMES: [(&'static str, Self); Self::COUNT] = [
        ("model", Self::Model),
        ("stream", Self::Stream),
        ("stream_options", Self::StreamOptions),
        ("max_tokens", Self::MaxTokens),
        ("max_completion_tokens", Self::MaxCompletionTokens),
        ("max_output_tokens", Self::MaxOutputTokens),
        ("n", Self::N),
        ("best_of", Self::BestOf),
        ("background", Self::Background),
        ("previous_response_id", Self::PreviousResponseId),
        ("conversation", Self::Conversation),
        ("thinking_budget", Self::ThinkingBudget),
    ];

    fn of(name: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, field)| *field)
    }

    fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// Whether a case-insensitive parser, such as Go's, would read the name as one of these fields.
    fn is_another_spelling(name: &[u8]) -> bool {
        /// No field name is longer than this, even if each of its letters takes three bytes.
        const LONGEST: usize = 64;
        let is_plain = name.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        if is_plain || name.len() > LONGEST {
            return false;
        }
        // To such a parser the long s is an s; lowering turns the sign of kelvin into a k.
        let lowered = String::from_utf8_lossy(name).replace('\u{17f}', "s").to_lowercase();
        Self::of(lowered.as_bytes()).is_some()
    }
}

/// Reads a body.
#[derive(Debug)]
pub(crate) struct BodyReader<'a> {
    scanner: Scanner<'a>,
    reading: Reading<'a>,
    body: &'a [u8],
    call: Call,
}

impl<'a> BodyReader<'a> {
    pub(crate) fn new(body: &'a [u8], call: Call) -> Self {
        Self { scanner: Scanner::new(body), reading: Reading::new(body, call), body, call }
    }

    /// Reads up to the model's name and no further, so that a caller who may not call the model causes no more work. A
    /// name that is too long for any model is truncated.
    ///
    /// # Errors
    /// [`Refusal::BadBody`] or [`Refusal::ModelMissing`].
    pub(crate) async fn model(&mut self) -> Result<Cow<'a, str>, Refusal> {
        while self.reading.fields[Field::Model as usize].is_none() {
            match self.advance(SLICE)? {
                Progress::More => tokio::task::yield_now().await,
                Progress::Paused => {}
                Progress::Done => return Err(Refusal::ModelMissing),
            }
        }
        self.named()
    }

    /// Reads the rest.
    ///
    /// # Errors
    /// See [`BodyReader::model`].
    pub(crate) async fn rest(&mut self) -> Result<CallBody<'a>, Refusal> {
        loop {
            match self.advance(SLICE)? {
                Progress::More => tokio::task::yield_now().await,
                Progress::Paused => {}
                Progress::Done => return self.read(),
            }
        }
    }

    fn advance(&mut self, slice: usize) -> Result<Progress, Refusal> {
        self.scanner.run(&mut self.reading, slice).map_err(|fault| bad_json(self.body, fault))
    }

    fn named(&self) -> Result<Cow<'a, str>, Refusal> {
        let raw = self.raw(Field::Model).ok_or(Refusal::ModelMissing)?;
        if raw.len() > FIELD_MAX && raw.starts_with(b"\"") {
            return Ok(String::from_utf8_lossy(&raw[1..=MODEL_MAX]).into_owned().into());
        }
        let name: Option<BorrowedText<'a>> = value(Field::Model, "a string", raw)?;
        let name = name.map(|text| text.0).filter(|name| !name.is_empty()).ok_or(Refusal::ModelMissing)?;
        if name.len() > MODEL_MAX {
            return Ok(String::from_utf8_lossy(&name.as_bytes()[..MODEL_MAX]).into_owned().into());
        }
        Ok(name)
    }

    fn raw(&self, field: Field) -> Option<&'a [u8]> {
        self.reading.fields[field as usize].clone().map(|at| &self.body[at])
    }

    fn flag(&self, field: Field) -> Result<bool, Refusal> {
        match self.raw(field) {
            Some(raw) => Ok(value(field, "true or false", raw)?.unwrap_or(false)),
            None => Ok(false),
        }
    }

    fn read(&mut self) -> Result<CallBody<'a>, Refusal> {
        let options: Option<StreamOptions> = match self.raw(Field::StreamOptions) {
            // A list would be read by the order of its items.
            Some(raw) if raw.starts_with(b"[") => return Err(wrong(Field::StreamOptions, "an object")),
            Some(raw) => value(Field::StreamOptions, "an object", raw)?,
            None => None,
        };
        if self.flag(Field::Background)? {
            // It would go on after its answer, where nothing counts it.
            let expected = "false: background requests are not supported";
            return Err(wrong(Field::Background, expected));
        }
        let mut limits = [None; 3];
        for name in OutputLimit::ALL {
            let counted = count(name.field(), self.raw(name.field()), 0)?;
            limits[name as usize] = counted.filter(|_| name.is_of(self.call));
        }
        let n = count(Field::N, self.raw(Field::N), 1)?;
        let answers = n.max(count(Field::BestOf, self.raw(Field::BestOf), 1)?).unwrap_or(1);
        let previous = self.stored(Field::PreviousResponseId)?;
        if let Some(conversation) = self.stored(Field::Conversation)? {
            self.reading.references.add(conversation);
        }
        let thinking =
            self.raw(Field::ThinkingBudget).map(|raw| value::<u64>(Field::ThinkingBudget, "", raw));
        let fields = &self.reading.fields;
        Ok(CallBody {
            body: self.body,
            stream: self.flag(Field::Stream)?,
            prompt: Weight::new(self.reading.weight()),
            limits,
            thinking: thinking.and_then(Result::ok).flatten().unwrap_or(0).min(COUNT_MAX),
            answers,
            prompts: self.reading.prompts.max(1),
            has_media: self.reading.has_media,
            wants_usage: options.is_some_and(|options| options.include_usage == Some(true)),
            previous,
            model_at: fields[Field::Model as usize].clone().unwrap_or_default(),
            stream_options: fields[Field::StreamOptions as usize].clone(),
            references: std::mem::take(&mut self.reading.references),
        })
    }

    /// The position of the id of a stored response.
    fn stored(&self, field: Field) -> Result<Option<Range<usize>>, Refusal> {
        #[derive(Deserialize)]
        struct WithId {
            #[expect(dead_code, reason = "only its presence matters")]
            id: serde::de::IgnoredAny,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stored<'a> {
            Id(#[serde(borrow)] Cow<'a, str>),
            Object(WithId),
        }
        let Some(raw) = self.raw(field).filter(|_| self.call == Call::Responses) else { return Ok(None) };
        let id: Option<Stored<'_>> = value(field, "an id", raw)?;
        let whole = || self.reading.fields[field as usize].clone();
        Ok(id.and_then(|id| match id {
            Stored::Id(id) if id.is_empty() => None,
            Stored::Id(_) | Stored::Object(_) => whole(),
        }))
    }
}

/// A string that is copied only when it holds escapes.
#[derive(Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
impl<'a> CallBody<'a> {
    /// Reads a body in one go.
    pub(crate) fn parse(body: &'a [u8], call: Call) -> Result<Self, Refusal> {
        Self::parse_in_slices(body, call, usize::MAX)
    }

    pub(crate) fn parse_in_slices(body: &'a [u8], call: Call, slice: usize) -> Result<Self, Refusal> {
        let mut reader = BodyReader::new(body, call);
        while reader.advance(slice)? != Progress::Done {}
        reader.named()?;
        reader.read()
    }
}

impl CallBody<'_> {
    /// The id of the earlier response that it continues.
    pub(crate) fn previous(&self) -> Option<Cow<'_, [u8]>> {
        self.previous.clone().map(|at| id_at(self.body, at))
    }

    /// The ids of other context that it references but does not contain.
    pub(crate) fn references(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        self.references.at.iter().flatten().map(|at| id_at(self.body, at.clone()))
    }

    /// The output limits that it sets, for the names that its operation has.
    pub(crate) fn output_limits(&self) -> impl Iterator<Item = (OutputLimit, u64)> {
        OutputLimit::ALL.into_iter().filter_map(|name| Some((name, self.limits[name as usize]?)))
    }

    /// Whether it references context that it does not contain.
    pub(crate) fn has_references(&self) -> bool {
        self.previous.is_some() || self.references != References::default()
    }

    /// The number of further references, whose ids are not kept.
    pub(crate) fn unnamed_references(&self) -> u64 {
        self.references.unnamed
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
            Some(range) => {
                // Other options stay as they are; `null` becomes an object.
                let options = &body[range.clone()];
                let mut options: serde_json::Map<_, _> = serde_json::from_slice(options).unwrap_or_default();
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

/// The id at this position, in one canonical form.
fn id_at(body: &[u8], at: Range<usize>) -> Cow<'_, [u8]> {
    /// Longer ids are used as written.
    const LONGEST: usize = 1024;
    let raw = &body[at];
    let raw = raw.strip_prefix(b"\"").and_then(|raw| raw.strip_suffix(b"\"")).unwrap_or(raw);
    if raw.len() > LONGEST {
        return Cow::Borrowed(&raw[..LONGEST]);
    }
    // The id of an object, such as `{"id":"conv_1"}`, or a string with escapes.
    #[derive(Deserialize)]
    struct Object {
        id: String,
    }
    if let Ok(object) = serde_json::from_slice::<Object>(raw) {
        return Cow::Owned(object.id.into_bytes());
    }
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let quoted = [b"\"", raw, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).map_or(Cow::Borrowed(raw), |text| Cow::Owned(text.into_bytes()))
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// A field's value; `None` for null.
fn value<'a, T: de::Deserialize<'a>>(
    field: Field,
    expected: &str,
    raw: &'a [u8],
) -> Result<Option<T>, Refusal> {
    if raw.len() > FIELD_MAX {
        return Err(wrong(field, expected));
    }
    serde_json::from_slice(raw).map_err(|_| wrong(field, expected))
}

/// A field that counts something; `None` when it is null or not there.
fn count(field: Field, raw: Option<&[u8]>, least: u64) -> Result<Option<u64>, Refusal> {
    let Some(raw) = raw else { return Ok(None) };
    let expected = || format!("a whole number from {least} to {COUNT_MAX}");
    let wrong = || wrong(field, &expected());
    match value::<u64>(field, "", raw).map_err(|_| wrong())? {
        Some(number) if !(least..=COUNT_MAX).contains(&number) => Err(wrong()),
        number => Ok(number),
    }
}

fn wrong(field: Field, expected: &str) -> Refusal {
    let name = field.name();
    Refusal::BadBody { message: format!("The field `{name}` must be {expected}."), param: Some(name.into()) }
}

/// What is wrong with a body, without quoting it.
fn bad_json(body: &[u8], fault: Fault) -> Refusal {
    let place = |at: usize| {
        let before = &body[..at.min(body.len())];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |end| end + 1) + 1;
        format!("line {line}, column {column}")
    };
    let message = match fault {
        Fault::Utf8 => "The body is not UTF-8. Send JSON.".to_owned(),
        Fault::Syntax(at) => format!("The body is not valid JSON, at {}.", place(at)),
        Fault::Depth(at) => {
            format!("The body nests more than {} levels deep, at {}.", crate::scan::DEPTH_MAX, place(at))
        }
        Fault::Shape(at) => format!(
            "The body must be a JSON object without duplicate or misspelled fields; see {}.",
            place(at)
        ),
    };
    Refusal::BadBody { message, param: None }
}
