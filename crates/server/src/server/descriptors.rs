//! How many connections the open-file limit permits.

use crate::config::Config;

/// Descriptors for everything but connections: databases and their logs, mail, timers, listeners.
const FILES: u64 = 128;

/// Raises the open-file limit as far as the system permits. Returns the number of connections for each listener: the
/// configured number, or fewer if the limit permits fewer.
pub(super) fn connections(config: &Config) -> usize {
    let limit = match rlimit::increase_nofile_limit(rlimit::INFINITY) {
        Ok(limit) => limit,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the open-file limit");
            rlimit::Resource::NOFILE.get_soft().unwrap_or(u64::MAX)
        }
    };
    let admin = if config.admin.listen.is_some() { crate::metrics::ADMIN_CONNECTIONS } else { 0 };
    let each = share(limit, config.regions.len(), admin);
    let configured = config.limits.connections;
    if each < configured {
        tracing::warn!(
            nofile.limit = limit,
            connections.configured = configured,
            connections.each_listener = each,
            "the open-file limit permits fewer connections than limits.connections; raise it (LimitNOFILE, ulimit -n)"
        );
    }
    each.min(configured)
}

/// The connections per listener that an open-file limit permits. Half of the limit is for upstreams, because each
/// connection may need one there.
fn share(limit: u64, listeners: usize, admin: usize) -> usize {
    let left = limit.saturating_sub(FILES).saturating_sub(admin as u64);
    let each = left / 2 / listeners.max(1) as u64;
    usize::try_from(each).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_and_files_have_a_share_of_the_descriptors() {
        assert_eq!(share(1024, 1, 0), 448);
        assert_eq!(share(1024, 3, 32), 144);
        assert_eq!(share(64, 3, 0), 1);
        assert!(share(u64::MAX, 3, 0) > 1 << 40);
    }
}
