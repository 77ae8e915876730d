//! All results chosen in one act: their pages are read in the background.

use super::picking::{Picking, key};
use crate::api::{Client, ModelListKey, Result, model_list};
use keygate_contract::{Model, PAGE_SIZE_MAX};
use leptos::prelude::*;

impl Picking {
    /// Chooses all that is found, on all pages.
    pub(super) fn choose_all(self) {
        let filter = self.part.with_untracked(|part| part.filter.clone());
        let key = key(self.whose.get_value(), filter.clone(), String::new(), PAGE_SIZE_MAX);
        self.met.set(0);
        self.walk.send(walk(self.client, key, self.met), move |models| {
            let free: Vec<_> = untrack(|| models.into_iter().filter(|model| self.is_free(model)).collect());
            self.selection.update(|chosen| chosen.add(free));
            self.whole.set(Some(filter));
        });
    }
}

/// Reads all pages. It ends early when nobody waits any more.
async fn walk(client: Client, mut key: ModelListKey, met: RwSignal<usize>) -> Result<Vec<Model>> {
    let mut models = Vec::new();
    loop {
        let page = model_list(client, &key).await?.page;
        models.extend(page.items);
        let left = met.try_set(models.len()).is_some();
        match page.next_page_token {
            Some(token) if !left => key.page_token = token,
            _ => return Ok(models),
        }
    }
}
