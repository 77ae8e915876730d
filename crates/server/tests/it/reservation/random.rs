//! Random requests of every operation, some of them hostile, to upstreams that enforce none, some and all of the output
//! limits.

use super::{ALL, ANSWER, Attack, covered};
use crate::reservation::upstream::Upstream;
use crate::support::{SINGAPORE, call};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

const CLIENTS: u64 = 24;
const REQUESTS: u64 = 12;

/// Xorshift: the same requests for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// A text, in one of many forms that try to look smaller.
    fn text(&mut self) -> String {
        let length = *self.of(&[5, 50, 3_000, 30_000]) as usize;
        match self.below(4) {
            0 => "word ".repeat(length / 5),
            1 => format!("data:a;base64,{}", "A".repeat(length)),
            2 => format!("https://example.com/{}", "a".repeat(length)),
            _ => "7".repeat(length),
        }
    }

    fn prompt(&mut self, path: &str) -> (&'static str, Value) {
        let text = self.text();
        match path {
            "/chat/completions" => {
                let content = match self.below(4) {
                    0 => {
                        json!([{ "type": "image_url", "image_url": { "url": "https://example.com/a.png" } }])
                    }
                    1 => json!([{ "type": "text", "text": text, "image_url": { "url": "x" } }]),
                    _ => json!(text),
                };
                ("messages", json!([{ "role": "user", "content": content }]))
            }
            "/responses" => match self.below(2) {
                0 => ("input", json!(text)),
                _ => (
                    "input",
                    json!([{ "role": "user", "content": [{ "type": "input_text", "text": text }] }]),
                ),
            },
            _ => {
                let name = if path == "/completions" { "prompt" } else { "input" };
                match self.below(3) {
                    0 => (name, json!([text, "a", "b"])),
                    1 => (name, json!((0..200).collect::<Vec<u64>>())),
                    _ => (name, json!(text)),
                }
            }
        }
    }

    fn request(&mut self) -> (&'static str, Value) {
        let path = *self.of(&["/chat/completions", "/completions", "/embeddings", "/responses"]);
        let (name, prompt) = self.prompt(path);
        let mut body = json!({ "model": "m" });
        body[name] = prompt;
        for limit in ALL {
            if self.below(3) == 0 {
                body[*limit] =
                    self.of(&[json!(0), json!(1), json!(1), json!(60), json!(3_000), json!(null)]).clone();
            }
        }
        if self.below(6) == 0 {
            body["n"] = (1 + self.below(2)).into();
        }
        if self.below(3) == 0 && path != "/embeddings" {
            body["stream"] = true.into();
        }
        if self.below(4) == 0 {
            let id = format!("resp_{}", self.below(40));
            body["previous_response_id"] = id.into();
        }
        (path, body)
    }
}

/// Sends requests for some seconds; some of the clients disconnect at once, or in the middle of a stream.
async fn load(attack: &Attack, seed: u64) {
    let gateway = attack.server.gateway(SINGAPORE);
    let client = async |number: u64| {
        let mut random = Random(seed * 1_000 + number + 1);
        for _ in 0..REQUESTS {
            let (path, body) = random.request();
            let leaves = random.below(5);
            let request = call(&gateway, path, &attack.key).json(&body).send();
            if leaves == 0 {
                drop(tokio::time::timeout(Duration::from_millis(20), request).await);
                continue;
            }
            let response = request.await.unwrap();
            let status = response.status().as_u16();
            assert!(matches!(status, 200 | 429), "{status}: {body}");
            if leaves == 1 {
                response.bytes_stream().next().await;
            } else {
                response.bytes().await.unwrap();
            }
        }
    };
    join_all((0..CLIENTS).map(client)).await;
    // The rest of the abandoned answers is read and counted.
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_requests_pass_no_limit_by_more_than_an_answer() {
    let some = &["max_tokens"][..];
    let other = &["max_output_tokens"][..];
    // With long answers, few requests use up the limit; with short ones, many run concurrently.
    for (seed, obeys, tokens) in [
        (1, &[][..], ANSWER),
        (2, &[][..], 400),
        (3, some, ANSWER),
        (4, some, 400),
        (5, ALL, ANSWER),
        (6, other, 400),
    ] {
        let upstream = Upstream { obeys, answer: tokens, context: 30_000, pause: Duration::from_millis(200) };
        let names: Vec<String> = obeys.iter().map(|name| format!("'{name}'")).collect();
        let settings = format!("output_limits = [{}]", names.join(", "));
        let attack = Attack::on(upstream, &settings, &covered(tokens)).await;
        load(&attack, seed).await;
        attack.held(&format!("obeying {obeys:?}, answers of {tokens}"));
    }
}
