//! The regions of a configuration.

use super::file::{RegionFile, RegionLimitsFile};
use super::web::{is_name, plain_url};
use super::{ConfigError, RegionConfig, bad};
use keygate_contract::{
    KEYS_PER_OWNER, KEYS_PER_REGION, KEYS_PER_WORKSPACE, RegionFeatures, RegionId, RegionLimits,
    WORKSPACES_PER_REGION,
};
use std::net::SocketAddr;

/// The regions that need no name: id and name of each. The first three are there unless the file names others.
const KNOWN: [(&str, &str); 6] = [
    ("ap-southeast-1", "Singapore"),
    (VIRGINIA, "US (Virginia)"),
    ("cn-beijing", "China (Beijing)"),
    ("eu-central-1", "Germany (Frankfurt)"),
    ("cn-hongkong", "China (Hong Kong)"),
    ("ap-northeast-1", "Japan (Tokyo)"),
];

/// The region whose keys have no permission of their own and are counted by owner.
const VIRGINIA: &str = "us-east-1";

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
        regions.push(region(file, listen, &field)?);
    }
    Ok(regions)
}

fn region(file: RegionFile, listen: SocketAddr, field: &str) -> Result<RegionConfig, ConfigError> {
    let url = |name: &str, url: Option<String>| {
        url.map(|url| plain_url(&format!("{field}.{name}"), &url)).transpose()
    };
    let name = match file.name {
        Some(name) if name.trim().is_empty() => None,
        Some(name) => Some(name),
        None => known_name(&file.id),
    };
    let catalogue = file.catalogue.unwrap_or_else(|| file.id.clone());
    let is_virginia = catalogue.as_str() == VIRGINIA;
    let limits = file.limits;
    Ok(RegionConfig {
        public_url: url("public_url", file.public_url)?,
        private_url: url("private_url", file.private_url)?,
        workspace_domain: file.workspace_domain.map(|domain| workspace_domain(field, domain)).transpose()?,
        name: name
            .ok_or_else(|| bad(format!("{field}.name"), "give the name that people see, such as Home"))?,
        features: RegionFeatures {
            custom_permission: file.custom_permission.unwrap_or(!is_virginia),
            temporary_keys: file.temporary_keys.unwrap_or(true),
        },
        limits: RegionLimits {
            workspaces: limits.workspaces.unwrap_or(WORKSPACES_PER_REGION),
            keys_per_workspace: limits.keys_per_workspace.unwrap_or(KEYS_PER_WORKSPACE),
            keys_per_region: limits.keys_per_region.unwrap_or(KEYS_PER_REGION),
            keys_per_owner: limits.keys_per_owner.or(is_virginia.then_some(KEYS_PER_OWNER)),
        },
        id: file.id,
        catalogue,
        listen,
    })
}

fn known_name(id: &RegionId) -> Option<String> {
    KNOWN.iter().find(|(known, _)| *known == id.as_str()).map(|(_, name)| (*name).to_owned())
}

/// A host name that another label may stand before: not an address, whose last label is a number.
fn workspace_domain(field: &str, domain: String) -> Result<String, ConfigError> {
    let is_address = domain.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    // The label before it has up to 63 characters, and a dot.
    if is_name(&domain) && !is_address && domain.len() <= 253 - 64 {
        return Ok(domain);
    }
    Err(bad(
        format!("{field}.workspace_domain"),
        format!(
            "`{domain}` is no domain; give a lower-case host name without scheme, port or leading dot, such as \
             ap.keygate.example.com"
        ),
    ))
}

/// Refuses hosts that would be a workspace's host of a region, and something else as well.
pub(super) fn check_hosts(regions: &[RegionConfig], console: Option<&str>) -> Result<(), ConfigError> {
    let is_below = |host: &str, domain: &str| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let urls = regions.iter().flat_map(|r| [&r.public_url, &r.private_url]).filter_map(Option::as_deref);
    let hosts: Vec<String> = urls.chain(console).filter_map(host).collect();
    for (index, region) in regions.iter().enumerate() {
        let Some(domain) = &region.workspace_domain else { continue };
        let field = format!("regions.{}.workspace_domain", region.id);
        let others =
            regions[..index].iter().filter_map(|other| Some((other, other.workspace_domain.as_ref()?)));
        for (other, theirs) in others {
            if is_below(domain, theirs) || is_below(theirs, domain) {
                let text =
                    format!("`{domain}` overlaps `{theirs}` of {}; give each region its own", other.id);
                return Err(bad(field, text));
            }
        }
        if let Some(host) = hosts.iter().find(|host| *host != domain && is_below(host, domain)) {
            let text = format!(
                "`{host}` is below `{domain}`, where only workspaces have hosts; give another domain"
            );
            return Err(bad(field, text));
        }
    }
    Ok(())
}

fn host(url: &str) -> Option<String> {
    url.parse::<http::Uri>().ok()?.host().map(str::to_owned)
}

fn default_regions() -> Vec<RegionFile> {
    KNOWN[..3]
        .iter()
        .map(|(id, _)| RegionFile {
            id: (*id).into(),
            name: None,
            catalogue: None,
            listen: None,
            public_url: None,
            private_url: None,
            workspace_domain: None,
            custom_permission: None,
            temporary_keys: None,
            limits: RegionLimitsFile::default(),
        })
        .collect()
}
