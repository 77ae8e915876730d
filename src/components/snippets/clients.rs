//! How to set up the usual client of each protocol, under the names of variables that it reads by itself.

use super::{Call, MODEL, PLACEHOLDER};
use keygate_contract::Protocol;

/// The name of each tab, in order; [`client_code`] goes by the same numbers.
pub(in super::super) const CLIENT_TABS: [&str; 4] = [".env", "curl", "Python", "Node.js"];

/// What a DashScope endpoint has to serve so that a short-lived key can be asked for.
const TOKENS: &str = "POST /tokens";
/// What it has to serve so that its clients can call text models.
const GENERATION: &str = "POST /services/aigc/text-generation/generation";

/// The text of a tab. The calls are such as are served there, where anything is.
pub(in super::super) fn client_code(
    protocol: Protocol,
    tab: usize,
    base_url: &str,
    operations: &[String],
) -> String {
    let serves = |operation: &str| operations.iter().any(|served| served == operation);
    let Some(language) = tab.checked_sub(1) else { return environment_file(protocol, base_url) };
    match protocol {
        Protocol::Openai => Call { key: "OPENAI_API_KEY", ..Call::default() }.snippet(language, base_url),
        Protocol::Anthropic => messages(language, base_url),
        Protocol::Dashscope if serves(TOKENS) && !serves(GENERATION) => temporary_key(language, base_url),
        Protocol::Dashscope => generation(language, base_url),
    }
}

fn environment_file(protocol: Protocol, base_url: &str) -> String {
    let (url, key) = match protocol {
        Protocol::Openai => ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
        Protocol::Dashscope => ("DASHSCOPE_HTTP_BASE_URL", "DASHSCOPE_API_KEY"),
        Protocol::Anthropic => ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    };
    format!("{url}={base_url}\n{key}={PLACEHOLDER}")
}

fn messages(language: usize, base_url: &str) -> String {
    match language {
        0 => format!(
            r#"curl {base_url}/v1/messages \
  -H "x-api-key: $ANTHROPIC_API_KEY" \
  -H "anthropic-version: 2023-06-01" \
  -H "Content-Type: application/json" \
  -d '{{"model":"{MODEL}","max_tokens":1024,"messages":[{{"role":"user","content":"Hello"}}]}}'"#
        ),
        1 => format!(
            r#"import os
from anthropic import Anthropic

client = Anthropic(
    api_key=os.environ["ANTHROPIC_API_KEY"],
    base_url="{base_url}",
)
message = client.messages.create(
    model="{MODEL}",
    max_tokens=1024,
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(message.content[0].text)"#
        ),
        _ => format!(
            r#"import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({{
  apiKey: process.env.ANTHROPIC_API_KEY,
  baseURL: "{base_url}",
}});
const message = await client.messages.create({{
  model: "{MODEL}",
  max_tokens: 1024,
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(message.content[0].text);"#
        ),
    }
}

fn generation(language: usize, base_url: &str) -> String {
    match language {
        0 => format!(
            r#"curl {base_url}/services/aigc/text-generation/generation \
  -H "Authorization: Bearer $DASHSCOPE_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{{"model":"{MODEL}","input":{{"messages":[{{"role":"user","content":"Hello"}}]}},"parameters":{{"result_format":"message"}}}}'"#
        ),
        1 => format!(
            r#"import os
import dashscope

dashscope.base_http_api_url = "{base_url}"
answer = dashscope.Generation.call(
    api_key=os.environ["DASHSCOPE_API_KEY"],
    model="{MODEL}",
    messages=[{{"role": "user", "content": "Hello"}}],
    result_format="message",
)
print(answer.output.choices[0].message.content)"#
        ),
        _ => format!(
            r#"const answer = await fetch("{base_url}/services/aigc/text-generation/generation", {{
  method: "POST",
  headers: {{
    Authorization: `Bearer ${{process.env.DASHSCOPE_API_KEY}}`,
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({{
    model: "{MODEL}",
    input: {{ messages: [{{ role: "user", content: "Hello" }}] }},
    parameters: {{ result_format: "message" }},
  }}),
}});
console.log((await answer.json()).output.choices[0].message.content);"#
        ),
    }
}

fn temporary_key(language: usize, base_url: &str) -> String {
    match language {
        0 => format!(
            r#"curl -X POST "{base_url}/tokens?expire_in_seconds=60" \
  -H "Authorization: Bearer $DASHSCOPE_API_KEY""#
        ),
        1 => format!(
            r#"import json
import os
from urllib.request import Request, urlopen

request = Request(
    "{base_url}/tokens?expire_in_seconds=60",
    method="POST",
    headers={{"Authorization": f"Bearer {{os.environ['DASHSCOPE_API_KEY']}}"}},
)
with urlopen(request) as answer:
    print(json.load(answer)["token"])"#
        ),
        _ => format!(
            r#"const answer = await fetch("{base_url}/tokens?expire_in_seconds=60", {{
  method: "POST",
  headers: {{ Authorization: `Bearer ${{process.env.DASHSCOPE_API_KEY}}` }},
}});
console.log((await answer.json()).token);"#
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://a/x/v1";
    const ALL: [Protocol; 3] = [Protocol::Openai, Protocol::Dashscope, Protocol::Anthropic];

    #[test]
    fn an_environment_file_has_the_address_and_a_word_in_the_keys_place() {
        let file = client_code(Protocol::Dashscope, 0, BASE, &[]);
        assert_eq!(file, "DASHSCOPE_HTTP_BASE_URL=https://a/x/v1\nDASHSCOPE_API_KEY=your-api-key");
    }

    #[test]
    fn code_calls_this_address_with_the_protocols_own_variable() {
        for (protocol, key) in
            ALL.into_iter().zip(["OPENAI_API_KEY", "DASHSCOPE_API_KEY", "ANTHROPIC_API_KEY"])
        {
            for tab in 1..CLIENT_TABS.len() {
                let code = client_code(protocol, tab, BASE, &[]);
                assert!(code.contains(BASE) && code.contains(key), "{code}");
                assert!(!code.contains("KEYGATE") && !code.contains("{{"), "{code}");
            }
        }
    }

    #[test]
    fn bodies_are_valid_json() {
        for protocol in ALL {
            let code = client_code(protocol, 1, BASE, &[]);
            let body: serde_json::Value = serde_json::from_str(code.split('\'').nth(1).unwrap()).unwrap();
            assert_eq!(body["model"], MODEL);
        }
    }

    #[test]
    fn where_only_short_lived_keys_are_served_one_is_asked_for() {
        let tokens = vec![TOKENS.to_owned()];
        assert!(
            client_code(Protocol::Dashscope, 1, BASE, &tokens).contains("/x/v1/tokens?expire_in_seconds=60")
        );
        let both = vec![TOKENS.to_owned(), GENERATION.to_owned()];
        assert!(client_code(Protocol::Dashscope, 1, BASE, &both).contains("text-generation"));
    }
}
