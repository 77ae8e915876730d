//! What the page may load and run: its own files, WebAssembly, and the scripts that stand in it; and where it may connect.

use crate::config::{origin, origin_part};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// A page's Content Security Policy.
pub(super) struct Policy {
    /// The hash of each script that stands in the page.
    scripts: Vec<String>,
    /// Origins that the page may connect to beside its own.
    connections: Vec<String>,
}

impl Policy {
    /// The policy of a page, with the servers that its configuration names.
    pub(super) fn of(index: &[u8], config: &[u8]) -> Self {
        let scripts = inline_scripts(&String::from_utf8_lossy(index)).map(hash).collect();
        Self { scripts, connections: backends(config) }
    }

    /// Lets the page connect to `origins`, too.
    pub(super) fn connect_to(&mut self, origins: &[String]) {
        self.connections.extend_from_slice(origins);
    }

    /// The header.
    pub(super) fn header(&self) -> HeaderValue {
        let list = |items: &[String]| items.iter().map(|item| format!(" {item}")).collect::<String>();
        let policy = format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{}; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'{}; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'",
            list(&self.scripts),
            list(&self.connections)
        );
        HeaderValue::from_str(&policy).expect("the policy is ASCII")
    }
}

/// How the policy names a script.
fn hash(script: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes())))
}

fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        let has_source = attributes.split_ascii_whitespace().any(|attribute| attribute.starts_with("src="));
        (!has_source && !script.is_empty()).then_some(script)
    })
}

#[derive(Deserialize)]
struct Config {
    backends: Vec<Backend>,
}

#[derive(Deserialize)]
struct Backend {
    url: String,
}

/// The origins of the servers that the console's configuration names. What is wrong in it is the console's to tell.
fn backends(config: &[u8]) -> Vec<String> {
    let backends =
        serde_json::from_slice(config).map_or_else(|_| Vec::new(), |config: Config| config.backends);
    let origins = backends.iter().filter_map(|backend| origin(origin_part(&backend.url)));
    // A policy has no way to name an IPv6 address.
    origins.filter(|origin| !origin.contains('[')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_are_allowed_by_their_hashes_and_no_other() {
        let index = "<html><script>early()</script><script src=\"/boot-0123456789abcdef.js\"></script>\
            <script type=\"module\"\nsrc=\"/x.js\">ignored</script><script type=\"module\">start()</script></html>";
        let policy = Policy::of(index.as_bytes(), b"").header();
        let policy = policy.to_str().unwrap();
        assert_eq!(policy.matches("sha256-").count(), 2);
        for script in ["early()", "start()"] {
            let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
            assert!(policy.contains(&format!("'sha256-{hash}'")), "{script}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    }

    #[test]
    fn the_page_may_connect_to_endpoints_and_to_the_servers_of_its_configuration() {
        let connections = |config: &str| {
            let mut policy = Policy::of(b"", config.as_bytes());
            policy.connect_to(&["https://*.ap.example.com".into()]);
            let header = policy.header();
            let (_, rest) = header.to_str().unwrap().split_once("connect-src ").unwrap();
            rest.split_once(';').unwrap().0.to_owned()
        };
        let two = r#"{"backends":[{"url":""},{"url":"https://Eu.example.com/kg/","name":"EU"},{"url":"http://[::1]"}]}"#;
        assert_eq!(connections(two), "'self' https://eu.example.com https://*.ap.example.com");
        for none in [r#"{"backends":[{"url":""}]}"#, "", "[]", r#"{"backends":[{"url":"x; script-src *"}]}"#]
        {
            assert_eq!(connections(none), "'self' https://*.ap.example.com", "{none}");
        }
    }
}
