//! Where applications call a region: its base URLs, whether they answer, how to set up clients, and what other regions
//! do differently.

mod address;
mod base_urls;
mod check;
mod clients;
mod compare;
mod words;

use crate::components::{ErrorView, Named, PageHead};
use crate::state::{Regions, Workspaces};
use crate::ui::dom::end_boot;
use crate::ui::{SkeletonRows, TableHead};
use address::{addresses, hosts};
use base_urls::{BaseUrls, COLUMNS};
use check::Checks;
use clients::Clients;
use compare::Compare;
use keygate_contract::Region;
use leptos::prelude::*;

/// The endpoints of a region.
#[component]
pub fn EndpointsPage() -> impl IntoView {
    let (regions, workspaces) = (Regions::expect(), Workspaces::expect());
    let checks = Checks::new();
    let addresses = Memo::new(move |_| {
        let all = |region: &Region| workspaces.id.with(|id| addresses(region, id.as_ref()));
        regions.current.with(|region| region.as_ref().map(all)).unwrap_or_default()
    });
    Effect::new(move |before: Option<Option<_>>| {
        let region = regions.id.get();
        if before.is_some_and(|before| before != region) {
            checks.clear();
        }
        region
    });
    let known = Memo::new(move |_| regions.current.with(Option::is_some));
    let error = Memo::new(move |_| {
        (!known.get()).then(|| regions.list.error()).flatten().filter(|error| error.status != 401)
    });
    Effect::new(move |_| {
        if known.get() || error.with(Option::is_some) {
            end_boot();
        }
    });

    let name = Memo::new(move |_| regions.current.with(|region| region.as_ref().map(|r| r.name.clone())));
    let intro = view! {
        "Where applications call models in "
        <Named name or="this region" />
        ", and how to set up their clients."
    };
    let running = Memo::new(move |_| checks.is_running());
    let press = move |_| {
        if running.get_untracked() {
            checks.stop();
        } else {
            checks.start(addresses.with_untracked(|all| hosts(all)));
        }
    };
    let act = view! {
        <button type="button" class="btn primary" on:click=press>
            {move || if running.get() { "Stop checking" } else { "Check endpoints" }}
        </button>
    };
    let spoken = move || checks.summary(regions.id.get().as_ref());
    let content = move || {
        view! {
            <div class="sections">
                <BaseUrls addresses checks />
                <Clients addresses />
                <Compare />
            </div>
        }
    };
    let skeleton = || {
        view! {
            <div class="card">
                <table class="table" role="table" aria-label="Base URLs" aria-busy="true">
                    <TableHead columns=COLUMNS />
                    <SkeletonRows columns=COLUMNS />
                </table>
            </div>
        }
    };
    let retry = Callback::new(move |()| regions.list.retry());
    view! {
        <PageHead title="Endpoints" scope=Signal::derive(move || name.get()) intro=intro.into_any()>
            {act}
        </PageHead>
        <p class="sr-only" role="status">{spoken}</p>
        {move || match (error.get(), known.get()) {
            (_, true) => content().into_any(),
            (Some(error), false) => {
                view! { <div class="card"><ErrorView error what="the regions" on_retry=retry /></div> }.into_any()
            }
            (None, false) => skeleton().into_any(),
        }}
    }
}
