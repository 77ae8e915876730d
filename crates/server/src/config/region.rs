//! The regions of a configuration, and the URLs in it.

use super::file::{RegionFile, RegionLimitsFile};
use super::{ConfigError, RegionConfig, bad};
use keygate_contract::{
    KEYS_PER_REGION, KEYS_PER_WORKSPACE, RegionFeatures, RegionLimits, WORKSPACES_PER_REGION,
};
use std::net::SocketAddr;

/// The regions, each with an address: its own, or the one after that of the region before. Port 0 stays 0.
pub(super) fn regions(files: Vec<RegionFile>, first: SocketAddr) -> Result<Vec<RegionConfig>, ConfigError> {
    let files = if files.is_empty() { default_regions() } else { files };
    let mut regions: Vec<RegionConfig> = Vec::new();
    let mut next = first;
    for file in files {
        let field = format!("regions.{}", file.id);
        let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if file.id.as_str().is_empty() || !file.id.as_str().chars().all(slug) {
            return Err(bad(field, "an id has lower-case letters, digits and hyphens, such as eu-central-1"));
        }
        let listen = file.listen.unwrap_or(next);
        if regions.iter().any(|r| r.id == file.id) {
            return Err(bad(field, "there are two regions with this id"));
        }
        if listen.port() != 0 && regions.iter().any(|r| r.listen == listen) {
            return Err(bad(field, format!("{listen} is another region's address; give each its own")));
        }
        next = SocketAddr::new(
            listen.ip(),
            if listen.port() == 0 { 0 } else { listen.port().saturating_add(1) },
        );
        regions.push(RegionConfig {
            public_url: file.public_url.map(|u| plain_url(&format!("{field}.public_url"), &u)).transpose()?,
            catalogue: file.catalogue.unwrap_or_else(|| file.id.clone()),
            id: file.id,
            name: file.name,
            listen,
            features: RegionFeatures::default(),
            limits: RegionLimits {
                workspaces: file.limits.workspaces.unwrap_or(WORKSPACES_PER_REGION),
                keys_per_workspace: file.limits.keys_per_workspace.unwrap_or(KEYS_PER_WORKSPACE),
                keys_per_region: file.limits.keys_per_region.unwrap_or(KEYS_PER_REGION),
                keys_per_owner: None,
            },
        });
    }
    Ok(regions)
}

fn default_regions() -> Vec<RegionFile> {
    [("ap-southeast-1", "Singapore"), ("us-east-1", "US (Virginia)"), ("cn-beijing", "China (Beijing)")]
        .into_iter()
        .map(|(id, name)| RegionFile {
            id: id.into(),
            name: name.into(),
            catalogue: None,
            listen: None,
            public_url: None,
            limits: RegionLimitsFile::default(),
        })
        .collect()
}

/// A URL of scheme, host and port alone, without a slash at its end.
pub(super) fn plain_url(field: &str, url: &str) -> Result<String, ConfigError> {
    let plain = url.trim_end_matches('/');
    let uri: http::Uri =
        plain.parse().map_err(|_| bad(field, "give a URL such as https://keygate.example.com"))?;
    if matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some()
        && uri.path() == "/"
        && uri.query().is_none()
    {
        Ok(plain.to_owned())
    } else {
        Err(bad(field, "give scheme, host and port only, such as https://keygate.example.com"))
    }
}
