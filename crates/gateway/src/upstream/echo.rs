//! The built-in upstream: it calls no model and says so. With it, every path through the gateway works on a laptop
//! that has nothing else installed. Its tokens are words, its vectors are drawn from a hash of the text.

mod reply;
mod vector;

use super::{Answer, Outgoing};
use crate::door::Call;
use crate::refusal::Refusal;
use crate::sse::{End, Piece};
use crate::usage;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reply::{Reply, text_of, tokens};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vector::unit_vector;

/// Between two pieces of a stream, so that it can be seen to stream.
const PIECE_EVERY: Duration = Duration::from_millis(10);
/// The largest body that is answered, in bytes: the echo builds values of what it reads, which takes a hundred times the
/// memory of a hostile body.
const BODY_MAX: usize = 1 << 20;
/// Numbers in a vector when the request does not say, and the most it may say.
const DIMENSIONS: usize = 1024;
const DIMENSIONS_MAX: usize = 4096;
/// Texts in one embeddings call.
const TEXTS_MAX: usize = 2048;
/// Numbers in one embeddings answer: what the texts and dimensions of real calls come to, and no more.
const NUMBERS_MAX: usize = 1 << 20;

pub(crate) fn answer(outgoing: &Outgoing) -> Result<Answer, Refusal> {
    if outgoing.body.len() > BODY_MAX {
        return Err(Refusal::BodyTooLarge { limit: BODY_MAX });
    }
    match outgoing.call {
        Call::ChatCompletions => chat(outgoing),
        Call::Completions => completion(outgoing),
        Call::Embeddings => embeddings(outgoing),
        Call::Responses => responses(outgoing),
    }
}

fn chat(outgoing: &Outgoing) -> Result<Answer, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        messages: Vec<Message>,
        #[serde(default)]
        stream_options: Option<StreamOptions>,
    }
    let request: Request = read(outgoing, "messages")?;
    let Some(last) = request.messages.last() else {
        return Err(bad("The field `messages` must hold at least one message.", "messages"));
    };
    let said = text_of(&last.content);
    let prompt_tokens = request.messages.iter().map(|m| tokens(&text_of(&m.content))).sum();
    let reply = Reply::new(&outgoing.body, &said, prompt_tokens);
    let head = json!({ "id": format!("chatcmpl-{}", outgoing.request_id), "created": now(), "model": outgoing.model });
    if !outgoing.stream {
        let message = json!({ "role": "assistant", "content": reply.text });
        let choices = json!([{ "index": 0, "message": message, "finish_reason": reply.finish }]);
        let object = json!({ "object": "chat.completion", "choices": choices, "usage": reply.chat_usage() });
        return Ok(whole(&merge(&head, object)));
    }
    let chunk = |delta: Value, finish: Value| {
        let choices = json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
        merge(&head, json!({ "object": "chat.completion.chunk", "choices": choices }))
    };
    let mut chunks = vec![chunk(json!({ "role": "assistant", "content": "" }), Value::Null)];
    chunks.extend(reply.pieces().map(|piece| chunk(json!({ "content": piece }), Value::Null)));
    chunks.push(chunk(json!({}), reply.finish.into()));
    if request.stream_options.is_some_and(|o| o.include_usage) {
        let object = json!({ "object": "chat.completion.chunk", "choices": [], "usage": reply.chat_usage() });
        chunks.push(merge(&head, object));
    }
    Ok(data_stream(&chunks))
}

fn completion(outgoing: &Outgoing) -> Result<Answer, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        prompt: Value,
        #[serde(default)]
        stream_options: Option<StreamOptions>,
    }
    let request: Request = read(outgoing, "prompt")?;
    let said = text_of(&request.prompt);
    let reply = Reply::new(&outgoing.body, &said, tokens(&said));
    let head = json!({
        "id": format!("cmpl-{}", outgoing.request_id), "object": "text_completion", "created": now(),
        "model": outgoing.model,
    });
    let choice = |text: &str, finish: Value| json!([{ "index": 0, "text": text, "logprobs": null, "finish_reason": finish }]);
    if !outgoing.stream {
        let object =
            json!({ "choices": choice(&reply.text, reply.finish.into()), "usage": reply.chat_usage() });
        return Ok(whole(&merge(&head, object)));
    }
    let mut chunks: Vec<Value> =
        reply.pieces().map(|piece| merge(&head, json!({ "choices": choice(piece, Value::Null) }))).collect();
    chunks.push(merge(&head, json!({ "choices": choice("", reply.finish.into()) })));
    if request.stream_options.is_some_and(|o| o.include_usage) {
        chunks.push(merge(&head, json!({ "choices": [], "usage": reply.chat_usage() })));
    }
    Ok(data_stream(&chunks))
}

fn embeddings(outgoing: &Outgoing) -> Result<Answer, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        input: Value,
        #[serde(default)]
        dimensions: Option<usize>,
        #[serde(default)]
        encoding_format: Option<String>,
    }
    let request: Request = read(outgoing, "input")?;
    let dimensions = request.dimensions.unwrap_or(DIMENSIONS);
    if !(1..=DIMENSIONS_MAX).contains(&dimensions) {
        return Err(bad(&format!("The field `dimensions` must be 1 to {DIMENSIONS_MAX}."), "dimensions"));
    }
    let as_base64 = match request.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => {
            return Err(bad("The field `encoding_format` must be `float` or `base64`.", "encoding_format"));
        }
    };
    let texts: Vec<String> = match &request.input {
        // A list of numbers is one text, given as tokens.
        Value::Array(items) if items.first().is_some_and(|i| !i.is_number()) => {
            items.iter().map(text_of).collect()
        }
        one => vec![text_of(one)],
    };
    if texts.len() > TEXTS_MAX || texts.iter().any(String::is_empty) {
        return Err(bad(
            &format!("The field `input` must hold 1 to {TEXTS_MAX} texts, none empty."),
            "input",
        ));
    }
    if texts.len() * dimensions > NUMBERS_MAX {
        return Err(bad(
            &format!("The echo answers at most {NUMBERS_MAX} numbers at once. Send fewer texts."),
            "input",
        ));
    }
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = unit_vector(text, dimensions);
            let embedding = if as_base64 {
                let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
                Value::from(STANDARD.encode(bytes))
            } else {
                json!(vector)
            };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let used: usize = texts.iter().map(|t| tokens(t)).sum();
    Ok(whole(&json!({
        "object": "list", "data": data, "model": outgoing.model,
        "usage": { "prompt_tokens": used, "total_tokens": used },
    })))
}

fn responses(outgoing: &Outgoing) -> Result<Answer, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        input: Value,
    }
    let request: Request = read(outgoing, "input")?;
    let said = match &request.input {
        Value::Array(items) => items.last().map(|i| text_of(&i["content"])).unwrap_or_default(),
        one => text_of(one),
    };
    if said.is_empty() {
        return Err(bad("The field `input` must be a text or a list of messages.", "input"));
    }
    let reply = Reply::new(&outgoing.body, &said, tokens(&said));
    let item_id = format!("msg_{}", outgoing.request_id);
    let part = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [] });
    let item = |status: &str, content: Value| json!({ "id": item_id, "type": "message", "role": "assistant", "status": status, "content": content });
    let response = |status: &str, output: Value, usage: Value| {
        json!({
            "id": format!("resp_{}", outgoing.request_id), "object": "response", "created_at": now(),
            "model": outgoing.model, "status": status, "output": output, "usage": usage,
            "error": null, "incomplete_details": null, "instructions": null, "metadata": {},
            "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "temperature": null, "top_p": null,
        })
    };
    let done = response(
        "completed",
        json!([item("completed", json!([part(&reply.text)]))]),
        reply.responses_usage(),
    );
    if !outgoing.stream {
        return Ok(whole(&done));
    }
    let at = json!({ "item_id": item_id, "output_index": 0, "content_index": 0 });
    let begun = response("in_progress", json!([]), Value::Null);
    let mut events = vec![
        ("response.created", json!({ "response": begun })),
        ("response.output_item.added", json!({ "output_index": 0, "item": item("in_progress", json!([])) })),
        ("response.content_part.added", merge(&at, json!({ "part": part("") }))),
    ];
    events.extend(
        reply.pieces().map(|piece| {
            ("response.output_text.delta", merge(&at, json!({ "delta": piece, "logprobs": [] })))
        }),
    );
    events.extend([
        ("response.output_text.done", merge(&at, json!({ "text": reply.text, "logprobs": [] }))),
        ("response.content_part.done", merge(&at, json!({ "part": part(&reply.text) }))),
        (
            "response.output_item.done",
            json!({ "output_index": 0, "item": item("completed", json!([part(&reply.text)])) }),
        ),
        ("response.completed", json!({ "response": done })),
    ]);
    let pieces = events.into_iter().enumerate().map(|(number, (name, data))| {
        let data = merge(&json!({ "type": name, "sequence_number": number }), data);
        format!("event: {name}\ndata: {data}\n\n")
    });
    Ok(paced_stream(pieces.collect()))
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

fn read<'a, T: Deserialize<'a>>(outgoing: &'a Outgoing, field: &str) -> Result<T, Refusal> {
    serde_json::from_slice(&outgoing.body).map_err(|_| {
        bad(&format!("A field is missing or has the wrong type; this call needs `{field}`."), field)
    })
}

fn bad(message: &str, field: &str) -> Refusal {
    Refusal::BadBody { message: message.to_owned(), param: Some(field.to_owned()) }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// One object with the fields of both.
fn merge(first: &Value, mut second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (first, &mut second) {
        for (name, value) in first {
            second.insert(name.clone(), value.clone());
        }
    }
    second
}

fn whole(value: &Value) -> Answer {
    let body = Bytes::from(value.to_string());
    let told = usage::read_whole(&body).unwrap_or_default();
    Answer::Whole(body, told)
}

fn data_stream(chunks: &[Value]) -> Answer {
    let end = std::iter::once("data: [DONE]\n\n".to_owned());
    paced_stream(chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).chain(end).collect())
}

fn paced_stream(pieces: Vec<String>) -> Answer {
    let last = pieces.len().saturating_sub(1);
    Answer::Stream(Box::pin(stream::iter(pieces).enumerate().then(move |(index, piece)| async move {
        tokio::time::sleep(PIECE_EVERY).await;
        Piece { bytes: Bytes::from(piece), end: (index == last).then_some(End::Complete) }
    })))
}
