//! What the echo says back.

use serde::Deserialize;
use serde_json::{Value, json};

/// What every answer begins with.
const GREETING: &str = "This is Keygate's built-in echo upstream; no model was called. You said:";
/// The most of what was said that is echoed, in characters.
const ECHO_MAX: usize = 2000;

/// What is said back, and what it counts for.
pub(super) struct Reply {
    pub(super) text: String,
    prompt_tokens: usize,
    /// `stop`, or `length` when the call asked for fewer tokens than there are.
    pub(super) finish: &'static str,
}

/// How long the answer may be, by any of the names for it.
#[derive(Default, Deserialize)]
struct MostTokens {
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    max_output_tokens: Option<usize>,
}

impl Reply {
    /// The answer to `body`, in which `said` was said.
    pub(super) fn new(body: &[u8], said: &str, prompt_tokens: usize) -> Self {
        let most: MostTokens = serde_json::from_slice(body).unwrap_or_default();
        let most = most.max_completion_tokens.or(most.max_tokens).or(most.max_output_tokens);
        let said: String = said.chars().take(ECHO_MAX).collect();
        let text = format!("{GREETING} {said}");
        let words = text.split_inclusive(' ').take(most.unwrap_or(usize::MAX));
        let kept: String = words.collect();
        let finish = if kept.len() < text.len() { "length" } else { "stop" };
        Self { text: kept.trim_end().to_owned(), prompt_tokens, finish }
    }

    /// The text in words, each with the blanks behind it.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.text.split_inclusive(' ')
    }

    pub(super) fn chat_usage(&self) -> Value {
        let out = tokens(&self.text);
        json!({
            "prompt_tokens": self.prompt_tokens, "completion_tokens": out, "total_tokens": self.prompt_tokens + out,
        })
    }

    pub(super) fn responses_usage(&self) -> Value {
        let out = tokens(&self.text);
        json!({
            "input_tokens": self.prompt_tokens, "input_tokens_details": { "cached_tokens": 0 },
            "output_tokens": out, "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": self.prompt_tokens + out,
        })
    }
}

/// Words, at least one.
pub(super) fn tokens(text: &str) -> usize {
    text.split_whitespace().count().max(1)
}

/// The text of a content: a string, or parts with a `text` each.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().map(text_of).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" ")
        }
        Value::Object(part) => part.get("text").map(text_of).unwrap_or_default(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_in_every_form_of_content() {
        assert_eq!(text_of(&json!("a")), "a");
        assert_eq!(text_of(&json!([{ "type": "text", "text": "a" }, { "type": "image_url" }, "b"])), "a b");
        assert_eq!(text_of(&Value::Null), "");
    }

    #[test]
    fn an_answer_is_no_longer_than_asked_for() {
        let reply = Reply::new(br#"{"max_tokens":3}"#, "Hello", 1);
        assert_eq!((reply.text.as_str(), reply.finish), ("This is Keygate's", "length"));
        assert_eq!(reply.chat_usage()["completion_tokens"], 3);
        assert_eq!(Reply::new(b"{}", "Hello", 1).finish, "stop");
    }
}
