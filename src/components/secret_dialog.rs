//! Shows the secret of a key just created or reset, this once.
//!
//! The dialog holds the one copy the console has. It closes only after the secret was copied or downloaded, or the
//! person said that they have saved it; then the copy is wiped and nothing of it is left in the page.

use super::answer_lost::AnswerLost;
use super::snippets::{Call, ENVIRONMENT, TABS, environment};
use crate::api::{CreatedKey, Secret, openai_base_url};
use crate::state::{Regions, Workspaces};
use crate::ui::{
    CopyButton, Dialog, FieldError, Form, Glyph, Icon, Note, TabPanel, Tabs, download_text, use_leave_guard,
};
use leptos::prelude::*;
use std::sync::Arc;

/// The dialog of a key just created.
#[component]
pub fn SecretDialog(
    /// The key.
    created: CreatedKey,
    /// It was there before, and got a new secret.
    #[prop(optional)]
    is_reset: bool,
    /// Lets go of it.
    on_close: Callback<()>,
) -> impl IntoView {
    let CreatedKey { key, secret } = created;
    let Some(secret) = secret else {
        return view! { <AnswerLost description=key.description is_reset on_close /> }.into_any();
    };
    let (regions, workspaces) = (Regions::expect(), Workspaces::expect());
    let (saved, too_early, tab) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(0_usize));
    let base_url = Memo::new(move |_| {
        regions.current.with(|region| region.as_ref().and_then(openai_base_url).map(str::to_owned))
    });
    let refuse = Callback::new(move |()| too_early.set(true));
    use_leave_guard(Signal::derive(move || !saved.get()), refuse);
    let close =
        Callback::new(move |()| if saved.get_untracked() { on_close.run(()) } else { refuse.run(()) });
    let mark_saved = Callback::new(move |()| {
        saved.set(true);
        too_early.set(false);
    });

    let file = {
        let secret = Arc::clone(&secret);
        Callback::new(move |()| base_url.with_untracked(|url| environment(secret.reveal(), url.as_deref())))
    };
    let download = {
        let name = format!("{}.env", key.id);
        move |_| {
            if download_text(&name, &file.run(())).is_ok() {
                mark_saved.run(());
            }
        }
    };
    let secret_text = {
        let secret = Arc::clone(&secret);
        Callback::new(move |()| secret.reveal().to_owned())
    };
    let code = Callback::new(move |()| match (tab.get(), base_url.get()) {
        (ENVIRONMENT, _) | (_, None) => file.run(()),
        (tab, Some(url)) => Call::default().snippet(tab, &url),
    });
    let code_copied = Callback::new(move |()| {
        if tab.get_untracked() == ENVIRONMENT {
            mark_saved.run(());
        }
    });
    let where_to = move || {
        let names = [workspaces.current.get().map(|w| w.name), regions.current.get().map(|r| r.name)];
        names.into_iter().flatten().map(|name| view! { " · " <bdi>{name}</bdi> }).collect_view()
    };
    let subtitle = view! { <bdi>{key.description}</bdi> {where_to} };
    let error = Signal::derive(move || {
        too_early.get().then(|| {
            "Copy or download the key, or tick “I have saved this key”: it is not shown again.".to_owned()
        })
    });
    view! {
        <Dialog title="Save your API key" subtitle=subtitle.into_any() class="dialog wide secret-dialog" on_close=close>
            <Form on_submit=close>
                <div class="body">
                    <Note>"This is the only time the whole key is shown. Copy or download it now; a lost key cannot be read again, only replaced by a new one."</Note>
                    <Whole secret>
                        <CopyButton text=secret_text what="the API key" on_copied=mark_saved />
                        <button type="button" class="btn small" on:click=download>
                            <Icon glyph=Glyph::Download />
                            ".env"
                            <span class="sr-only">" file: download"</span>
                        </button>
                    </Whole>
                    <NoModelsNote />
                    <div>
                        <div class="toolbar">
                            <Tabs label="How to use the key" id="usage" tabs=&TABS selected=tab />
                            <div class="spring"></div>
                            <CopyButton text=Callback::new(move |()| untrack(|| code.run(()))) what="the code" class="btn quiet small" on_copied=code_copied />
                        </div>
                        <TabPanel id="usage" selected=tab class="snippet">
                            <pre>{move || code.run(())}</pre>
                        </TabPanel>
                    </div>
                </div>
                <footer>
                    <label class="check">
                        <input
                            type="checkbox"
                            aria-invalid=move || too_early.get().then_some("true")
                            aria-describedby=move || too_early.get().then_some("secret-unsaved")
                            prop:checked=move || saved.get()
                            on:change:target=move |event| {
                                saved.set(event.target().checked());
                                too_early.set(false);
                            }
                        />
                        "I have saved this key"
                    </label>
                    <div class="spring"></div>
                    <button type="submit" class="btn primary" aria-disabled=move || (!saved.get()).then_some("true")>"Done"</button>
                    <div class="unsaved" role="alert"><FieldError id="secret-unsaved".to_owned() error /></div>
                </footer>
            </Form>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Whole(secret: Arc<Secret>, children: Children) -> impl IntoView {
    view! {
        <div class="secret">
            <code>{secret.reveal().to_owned()}</code>
            {children()}
        </div>
    }
}

/// A workspace without models refuses every call: better said here than found out.
#[component]
fn NoModelsNote() -> impl IntoView {
    let workspaces = Workspaces::expect();
    move || {
        let none = workspaces.current.with(|w| w.as_ref().is_some_and(|w| w.model_count == Some(0)));
        none.then(|| {
            view! {
                <Note class="note info" glyph=Glyph::Lock>
                    "This workspace may call no model yet: calls with its keys are refused until models are granted to it."
                </Note>
            }
        })
    }
}
