//! The regions of all backends, and the one the console is in.

use super::place::use_place;
use super::storage;
use crate::api::{BackendId, Client, Queries, Query, QueryState};
use keygate_contract::{Page, Region, RegionId};
use leptos::prelude::*;

/// The regions, as a context.
#[derive(Clone, Copy)]
pub struct Regions {
    /// All that can be entered, in the order of their backends.
    pub list: Query<Page<Region>>,
    /// The one the path names; elsewhere the one last used, or the first.
    pub id: Memo<Option<RegionId>>,
    /// The same with all that is known of it.
    pub current: Memo<Option<Region>>,
    /// The backend of that region, or the one that would have to answer first; none while that is not known.
    pub backend: Memo<Option<BackendId>>,
    /// What each backend told.
    told: StoredValue<Vec<(BackendId, Query<Page<Region>>)>>,
    client: Client,
}

impl Regions {
    /// Provides the context.
    pub fn provide(queries: Queries) -> Self {
        let (place, client) = (use_place(), queries.client);
        let told: Vec<_> = client.backends.all().map(|(id, _)| (id, queries.regions(id))).collect();
        let list = merge(client, told.clone());
        let named = Memo::new(move |_| place.with(|place| place.as_ref().and_then(|p| p.region().cloned())));
        let find =
            move |id: &RegionId| list.value().and_then(|page| page.items.into_iter().find(|r| r.id == *id));
        let usual = move || {
            let last = storage::read("region").map(RegionId::from);
            if let Some(last) = last.filter(|id| find(id).is_some()) {
                return Some(last);
            }
            let first = list.value()?.items.into_iter().next();
            first.filter(|_| client.knows_all_regions()).map(|region| region.id)
        };
        let id = Memo::new(move |_| named.get().or_else(usual));
        let current = Memo::new(move |_| id.get().as_ref().and_then(find));
        let backend = Memo::new(move |_| {
            let of = |id: RegionId| client.backend_of(&id).or_else(|| last_backend(client, &id));
            id.get().and_then(of).or_else(|| likely_backend(client))
        });
        Effect::new(move |_| {
            if let (Some(id), Some(_)) = (named.get(), current.get()) {
                storage::write("region", Some(id.as_str()));
                if let Some(backend) = client.backend_of(&id).filter(|_| client.backends.are_several()) {
                    storage::write(&slot(&id), Some(&client.backends.get(backend).name));
                }
            }
        });
        let this = Self { list, id, current, backend, told: StoredValue::new(told), client };
        provide_context(this);
        this
    }

    /// The regions of this console.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Whether the path names a region that does not exist, as far as every backend has told.
    pub fn is_unknown(self) -> bool {
        let nobody_is = |so: fn(crate::api::Connection) -> RwSignal<bool>| self.client.any(so).is_none();
        self.id.get().is_some()
            && self.list.value().is_some()
            && self.current.get().is_none()
            && self.client.knows_all_regions()
            && (!self.client.backends.are_several() || (nobody_is(|c| c.away) && nobody_is(|c| c.signed_out)))
    }

    /// What a backend told.
    pub fn of(self, backend: BackendId) -> Query<Page<Region>> {
        let find = |all: &Vec<(BackendId, Query<Page<Region>>)>| {
            all.iter().find(|(id, _)| *id == backend).map(|(_, told)| *told)
        };
        self.told.with_value(find).expect("each backend has an entry")
    }
}

/// The regions of all, each with the backend that serves it. Of regions that two backends have, the first's.
fn merge(client: Client, told: Vec<(BackendId, Query<Page<Region>>)>) -> Query<Page<Region>> {
    let retry = {
        let told = told.clone();
        Callback::new(move |()| told.iter().for_each(|(_, query)| query.retry()))
    };
    let state = Memo::new(move |_| {
        let mut items = Vec::new();
        let mut state = QueryState::nothing();
        for (backend, query) in &told {
            query.state().with(|of_one| {
                let regions = of_one.value.iter().flat_map(|page| &page.items);
                items.extend(regions.filter(|r| client.backend_of(&r.id) == Some(*backend)).cloned());
                state.fetching |= of_one.fetching;
                state.error = state.error.take().or_else(|| of_one.error.clone());
            });
        }
        if !items.is_empty() || (state.error.is_none() && client.knows_all_regions()) {
            let total = items.len() as u64;
            state.value = Some(Page { items, next_page_token: None, total });
            state.error = None;
        } else if !client.knows_all_regions() {
            state.error = None;
        }
        state
    });
    Query::made_of(state, retry)
}

/// The backend to turn to where no region is known: one to sign in to, or else one that is away.
fn likely_backend(client: Client) -> Option<BackendId> {
    let first = client.backends.first();
    if !client.backends.are_several() {
        return Some(first);
    }
    let troubled = || client.any(|c| c.signed_out).or_else(|| client.any(|c| c.away)).unwrap_or(first);
    client.knows_all_regions().then(troubled)
}

fn slot(region: &RegionId) -> String {
    format!("backend.{region}")
}

/// Where the region was when it was last entered, unless that backend has told by now that it has it no more.
fn last_backend(client: Client, region: &RegionId) -> Option<BackendId> {
    let last = storage::read(&slot(region)).and_then(|name| client.backends.named(&name))?;
    let connection = client.connection(last);
    let is_silent = connection.away.get() || connection.signed_out.get();
    (is_silent || !client.knows_all_regions()).then_some(last)
}
