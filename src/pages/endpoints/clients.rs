//! How to set up a client of each protocol for this region.

use super::address::{Address, PROTOCOLS};
use super::words::protocol_name;
use crate::components::{ClientOf, ClientSetup};
use crate::ui::{Glyph, Note, TabPanel, Tabs};
use keygate_contract::Protocol;
use leptos::prelude::*;

/// The names of [`PROTOCOLS`], in the same order.
const TABS: [&str; 3] =
    [protocol_name(PROTOCOLS[0]), protocol_name(PROTOCOLS[1]), protocol_name(PROTOCOLS[2])];

/// Code and environment for the address of widest reach.
#[component]
pub(super) fn Clients(addresses: Memo<Vec<Address>>) -> impl IntoView {
    let tab = RwSignal::new(0_usize);
    let client = Memo::new(move |_| {
        let protocol = PROTOCOLS[tab.get()];
        addresses.with(|all| widest(all, protocol).map(client_of))
    });
    let served = Memo::new(move |_| client.with(|c| c.as_ref().map(|c| !c.operations.is_empty())));
    let said = move || match served.get() {
        Some(true) => None,
        Some(false) => Some("Nothing is served there yet: until it is, these calls are refused."),
        None => Some("This region has no base URL of this protocol."),
    };
    view! {
        <section class="stack" aria-labelledby="clients">
            <div>
                <h2 id="clients">"Set up a client"</h2>
                <p class="muted">"Put the key of a workspace in the place of " <code>"your-api-key"</code> ", in the environment and never in code."</p>
            </div>
            <div class="card setup">
                <Tabs label="Protocol" id="protocol" tabs=&TABS selected=tab />
                <TabPanel id="protocol" selected=tab class="stack">
                    {move || said().map(|said| view! { <Note class="note info" glyph=Glyph::Plug>{said}</Note> })}
                    {move || served.get().map(|_| view! { <ClientSetup client /> })}
                </TabPanel>
            </div>
        </section>
    }
}

/// Addresses come with the widest reach first.
fn widest(all: &[Address], protocol: Protocol) -> Option<&Address> {
    all.iter().find(|address| address.protocol == protocol)
}

fn client_of(address: &Address) -> ClientOf {
    let Address { protocol, base_url, operations, .. } = address.clone();
    ClientOf { protocol, base_url, operations }
}
