//! Asks before typed text is lost.

use crate::ui::{Dialog, use_leave_guard};
use leptos::prelude::*;

/// How the person is about to leave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leave {
    Close,
    Back,
}

/// Guards a form in a dialog or drawer.
#[derive(Clone, Copy)]
pub struct Unsaved {
    dirty: Signal<bool>,
    busy: Signal<bool>,
    close: Callback<()>,
    asking: RwSignal<Option<Leave>>,
    released: RwSignal<bool>,
}

impl Unsaved {
    /// Asks while `dirty`; does not close at all while `busy`. `close` takes the form away.
    pub fn new(dirty: Signal<bool>, busy: Signal<bool>, close: Callback<()>) -> Self {
        let (asking, released) = (RwSignal::new(None), RwSignal::new(false));
        let active = Signal::derive(move || !released.get() && (dirty.get() || busy.get()));
        use_leave_guard(
            active,
            Callback::new(move |()| {
                // Drawn anew, the question would close itself.
                if !busy.get_untracked() && asking.get_untracked().is_none() {
                    asking.set(Some(Leave::Back));
                }
            }),
        );
        Self { dirty, busy, close, asking, released }
    }

    /// For the dialog's own ways of closing.
    pub fn on_close(self) -> Callback<()> {
        Callback::new(move |()| {
            if self.busy.get_untracked() {
                return;
            }
            if self.dirty.get_untracked() {
                self.asking.set(Some(Leave::Close));
            } else {
                self.leave();
            }
        })
    }

    /// Closes without asking: all is saved.
    pub fn leave(self) {
        self.released.set(true);
        self.close.run(());
    }

    fn discard(self, leave: Leave) {
        self.released.set(true);
        self.asking.set(None);
        match leave {
            Leave::Close => self.close.run(()),
            // Goes where the person was going when they were stopped.
            Leave::Back => drop(window().history().and_then(|history| history.back())),
        }
    }
}

/// The question, when it is to be asked. It belongs inside the guarded dialog.
#[component]
pub fn UnsavedQuestion(
    /// What is guarded.
    unsaved: Unsaved,
) -> impl IntoView {
    let keep = Callback::new(move |()| unsaved.asking.set(None));
    move || {
        unsaved.asking.get().map(|leave| {
            view! {
                <Dialog title="Discard changes" on_close=keep>
                    <div class="body">
                        <p>"What you changed here is not saved."</p>
                    </div>
                    <footer>
                        <button type="button" class="btn" autofocus=true on:click=move |_| keep.run(())>"Keep editing"</button>
                        <button type="button" class="btn danger" on:click=move |_| unsaved.discard(leave)>"Discard changes"</button>
                    </footer>
                </Dialog>
            }
        })
    }
}
