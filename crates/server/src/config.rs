//! Configuration: built-in defaults, then the file, then the environment. Everything is checked here, at the door.

mod file;
mod model;
mod region;
mod upstream;
mod usage;
mod web;

use file::{File, timeouts};
use keygate_contract::{Email, IpRule, RegionFeatures, RegionId, RegionLimits};
use keygate_gateway::Timeouts;
use keygate_gateway::catalogue::{Catalogue, CatalogueRegion, ModelDefinition};
use model::models;
use region::{check_hosts, regions};
use secrecy::SecretString;
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use upstream::check_upstreams;
use usage::{check_admin, check_usage};
use web::{console_origins, plain_url, session_cookie, trusted_proxies};

pub(crate) use web::{SESSION_COOKIE, origin, origin_part};

pub use upstream::{OutputLimitName, UpstreamConfig, UpstreamModels, UpstreamProtocol};
pub use usage::{AdminConfig, UsageConfig};

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not TOML, or has an unknown field or one of the wrong type. The error names the line but does not
    /// quote it: it may contain the mail password.
    #[error("{path}, line {line}: {message}")]
    Parse {
        /// The file.
        path: String,
        /// The line number, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// A value that cannot work.
    #[error("{field}: {message}")]
    Value {
        /// The field or environment variable.
        field: String,
        /// What to do.
        message: String,
    },
}

/// What is wrong in a file: the line, the field and the problem.
fn unreadable(path: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start);
    let line = text[..at].matches('\n').count();
    let field = text.lines().nth(line).and_then(|line| line.split_once('=')).map(|(field, _)| field.trim());
    let message = match field {
        Some(field) => format!("`{field}`: {}", error.message()),
        None => error.message().to_owned(),
    };
    ConfigError::Parse { path: path.to_owned(), line: line + 1, message }
}

fn bad(field: impl Into<String>, message: impl Into<String>) -> ConfigError {
    ConfigError::Value { field: field.into(), message: message.into() }
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the store, the server's secret and the outbox are.
    pub data_dir: PathBuf,
    /// `sqlite:` URL of the store.
    pub database_url: String,
    /// The server's secret, if it is not to be in the data folder.
    pub secret_key: Option<SecretString>,
    /// A built console to serve instead of the embedded one.
    pub console_dir: Option<PathBuf>,
    /// Where browsers reach the console, if not at the listener's own address.
    pub public_url: Option<String>,
    /// Origins of consoles that are served elsewhere and may use this server.
    pub console_origins: Vec<String>,
    /// The name of the session's cookie.
    pub session_cookie: String,
    /// Whether the cookie is sent from pages of other sites.
    pub cross_site_cookies: bool,
    /// Proxies that are believed when they say who called.
    pub trusted_proxies: Vec<IpRule>,
    /// The owner created at first start.
    pub owner_email: Email,
    /// Mail.
    pub smtp: Smtp,
    /// The regions this process serves, the first beside the console.
    pub regions: Vec<RegionConfig>,
    /// The models: those that ship, and the configuration's own after them.
    pub models: Vec<ModelDefinition>,
    /// Where calls go. None: the echo serves every model.
    pub upstreams: Vec<UpstreamConfig>,
    /// Whether the echo serves models without an upstream.
    pub echo: bool,
    /// Threads that serve; one a core unless told.
    pub workers: usize,
    /// Sizes.
    pub limits: Limits,
    /// Times.
    pub timeouts: ServerTimeouts,
    /// How long usage is kept.
    pub usage: UsageConfig,
    /// The listener for those who operate the server.
    pub admin: AdminConfig,
}

/// A region.
#[derive(Clone, Debug)]
pub struct RegionConfig {
    /// Such as `ap-southeast-1`.
    pub id: RegionId,
    /// Such as `Singapore`.
    pub name: String,
    /// The id under which models name it; its own unless told.
    pub catalogue: RegionId,
    /// Its gateway's address.
    pub listen: SocketAddr,
    /// Where applications reach it, if not at the listener's own address.
    pub public_url: Option<String>,
    /// Where applications of a private network reach it.
    pub private_url: Option<String>,
    /// The domain below which each workspace has a host of its own.
    pub workspace_domain: Option<String>,
    /// What its keys can do.
    pub features: RegionFeatures,
    /// How many of each thing.
    pub limits: RegionLimits,
}

/// Mail. Without a URL it goes to the outbox.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// Like `smtps://user:password@mail.example.com`.
    pub url: Option<SecretString>,
    /// The sender.
    pub from: String,
}

impl Default for Smtp {
    fn default() -> Self {
        Self { url: None, from: "Keygate <keygate@localhost>".into() }
    }
}

/// Sizes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The largest body of a call, in bytes.
    pub body_bytes: usize,
    /// The most bytes of headers.
    pub header_bytes: usize,
    /// Connections open at once on each listener; more wait to be accepted.
    pub connections: usize,
    /// Calls under way at once with one API key.
    pub calls_per_key: u32,
    /// Bytes of requests and answers that the process holds in memory.
    pub body_memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 20 << 20,
            header_bytes: 32 << 10,
            connections: 10_000,
            calls_per_key: 100,
            body_memory: 512 << 20,
        }
    }
}

/// Times, in seconds in the file.
#[derive(Clone, Copy, Debug)]
pub struct ServerTimeouts {
    /// A request's headers, and an idle connection.
    pub header: Duration,
    /// The time over which a client must read 1 KiB a second on average while data waits for it.
    pub write: Duration,
    /// How long a stop waits for calls under way.
    pub stop: Duration,
    /// The gateway's.
    pub gateway: Timeouts,
}

/// The environment, as far as it is looked at.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Config {
    /// The configuration of a file, if one is given, and of the environment, which beats it.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text = match file {
            Some(path) => Some(
                std::fs::read_to_string(path)
                    .map_err(|error| ConfigError::Read { path: path.display().to_string(), error })?,
            ),
            None => None,
        };
        let name = file.map(|p| p.display().to_string()).unwrap_or_default();
        Self::parse(text.as_deref().unwrap_or(""), &name, &|name| {
            std::env::var(name).ok().filter(|v| !v.is_empty())
        })
    }

    fn parse(text: &str, name: &str, env: Environment<'_>) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| unreadable(name, text, &error))?;
        let data_dir =
            env("KEYGATE_DATA_DIR").map(PathBuf::from).or(file.data_dir).unwrap_or_else(|| "data".into());
        let listen = match env("KEYGATE_LISTEN") {
            Some(text) => text
                .parse()
                .map_err(|_| bad("KEYGATE_LISTEN", "give an address and a port, such as 127.0.0.1:8080"))?,
            None => file.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
        };
        let database_url = env("KEYGATE_DATABASE_URL")
            .or(file.database_url)
            .unwrap_or_else(|| format!("sqlite:{}", data_dir.join("keygate.db").display()));
        if !database_url.starts_with("sqlite:") {
            return Err(bad(
                "database_url",
                "this version stores in SQLite only; give a URL such as sqlite:data/keygate.db",
            ));
        }
        if env("KEYGATE_REDIS_URL").is_some() {
            return Err(bad(
                "KEYGATE_REDIS_URL",
                "this version keeps its limits in memory; unset it and run one process",
            ));
        }
        let owner =
            env("KEYGATE_OWNER_EMAIL").or(file.owner_email).unwrap_or_else(|| "owner@localhost".into());
        let echo = file.echo.unwrap_or(file.upstreams.is_empty());
        let public_url =
            env("KEYGATE_PUBLIC_URL").or(file.public_url).map(|u| plain_url("public_url", &u)).transpose()?;
        let is_https = public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
        if file.cross_site_cookies && !is_https {
            return Err(bad(
                "cross_site_cookies",
                "browsers take such cookies over https only; give an https `public_url`",
            ));
        }
        let config = Self {
            database_url,
            secret_key: env("KEYGATE_SECRET_KEY").map(SecretString::from),
            console_dir: env("KEYGATE_CONSOLE_DIR").map(PathBuf::from).or(file.console_dir),
            public_url,
            console_origins: console_origins(&file.console_origins)?,
            session_cookie: session_cookie(file.session_cookie, is_https)?,
            cross_site_cookies: file.cross_site_cookies,
            trusted_proxies: trusted_proxies(&file.trusted_proxies)?,
            owner_email: Email::parse(&owner).map_err(|e| bad("owner_email", e.to_string()))?,
            smtp: Smtp {
                url: env("KEYGATE_SMTP_URL").map(SecretString::from).or(file.smtp.url),
                from: file.smtp.from,
            },
            regions: regions(file.regions, listen)?,
            models: models(file.shipped_models, file.models)?,
            upstreams: file.upstreams,
            echo,
            workers: workers(file.workers)?,
            limits: file.limits,
            timeouts: timeouts(&file.timeouts)?,
            usage: file.usage,
            admin: file.admin,
            data_dir,
        };
        check_limits(config.limits)?;
        check_usage(config.usage)?;
        check_admin(config.admin, config.regions.iter().map(|region| region.listen))?;
        check_hosts(&config.regions, config.public_url.as_deref())?;
        check_upstreams(&config.upstreams, &config.models)?;
        Ok(config)
    }
}

impl Config {
    /// `sqlite:` URL of the database of usage, which is beside the store's.
    pub fn usage_url(&self) -> String {
        format!("sqlite:{}", self.data_dir.join("usage.db").display())
    }

    /// The models of each region.
    pub fn catalogue(&self) -> Catalogue {
        let regions: Vec<CatalogueRegion> = self
            .regions
            .iter()
            .map(|region| CatalogueRegion { id: region.id.clone(), like: region.catalogue.clone() })
            .collect();
        Catalogue::new(&self.models, &regions)
    }
}

fn workers(given: Option<usize>) -> Result<usize, ConfigError> {
    match given {
        Some(count @ 1..=1024) => Ok(count),
        Some(_) => Err(bad("workers", "give 1 to 1024")),
        None => Ok(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)),
    }
}

fn check_limits(limits: Limits) -> Result<(), ConfigError> {
    for (field, value, least, most) in [
        ("limits.body_bytes", limits.body_bytes, 1 << 10, 1 << 30),
        ("limits.header_bytes", limits.header_bytes, 1 << 10, 256 << 10),
        ("limits.connections", limits.connections, 1, 1_000_000),
        ("limits.body_memory", limits.body_memory, 1 << 20, 1 << 40),
        ("limits.calls_per_key", limits.calls_per_key as usize, 1, 1_000_000),
    ] {
        if !(least..=most).contains(&value) {
            return Err(bad(field, format!("give {least} to {most}")));
        }
    }
    if limits.body_memory < limits.body_bytes {
        let Limits { body_memory, body_bytes, .. } = limits;
        let text = format!(
            "{body_memory} bytes cannot hold one body of {body_bytes} bytes; raise it to at least that much, or better \
             20 times as much, or lower limits.body_bytes"
        );
        return Err(bad("limits.body_memory", text));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
