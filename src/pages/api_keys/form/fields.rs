//! The fields of the form.

use super::KeyForm;
use super::addresses::Addresses;
use super::expiry::ExpiryField;
use super::models::Models;
use super::scope::{Scope, Spot};
use crate::api::WorkspaceKey;
use crate::components::{ErrorNote, Submission};
use crate::state::Regions;
use crate::ui::dom::unique_id;
use crate::ui::{Choice, FieldError, Glyph, Note, RadioGroup, TextField};
use keygate_contract::{DESCRIPTION_MAX, RefusedAddress};
use leptos::prelude::*;

const ALL: &str = "All models that the workspace may call, from any address.";

/// The fields.
#[component]
pub(in crate::pages::api_keys) fn Fields(
    form: KeyForm,
    submission: Submission,
    workspace: WorkspaceKey,
    /// Whose key it is.
    owner: Signal<Option<String>>,
    /// The last call that was refused for its address.
    #[prop(optional_no_strip)]
    last_refused: Option<RefusedAddress>,
) -> impl IntoView {
    view! {
        <TextField
            label="Description"
            value=form.description.text
            error=form.description.error(submission, "description")
            max=DESCRIPTION_MAX
            hint="Which application uses the key, and where."
            autofocus=true
        />
        <div class="field">
            <span class="label">"Owner"</span>
            <span><bdi>{move || owner.get()}</bdi></span>
            <div class="below">"The key fails while its owner is disabled."</div>
        </div>
        <PermissionField form submission workspace last_refused />
        <ExpiryField expiry=form.expiry submission />
        <ErrorNote error=submission.error_unless(KeyForm::has_field) />
    }
}

#[component]
fn PermissionField(
    form: KeyForm,
    submission: Submission,
    workspace: WorkspaceKey,
    last_refused: Option<RefusedAddress>,
) -> impl IntoView {
    let regions = Regions::expect();
    let offered = Memo::new(move |_| {
        regions.current.with(|region| region.as_ref().is_none_or(|region| region.features.custom_permission))
    });
    let custom = Memo::new(move |_| form.scope.with(|scope| scope.custom));
    let region = move || regions.current.get().map(|region| region.name);
    let workspace = StoredValue::new(workspace);
    let choose = Callback::new(move |custom| form.scope.update(|scope| scope.custom = custom));
    let choices = move || {
        vec![
            Choice { value: false, label: "All", detail: ALL.to_owned() },
            Choice {
                value: true,
                label: "Custom",
                detail: "From some addresses only, some models only, or both.".to_owned(),
            },
        ]
    };
    move || {
        if offered.get() {
            let last_refused = last_refused.clone();
            view! {
                <div class="stack-s">
                    <RadioGroup label="Permission" choices=choices() chosen=custom.into() on_choose=choose class="radios cards" />
                    {move || {
                        let (last_refused, workspace) = (last_refused.clone(), workspace.get_value());
                        custom.get().then(|| view! { <Restrict form submission workspace last_refused /> })
                    }}
                </div>
            }
            .into_any()
        } else {
            view! {
                <div class="field">
                    <span class="label">"Permission"</span>
                    <span>"All"</span>
                    <Note class="note info" glyph=Glyph::Lock>
                        "Custom permission is not available in " <b>{region}</b>
                        ": a key there may do all that its workspace may."
                    </Note>
                </div>
            }
            .into_any()
        }
    }
}

/// The two lists of a custom permission.
#[component]
fn Restrict(
    form: KeyForm,
    submission: Submission,
    workspace: WorkspaceKey,
    last_refused: Option<RefusedAddress>,
) -> impl IntoView {
    let error_id = unique_id("error");
    let error = form.error_at(Spot::Whole, submission);
    let by_ip = Memo::new(move |_| form.scope.with(|scope| scope.by_ip));
    let by_model = Memo::new(move |_| form.scope.with(|scope| scope.by_model));
    let described_by = StoredValue::new(error_id.clone());
    let tick = move |label: &'static str, on: Memo<bool>, set: fn(&mut Scope, bool)| {
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    aria-invalid=move || error.with(Option::is_some).then_some("true")
                    aria-describedby=move || error.with(Option::is_some).then(|| described_by.get_value())
                    prop:checked=move || on.get()
                    on:change:target=move |event| {
                        let on = event.target().checked();
                        form.scope.update(|scope| set(scope, on));
                    }
                />
                {label}
            </label>
        }
    };
    let (workspace, last_refused) = (StoredValue::new(workspace), StoredValue::new(last_refused));
    view! {
        <div class="restrict">
            <div class="stack-s">
                {tick("Restrict addresses", by_ip, |scope, on| scope.by_ip = on)}
                {move || by_ip.get().then(|| view! { <Addresses form submission last_refused=last_refused.get_value() /> })}
            </div>
            <div class="stack-s">
                {tick("Restrict models", by_model, |scope, on| scope.by_model = on)}
                {move || by_model.get().then(|| view! { <Models form submission workspace=workspace.get_value() /> })}
            </div>
        </div>
        <FieldError id=error_id error />
    }
}
