//! The file as it is written, before it is checked.

use super::{AdminConfig, ConfigError, Limits, ServerTimeouts, Smtp, UpstreamConfig, UsageConfig, bad};
use keygate_contract::RegionId;
use keygate_gateway::Timeouts;
use keygate_gateway::catalogue::ModelDefinition;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) database_url: Option<String>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) console_dir: Option<PathBuf>,
    pub(super) public_url: Option<String>,
    pub(super) console_origins: Vec<String>,
    pub(super) session_cookie: Option<String>,
    pub(super) cross_site_cookies: bool,
    pub(super) trusted_proxies: Vec<String>,
    pub(super) owner_email: Option<String>,
    pub(super) smtp: Smtp,
    pub(super) regions: Vec<RegionFile>,
    pub(super) shipped_models: Option<bool>,
    pub(super) models: Vec<ModelDefinition>,
    pub(super) upstreams: Vec<UpstreamConfig>,
    pub(super) echo: Option<bool>,
    pub(super) workers: Option<usize>,
    pub(super) limits: Limits,
    pub(super) timeouts: TimeoutsFile,
    pub(super) usage: UsageConfig,
    pub(super) admin: AdminConfig,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegionFile {
    pub(super) id: RegionId,
    pub(super) name: Option<String>,
    pub(super) catalogue: Option<RegionId>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) public_url: Option<String>,
    pub(super) private_url: Option<String>,
    pub(super) workspace_domain: Option<String>,
    pub(super) custom_permission: Option<bool>,
    pub(super) temporary_keys: Option<bool>,
    #[serde(default)]
    pub(super) limits: RegionLimitsFile,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RegionLimitsFile {
    pub(super) workspaces: Option<u32>,
    pub(super) keys_per_workspace: Option<u32>,
    pub(super) keys_per_region: Option<u32>,
    pub(super) keys_per_owner: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TimeoutsFile {
    pub(super) header: Option<u64>,
    pub(super) body: Option<u64>,
    pub(super) write: Option<u64>,
    pub(super) stop: Option<u64>,
    pub(super) upstream_connect: Option<u64>,
    pub(super) upstream_first_byte: Option<u64>,
    pub(super) upstream_idle: Option<u64>,
    pub(super) upstream_whole: Option<u64>,
    pub(super) settle: Option<u64>,
}

/// The times of a file, each checked, with the defaults of the others.
pub(super) fn timeouts(file: &TimeoutsFile) -> Result<ServerTimeouts, ConfigError> {
    let default = Timeouts::default();
    let seconds = |field: &str, value: Option<u64>, default: Duration| match value {
        Some(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        Some(_) => {
            Err(bad(format!("timeouts.{field}"), "give 1 second to 86400; nothing here waits for ever"))
        }
        None => Ok(default),
    };
    Ok(ServerTimeouts {
        header: seconds("header", file.header, Duration::from_secs(30))?,
        write: seconds("write", file.write, Duration::from_secs(30))?,
        stop: seconds("stop", file.stop, Duration::from_secs(30))?,
        gateway: Timeouts {
            body: seconds("body", file.body, default.body)?,
            connect: seconds("upstream_connect", file.upstream_connect, default.connect)?,
            first_byte: seconds("upstream_first_byte", file.upstream_first_byte, default.first_byte)?,
            idle: seconds("upstream_idle", file.upstream_idle, default.idle)?,
            whole: seconds("upstream_whole", file.upstream_whole, default.whole)?,
            settle: match file.settle {
                // 0 is valid: the rest of an answer whose client has disconnected need not be read.
                Some(0) => Duration::ZERO,
                other => seconds("settle", other, default.settle)?,
            },
        },
    })
}
