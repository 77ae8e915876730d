//! A server for a test, and clients to talk to it.

use crate::outbox::Outbox;
use keygate::config::Config;
use keygate::server::{self, Running};
use keygate_contract::{Email, RegionId, WorkspaceName};
use keygate_store::NewAccount;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::path::Path;

pub(crate) const SINGAPORE: &str = "ap-southeast-1";
pub(crate) const VIRGINIA: &str = "us-east-1";
pub(crate) const OWNER: &str = "owner@localhost";

/// A server that is gone with the test.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) dir: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more configuration, in TOML.
    pub(crate) async fn start_with(toml: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let running = Self::run(dir.path(), toml).await;
        Self { running, dir }
    }

    async fn run(dir: &Path, toml: &str) -> Running {
        let file = dir.join("keygate.toml");
        // Top-level fields first: a table in `toml` would swallow them.
        let text = format!("data_dir = '{}'\nlisten = '127.0.0.1:0'\n{toml}", dir.join("data").display());
        std::fs::write(&file, text).unwrap();
        server::start(Config::load(Some(&file)).unwrap()).await.unwrap()
    }

    /// The same store under a new process, as after a restart.
    pub(crate) async fn restart(self) -> Self {
        self.running.stop().await;
        let running = Self::run(self.dir.path(), "").await;
        Self { running, dir: self.dir }
    }

    /// Ends the process, and leaves what it wrote.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.running.stop().await;
        self.dir
    }

    /// The mails that it sent.
    pub(crate) fn outbox(&self) -> Outbox {
        Outbox::of(&self.dir.path().join("data"))
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client::of(self.running.console_url())
    }

    pub(crate) async fn owner(&self) -> Client {
        self.sign_in(OWNER).await
    }

    pub(crate) async fn sign_in(&self, email: &str) -> Client {
        let link = self.running.sign_in_link(Some(&Email::parse(email).unwrap())).await.unwrap();
        self.anonymous().signed_in(&link).await
    }

    /// A second account, signed in.
    pub(crate) async fn stranger(&self) -> Client {
        let new = NewAccount {
            name: "Another account",
            owner: &Email::parse("stranger@example.com").unwrap(),
            regions: &[RegionId::from(SINGAPORE)],
            workspace: &WorkspaceName::parse("Default workspace").unwrap(),
        };
        let (_, events) = self.running.store().account_create(new).await.unwrap();
        self.running.directory().apply(events).unwrap();
        self.sign_in("stranger@example.com").await
    }

    /// The base URL for OpenAI clients in a region.
    pub(crate) fn gateway(&self, region: &str) -> String {
        let found = self.running.gateways().iter().find(|(id, _)| id.as_str() == region);
        found.unwrap().1.clone()
    }
}

/// A client of the console API.
pub(crate) struct Client {
    http: reqwest::Client,
    /// Sent with what changes something, as browsers do.
    pub(crate) origin: String,
    pub(crate) base: String,
    pub(crate) cookie: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    /// Null when there is none.
    pub(crate) body: Value,
}

impl Answer {
    /// The error's code; the answer must be one.
    pub(crate) fn code(&self) -> &str {
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.body["error"]["request_id"], self.headers["x-request-id"].to_str().unwrap());
        assert!(self.body["error"]["message"].as_str().unwrap().ends_with('.'));
        self.body["error"]["code"].as_str().unwrap()
    }

    /// The cookie that was set, as it is sent back.
    pub(crate) fn cookie(&self) -> Option<String> {
        let cookie = self.headers.get("set-cookie")?.to_str().unwrap();
        Some(cookie.split(';').next().unwrap().to_owned())
    }

    /// The names and values of all cookies that the answer sets.
    pub(crate) fn cookies(&self) -> Vec<(String, String)> {
        let pair = |value: &reqwest::header::HeaderValue| {
            let (name, rest) = value.to_str().unwrap().split_once('=').unwrap();
            (name.to_owned(), rest.split(';').next().unwrap().to_owned())
        };
        self.headers.get_all("set-cookie").iter().map(pair).collect()
    }
}

impl Client {
    /// Of the server whose console is at this URL.
    pub(crate) fn of(url: &str) -> Self {
        Self::from_address(url, "127.0.0.1")
    }

    /// The same client, from another address of the loopback interface.
    pub(crate) fn from_address(url: &str, address: &str) -> Self {
        let address: std::net::IpAddr = address.parse().unwrap();
        Self {
            http: reqwest::Client::builder().local_address(address).build().unwrap(),
            origin: url.to_owned(),
            base: format!("{url}/console/v1"),
            cookie: None,
        }
    }

    /// Signed in by a link.
    pub(crate) async fn signed_in(mut self, link: &str) -> Self {
        let token = link.split_once("token=").unwrap().1;
        let answer = self.post("/session", json!({ "token": token })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        self.keep_cookies(&answer);
        self
    }

    /// Stores the cookies of an answer, as a browser does.
    pub(crate) fn keep_cookies(&mut self, answer: &Answer) {
        let kept = self.cookie.take().unwrap_or_default();
        let kept = kept.split("; ").filter_map(|pair| pair.split_once('='));
        let mut jar: Vec<(String, String)> = kept.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        for (name, value) in answer.cookies() {
            jar.retain(|(kept, _)| *kept != name);
            if !value.is_empty() {
                jar.push((name, value));
            }
        }
        let pairs: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.cookie = (!pairs.is_empty()).then(|| pairs.join("; "));
    }

    /// A cookie that the client has stored.
    pub(crate) fn cookie_named(&self, name: &str) -> Option<String> {
        let pairs = self.cookie.as_deref()?.split("; ").filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_owned())
    }

    /// Requests a code, and stores the cookie it is bound to.
    pub(crate) async fn ask_code(&mut self, email: &str) -> Answer {
        let answer = self.post("/session/email-code", json!({ "email": email })).await;
        self.keep_cookies(&answer);
        answer
    }

    /// Tries a code, and stores the session's cookies if it is right.
    pub(crate) async fn enter_code(&mut self, email: &str, code: &str) -> Answer {
        let answer = self.post("/session", json!({ "email": email, "code": code })).await;
        self.keep_cookies(&answer);
        answer
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let changes = !matches!(method, Method::GET | Method::HEAD);
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if changes && !self.origin.is_empty() {
            request = request.header("origin", &self.origin);
        }
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// A new workspace's id.
    pub(crate) async fn workspace(&self, name: &str) -> String {
        let answer = self.post(&workspaces(SINGAPORE), json!({ "name": name })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// The default workspace's id.
    pub(crate) async fn default_workspace(&self, region: &str) -> String {
        let page = self.get(&workspaces(region)).await.body;
        assert_eq!(page["items"][0]["is_default"], true);
        page["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// A new key of a workspace: its id and its secret.
    pub(crate) async fn key(&self, region: &str, workspace: &str) -> (String, String) {
        let answer = self.post(&api_keys(region, workspace), json!({ "description": "test" })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        let text = |field: &str| answer.body[field].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    /// A new workspace in Singapore that may call `models`, a list of `[model, rpm, tpm]`, and a key of it.
    pub(crate) async fn granted(&self, name: &str, models: Value) -> (String, String) {
        let workspace = self.workspace(name).await;
        let item = |m: &Value| json!({ "model": m[0], "rpm": m[1], "tpm": m[2] });
        let items: Vec<Value> = models.as_array().unwrap().iter().map(item).collect();
        let answer = self.put(&grants(SINGAPORE, &workspace), json!({ "items": items })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let (_, key) = self.key(SINGAPORE, &workspace).await;
        (workspace, key)
    }

    /// A new key of the default workspace in Singapore.
    pub(crate) async fn default_key(&self) -> (String, String) {
        self.key(SINGAPORE, &self.default_workspace(SINGAPORE).await).await
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    Answer { status, headers, body }
}

pub(crate) fn workspaces(region: &str) -> String {
    format!("/regions/{region}/workspaces")
}

pub(crate) fn api_keys(region: &str, workspace: &str) -> String {
    format!("/regions/{region}/workspaces/{workspace}/api-keys")
}

pub(crate) fn grants(region: &str, workspace: &str) -> String {
    format!("/regions/{region}/workspaces/{workspace}/model-grants")
}

/// A call of the gateway.
pub(crate) fn call(base: &str, path: &str, key: &str) -> RequestBuilder {
    reqwest::Client::new().post(format!("{base}{path}")).bearer_auth(key)
}

/// The body of a chat call.
pub(crate) fn chat(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] })
}

/// A chat call that is not a stream.
pub(crate) async fn chat_call(base: &str, key: &str, model: &str) -> Answer {
    send(call(base, "/chat/completions", key).json(&chat(model))).await
}
