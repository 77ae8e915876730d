//! Makes a temporary key of an API key, and shows it as long as it works.

mod live;

use super::gone::when_gone;
use crate::api::{Queries, Secret, TemporaryKey, WorkspaceKey, temporary_key_create};
use crate::components::{Checked, ErrorNote, Submission};
use crate::ui::dom::{first_in, focus};
use crate::ui::{Dialog, Form, Glyph, Note, SubmitButton, TextField, now, topmost};
use keygate_contract::{ApiKey, TEMPORARY_KEY_LIFE, TemporaryKeyCreate, TemporaryKeyLife};
use leptos::prelude::*;
use live::{Live, LiveKey};
use std::sync::Arc;

const FIELD: &str = "expires_in_seconds";
const PRESETS: [(&str, &str); 3] = [("60", "1 minute"), ("300", "5 minutes"), ("1800", "30 minutes")];

/// Where the dialog stands.
#[derive(Clone)]
enum Stage {
    Ask,
    Live(Live),
    Over,
    /// The answer to the first attempt was lost, and the token with it.
    Lost,
}

/// Moves the focus within the dialog, once what it goes to is drawn: what had it is gone.
fn focus_on(selector: &'static str) {
    request_animation_frame(move || {
        if let Some(next) = topmost().and_then(|dialog| first_in(&dialog, selector)) {
            focus(&next);
        }
    });
}

/// The dialog. The token is wiped when its time is over, or when the dialog closes.
#[component]
pub(super) fn TemporaryDialog(
    workspace: WorkspaceKey,
    key: ApiKey,
    on_gone: Callback<String>,
    on_close: Callback<()>,
) -> impl IntoView {
    let (queries, submission) = (Queries::expect(), Submission::new());
    let ApiKey { id, description, .. } = key;
    let gone = (workspace.clone(), description.clone());
    when_gone(submission, move || {
        queries.api_keys_changed(&gone.0);
        on_gone.run(gone.1.clone());
    });
    let seconds = Checked::new(TEMPORARY_KEY_LIFE.to_string());
    let stage = RwSignal::new(Stage::Ask);
    let close = Callback::new(move |()| {
        if !submission.busy().get_untracked() {
            on_close.run(());
        }
    });
    let submit = Callback::new(move |()| {
        let parsed = seconds.parse(|text| TemporaryKeyLife::parse(text.trim()));
        let Some(expires_in_seconds) = parsed else { return };
        let life = expires_in_seconds.get();
        // Counted from before it was asked for: it is never shown for longer than it works.
        let ends_at = now() + f64::from(life) * 1000.0;
        let body = TemporaryKeyCreate { expires_in_seconds };
        let attempt = submission.key_for(&life.to_string());
        let call = temporary_key_create(queries.client, workspace.clone(), id.clone(), body, attempt);
        submission.send(call, move |TemporaryKey { token, expires_at }| {
            stage.set(match token {
                Some(token) => Stage::Live(Live { token, ends_at, life, expires_at }),
                None => Stage::Lost,
            });
            submission.forget();
            focus_on(".secret button, footer .primary");
        });
    });
    let over = Callback::new(move |()| {
        stage.set(Stage::Over);
        focus_on("footer .primary");
    });
    let again = Callback::new(move |()| {
        stage.set(Stage::Ask);
        focus_on("input");
    });
    view! {
        <Dialog
            title="Temporary key"
            subtitle=view! { "Of " <bdi>{description}</bdi> }.into_any()
            class="dialog temporary-dialog"
            on_close=close
        >
            {move || match stage.get() {
                Stage::Ask => view! { <Ask seconds submission on_submit=submit on_close=close /> }.into_any(),
                Stage::Live(live) => view! { <LiveKey live on_over=over on_close=close /> }.into_any(),
                Stage::Over => view! { <Over lost=false on_again=again on_close=close /> }.into_any(),
                Stage::Lost => view! { <Over lost=true on_again=again on_close=close /> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn Ask(
    seconds: Checked,
    submission: Submission,
    on_submit: Callback<()>,
    on_close: Callback<()>,
) -> impl IntoView {
    let presets = PRESETS.map(|(value, label)| {
        let is_chosen = move || seconds.text.with(|text| text.trim() == value);
        view! {
            <button type="button" class="btn small" aria-pressed=move || is_chosen().to_string() on:click=move |_| seconds.text.set(value.to_owned())>
                {label}
            </button>
        }
    });
    view! {
        <Form on_submit>
            <div class="body">
                <p>
                    "It may do what its key may, for a short time: give it to a browser or a device that must not have the key itself. It fails at once when its key is disabled, deleted or reset without an overlap, and it makes no other keys."
                </p>
                <div class="stack-s">
                    <TextField
                        label="Works for, in seconds"
                        value=seconds.text
                        error=seconds.error(submission, FIELD)
                        hint="1 to 1800, which is 30 minutes."
                        inputmode="numeric"
                        autofocus=true
                    />
                    <div class="presets" role="group" aria-label="Usual times">{presets.collect_view()}</div>
                </div>
                <ErrorNote error=submission.error_beside(&[FIELD]) />
            </div>
            <footer>
                <button type="button" class="btn" on:click=move |_| on_close.run(())>"Cancel"</button>
                <SubmitButton label="Create temporary key" busy_label="Creating…" busy=submission.busy() />
            </footer>
        </Form>
    }
}

#[component]
fn Over(lost: bool, on_again: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let words = if lost {
        "The connection broke after the temporary key was made. It is sent once, so it cannot be shown; it ends by itself. Create another."
    } else {
        "The temporary key is over: calls with it are refused, and it is wiped from this page."
    };
    view! {
        <div class="body">
            <Note class="note info" glyph=Glyph::Clock role="alert">{words}</Note>
        </div>
        <footer>
            <button type="button" class="btn" on:click=move |_| on_close.run(())>"Close"</button>
            <button type="button" class="btn primary" on:click=move |_| on_again.run(())>"Create another"</button>
        </footer>
    }
}
