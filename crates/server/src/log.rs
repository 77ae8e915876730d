//! The process's log: one JSON object a line on standard error, without the values of secrets.
//!
//! Log fields are chosen with care. Still, a library's error, or a carelessly added field, may quote a secret. So every
//! line passes through a [`Redactor`] that knows the secrets of the process.

use crate::config::Config;
use keygate_gateway::Redactor;
use secrecy::ExposeSecret as _;
use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

/// What [`Line`] redacts: the secrets of the configuration that was loaded last.
static REDACTOR: RwLock<Option<Redactor>> = RwLock::new(None);

/// Starts the log. `KEYGATE_LOG` sets the filter; `info` by default.
pub fn init() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(EnvFilter::try_from_env("KEYGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(|| Line(io::stderr()))
        .init();
}

/// From now on, redacts the secrets of a configuration, and the server's own secret in hexadecimal.
pub(crate) fn redact(config: &Config, server_secret: &str) {
    let mut secrets = vec![Zeroizing::new(server_secret.to_owned())];
    secrets.push(Zeroizing::new(server_secret.to_uppercase()));
    if let Some(url) = &config.smtp.url {
        let url = url.expose_secret();
        secrets.push(Zeroizing::new(url.to_owned()));
        secrets.extend(password(url));
    }
    let keys = config.upstreams.iter().filter_map(|upstream| upstream.api_key_env.as_ref());
    secrets.extend(keys.filter_map(|name| std::env::var(name).ok()).map(Zeroizing::new));
    let redactor = Redactor::new(secrets.iter().map(|secret| secret.as_str()));
    *REDACTOR.write().unwrap_or_else(PoisonError::into_inner) = Some(redactor);
}

/// The decoded password in a URL.
fn password(url: &str) -> Option<Zeroizing<String>> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let (_, password) = authority.rsplit_once('@')?.0.split_once(':')?;
    let decoded = percent_encoding::percent_decode_str(password).decode_utf8().ok()?;
    Some(Zeroizing::new(decoded.into_owned()))
}

/// Writes lines of the log. The subscriber writes each line whole.
struct Line<W>(W);

impl<W: Write> Write for Line<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let redactor = REDACTOR.read().unwrap_or_else(PoisonError::into_inner).clone();
        match (redactor, std::str::from_utf8(line)) {
            (Some(redactor), Ok(text)) => self.0.write_all(redactor.text(text).as_bytes())?,
            _ => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_mail_server_is_found() {
        for (url, expected) in [
            ("smtps://user:pass%2Fword@mail.example.com:465/path", Some("pass/word")),
            ("smtp://user:p@ss@mail.example.com", Some("p@ss")),
            ("smtp://mail.example.com:25", None),
            ("smtp://user@mail.example.com", None),
        ] {
            assert_eq!(password(url).as_deref().map(String::as_str), expected, "{url}");
        }
    }
}
