//! What a call asks of its limits, and how an answer tells what is left of them.

use crate::call::CallBody;
use crate::catalogue::Model;
use crate::door::Call;
use crate::limit::{Ask, Headroom, Limits, Room};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::LazyLock;

/// A call that is permitted, and asks for what it needs.
pub(crate) struct Asking<'a> {
    pub(crate) model: &'a Model,
    /// What its workspace may do with the model in a minute.
    pub(crate) workspace: Limits,
    pub(crate) call: Call,
    pub(crate) body: &'a CallBody<'a>,
}

impl Asking<'_> {
    /// What it asks for.
    pub(crate) fn ask(&self) -> Ask {
        let account = self.model.limits;
        let tokens = if account.tpm.is_some() { self.tokens() } else { 0 };
        Ask { workspace: self.workspace, account, tokens }
    }

    /// The tokens of the prompt, by estimate; no more than the model can read.
    pub(crate) fn prompt_tokens(&self) -> u64 {
        self.body.prompt.tokens().min(self.model.context_window.unwrap_or(u64::MAX))
    }

    fn tokens(&self) -> u64 {
        let prompt = self.prompt_tokens();
        let answer = match (self.call, self.body.max_tokens) {
            (Call::Embeddings, _) => 0,
            (_, Some(most)) => most.min(self.model.max_output_tokens.unwrap_or(u64::MAX)),
            (_, None) => self.model.expected_output_tokens,
        };
        let tokens = prompt.saturating_add(answer.saturating_mul(self.body.answers));
        match self.body.max_tokens {
            Some(_) => tokens,
            // The client did not ask for so much: a guess of ours must not make the call one that can never pass.
            None => {
                let tightest = [self.workspace.tpm, self.model.limits.tpm].into_iter().flatten().min();
                tokens.min(tightest.unwrap_or(u64::MAX).max(prompt))
            }
        }
    }
}

/// The names of the headers, for each dimension: the limit, what is left of it, and when all of it is there again.
const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// A reset is at most 61 seconds away. The form, `12s`, is the one that OpenAI's clients read
/// (<https://platform.openai.com/docs/guides/rate-limits>).
const RESETS: &str = "0s 1s 2s 3s 4s 5s 6s 7s 8s 9s 10s 11s 12s 13s 14s 15s 16s 17s 18s 19s 20s 21s 22s 23s 24s 25s \
    26s 27s 28s 29s 30s 31s 32s 33s 34s 35s 36s 37s 38s 39s 40s 41s 42s 43s 44s 45s 46s 47s 48s 49s \
    50s 51s 52s 53s 54s 55s 56s 57s 58s 59s 60s 61s";

/// Those, as headers: of a text that is static a copy costs nothing.
static RESET_VALUES: LazyLock<Vec<HeaderValue>> =
    LazyLock::new(|| RESETS.split(' ').map(HeaderValue::from_static).collect());

/// Tells what is left.
pub(crate) fn write_headroom(headers: &mut HeaderMap, headroom: &Headroom) {
    write(headers, REQUESTS, &headroom.requests);
    if let Some(tokens) = &headroom.tokens {
        write(headers, TOKENS, tokens);
    }
}

fn write(headers: &mut HeaderMap, [limit, remaining, reset]: [HeaderName; 3], room: &Room) {
    let resets = &RESET_VALUES;
    let at = usize::try_from(room.reset_seconds).unwrap_or(usize::MAX).min(resets.len() - 1);
    headers.insert(limit, number(room.limit));
    headers.insert(remaining, number(room.remaining));
    headers.insert(reset, resets[at].clone());
}

/// A number as a header. `HeaderValue::from` allocates twice for it.
fn number(value: u64) -> HeaderValue {
    HeaderValue::from_str(itoa::Buffer::new().format(value)).expect("digits can stand in a header")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Scope;
    use keygate_contract::ModelType;

    fn model(max_output_tokens: Option<u64>, tpm: Option<u64>) -> Model {
        Model {
            slot: 0,
            id: "m".into(),
            vendor: "V".into(),
            kind: ModelType::Text,
            limits: Limits { rpm: 60, tpm },
            context_window: Some(1000),
            max_output_tokens,
            expected_output_tokens: 400,
            prices: Vec::new(),
        }
    }

    fn asked(model: &Model, call: Call, fields: &str) -> u64 {
        let body = format!(r#"{{"model":"m"{fields}}}"#);
        let body = CallBody::parse(body.as_bytes()).unwrap();
        let workspace = Limits { rpm: 6, tpm: Some(5000) };
        Asking { model, workspace, call, body: &body }.ask().tokens
    }

    #[test]
    fn a_call_asks_for_its_prompt_and_for_the_answer_it_may_get() {
        let m = model(Some(800), Some(100_000));
        let prompt = r#","prompt":"abcdef""#;
        assert_eq!(asked(&m, Call::Completions, prompt), 2 + 400);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{prompt},"max_tokens":10"#)), 2 + 10);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{prompt},"max_tokens":10,"n":3"#)), 2 + 30);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{prompt},"max_tokens":90000"#)), 2 + 800);
        assert_eq!(asked(&m, Call::Embeddings, &format!(r#"{prompt},"max_tokens":10"#)), 2);
        let long = format!(r#","prompt":"{}""#, "x".repeat(90_000));
        assert_eq!(asked(&m, Call::Embeddings, &long), 1000, "no more than the model reads");
        assert_eq!(asked(&model(None, None), Call::Completions, prompt), 0, "not metered in tokens");
    }

    #[test]
    fn what_is_left_is_told_in_seconds_and_plain_numbers() {
        let room = |reset_seconds| Room { scope: Scope::Account, limit: 600, remaining: 0, reset_seconds };
        let mut headers = HeaderMap::new();
        write_headroom(&mut headers, &Headroom { requests: room(61), tokens: Some(room(0)) });
        let told = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(told("x-ratelimit-limit-requests"), "600");
        assert_eq!(told("x-ratelimit-remaining-tokens"), "0");
        assert_eq!(
            (told("x-ratelimit-reset-requests"), told("x-ratelimit-reset-tokens")),
            ("61s".into(), "0s".into())
        );
    }

    #[test]
    fn a_guess_never_asks_for_more_than_the_tightest_limit() {
        let m = model(None, Some(100));
        assert_eq!(asked(&m, Call::ChatCompletions, ""), 100);
        assert_eq!(asked(&m, Call::ChatCompletions, r#","max_tokens":200"#), 200, "but a client may");
        let long = format!(r#","prompt":"{}""#, "x".repeat(600));
        assert_eq!(asked(&m, Call::ChatCompletions, &long), 200, "and so may a prompt");
    }
}
