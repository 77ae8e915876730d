//! The regions, and the one the console is in.

use super::place::use_place;
use super::storage;
use crate::api::{Queries, Query};
use keygate_contract::{Page, Region, RegionId};
use leptos::prelude::*;

/// The regions, as a context.
#[derive(Clone, Copy)]
pub struct Regions {
    /// All there are.
    pub list: Query<Page<Region>>,
    /// The one the path names; elsewhere the one last used, or the first.
    pub id: Memo<Option<RegionId>>,
    /// The same with all that is known of it.
    pub current: Memo<Option<Region>>,
}

impl Regions {
    /// Provides the context.
    pub fn provide(queries: Queries) -> Self {
        let place = use_place();
        let list = queries.regions();
        let named = Memo::new(move |_| place.with(|place| place.as_ref().and_then(|p| p.region().cloned())));
        let find =
            move |id: &RegionId| list.value().and_then(|page| page.items.into_iter().find(|r| r.id == *id));
        let usual = move || {
            let last = storage::read("region").map(RegionId::from).filter(|id| find(id).is_some());
            last.or_else(|| {
                list.value().and_then(|page| page.items.into_iter().next()).map(|region| region.id)
            })
        };
        let id = Memo::new(move |_| named.get().or_else(usual));
        let current = Memo::new(move |_| id.get().as_ref().and_then(find));
        Effect::new(move |_| {
            if let (Some(id), Some(_)) = (named.get(), current.get()) {
                storage::write("region", Some(id.as_str()));
            }
        });
        let this = Self { list, id, current };
        provide_context(this);
        this
    }

    /// The regions of this console.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Whether the path names a region that does not exist.
    pub fn is_unknown(self) -> bool {
        self.id.get().is_some() && self.list.value().is_some() && self.current.get().is_none()
    }
}
