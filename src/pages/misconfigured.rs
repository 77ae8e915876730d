//! What stands in the console's place when `config.json` cannot be used.

use crate::ui::dom::end_boot;
use crate::ui::{Brand, Empty, Glyph};
use leptos::prelude::*;

/// Says what is wrong, and where. Only whoever hosts the console can mend it.
#[component]
pub fn MisconfiguredPage(
    /// What is wrong.
    problem: String,
) -> impl IntoView {
    document().set_title("Keygate is not set up");
    end_boot();
    view! {
        <main class="sign-in misconfigured">
            <div class="brand"><Brand /></div>
            <div class="card">
                <Empty glyph=Glyph::Error title="config.json cannot be used" class="empty bad" role="alert">
                    <p>
                        "The file beside this page names the servers of the console. Whoever hosts it has to mend the file, then reload."
                    </p>
                    <p><code>{problem}</code></p>
                    <div class="acts">
                        <a class="btn" href="" rel="external">"Reload"</a>
                    </div>
                </Empty>
            </div>
        </main>
    }
}
