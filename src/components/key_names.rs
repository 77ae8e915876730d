//! What the keys of a workspace are called.

use crate::api::{ApiKeyListKey, Queries, Query, WorkspaceKey};
use keygate_contract::{ApiKey, PAGE_SIZE_MAX, Page};
use leptos::prelude::*;

/// The keys of a workspace, by their ids.
#[derive(Clone, Copy)]
pub struct KeyNames(Query<Page<ApiKey>>);

/// What is known of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum NamedKey {
    /// It is there.
    Key(Box<ApiKey>),
    /// It was deleted.
    Deleted,
    /// It is not known yet, or there are too many keys to know.
    Unknown,
}

/// The keys of a workspace.
pub fn use_key_names(workspace: Memo<Option<WorkspaceKey>>) -> KeyNames {
    KeyNames(Queries::expect().api_keys(Signal::derive(move || {
        Some(ApiKeyListKey {
            workspace: workspace.get()?,
            q: String::new(),
            status: None,
            page_token: String::new(),
            page_size: PAGE_SIZE_MAX,
        })
    })))
}

impl KeyNames {
    /// The ids of those that are there. It is tracked.
    pub fn ids(self) -> Vec<String> {
        let ids = |page: &Page<ApiKey>| page.items.iter().map(|key| key.id.to_string()).collect();
        self.0.state().with(|state| state.value.as_ref().map(ids).unwrap_or_default())
    }

    /// The key with this id. It is tracked.
    pub fn find(self, id: &str) -> NamedKey {
        self.0.state().with(|state| state.value.as_ref().map_or(NamedKey::Unknown, |page| find(page, id)))
    }

    /// Its description; the id of one that is not there.
    pub fn words(self, id: &str) -> String {
        match self.find(id) {
            NamedKey::Key(key) => key.description,
            NamedKey::Deleted => format!("{id} (deleted)"),
            NamedKey::Unknown => id.to_owned(),
        }
    }
}

fn find(page: &Page<ApiKey>, id: &str) -> NamedKey {
    match page.items.iter().find(|key| key.id.as_str() == id) {
        Some(key) => NamedKey::Key(Box::new(key.clone())),
        None if page.next_page_token.is_none() => NamedKey::Deleted,
        None => NamedKey::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_as_deleted_only_when_all_are_known() {
        let page =
            |next: Option<&str>| Page { items: vec![], next_page_token: next.map(Into::into), total: 0 };
        assert_eq!(find(&page(None), "key-1"), NamedKey::Deleted);
        assert_eq!(find(&page(Some("t")), "key-1"), NamedKey::Unknown);
    }
}
