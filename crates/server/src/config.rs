//! Configuration: built-in defaults, then the file, then the environment. Everything is checked here, at the door.

mod file;
mod model;
mod region;
mod upstream;

use file::{File, timeouts};
use keygate_contract::{Email, RegionFeatures, RegionId, RegionLimits};
use keygate_gateway::Timeouts;
use keygate_gateway::catalogue::{Catalogue, CatalogueRegion, ModelDefinition};
use model::models;
use region::{plain_url, regions};
use secrecy::SecretString;
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use upstream::check_upstreams;

pub use upstream::{UpstreamConfig, UpstreamModels, UpstreamProtocol};

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
    /// The file is not TOML, or has a field that is unknown or of the wrong type.
    #[error("{path}: {error}")]
    Parse {
        /// The file.
        path: String,
        /// Where and why.
        error: Box<toml::de::Error>,
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
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 20 << 20, header_bytes: 32 << 10, connections: 10_000, calls_per_key: 100 }
    }
}

/// Times, in seconds in the file.
#[derive(Clone, Copy, Debug)]
pub struct ServerTimeouts {
    /// A request's headers, and an idle connection.
    pub header: Duration,
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
        let file: File = toml::from_str(text)
            .map_err(|error| ConfigError::Parse { path: name.to_owned(), error: Box::new(error) })?;
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
        let config = Self {
            database_url,
            secret_key: env("KEYGATE_SECRET_KEY").map(SecretString::from),
            console_dir: env("KEYGATE_CONSOLE_DIR").map(PathBuf::from).or(file.console_dir),
            public_url: env("KEYGATE_PUBLIC_URL")
                .or(file.public_url)
                .map(|u| plain_url("public_url", &u))
                .transpose()?,
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
            data_dir,
        };
        check_limits(config.limits)?;
        check_upstreams(&config.upstreams, &config.models)?;
        Ok(config)
    }
}

impl Config {
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
        ("limits.calls_per_key", limits.calls_per_key as usize, 1, 1_000_000),
    ] {
        if !(least..=most).contains(&value) {
            return Err(bad(field, format!("give {least} to {most}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
        let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Config::parse(text, "keygate.toml", &env).map_err(|e| e.to_string())
    }

    #[test]
    fn without_a_file_there_are_three_regions_on_ports_of_their_own() {
        let config = parse("", &[]).unwrap();
        let regions: Vec<_> = config.regions.iter().map(|r| (r.id.as_str(), r.listen.to_string())).collect();
        assert_eq!(
            regions,
            [
                ("ap-southeast-1", "127.0.0.1:8080".into()),
                ("us-east-1", "127.0.0.1:8081".into()),
                ("cn-beijing", "127.0.0.1:8082".into())
            ]
        );
        assert_eq!(config.database_url, "sqlite:data/keygate.db");
        assert!(config.echo);
    }

    #[test]
    fn the_environment_beats_the_file() {
        let file = "data_dir = '/srv/a'\nlisten = '127.0.0.1:1'";
        let config =
            parse(file, &[("KEYGATE_DATA_DIR", "/srv/b"), ("KEYGATE_LISTEN", "127.0.0.1:0")]).unwrap();
        assert_eq!(config.data_dir, Path::new("/srv/b"));
        assert!(config.regions.iter().all(|r| r.listen.port() == 0));
    }

    #[test]
    fn an_upstream_serves_models_by_list_or_by_other_names() {
        let config = parse(
            "[[upstreams]]\nid = 'a'\nbase_url = 'http://x/v1'\nmodels = ['qwen-plus']\n\
             [[upstreams]]\nid = 'b'\nbase_url = 'http://y/v1'\nmodels = { 'ZHIPU/GLM-5.1' = 'glm' }",
            &[],
        )
        .unwrap();
        assert_eq!(config.upstreams[0].models.names(), [("qwen-plus".into(), None)]);
        assert_eq!(config.upstreams[1].models.names(), [("ZHIPU/GLM-5.1".into(), Some("glm".into()))]);
        assert!(!config.echo);
    }

    #[test]
    fn own_models_stand_beside_the_shipped_ones_or_alone() {
        let own = "[[models]]\nid = 'mine'\nvendor = 'Me'\ntype = 'text'\nrpm = 60\ntpm = 1000\n\
                   [models.regional.cn-beijing]\nrpm = 6\n";
        let config = parse(own, &[]).unwrap();
        assert_eq!(config.models.len(), 151);
        let rpm = |region: &str| {
            let catalogue = config.catalogue();
            catalogue.find(&region.into(), &"mine".into()).unwrap().limits.rpm
        };
        assert_eq!((rpm("us-east-1"), rpm("cn-beijing")), (60, 6));
        let alone = parse(&format!("shipped_models = false\n{own}"), &[]).unwrap();
        assert_eq!(alone.models.len(), 1);
    }

    #[test]
    fn a_region_of_another_name_takes_the_models_of_one_that_ships() {
        let text = "[[regions]]\nid = 'home'\nname = 'Home'\ncatalogue = 'cn-beijing'";
        let catalogue = parse(text, &[]).unwrap().catalogue();
        assert_eq!(catalogue.in_region(&"home".into()).len(), 143);
    }

    #[test]
    fn what_cannot_work_is_refused_by_its_field() {
        let upstream =
            |models: &str| format!("[[upstreams]]\nid = 'a'\nbase_url = 'http://x/v1'\nmodels = {models}");
        let region = |id: &str| format!("[[regions]]\nid = '{id}'\nname = 'R'\n");
        let model = |id: &str, rest: &str| {
            format!("[[models]]\nid = '{id}'\nvendor = 'V'\ntype = 'text'\nrpm = 1\n{rest}\n")
        };
        for (text, env, expected) in [
            ("colour = 'red'".into(), None, "colour"),
            ("listen = 8080".into(), None, "listen"),
            (String::new(), Some(("KEYGATE_LISTEN", "8080")), "KEYGATE_LISTEN"),
            (String::new(), Some(("KEYGATE_DATABASE_URL", "postgres://x")), "SQLite only"),
            (String::new(), Some(("KEYGATE_REDIS_URL", "redis://x")), "KEYGATE_REDIS_URL"),
            ("owner_email = 'me'".into(), None, "owner_email"),
            ("public_url = 'https://x/console'".into(), None, "public_url"),
            ("[timeouts]\nbody = 0".into(), None, "timeouts.body"),
            ("[timeouts]\nupstream_idle = 99999999999".into(), None, "timeouts.upstream_idle"),
            ("workers = 0".into(), None, "workers"),
            ("[limits]\nheader_bytes = 0".into(), None, "limits.header_bytes"),
            (upstream("['gpt-nonsense']"), None, "gpt-nonsense"),
            (upstream("['qwen-plus', 'qwen-plus']"), None, "qwen-plus"),
            (upstream("['qwen-plus']\nprotocol = 'smtp'"), None, "protocol"),
            (model("a", ""), None, "give `tpm`"),
            (model("a b", "tpm = 1"), None, "models.a b"),
            (model("a", "tpm = 0"), None, "at least 1"),
            (model("a", "tpm = 1\ncolour = 'red'"), None, "colour"),
            (model("a", "tpm = 1") + &model("a", "tpm = 1"), None, "two models"),
            (region("a") + &region("a"), None, "two regions"),
            (region("A/../b"), None, "lower-case"),
        ] {
            let error = parse(&text, env.as_slice()).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
