//! The services that calls are sent on to, as they are configured.

use super::StartError;
use crate::config::Config;
use keygate_gateway::upstream::{Echo, HttpUpstream, UpstreamError, Upstreams};
use secrecy::SecretString;
use std::sync::Arc;

/// Which upstream serves which model.
///
/// # Errors
/// [`StartError::Upstream`] when one cannot be reached as it is configured, or its API key is not there.
pub(super) fn upstreams(config: &Config) -> Result<Upstreams, StartError> {
    let echo = if config.echo { Echo::On } else { Echo::Off };
    config.upstreams.iter().try_fold(Upstreams::new(echo), |upstreams, upstream| {
        let failed = |message: String| StartError::Upstream { id: upstream.id.clone(), message };
        let key = match &upstream.api_key_env {
            Some(name) => Some(SecretString::from(
                std::env::var(name)
                    .map_err(|_| failed(format!("set the environment variable {name} to its API key")))?,
            )),
            None => None,
        };
        let service =
            HttpUpstream::new(&upstream.id, &upstream.base_url, key.as_ref(), config.timeouts.gateway)
                .map_err(|e: UpstreamError| failed(e.to_string()))?;
        let service =
            Arc::new(if upstream.stream_options { service } else { service.without_stream_usage() });
        let (routes, terms) = (upstream.models.names().into_iter(), upstream.terms());
        Ok(routes.fold(upstreams, |upstreams, (model, name)| upstreams.route(model, &service, name, terms)))
    })
}
