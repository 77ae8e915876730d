//! Gives an API key a new secret.

use super::gone::when_gone;
use crate::api::{CreatedKey, Queries, WorkspaceKey, api_key_reset};
use crate::components::{Checked, ErrorNote, Submission};
use crate::ui::{Choice, Dialog, Form, RadioGroup, SubmitButton, TextField};
use keygate_contract::{ApiKey, ApiKeyReset, Overlap};
use leptos::prelude::*;

const FIELD: &str = "overlap_seconds";

/// How long the old secret works beside the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    Seconds(u32),
    Typed,
}

const CHOICES: [(Lasts, &str); 4] = [
    (Lasts::Seconds(0), "Stops at once"),
    (Lasts::Seconds(3_600), "Works for 1 hour"),
    (Lasts::Seconds(86_400), "Works for 24 hours"),
    (Lasts::Typed, "Works for some minutes"),
];

/// A number of minutes, up to a day.
fn minutes(text: &str) -> Result<Overlap, &'static str> {
    let minutes = text.trim();
    let digits = minutes.bytes().all(|b| b.is_ascii_digit());
    let seconds = minutes.parse().ok().filter(|n: &u64| digits && *n > 0).and_then(|n| n.checked_mul(60));
    let overlap = seconds.and_then(|seconds| Overlap::try_from(seconds).ok());
    // The hint beside it tells from where to where.
    overlap.ok_or("Give a whole number of minutes within these limits.")
}

/// The dialog.
#[component]
pub(super) fn ResetDialog(
    workspace: WorkspaceKey,
    key: ApiKey,
    on_gone: Callback<String>,
    on_close: Callback<()>,
    on_reset: Callback<CreatedKey>,
) -> impl IntoView {
    let (queries, submission, typed) = (Queries::expect(), Submission::new(), Checked::new("60"));
    let ApiKey { id, masked, description, previous_secret, .. } = key;
    let gone = description.clone();
    when_gone(submission, move || on_gone.run(gone.clone()));
    let lasts = RwSignal::new(Lasts::Seconds(0));
    let is_typed = Memo::new(move |_| lasts.get() == Lasts::Typed);
    let close = Callback::new(move |()| {
        if !submission.busy().get_untracked() {
            on_close.run(());
        }
    });
    let submit = Callback::new(move |()| {
        let overlap = match lasts.get_untracked() {
            Lasts::Seconds(seconds) => Overlap::try_from(u64::from(seconds)).ok(),
            Lasts::Typed => typed.parse(minutes),
        };
        let Some(overlap_seconds) = overlap else { return };
        let attempt = submission.key_for(&overlap_seconds.get().to_string());
        let body = ApiKeyReset { overlap_seconds };
        let call = api_key_reset(queries, workspace.clone(), id.clone(), body, attempt);
        submission.send(call, move |reset| on_reset.run(reset));
    });
    let choices = CHOICES.map(|(value, label)| Choice { value, label, detail: String::new() }).to_vec();
    let error = typed.error(submission, FIELD);
    let beside = Signal::derive(move || {
        submission.error().filter(|e| !is_typed.get() || e.field.as_deref() != Some(FIELD))
    });
    view! {
        <Dialog
            title="Reset API key"
            subtitle=view! { <bdi>{description}</bdi> " · " <span class="mono">{masked}</span> }.into_any()
            on_close=close
        >
            <Form on_submit=submit>
                <div class="body">
                    <p>
                        "The key gets a new secret, shown once. Its ID, permission and description stay, and so does what it has used."
                    </p>
                    <RadioGroup
                        label="The old secret"
                        choices
                        chosen=lasts.into()
                        on_choose=Callback::new(move |value| lasts.set(value))
                    />
                    {move || is_typed.get().then(|| view! {
                        <TextField label="Minutes" value=typed.text error hint="1 to 1440, which is 24 hours." inputmode="numeric" />
                    })}
                    <p class="muted">
                        {move || if lasts.get() == Lasts::Seconds(0) {
                            "The next call with the old secret is refused with 401, and so are calls with temporary keys made from the key."
                        } else {
                            "Both secrets work meanwhile, so that applications can be moved one by one. You can end the overlap at any time."
                        }}
                        {previous_secret.map(|_| " The secret before that stops at once: an overlap is running already.")}
                    </p>
                    <ErrorNote error=beside />
                </div>
                <footer>
                    <button type="button" class="btn" autofocus=true on:click=move |_| close.run(())>"Cancel"</button>
                    <SubmitButton label="Reset API key" busy_label="Resetting…" busy=submission.busy() class="btn danger" />
                </footer>
            </Form>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keygate_contract::OVERLAP_MAX;

    #[test]
    fn minutes_are_whole_and_at_most_a_day() {
        assert_eq!(minutes(" 90 ").map(Overlap::get), Ok(5_400));
        assert_eq!(minutes("1440").map(Overlap::get), Ok(OVERLAP_MAX));
        for bad in ["", "0", "1441", "2880", "1.5", "-1", "+1", "abc", "99999999999999999999"] {
            assert!(minutes(bad).is_err(), "{bad}");
        }
    }
}
