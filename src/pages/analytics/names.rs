//! What groups are called.

use super::choice::By;
use super::figures::Group;
use crate::api::WorkspaceKey;
use crate::components::{KeyNames, use_key_names};
use crate::state::Workspaces;
use leptos::prelude::*;

/// The names of models, keys or workspaces.
#[derive(Clone, Copy)]
pub(super) struct GroupNames {
    by: Memo<By>,
    keys: KeyNames,
    workspaces: Workspaces,
}

/// The names of what the page tells apart.
pub(super) fn use_group_names(workspace: Memo<Option<WorkspaceKey>>, by: Memo<By>) -> GroupNames {
    let wanted = Memo::new(move |_| workspace.get().filter(|_| by.get() != By::Workspace));
    GroupNames { by, keys: use_key_names(wanted), workspaces: Workspaces::expect() }
}

impl GroupNames {
    /// The name of a group; the id of one that has none. It is tracked.
    pub(super) fn of(self, id: &str) -> String {
        match self.by.get() {
            By::Model if id.is_empty() => "No model".to_owned(),
            By::Model => id.to_owned(),
            By::Key => self.keys.words(id),
            By::Workspace => {
                let listed = self.workspaces.list.value().map(|page| page.items).unwrap_or_default();
                listed.into_iter().find(|w| w.id.as_str() == id).map_or_else(|| id.to_owned(), |w| w.name)
            }
        }
    }

    /// The same, with the id where another group has the same name.
    pub(super) fn unique(self, id: &str, groups: &[Group]) -> String {
        let name = self.of(id);
        let is_shared = groups.iter().any(|group| group.id != id && self.of(&group.id) == name);
        if is_shared { format!("{name} ({id})") } else { name }
    }
}
