//! Interprets each value of a body: as a field that controls the call, or as a part of its prompt with a weight.
//!
//! The whole prompt counts as its JSON text, because models read the names, brackets and numbers of tools, too. Three
//! things are not text. Media count by their size, but only where an operation accepts media: in the content parts of a
//! message. Token ids count one each, where an operation accepts ids. And context that a request only references, such
//! as an earlier response, is not in the body at all: it is looked up by its id.

use super::Field;
use crate::door::Call;
use crate::scan::{DEPTH_MAX, Fault, Sink, Text};
use crate::tokens::Medium;
use std::borrow::Cow;
use std::ops::Range;

/// References that are looked up by their id. Further ones count as never seen.
pub(super) const REFERENCES: usize = 4;
/// The most digits of a token id: no vocabulary has ten million tokens.
const ID_DIGITS: usize = 7;
/// Names without weight in a prompt: they only wrap it.
const PROMPT_FIELDS: [&[u8]; 3] = [b"messages", b"input", b"prompt"];

/// Context that a request references but does not contain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct References {
    /// The positions of their ids.
    pub(super) at: [Option<Range<usize>>; REFERENCES],
    /// The number of further references, whose ids are missing or not kept.
    pub(super) unnamed: u64,
}

impl References {
    pub(super) fn add(&mut self, at: Range<usize>) {
        match self.at.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(at),
            None => self.unnamed += 1,
        }
    }
}

/// The meaning of a value in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The body itself.
    Top,
    /// Text, whatever it looks like.
    Plain,
    /// The list of messages, and one of them.
    Messages,
    Message,
    /// The input of responses, and one of its items.
    Items,
    Item,
    /// A prompt or a list of prompts; one prompt of a list, or its token ids.
    Prompts,
    Prompt,
    /// The content of a message: a text, or parts.
    Content,
    Part,
    /// A media item.
    Medium(Medium),
    /// An id, or an object that holds one.
    Reference,
    /// The list of tools, one tool, and its type.
    Tools,
    Tool,
    ToolType,
    /// Whether the upstream searches for further context.
    Search,
}

/// What has been read of a body so far.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    body: &'a [u8],
    call: Call,
    /// The position of each field that controls the call.
    pub(super) fields: [Option<Range<usize>>; Field::COUNT],
    /// The field whose value is being read.
    field: Option<Field>,
    field_start: usize,
    /// The weight of the prompt, in thirds of a token.
    weight: u64,
    pub(super) prompts: u64,
    pub(super) has_media: bool,
    images: u64,
    /// Whether the request raises the image resolution.
    enlarges: bool,
    pub(super) references: References,
    /// By level; level 0 is the body itself.
    roles: [Role; DEPTH_MAX + 1],
    depth: usize,
    /// A bit for each level: whether it is an object.
    objects: u128,
    /// The same of the current level.
    in_object: bool,
    /// The role of the value of the last field name.
    next: Role,
    /// Whether the current item has an id, and whether it has other content.
    item: (bool, bool),
    paused: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn new(body: &'a [u8], call: Call) -> Self {
        Self {
            body,
            call,
            fields: [const { None }; Field::COUNT],
            field: None,
            field_start: 0,
            weight: 0,
            prompts: 0,
            has_media: false,
            images: 0,
            enlarges: false,
            references: References::default(),
            roles: [Role::Top; DEPTH_MAX + 1],
            depth: 0,
            objects: 0,
            in_object: false,
            next: Role::Plain,
            item: (false, false),
            paused: false,
        }
    }

    /// The weight of the prompt, in thirds of a token.
    pub(super) fn weight(&self) -> u64 {
        let larger = if self.enlarges { self.images.saturating_mul(Medium::ENLARGED) } else { 0 };
        self.weight.saturating_add(larger)
    }

    /// The role of the value of a top-level field.
    fn top_field(&mut self, name: &[u8]) -> Role {
        self.enlarges |= matches!(name, b"vl_high_resolution_images" | b"mm_processor_kwargs");
        match (name, self.call) {
            (b"tools", _) => Role::Tools,
            (b"enable_search" | b"web_search_options", _) => Role::Search,
            (b"messages", _) => Role::Messages,
            (b"input", Call::Responses) => Role::Items,
            (b"prompt", Call::Responses) => Role::Reference,
            (b"input", Call::Embeddings) | (b"prompt", Call::Completions) => Role::Prompts,
            _ => Role::Plain,
        }
    }

    /// The role of the value of a field in an object of role `parent`.
    fn field_role(&mut self, parent: Role, name: &[u8]) -> Role {
        // At any level and in any spelling, because an upstream may read it.
        if name.eq_ignore_ascii_case(b"file_id") {
            return Role::Reference;
        }
        match parent {
            // A part may have parts of its own, such as the result of a tool.
            Role::Message | Role::Content | Role::Part if name == b"content" => Role::Content,
            // An earlier audio answer of the model, by its id.
            Role::Message if name == b"audio" => Role::Reference,
            Role::Item => {
                match name {
                    b"id" => self.item.0 = true,
                    b"type" | b"status" => {}
                    _ => self.item.1 = true,
                }
                if matches!(name, b"content" | b"output") { Role::Content } else { Role::Plain }
            }
            Role::Tool if name == b"type" => Role::ToolType,
            Role::Content | Role::Part | Role::Prompts | Role::Prompt => {
                self.enlarges |= matches!(name, b"max_pixels" | b"min_pixels");
                Medium::of_field(name).map_or(Role::Plain, Role::Medium)
            }
            Role::Medium(medium) if matches!(name, b"url" | b"data" | b"file_data" | b"file_url") => {
                Role::Medium(medium)
            }
            Role::Medium(_) | Role::Reference if name == b"id" => Role::Reference,
            _ => Role::Plain,
        }
    }

    /// The role of the value that begins now.
    fn coming(&self) -> Role {
        if self.in_object {
            return self.next;
        }
        match self.roles[self.depth] {
            Role::Messages => Role::Message,
            Role::Items => Role::Item,
            Role::Tools => Role::Tool,
            Role::Prompts | Role::Prompt => Role::Prompt,
            Role::Content => Role::Part,
            // The frames of a video.
            Role::Medium(Medium::Video) => Role::Medium(Medium::Image),
            same @ (Role::Medium(_) | Role::Reference) => same,
            _ => Role::Plain,
        }
    }

    /// Counts the prompts of a list as they begin.
    fn begin(&mut self) -> Role {
        let is_listed = self.roles[self.depth] == Role::Prompts && !self.in_object;
        self.prompts += u64::from(is_listed);
        self.coming()
    }

    fn end(&mut self, at: Range<usize>) {
        if self.depth != 1 {
            return;
        }
        if let Some(field) = self.field.take() {
            self.fields[field as usize] = Some(at);
            self.paused |= field == Field::Model;
        }
    }

    /// Whether the value belongs to a field that controls the call, and so has no weight.
    fn steers(&self) -> bool {
        self.field.is_some()
    }

    fn must_be_in_an_object(&self, at: usize) -> Result<(), Fault> {
        if self.depth == 0 { Err(Fault::Shape(at)) } else { Ok(()) }
    }

    /// The name, with its escapes decoded.
    fn decoded(&self, at: &Range<usize>) -> Cow<'a, [u8]> {
        /// No known name is longer than this, even if it is written in escapes.
        const LONGEST: usize = 256;
        let raw = &self.body[at.clone()];
        if raw.len() > LONGEST || memchr::memchr(b'\\', raw).is_none() {
            return Cow::Borrowed(raw);
        }
        // Includes the quotes around it.
        let quoted = &self.body[at.start - 1..=at.end];
        serde_json::from_slice::<String>(quoted)
            .map_or(Cow::Borrowed(raw), |text| Cow::Owned(text.into_bytes()))
    }

    /// Finds files that are referenced by id in a text, as Qwen-Long accepts them.
    fn find_files(&mut self, at: &Range<usize>) {
        let raw = &self.body[at.clone()];
        if begins_with(raw, b"fileid://") {
            self.references.unnamed += memchr::memchr_iter(b',', raw).count() as u64;
            self.references.add(at.clone());
        }
    }
}

/// A name in lower case: some upstreams, such as those in Go, read names in any case.
fn lowered(name: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if name.iter().any(u8::is_ascii_uppercase) { Cow::Owned(name.to_ascii_lowercase()) } else { name }
}

/// Whether a text begins with `mark` after optional blanks, escaped or not.
fn begins_with(raw: &[u8], mut mark: &[u8]) -> bool {
    /// The number of bytes to look at.
    const LOOK: usize = 128;
    let mut rest = &raw[..raw.len().min(LOOK)];
    let mut is_blank = true;
    while let Some((wanted, left)) = mark.split_first() {
        let (byte, len) = match rest {
            [b'\\', b'u', b'0', b'0', high, low, ..] => {
                let digit = |hex: &u8| char::from(*hex).to_digit(16).unwrap_or_default() as u8;
                (digit(high) << 4 | digit(low), 6)
            }
            [b'\\', b'n' | b'r' | b't', ..] => (b' ', 2),
            [b'\\', escaped, ..] => (*escaped, 2),
            [byte, ..] => (*byte, 1),
            [] => return false,
        };
        rest = &rest[len..];
        is_blank &= byte.is_ascii_whitespace();
        if is_blank {
            continue;
        }
        if byte != *wanted {
            return false;
        }
        mark = left;
    }
    true
}

impl Sink for Reading<'_> {
    fn open(&mut self, at: usize, is_object: bool) -> Result<(), Fault> {
        let mut role = Role::Top;
        if self.depth == 0 {
            if !is_object {
                return Err(Fault::Shape(at));
            }
        } else {
            if self.depth == 1 {
                self.field_start = at;
            }
            role = self.begin();
            self.weight += if self.steers() { 0 } else { 2 };
        }
        self.depth += 1;
        self.roles[self.depth] = role;
        let bit = 1 << self.depth;
        self.objects = if is_object { self.objects | bit } else { self.objects & !bit };
        self.in_object = is_object;
        if role == Role::Item {
            self.item = (false, false);
        }
        // The options of a search.
        self.references.unnamed += u64::from(role == Role::Search);
        Ok(())
    }

    fn close(&mut self, end: usize) {
        let role = self.roles[self.depth];
        if role == Role::Item && self.item == (true, false) {
            // An item with only an id: the upstream reads what is stored under it.
            self.references.unnamed += 1;
        }
        self.weight += if role == Role::Top || self.steers() { 0 } else { 1 };
        self.depth -= 1;
        self.in_object = self.objects >> self.depth & 1 == 1;
        self.end(self.field_start..end);
    }

    fn key(&mut self, at: Range<usize>, weight: u64) -> Result<(), Fault> {
        let name = self.decoded(&at);
        if self.depth == 1 {
            if let Some(field) = Field::of(&name) {
                if self.fields[field as usize].is_some() {
                    return Err(Fault::Shape(at.start));
                }
                self.field = Some(field);
                self.next = Role::Plain;
                return Ok(());
            }
            if Field::is_another_spelling(&name) {
                return Err(Fault::Shape(at.start));
            }
            let name = lowered(name);
            self.next = self.top_field(&name);
            if PROMPT_FIELDS.contains(&name.as_ref()) {
                return Ok(());
            }
        } else if self.steers() {
            return Ok(());
        } else {
            self.next = self.field_role(self.roles[self.depth], &lowered(name));
        }
        self.weight += weight + 3;
        Ok(())
    }

    fn is_media(&self) -> bool {
        matches!(self.coming(), Role::Medium(_)) && !self.steers()
    }

    fn text(&mut self, text: Text) -> Result<(), Fault> {
        self.must_be_in_an_object(text.at.start)?;
        let role = self.begin();
        if self.steers() {
            self.end(text.at.start - 1..text.at.end + 1);
            return Ok(());
        }
        self.weight += 3;
        match role {
            Role::Medium(medium) => {
                self.has_media = true;
                self.images += u64::from(medium.is_image());
                if text.is_base64 {
                    self.weight += medium.weight(&self.body[text.at.clone()]);
                } else {
                    // A URL. The size of a picture is bounded; the size of anything else is unknown.
                    self.weight += text.weight.max(medium.least());
                    if !medium.is_image() {
                        self.references.unnamed += 1;
                    }
                }
            }
            Role::Reference => {
                self.weight += text.weight;
                self.references.add(text.at.clone());
            }
            Role::ToolType => {
                self.weight += text.weight;
                // The model also reads the results of the upstream's built-in tools.
                let name = &self.body[text.at.clone()];
                self.references.unnamed += u64::from(!matches!(name, b"function" | b"custom"));
            }
            _ => {
                self.weight += text.weight;
                self.find_files(&text.at);
            }
        }
        self.end(text.at.start - 1..text.at.end + 1);
        Ok(())
    }

    fn number(&mut self, at: Range<usize>, is_whole: bool) -> Result<(), Fault> {
        self.must_be_in_an_object(at.start)?;
        // A list of numbers is one prompt.
        let role = self.coming();
        if !self.steers() {
            let is_id = role == Role::Prompt && is_whole && at.len() <= ID_DIGITS;
            self.weight += if is_id { 3 } else { 3 * at.len() as u64 };
        }
        self.end(at);
        Ok(())
    }

    fn literal(&mut self, at: Range<usize>) -> Result<(), Fault> {
        self.must_be_in_an_object(at.start)?;
        let role = self.begin();
        if !self.steers() {
            self.weight += at.len() as u64 + 1;
            self.references.unnamed += u64::from(role == Role::Search && self.body[at.start] == b't');
        }
        self.end(at);
        Ok(())
    }

    fn takes_pause(&mut self) -> bool {
        std::mem::take(&mut self.paused)
    }
}
