//! How to call models. The secret stands in the environment only, never in code.

mod clients;

pub(super) use clients::{CLIENT_TABS, client_code};
use keygate_contract::ModelType;

/// The variable that holds the secret.
const KEY: &str = "KEYGATE_API_KEY";
/// The variable that holds the base URL.
const URL: &str = "KEYGATE_BASE_URL";
/// What stands where a key goes.
const PLACEHOLDER: &str = "your-api-key";
/// A model every region has.
const MODEL: &str = "qwen-plus";

/// The name of each tab, in order; [`Call::snippet`] goes by the same numbers.
pub(super) const TABS: [&str; 4] = ["curl", "Python", "Node.js", "Environment"];
/// The tab that shows the secret.
pub(super) const ENVIRONMENT: usize = 3;
/// The tabs without it.
pub(super) const CODE_TABS: [&str; 3] = ["curl", "Python", "Node.js"];

/// A call that code shows.
pub(super) struct Call {
    /// The variable that holds the secret.
    key: &'static str,
    /// The model as a string of JSON, which is one of Python and JavaScript, too.
    model: String,
    operation: Operation,
}

#[derive(Clone, Copy)]
enum Operation {
    Chat,
    Embeddings,
}

impl Default for Call {
    fn default() -> Self {
        Self { key: KEY, model: format!("\"{MODEL}\""), operation: Operation::Chat }
    }
}

impl Call {
    /// A call of this model; none if no operation of the OpenAI-compatible endpoint is for its type.
    pub(super) fn of(model: &str, kind: ModelType) -> Option<Self> {
        let operation = match kind {
            ModelType::Text | ModelType::Vision | ModelType::Omni => Operation::Chat,
            ModelType::Embedding => Operation::Embeddings,
            _ => return None,
        };
        Some(Self { key: KEY, model: serde_json::Value::from(model).to_string(), operation })
    }

    /// The code of a tab that shows no secret.
    pub(super) fn snippet(&self, tab: usize, base_url: &str) -> String {
        let Self { key, model, operation } = self;
        let is_chat = matches!(operation, Operation::Chat);
        match tab {
            0 => {
                let (path, input) = match operation {
                    Operation::Chat => {
                        ("chat/completions", r#""messages":[{"role":"user","content":"Hello"}]"#)
                    }
                    Operation::Embeddings => ("embeddings", r#""input":"Hello""#),
                };
                // In single quotes nothing means anything to the shell but a single quote.
                let body = format!(r#"{{"model":{model},{input}}}"#).replace('\'', r"'\''");
                format!(
                    r#"curl {base_url}/{path} \
  -H "Authorization: Bearer ${key}" \
  -H "Content-Type: application/json" \
  -d '{body}'"#
                )
            }
            1 => {
                let call = if is_chat {
                    format!(
                        r#"completion = client.chat.completions.create(
    model={model},
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(completion.choices[0].message.content)"#
                    )
                } else {
                    format!(
                        r#"answer = client.embeddings.create(
    model={model},
    input="Hello",
)
print(answer.data[0].embedding)"#
                    )
                };
                format!(
                    r#"import os
from openai import OpenAI

client = OpenAI(
    api_key=os.environ["{key}"],
    base_url="{base_url}",
)
{call}"#
                )
            }
            _ => {
                let call = if is_chat {
                    format!(
                        r#"const completion = await client.chat.completions.create({{
  model: {model},
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(completion.choices[0].message.content);"#
                    )
                } else {
                    format!(
                        r#"const answer = await client.embeddings.create({{
  model: {model},
  input: "Hello",
}});
console.log(answer.data[0].embedding);"#
                    )
                };
                format!(
                    r#"import OpenAI from "openai";

const client = new OpenAI({{
  apiKey: process.env.{key},
  baseURL: "{base_url}",
}});
{call}"#
                )
            }
        }
    }
}

/// The lines of an environment file.
pub(super) fn environment(secret: &str, base_url: Option<&str>) -> String {
    let url = base_url.map(|url| format!("{URL}={url}\n")).unwrap_or_default();
    format!("{url}{KEY}={secret}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://127.0.0.1:8080/compatible-mode/v1";

    fn body(code: &str) -> serde_json::Value {
        serde_json::from_str(code.split('\'').nth(1).unwrap()).unwrap()
    }

    #[test]
    fn curl_asks_the_regions_own_address_for_valid_json() {
        let code = Call::default().snippet(0, BASE);
        assert!(code.starts_with("curl http://127.0.0.1:8080/compatible-mode/v1/chat/completions \\\n"));
        assert!(code.contains(r#""Authorization: Bearer $KEYGATE_API_KEY""#));
        assert_eq!(body(&code)["messages"][0]["role"], "user");
        assert_eq!(body(&code)["model"], "qwen-plus");
    }

    #[test]
    fn clients_read_the_key_from_the_environment() {
        let call = Call::default();
        assert!(call.snippet(1, BASE).contains(r#"api_key=os.environ["KEYGATE_API_KEY"]"#));
        assert!(call.snippet(2, BASE).contains("apiKey: process.env.KEYGATE_API_KEY"));
        for tab in [1, 2] {
            assert!(call.snippet(tab, BASE).contains(&format!("\"{BASE}\"")));
        }
    }

    #[test]
    fn a_model_is_called_by_the_operation_of_its_type_and_its_name_cannot_break_out() {
        let call = Call::of("text-embedding-v4", ModelType::Embedding).unwrap();
        assert_eq!(body(&call.snippet(0, BASE))["input"], "Hello");
        assert!(call.snippet(1, BASE).contains("model=\"text-embedding-v4\",\n    input="));
        let hostile = Call::of("a\"'b", ModelType::Text).unwrap();
        assert!(hostile.snippet(2, BASE).contains(r#"model: "a\"'b","#));
        assert!(hostile.snippet(0, BASE).contains(r#"{"model":"a\"'\''b","#));
        assert!(Call::of("wan", ModelType::Video).is_none());
    }

    #[test]
    fn an_environment_file_has_a_line_a_variable() {
        assert_eq!(environment("sk-1", Some("u")), "KEYGATE_BASE_URL=u\nKEYGATE_API_KEY=sk-1\n");
        assert_eq!(environment("sk-1", None), "KEYGATE_API_KEY=sk-1\n");
    }
}
