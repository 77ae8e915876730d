//! How to call models with a new key. The secret stands in the environment only, never in code.

/// The variable that holds the secret.
const KEY: &str = "KEYGATE_API_KEY";
/// The variable that holds the base URL.
const URL: &str = "KEYGATE_BASE_URL";
/// A model every region has.
const MODEL: &str = "qwen-plus";

/// The name of each tab, in order; [`snippet`] goes by the same numbers.
pub(super) const TABS: [&str; 4] = ["curl", "Python", "Node.js", "Environment"];
/// The tab that shows the secret.
pub(super) const ENVIRONMENT: usize = 3;

/// The code of a tab that shows no secret.
pub(super) fn snippet(tab: usize, base_url: &str) -> String {
    match tab {
        0 => format!(
            r#"curl {base_url}/chat/completions \
  -H "Authorization: Bearer ${KEY}" \
  -H "Content-Type: application/json" \
  -d '{{"model":"{MODEL}","messages":[{{"role":"user","content":"Hello"}}]}}'"#
        ),
        1 => format!(
            r#"import os
from openai import OpenAI

client = OpenAI(
    api_key=os.environ["{KEY}"],
    base_url="{base_url}",
)
completion = client.chat.completions.create(
    model="{MODEL}",
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(completion.choices[0].message.content)"#
        ),
        _ => format!(
            r#"import OpenAI from "openai";

const client = new OpenAI({{
  apiKey: process.env.{KEY},
  baseURL: "{base_url}",
}});
const completion = await client.chat.completions.create({{
  model: "{MODEL}",
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(completion.choices[0].message.content);"#
        ),
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

    #[test]
    fn curl_asks_the_regions_own_address_for_valid_json() {
        let code = snippet(0, BASE);
        assert!(code.starts_with("curl http://127.0.0.1:8080/compatible-mode/v1/chat/completions \\\n"));
        assert!(code.contains(r#""Authorization: Bearer $KEYGATE_API_KEY""#));
        let body = code.split('\'').nth(1).unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["messages"][0]["role"], "user");
    }

    #[test]
    fn clients_read_the_key_from_the_environment() {
        assert!(snippet(1, BASE).contains(r#"api_key=os.environ["KEYGATE_API_KEY"]"#));
        assert!(snippet(2, BASE).contains("apiKey: process.env.KEYGATE_API_KEY"));
        for tab in [1, 2] {
            assert!(snippet(tab, BASE).contains(&format!("\"{BASE}\"")));
        }
    }

    #[test]
    fn an_environment_file_has_a_line_a_variable() {
        assert_eq!(environment("sk-1", Some("u")), "KEYGATE_BASE_URL=u\nKEYGATE_API_KEY=sk-1\n");
        assert_eq!(environment("sk-1", None), "KEYGATE_API_KEY=sk-1\n");
    }
}
