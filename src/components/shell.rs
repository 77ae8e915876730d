//! The frame of every page. `index.html` paints the same frame before the program arrives.

use super::sign_out_everywhere::SignOutEverywhere;
use super::{AccountMenu, AwayBanner, NotFound, RegionMenu, Sidebar, ThemeMenu};
use crate::api::Queries;
use crate::routes::Place;
use crate::state::{Regions, SignedIn, Workspaces, use_place};
use crate::ui::dom::{all_in, focus, focus_heading, is_booting, takes_text, target};
use crate::ui::{Brand, topmost};
use leptos::ev;
use leptos::prelude::*;
use leptos_router::components::Outlet;
use web_sys::KeyboardEvent;

/// The frame: what is signed in to, where in it, and the page.
#[component]
pub fn Shell() -> impl IntoView {
    let queries = Queries::expect();
    let regions = Regions::provide(queries);
    SignedIn::provide(queries);
    Workspaces::provide(queries);
    move_focus_with_the_page();
    search_on_slash();

    let skip = |event: ev::MouseEvent| {
        event.prevent_default();
        focus_heading();
    };
    let asking = RwSignal::new(false);
    let ask = Callback::new(move |()| asking.set(true));
    let close = Callback::new(move |()| asking.set(false));
    let unknown_region = Memo::new(move |_| regions.is_unknown());
    let page =
        move || if unknown_region.get() { view! { <NotFound /> }.into_any() } else { Outlet().into_any() };
    view! {
        <div class="shell">
            <header class="topbar">
                <a class="skip" href="#main" rel="external" on:click=skip>"Skip to content"</a>
                <a class="brand" href=Place::Home.to_string() aria-label="Keygate, start"><Brand /></a>
                <RegionMenu />
                <div class="spring"></div>
                <ThemeMenu />
                <AccountMenu on_sign_out_everywhere=ask />
            </header>
            <AwayBanner />
            <Sidebar />
            <main class="page" id="main">{page}</main>
            {move || asking.get().then(|| view! { <SignOutEverywhere on_close=close /> })}
        </div>
    }
}

/// Another page: the focus goes to its heading. What opens over a page takes the focus itself.
fn move_focus_with_the_page() {
    let place = use_place();
    let page = Memo::new(move |_| place.get().map(Place::page));
    Effect::new(move |before: Option<Option<Place>>| {
        let page = page.get();
        if before.map_or(!is_booting(), |before| before != page) {
            request_animation_frame(focus_heading);
        }
        page
    });
}

/// `/` leads to the search of the page, or of the dialog over it, unless it is typed into a field.
fn search_on_slash() {
    let listener = window_event_listener(ev::keydown, |event: KeyboardEvent| {
        let typing = target(&event).is_some_and(|element| takes_text(&element));
        let with_more = event.ctrl_key() || event.meta_key() || event.alt_key();
        if event.key() != "/" || typing || with_more {
            return;
        }
        if let Some(search) = topmost().and_then(|root| all_in(&root, "[data-search]").into_iter().next()) {
            event.prevent_default();
            focus(&search);
        }
    });
    on_cleanup(move || listener.remove());
}
