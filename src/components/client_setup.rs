//! How to set up a client of a protocol.

use super::code_tabs::CodeTabs;
use super::snippets::{CLIENT_TABS, client_code};
use keygate_contract::Protocol;
use leptos::prelude::*;

/// What sets up a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOf {
    /// What the client speaks.
    pub protocol: Protocol,
    /// Where it calls.
    pub base_url: String,
    /// What is served there.
    pub operations: Vec<String>,
}

/// The lines of an environment file, and code. A word stands where the key goes.
#[component]
pub fn ClientSetup(
    /// The client; none leaves the code empty.
    client: Memo<Option<ClientOf>>,
) -> impl IntoView {
    let tab = RwSignal::new(0_usize);
    let code = Callback::new(move |()| {
        let of =
            |client: &ClientOf| client_code(client.protocol, tab.get(), &client.base_url, &client.operations);
        client.with(|client| client.as_ref().map(of)).unwrap_or_default()
    });
    view! { <CodeTabs label="Language" id="setup" tabs=&CLIENT_TABS selected=tab code /> }
}
