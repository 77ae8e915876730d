//! What stands in the console's place when `config.json` cannot be used.

use crate::ui::dom::end_boot;
use crate::ui::{Brand, Glyph, Note};
use leptos::prelude::*;

/// Says what is wrong, and where. Only whoever hosts the console can mend it.
#[component]
pub fn MisconfiguredPage(
    /// What is wrong.
    problem: String,
) -> impl IntoView {
    document().set_title("Not set up · Keygate");
    end_boot();
    view! {
        <main class="sign-in misconfigured">
            <div class="brand"><Brand /></div>
            <div class="card">
                <header>
                    <h1>"config.json cannot be used"</h1>
                    <p>"The file beside this page names the servers of the console. Whoever hosts it has to mend it."</p>
                </header>
                <Note class="note bad" glyph=Glyph::Error role="alert">
                    <code>{problem}</code>
                </Note>
                <div class="acts">
                    <a class="btn" href="" rel="external">"Reload"</a>
                </div>
            </div>
        </main>
    }
}
