//! The notices of the console.

use crate::state::Toasts;
use crate::ui::ToastStack;
use leptos::prelude::*;

/// Shows the notices.
#[component]
pub fn Toaster() -> impl IntoView {
    let toasts = Toasts::expect();
    let list =
        Signal::derive(move || toasts.list().get().into_iter().map(|toast| (toast.id, toast.text)).collect());
    view! { <ToastStack toasts=list on_dismiss=Callback::new(move |id| toasts.dismiss(id)) /> }
}
