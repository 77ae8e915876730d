//! The file `config.json` beside `index.html`, which names the servers.
//!
//! ```json
//! {"backends": [{"name": "Singapore", "url": "https://sg.keygate.example.com"}]}
//! ```
//!
//! An empty URL is the origin of the page, and one of these alone is what holds without the file.

use super::{Backend, Backends, OWN};
use serde::Deserialize;

/// The longest name, in characters.
const NAME_MAX: usize = 60;

impl Backends {
    /// What the file says. A page that came by HTTPS can reach servers by HTTPS only, but for this machine's.
    ///
    /// # Errors
    /// What is wrong, for the person who wrote it.
    pub fn parse(text: &str, page_is_https: bool) -> Result<Self, String> {
        let File { backends } = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if backends.is_empty() {
            return Err("backends: name one at least.".into());
        }
        let mut all = Vec::<Backend>::with_capacity(backends.len());
        for (i, Entry { name, url }) in backends.into_iter().enumerate() {
            let wrong = |field: &str, text: &str| Err(format!("backends[{i}].{field}: {text}"));
            let Some(url) = plain(&url) else {
                return wrong(
                    "url",
                    "give a URL such as https://keygate.example.com, or \"\" for this origin.",
                );
            };
            if page_is_https && url.starts_with("http://") && !is_local(host(url)) {
                return wrong("url", "this page came by https, and can reach the server by https only.");
            }
            let name = name.unwrap_or_else(|| if url.is_empty() { OWN } else { host(url) }.to_owned());
            let name = name.trim();
            if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
                return wrong("name", &format!("give 1 to {NAME_MAX} characters."));
            }
            if all.iter().any(|other| other.name == name) {
                return wrong("name", "another backend has the same.");
            }
            if all.iter().any(|other| other.url == url) {
                return wrong("url", "another backend has the same.");
            }
            all.push(Backend { name: name.to_owned(), url: url.to_owned() });
        }
        Ok(Self::keep(all))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    backends: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Option<String>,
    url: String,
}

/// The URL without a slash at its end, if it is one that paths can be put behind.
fn plain(url: &str) -> Option<&str> {
    let url = url.trim().trim_end_matches('/');
    let strange = |c: char| c.is_whitespace() || c.is_control() || "?#@\\".contains(c);
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    (url.is_empty() || (is_web && !host(url).is_empty() && !url.contains(strange))).then_some(url)
}

/// Host and port.
fn host(url: &str) -> &str {
    url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default())
}

fn is_local(host: &str) -> bool {
    let is = |name: &str| host == name || host.strip_prefix(name).is_some_and(|port| port.starts_with(':'));
    is("localhost") || is("127.0.0.1") || is("[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_are_read_with_their_names() {
        let text = r#"{"backends": [
            {"name": " Singapore ", "url": "https://sg.example.com/"},
            {"url": "https://bj.example.com:8443/keygate"},
            {"url": ""}
        ]}"#;
        let backends = Backends::parse(text, true).unwrap();
        let all: Vec<_> = backends.all().map(|(_, b)| (&*b.name, &*b.url)).collect();
        assert_eq!(
            all,
            [
                ("Singapore", "https://sg.example.com"),
                ("bj.example.com:8443", "https://bj.example.com:8443/keygate"),
                ("This server", "")
            ]
        );
        assert_eq!(backends.named("This server").map(|id| &*backends.get(id).url), Some(""));
        assert!(backends.are_several() && !Backends::own().are_several());
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place() {
        for (text, expected) in [
            ("", "line 1"),
            ("{\"backends\": [\n}", "line 2"),
            ("{}", "missing field `backends`"),
            (r#"{"backends": []}"#, "name one at least"),
            (r#"{"backends": [{"name": "a"}]}"#, "missing field `url`"),
            (r#"{"backends": [{"url": "", "uri": ""}]}"#, "unknown field `uri`"),
            (r#"{"backends": [{"url": ""}, {"url": "sg.example.com"}]}"#, "backends[1].url: give"),
            (r#"{"backends": [{"url": "javascript:alert(1)"}]}"#, "backends[0].url: give"),
            (r#"{"backends": [{"url": "https:///x"}]}"#, "backends[0].url: give"),
            (r#"{"backends": [{"url": "https://a@b"}]}"#, "backends[0].url: give"),
            (r#"{"backends": [{"url": "http://sg.example.com"}]}"#, "by https only"),
            (r#"{"backends": [{"url": "", "name": " "}]}"#, "backends[0].name: give"),
            (
                r#"{"backends": [{"url": "", "name": "a"}, {"url": "https://b", "name": "a"}]}"#,
                "backends[1].name: another",
            ),
            (
                r#"{"backends": [{"url": "https://b/"}, {"url": "https://b", "name": "a"}]}"#,
                "backends[1].url: another",
            ),
        ] {
            let told = Backends::parse(text, true).unwrap_err();
            assert!(told.contains(expected), "{text}: {told}");
        }
        for local in ["http://localhost", "http://127.0.0.1:8080", "http://[::1]:8080"] {
            assert!(Backends::parse(&format!(r#"{{"backends": [{{"url": "{local}"}}]}}"#), true).is_ok());
        }
        assert!(
            Backends::parse(r#"{"backends": [{"url": "http://localhost.evil.example"}]}"#, true).is_err()
        );
    }
}
