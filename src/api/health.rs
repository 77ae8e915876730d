//! Whether a gateway answers this browser: the one request that goes elsewhere than to the console API.

use gloo_net::http::RequestBuilder;
use keygate_contract::Health;
use web_sys::{AbortSignal, RequestCache, RequestCredentials};

/// Why a host did not say how it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoHealth {
    /// No answer, or none that the browser lets a page see.
    Silent,
    /// Something answers, and it is no gateway.
    Stranger,
}

/// Asks the gateway at a host, such as `https://api.example.com`. Nothing of the session goes along.
pub async fn health(host: &str, signal: &AbortSignal) -> Result<Health, NoHealth> {
    let request = RequestBuilder::new(&format!("{host}/health"))
        .cache(RequestCache::NoStore)
        .credentials(RequestCredentials::Omit)
        .abort_signal(Some(signal));
    let answer = request.send().await.map_err(|_| NoHealth::Silent)?;
    if !answer.ok() {
        return Err(NoHealth::Stranger);
    }
    answer.json().await.map_err(|_| NoHealth::Stranger)
}
