//! An upstream that enforces the given output limits, and counts every token it serves.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The tokens of prompts and answers that the upstream has served. It continues when its caller disconnects.
#[derive(Debug, Default)]
pub(super) struct Served {
    pub(super) requests: u64,
    pub(super) total: u64,
    /// Tokens of the largest request.
    pub(super) largest: u64,
    /// The size of each stored response, by its id: a request that continues it reads this much again.
    stored: HashMap<String, u64>,
}

/// How the upstream behaves.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    /// The limits it enforces.
    pub(super) obeys: &'static [&'static str],
    /// Tokens of an answer without a limit.
    pub(super) answer: u64,
    /// Tokens of a stored response that it did not create.
    pub(super) context: u64,
    /// The pause before an answer, and between the first and the last event of a stream.
    pub(super) pause: Duration,
}

impl Upstream {
    /// Listens on a free port; returns the base URL and the counts.
    pub(super) async fn start(self) -> (String, Arc<Mutex<Served>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let served = Arc::<Mutex<Served>>::default();
        let count = Arc::clone(&served);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(self.clone().serve(stream, Arc::clone(&count)));
            }
        });
        (url, served)
    }

    async fn serve(self, mut stream: TcpStream, served: Arc<Mutex<Served>>) {
        stream.set_nodelay(true).unwrap();
        let mut begun = Vec::new();
        while let Some((path, body)) = next_request(&mut stream, &mut begun).await {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let (input, output) = self.tokens(&path, &body, &served);
            let is_responses = path.ends_with("/responses");
            let id = {
                let mut served = served.lock().unwrap();
                served.requests += 1;
                served.total += input + output;
                served.largest = served.largest.max(input + output);
                let id = format!("resp_{}", served.requests);
                if is_responses {
                    served.stored.insert(id.clone(), input + output);
                }
                id
            };
            let usage = if is_responses {
                json!({ "input_tokens": input, "output_tokens": output, "total_tokens": input + output })
            } else {
                json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output })
            };
            if body["stream"] != true {
                let answer =
                    json!({ "id": id, "object": "response", "choices": [], "output": [], "usage": usage });
                tokio::time::sleep(self.pause).await;
                if stream.write_all(whole(&answer.to_string()).as_bytes()).await.is_err() {
                    return;
                }
                continue;
            }
            let (first, last) = if is_responses {
                let last = json!({ "type": "response.completed", "response": { "id": id, "usage": usage } });
                (
                    "event: response.output_text.delta\ndata: {\"delta\":\"a\"}\n\n".to_owned(),
                    format!("event: response.completed\ndata: {last}\n\n"),
                )
            } else {
                let last = json!({ "choices": [], "usage": usage });
                (
                    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n".to_owned(),
                    format!("data: {last}\n\ndata: [DONE]\n\n"),
                )
            };
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
            stream.write_all(format!("{head}{first}").as_bytes()).await.ok();
            tokio::time::sleep(self.pause).await;
            stream.write_all(last.as_bytes()).await.ok();
            return;
        }
    }

    /// The tokens of a request, for its prompt and its answer.
    fn tokens(&self, path: &str, body: &Value, served: &Mutex<Served>) -> (u64, u64) {
        let number = |name: &str| body[name].as_u64();
        let context = match body["previous_response_id"].as_str() {
            Some(id) if path.ends_with("/responses") => {
                served.lock().unwrap().stored.get(id).copied().unwrap_or(self.context)
            }
            _ => 0,
        };
        let prompts =
            ["messages", "input", "prompt"].iter().map(|name| text_tokens(&body[*name])).sum::<u64>();
        if path.ends_with("/embeddings") {
            return (prompts, 0);
        }
        let names: &[&str] = match path.rsplit('/').next() {
            Some("responses") => &["max_output_tokens"],
            _ if path.ends_with("/chat/completions") => &["max_completion_tokens", "max_tokens"],
            _ => &["max_tokens"],
        };
        let limit = names.iter().filter(|name| self.obeys.contains(*name)).find_map(|name| number(name));
        let answer = limit.filter(|limit| *limit > 0).unwrap_or(self.answer).min(self.answer);
        let count = match &body["prompt"] {
            Value::Array(prompts)
                if path.ends_with("/completions") && !path.ends_with("/chat/completions") =>
            {
                prompts.iter().filter(|prompt| !prompt.is_number()).count().max(1) as u64
            }
            _ => 1,
        };
        let answers = if path.ends_with("/responses") { 1 } else { number("n").unwrap_or(1) };
        (context + prompts, answer * answers * count)
    }
}

/// Four bytes of text are a token, in any field; an image part is 1,000 tokens, and a token id one.
fn text_tokens(value: &Value) -> u64 {
    match value {
        Value::String(text) => (text.len() as u64).div_ceil(4),
        Value::Number(_) => 1,
        Value::Array(items) => items.iter().map(text_tokens).sum(),
        Value::Object(part) if part.get("type").is_some_and(|kind| kind == "image_url") => 1000,
        Value::Object(fields) => fields.values().map(text_tokens).sum(),
        _ => 0,
    }
}

fn whole(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The path and body of the next request; `begun` keeps what has arrived of the one after it.
async fn next_request(stream: &mut TcpStream, begun: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        if let Some(head) = begun.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&begun[..head]).to_lowercase();
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let path = text.split(' ').nth(1).unwrap().to_owned();
            let end = head + 4 + length.unwrap_or(0);
            while begun.len() < end {
                match stream.read(&mut buffer).await {
                    Ok(n) if n > 0 => begun.extend_from_slice(&buffer[..n]),
                    _ => return None,
                }
            }
            let body = begun[head + 4..end].to_vec();
            begun.drain(..end);
            return Some((path, body));
        }
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => begun.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    }
}
