//! The browser that requests a sign-in: its network, and its cookies from earlier attempts.

use super::Console;
use super::extract::Origin;
use super::network::Network;
use crate::listen::Peer;
use crate::problem::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use keygate_store::{SignInSource, now_ms};
use std::net::{IpAddr, Ipv4Addr};
use zeroize::Zeroizing;

/// The browser that requests a sign-in.
pub(super) struct Browser {
    pub(super) origin: Origin,
    network: Network,
    /// The value of the cookie that binds a code.
    nonce: Option<Zeroizing<String>>,
    nonce_hash: Option<[u8; 32]>,
    /// The keyed hash of the cookie of a known browser.
    pub(super) browser_hash: Option<[u8; 32]>,
}

impl Browser {
    /// The source by which the store counts it.
    pub(super) fn source(&self) -> SignInSource {
        self.network.source(self.nonce_hash, self.browser_hash)
    }

    /// The value that its code is bound to; without one, every code is wrong.
    pub(super) fn nonce(&self) -> &str {
        self.nonce.as_ref().map_or("", |nonce| nonce.as_str())
    }

    /// Counts an attempt from its network. If the network has none left but the browser is known, the attempt counts
    /// against the browser's own budget, so that nobody on the same network, or behind the same proxy, can lock its
    /// member out.
    pub(super) async fn take_attempt(&self, console: &Console) -> Result<(), Problem> {
        let Err(problem) = console.attempts.take(self.network) else { return Ok(()) };
        match self.browser_hash {
            Some(hash) if console.store.browser_is_known(&hash, now_ms()).await? => {
                console.attempts.take_of_browser(hash)
            }
            _ => Err(problem),
        }
    }
}

impl FromRequestParts<Console> for Browser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Problem> {
        // Without a listener, as in a test of the router alone, all clients share one address.
        let address = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
        let nonce = console.cookie.code_nonce(&parts.headers);
        let browser = console.cookie.browser(&parts.headers);
        Ok(Self {
            origin: Origin::from_request_parts(parts, console).await?,
            network: Network::of(address),
            nonce_hash: nonce.as_ref().map(|nonce| console.secret.nonce_hash(nonce)),
            nonce,
            browser_hash: browser.map(|token| console.secret.browser_hash(&token)),
        })
    }
}
