//! The one place that sends requests.

use super::error::{ApiError, Result};
use gloo_net::http::{Headers, Method, RequestBuilder, Response};
use leptos::prelude::{GetUntracked, RwSignal, Set};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::{AbortSignal, RequestCache, RequestCredentials};

/// Where the console API stands. The console and its API share an origin.
const BASE: &str = "/console/v1";

/// How long an answer may take, in milliseconds. Nothing the console asks for takes longer than a second or two.
const TIMEOUT_MS: u32 = 30_000;

/// What the answers so far told about the connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The server, or the way to it, is down.
    pub away: RwSignal<bool>,
    /// The server said that nobody is signed in.
    pub signed_out: RwSignal<bool>,
}

/// Sends requests to the console API.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Kept up to date with every answer.
    pub connection: Connection,
}

/// Names a submit, so that sending it again does not do it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// A key nobody used before.
    pub fn random() -> Self {
        let crypto = leptos::prelude::window().crypto().expect("every browser with WebAssembly has it");
        Self(crypto.random_uuid())
    }
}

impl Client {
    /// A client that has not sent anything yet.
    pub fn new() -> Self {
        Self { connection: Connection { away: RwSignal::new(false), signed_out: RwSignal::new(false) } }
    }

    /// Reads the resource at a path below the API's base.
    pub(crate) async fn get<T: DeserializeOwned>(self, path: &str) -> Result<T> {
        parse(self.exchange(Method::GET, path, None, None).await?)
    }

    /// Creates or does something; the key makes a repetition harmless.
    pub(crate) async fn post<T: DeserializeOwned>(
        self,
        path: &str,
        body: &impl Serialize,
        key: Option<&IdempotencyKey>,
    ) -> Result<T> {
        parse(self.exchange(Method::POST, path, Some(write(body)), key).await?)
    }

    /// Changes the given fields of the resource.
    pub(crate) async fn patch<T: DeserializeOwned>(self, path: &str, body: &impl Serialize) -> Result<T> {
        parse(self.exchange(Method::PATCH, path, Some(write(body)), None).await?)
    }

    /// Does something whose answer says no more than that it is done.
    pub(crate) async fn command(
        self,
        path: &str,
        body: &impl Serialize,
        key: Option<&IdempotencyKey>,
    ) -> Result<()> {
        self.exchange(Method::POST, path, Some(write(body)), key).await.map(drop)
    }

    /// Deletes the resource.
    pub(crate) async fn delete(self, path: &str) -> Result<()> {
        self.exchange(Method::DELETE, path, None, None).await.map(drop)
    }

    /// Sends one request; the answer is the body of a success and its status.
    async fn exchange(
        self,
        method: Method,
        path: &str,
        body: Option<String>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer> {
        let answer = match send(method, path, body, key).await {
            Ok(response) => read(response).await,
            Err(_) => Err(ApiError::unreachable()),
        };
        self.note(&answer);
        answer
    }

    fn note(self, answer: &Result<Answer>) {
        let set = |signal: RwSignal<bool>, value: bool| {
            if signal.get_untracked() != value {
                signal.set(value);
            }
        };
        let error = answer.as_ref().err();
        set(self.connection.away, error.is_some_and(ApiError::is_away));
        if error.is_some_and(|e| e.code == keygate_contract::ErrorCode::NotSignedIn) {
            set(self.connection.signed_out, true);
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

struct Answer {
    status: u16,
    body: String,
}

async fn send(
    method: Method,
    path: &str,
    body: Option<String>,
    key: Option<&IdempotencyKey>,
) -> std::result::Result<Response, gloo_net::Error> {
    let headers = Headers::new();
    headers.set("accept", "application/json");
    if let Some(IdempotencyKey(key)) = key {
        headers.set("idempotency-key", key);
    }
    if body.is_some() {
        headers.set("content-type", "application/json");
    }
    let request = RequestBuilder::new(&format!("{BASE}{path}"))
        .method(method)
        .headers(headers)
        .cache(RequestCache::NoStore)
        .credentials(RequestCredentials::SameOrigin)
        .abort_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
    match body {
        Some(body) => request.body(body)?.send().await,
        None => request.send().await,
    }
}

async fn read(response: Response) -> Result<Answer> {
    let status = response.status();
    let retry_after = response.headers().get("retry-after").and_then(|seconds| seconds.parse().ok());
    let body = response.text().await.map_err(|_| ApiError::unreachable())?;
    if response.ok() {
        Ok(Answer { status, body })
    } else {
        Err(ApiError::from_body(status, &body, retry_after))
    }
}

fn parse<T: DeserializeOwned>(answer: Answer) -> Result<T> {
    let parsed = serde_json::from_str(&answer.body).map_err(|_| ApiError::unreadable(answer.status));
    // The answer to a created key holds its secret: wipe it here, for all answers alike.
    drop(super::Secret::new(answer.body));
    parsed
}

fn write(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("the contract's types are plain data")
}
