//! What scrapers are told, and that nobody else is.

use crate::stub::{Behaviour, streamed, whole};
use crate::support::{Client, SINGAPORE, Server, VIRGINIA, call, chat, chat_call, send};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const ADMIN: &str = "[admin]\nlisten = '127.0.0.1:0'\n";

/// Samples by name and labels, as they are written.
struct Scraped(HashMap<String, f64>);

impl Scraped {
    async fn of(server: &Server) -> Self {
        let response = reqwest::get(server.running.metrics_url().unwrap()).await.unwrap();
        assert_eq!(
            response.headers()["content-type"],
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        let text = response.text().await.unwrap();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        Self(
            samples
                .map(|line| {
                    let (name, value) = line.rsplit_once(' ').unwrap();
                    (name.to_owned(), value.parse().unwrap())
                })
                .collect(),
        )
    }

    /// When so many calls are counted and written down.
    async fn after(server: &Server, calls: f64) -> Self {
        for _ in 0..200 {
            let scraped = Self::of(server).await;
            let is_written = scraped.value("keygate_usage_queue_calls") == 0.0;
            if is_written && scraped.sum("keygate_calls_total") >= calls {
                return scraped;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{calls} calls are never counted");
    }

    fn value(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no {name} in {:#?}", self.0.keys()))
    }

    /// All samples of a name, whatever their labels.
    fn sum(&self, name: &str) -> f64 {
        let is_of =
            |key: &str| key == name || key.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'));
        self.0.iter().filter(|(key, _)| is_of(key)).map(|(_, value)| value).sum()
    }
}

/// A server over upstreams that answer, stream and fail, and a key.
async fn server() -> (Server, Client, String) {
    let events = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n\
                  data: {\"choices\":[],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":40}}\n\ndata: [DONE]\n\n";
    let answers = [
        (
            "qwen-plus",
            whole(
                "200 OK",
                r#"{"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2}}}"#,
            ),
        ),
        ("qwen-max", streamed(events)),
        ("qwen-flash", whole("500 Internal Server Error", "oops")),
    ];
    let mut toml = ADMIN.to_owned();
    for (model, answer) in answers {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, _) = mpsc::unbounded_channel();
        let (closed, _) = mpsc::unbounded_channel();
        tokio::spawn(crate::stub::serve(listener, Behaviour::Write(answer), seen, closed));
        toml += &format!(
            "[[upstreams]]\nid = 'for-{model}'\nbase_url = 'http://{address}/v1'\nmodels = ['{model}']\n"
        );
    }
    let server = Server::start_with(&toml).await;
    let owner = server.owner().await;
    let (_, key) = owner.default_key().await;
    (server, owner, key)
}

#[tokio::test]
async fn figures_are_those_of_the_calls_that_were_made() {
    let (server, owner, key) = server().await;
    let base = server.gateway(SINGAPORE);
    for _ in 0..3 {
        assert_eq!(chat_call(&base, &key, "qwen-plus").await.status, 200);
    }
    let mut body = chat("qwen-max");
    body["stream"] = true.into();
    assert_eq!(send(call(&base, "/chat/completions", &key).json(&body)).await.status, 200);
    for _ in 0..2 {
        assert_eq!(chat_call(&base, &key, "qwen-flash").await.status, 502);
    }
    assert_eq!(chat_call(&base, &key, "made-up").await.status, 404);
    let (_, granted) = owner.granted("tight", json!([["qwen-plus", 1, 1000]])).await;
    let mut small = chat("qwen-plus");
    small["max_tokens"] = 5.into();
    for status in [200, 429] {
        let answer = send(call(&base, "/chat/completions", &granted).json(&small)).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    assert_eq!(chat_call(&server.gateway(VIRGINIA), &key, "qwen-plus").await.status, 401);
    assert_eq!(chat_call(&base, "sk-kg-no", "qwen-plus").await.status, 401);

    let scraped = Scraped::after(&server, 10.0).await;
    let calls = |model: &str, class: &str| {
        scraped.value(&format!(
            r#"keygate_calls_total{{region="{SINGAPORE}",model="{model}",door="openai",class="{class}"}}"#
        ))
    };
    assert_eq!(scraped.sum("keygate_calls_total"), 10.0);
    assert_eq!((calls("qwen-plus", "ok"), calls("qwen-plus", "throttled")), (4.0, 1.0));
    assert_eq!((calls("qwen-max", "ok"), calls("qwen-flash", "server_error")), (1.0, 2.0));
    assert_eq!(calls("", "client_error"), 2.0, "of no model: one made up, and one refused in another region");
    let of = |name: &str, model: &str| {
        scraped.value(&format!(r#"keygate_{name}{{region="{SINGAPORE}",model="{model}"}}"#))
    };
    assert_eq!((of("input_tokens_total", "qwen-plus"), of("output_tokens_total", "qwen-plus")), (12.0, 16.0));
    assert_eq!((of("cached_tokens_total", "qwen-plus"), of("input_tokens_total", "qwen-max")), (8.0, 30.0));
    assert_eq!(of("call_duration_seconds_count", "qwen-plus"), 4.0, "of those answered");
    assert_eq!(of("call_duration_seconds_count", "qwen-flash"), 0.0);
    assert_eq!(of("call_first_token_seconds_count", "qwen-max"), 1.0);
    let failure = |class: &str, code: &str| {
        scraped.value(&format!(
            r#"keygate_call_failures_total{{region="{SINGAPORE}",class="{class}",code="{code}"}}"#
        ))
    };
    assert_eq!(
        (failure("server_error", "upstream_error"), failure("client_error", "model_not_found")),
        (2.0, 1.0)
    );
    assert_eq!(
        (failure("throttled", "limit_requests"), failure("client_error", "invalid_api_key")),
        (1.0, 1.0)
    );
    let scope =
        format!(r#"keygate_calls_throttled_total{{region="{SINGAPORE}",scope="workspace_requests"}}"#);
    assert_eq!(scraped.value(&scope), 1.0);
    assert_eq!(scraped.value("keygate_unknown_key_requests_total"), 1.0);
    assert_eq!(scraped.value("keygate_unrecorded_calls_total"), 0.0);
    for (model, up, failures) in [("qwen-plus", 1.0, 0.0), ("qwen-max", 1.0, 0.0), ("qwen-flash", 0.0, 2.0)] {
        let of = |name: &str| scraped.value(&format!(r#"keygate_upstream_{name}{{upstream="for-{model}"}}"#));
        assert_eq!((of("up"), of("consecutive_failures")), (up, failures), "{model}");
    }
    assert_eq!(
        (scraped.value("keygate_usage_queue_calls"), scraped.value("keygate_usage_append_failures_total")),
        (0.0, 0.0)
    );
    scraped.value("keygate_usage_unfolded_calls");
    assert!(
        !scraped.0.keys().any(|name| name.contains("made-up")),
        "names that callers make up are no labels"
    );
}

#[tokio::test]
async fn no_other_listener_tells_them_and_that_one_tells_nothing_else() {
    let (server, _, _) = server().await;
    let is_told = async |url: &str| {
        let text = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
        text.contains("keygate_")
    };
    let admin = server.running.metrics_url().unwrap();
    let admin = admin.strip_suffix("/metrics").unwrap();
    assert!(is_told(admin).await);
    assert!(!is_told(server.running.console_url()).await);
    for (_, gateway) in server.running.gateways() {
        assert!(!is_told(gateway.strip_suffix("/compatible-mode/v1").unwrap()).await, "{gateway}");
    }
    for path in ["/", "/health", "/console/v1/session", "/compatible-mode/v1/models"] {
        assert_eq!(reqwest::get(format!("{admin}{path}")).await.unwrap().status(), 404, "{path}");
    }
    assert!(Server::start().await.running.metrics_url().is_none(), "off unless told");
}
