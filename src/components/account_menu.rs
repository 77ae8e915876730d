//! Who is signed in, and the way out.

use crate::state::{SignedIn, Toasts};
use crate::ui::{Glyph, Icon, Menu, MenuItem};
use keygate_contract::Role;
use leptos::prelude::*;

/// A menu of the account.
#[component]
pub fn AccountMenu(
    /// Asks whether to sign out everywhere.
    on_sign_out_everywhere: Callback<()>,
) -> impl IntoView {
    let (signed_in, toasts) = (SignedIn::expect(), Toasts::expect());
    let email = Memo::new(move |_| signed_in.session.value().map(|session| session.member.email));
    let role = move || signed_in.session.value().map(|session| role_name(session.role));
    let account = move || signed_in.session.value().map(|session| session.account.name);
    let sign_out = Callback::new(move |()| {
        let failed = move || toasts.show("Not signed out: Keygate does not answer. Try again.");
        signed_in.sign_out(failed);
    });
    let backend = move || signed_in.backend.get().and_then(|backend| signed_in.name(backend));
    let trigger = view! {
        <Icon glyph=Glyph::User />
        {move || match email.get() {
            Some(email) => view! { <bdi class="email">{email}</bdi> }.into_any(),
            None => view! { <i class="bone email"></i><span class="sr-only">"Account"</span> }.into_any(),
        }}
    };
    view! {
        <Menu label="Account" class="btn quiet small account" trigger=trigger.into_any()>
            <div class="head" role="presentation">
                <bdi>{move || email.get()}</bdi>
                <small>{role} " of " <bdi>{account}</bdi></small>
                {move || backend().map(|name| view! { <small>"on " <bdi>{name}</bdi></small> })}
            </div>
            <div role="separator"></div>
            <MenuItem glyph=Glyph::SignOut label="Sign out" on_select=sign_out />
            <MenuItem glyph=Glyph::Monitor label="Sign out everywhere…" on_select=on_sign_out_everywhere />
        </Menu>
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner",
        Role::Admin => "Admin",
        Role::Member => "Member",
    }
}
