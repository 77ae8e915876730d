//! Code in several languages, one at a time, with a button that copies it.

use crate::ui::{CopyButton, TabPanel, Tabs};
use leptos::prelude::*;

/// Tabs, and the code of the one selected. It has no secret: the copy does not need to be told.
#[component]
pub(super) fn CodeTabs(
    /// What the code is for.
    label: &'static str,
    /// Names tabs and panel.
    id: &'static str,
    /// The languages.
    tabs: &'static [&'static str],
    /// Which is selected.
    selected: RwSignal<usize>,
    /// The code of the selected one.
    code: Callback<(), String>,
) -> impl IntoView {
    view! {
        <div>
            <div class="toolbar">
                <Tabs label id tabs selected />
                <div class="spring"></div>
                <CopyButton text=Callback::new(move |()| untrack(|| code.run(()))) what="the code" class="btn quiet small" />
            </div>
            <TabPanel id selected class="snippet">
                <pre>{move || code.run(())}</pre>
            </TabPanel>
        </div>
    }
}
