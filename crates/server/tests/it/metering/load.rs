//! Clients that call at random, and note what they see.

use super::upstream::Arrivals;
use futures_util::StreamExt as _;
use keygate_contract::CallClass;
use reqwest::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;
use tokio::sync::oneshot;

/// A key that calls, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) workspace: String,
    pub(super) region: String,
    /// The models it may call.
    pub(super) models: Vec<String>,
}

/// What a client saw of a call.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) key: usize,
    /// Empty: none that the region has.
    pub(super) model: String,
    pub(super) class: CallClass,
    /// Of the prompt, of the answer, of the cache.
    pub(super) tokens: [u64; 3],
    /// As the answer's head told it, if there was one.
    pub(super) request_id: Option<String>,
    /// When the end of the answer was there, or the client left.
    pub(super) at: Instant,
    /// Whether the client disconnected: then the call is recorded once its answer has been read.
    pub(super) left: bool,
}

/// Where to call, with what, and what was seen.
pub(super) struct Load {
    /// The base URL, which is another after a restart.
    pub(super) base: RwLock<String>,
    pub(super) keys: Vec<Key>,
    pub(super) arrivals: Arrivals,
    pub(super) seen: Mutex<Vec<Seen>>,
    /// Calls of which the client cannot know what became: the server went away.
    pub(super) lost: AtomicU64,
    hangs: AtomicU64,
}

impl Load {
    pub(super) fn new(base: String, keys: Vec<Key>, arrivals: Arrivals) -> Arc<Self> {
        Arc::new(Self {
            base: RwLock::new(base),
            keys,
            arrivals,
            seen: Mutex::default(),
            lost: AtomicU64::new(0),
            hangs: AtomicU64::new(0),
        })
    }

    /// Makes so many calls from so many connections, one after the other on each.
    pub(super) async fn run(self: &Arc<Self>, connections: u64, calls: u64, seed: u64) {
        let clients = (0..connections).map(|number| {
            let load = Arc::clone(self);
            let own = calls / connections + u64::from(number < calls % connections);
            tokio::spawn(async move {
                let mut random = Random(seed.wrapping_mul(1000).wrapping_add(number + 1));
                let mut http = client();
                for _ in 0..own {
                    match load.call(&http, &mut random).await {
                        Some(seen) => load.seen.lock().unwrap().push(seen),
                        None => {
                            load.lost.fetch_add(1, Ordering::Relaxed);
                            http = client();
                            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                        }
                    }
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap();
        }
    }

    /// One call. `None` when the server went away.
    async fn call(&self, http: &reqwest::Client, random: &mut Random) -> Option<Seen> {
        let key = random.below(self.keys.len() as u64) as usize;
        let models = &self.keys[key].models;
        let model = models[random.below(models.len() as u64) as usize].clone();
        let usage = [1 + random.below(900), 1 + random.below(400), random.below(50)];
        let told = |word: &str| format!("{word} {} {} {}", usage[0], usage[1], usage[2]);
        let ask = |prompt: String, stream: bool| {
            json!({
                "model": model, "stream": stream, "max_tokens": 500, "messages": [{ "role": "user", "content": prompt }],
            })
        };
        match random.below(20) {
            0..=8 => self.whole(http, key, &model, ask(told("answer"), false)).await,
            9..=12 => self.stream(http, key, &model, ask(told("stream"), true)).await,
            13 => self.stream(http, key, &model, ask(told("break"), true)).await,
            14 => {
                let status = [400, 429, 500][random.below(3) as usize];
                self.whole(http, key, &model, ask(format!("refuse {status}"), false)).await
            }
            15 => self.whole(http, key, &model, ask("cut".into(), false)).await,
            16 => self.leave_stream(http, key, &model, ask(told("stall"), true), usage).await,
            17 => self.leave(http, key, &model, &ask).await,
            18 => self.whole(http, key, "", json!({ "model": "no-such-model", "messages": [] })).await,
            _ => self.whole(http, key, "", json!({ "messages": [] })).await,
        }
    }

    fn post(&self, http: &reqwest::Client, key: usize, body: &Value) -> reqwest::RequestBuilder {
        http.post(format!("{}/chat/completions", self.base.read().unwrap()))
            .bearer_auth(&self.keys[key].secret)
            .json(body)
    }

    /// What is seen of an answer with an error, or with a usage block.
    fn seen(&self, key: usize, model: &str, status: u16, id: Option<String>, text: &str) -> Seen {
        let events = text.lines().filter_map(|line| line.strip_prefix("data: ")).chain([text]);
        let values = events.filter_map(|event| serde_json::from_str::<Value>(event).ok()).collect::<Vec<_>>();
        let usage = values.iter().rev().find_map(|value| value.get("usage").filter(|u| u.is_object()));
        let count = |path: &str| usage.and_then(|u| u.pointer(path)?.as_u64()).unwrap_or(0);
        let is_error = values.iter().any(|value| value.get("error").is_some());
        let class = match status {
            200 if is_error => CallClass::ServerError,
            200 => CallClass::Ok,
            429 => CallClass::Throttled,
            400..=499 => CallClass::ClientError,
            _ => CallClass::ServerError,
        };
        let (input, output) = (count("/prompt_tokens"), count("/completion_tokens"));
        let cached = count("/prompt_tokens_details/cached_tokens").min(input);
        // A key of another region is refused before its model is looked at.
        let model = if status == 401 { "" } else { model };
        Seen {
            key,
            model: model.into(),
            class,
            tokens: [input, output, cached],
            request_id: id,
            at: Instant::now(),
            left: false,
        }
    }

    async fn whole(&self, http: &reqwest::Client, key: usize, model: &str, body: Value) -> Option<Seen> {
        let response = self.post(http, key, &body).send().await.ok()?;
        let (status, id) = (response.status().as_u16(), id_of(&response));
        let text = response.text().await.ok()?;
        Some(self.seen(key, model, status, id, &text))
    }

    /// Half of the streams are asked for their usage; of the others the prompt is the only witness.
    async fn stream(&self, http: &reqwest::Client, key: usize, model: &str, mut body: Value) -> Option<Seen> {
        body["stream_options"] = json!({ "include_usage": true });
        self.whole(http, key, model, body).await
    }

    /// Leaves after the first event of a stream, which tells the usage.
    async fn leave_stream(
        &self,
        http: &reqwest::Client,
        key: usize,
        model: &str,
        body: Value,
        [input, output, cached]: [u64; 3],
    ) -> Option<Seen> {
        let response = self.post(http, key, &body).send().await.ok()?;
        let (status, id) = (response.status().as_u16(), id_of(&response));
        if status != 200 {
            let text = response.text().await.ok()?;
            return Some(self.seen(key, model, status, id, &text));
        }
        response.bytes_stream().next().await?.ok()?;
        let tokens = [input, output, cached.min(input)];
        Some(Seen {
            key,
            model: model.into(),
            class: CallClass::Ok,
            tokens,
            request_id: id,
            at: Instant::now(),
            left: true,
        })
    }

    /// Leaves when the upstream has the call, and before it answers.
    async fn leave(
        &self,
        http: &reqwest::Client,
        key: usize,
        model: &str,
        ask: &(impl Fn(String, bool) -> Value + Sync),
    ) -> Option<Seen> {
        let number = self.hangs.fetch_add(1, Ordering::Relaxed);
        let (arrived, arrives) = oneshot::channel();
        self.arrivals.lock().unwrap().insert(number, arrived);
        let body = ask(format!("hang {number}"), false);
        let answer = self.post(http, key, &body).send();
        tokio::select! {
            answer = answer => {
                // Refused before it was sent on.
                let response = answer.ok()?;
                let (status, id) = (response.status().as_u16(), id_of(&response));
                let text = response.text().await.ok()?;
                Some(self.seen(key, model, status, id, &text))
            }
            _ = arrives => {
                let class = CallClass::ClientError;
                Some(Seen { key, model: model.into(), class, tokens: [0; 3], request_id: None, at: Instant::now(), left: true })
            }
        }
    }
}

/// What was seen, added up by whatever tells calls apart.
pub(super) fn sums(seen: &[Seen], of: impl Fn(&Seen) -> String) -> BTreeMap<String, Sums> {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for call in seen {
        let is = |class: CallClass| u64::from(call.class == class);
        sums.entry(of(call)).or_default().add(Sums {
            calls: 1,
            client_errors: is(CallClass::ClientError),
            throttled: is(CallClass::Throttled),
            server_errors: is(CallClass::ServerError),
            tokens: call.tokens,
        });
    }
    sums
}

/// Figures that clients can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) calls: u64,
    pub(super) client_errors: u64,
    pub(super) throttled: u64,
    pub(super) server_errors: u64,
    pub(super) tokens: [u64; 3],
}

impl Sums {
    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.client_errors += other.client_errors;
        self.throttled += other.throttled;
        self.server_errors += other.server_errors;
        for (sum, tokens) in self.tokens.iter_mut().zip(other.tokens) {
            *sum += tokens;
        }
    }
}

/// A connection of its own.
fn client() -> reqwest::Client {
    reqwest::Client::builder().pool_max_idle_per_host(1).build().unwrap()
}

fn id_of(response: &Response) -> Option<String> {
    Some(response.headers().get("x-request-id")?.to_str().unwrap().to_owned())
}

/// Xorshift: the same calls for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}
