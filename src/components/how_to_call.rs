//! Code that calls a model at the endpoints of its region.

use super::code_tabs::CodeTabs;
use super::snippets::{CODE_TABS, Call};
use crate::api::openai_base_url;
use crate::state::Regions;
use crate::ui::{Glyph, Note};
use keygate_contract::Model;
use leptos::prelude::*;

/// The code; or that no endpoint of the region takes such calls.
#[component]
pub fn HowToCall(
    /// The model.
    model: Model,
) -> impl IntoView {
    let regions = Regions::expect();
    let tab = RwSignal::new(0_usize);
    let base_url = Memo::new(move |_| {
        regions.current.with(|region| region.as_ref().and_then(openai_base_url).map(str::to_owned))
    });
    let Model { id, kind, .. } = model;
    let Some(call) = Call::of(id.as_str(), kind) else {
        return view! {
            <Note class="note info" glyph=Glyph::Cube>
                "The endpoints of this region have no operation of their own for models of this type."
            </Note>
        }
        .into_any();
    };
    let code =
        Callback::new(move |()| base_url.get().map(|url| call.snippet(tab.get(), &url)).unwrap_or_default());
    view! { <CodeTabs label="How to call it" id="call" tabs=&CODE_TABS selected=tab code /> }.into_any()
}
