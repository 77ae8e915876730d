//! Saving a workspace: its name and its grants, in one act.

use super::draft::Draft;
use super::drawer::Editing;
use crate::api::{Queries, Result, WorkspaceKey, grant_list, workspace_update, workspace_view};
use keygate_contract::{ErrorCode, GrantList, ModelGrants, Workspace, WorkspaceName, WorkspaceUpdate};
use leptos::prelude::*;

/// What became of it.
pub(super) enum Saved {
    Done(Workspace),
    /// Someone else was faster; this is what they made of it.
    Conflict(Workspace, Option<GrantList>),
}

/// Only what is changed; none if a field is wrong, which is then told there.
pub(super) fn update(editing: Editing, name: WorkspaceName) -> std::result::Result<WorkspaceUpdate, String> {
    let renamed = untrack(|| editing.is_renamed());
    let changed = editing.draft.with_untracked(|draft| draft.changes().total() > 0);
    let mut grants = None;
    if changed {
        let checked = editing.draft.try_update(Draft::check).flatten();
        grants = Some(ModelGrants::new(checked.ok_or_else(String::new)?)?);
    }
    let version = editing.base.with_untracked(|base| base.as_ref().map(|base| base.version));
    Ok(WorkspaceUpdate { name: renamed.then_some(name), grants, version })
}

/// Saves; what it is now, if someone else was faster.
///
/// # Errors
/// `name_taken`, `invalid_field`, and what any request can meet.
pub(super) async fn save(queries: Queries, key: WorkspaceKey, update: WorkspaceUpdate) -> Result<Saved> {
    match workspace_update(queries, key.clone(), update).await {
        Err(error) if error.code == ErrorCode::VersionConflict => {
            let workspace = workspace_view(queries.client, &key).await?;
            let grants = match workspace.is_default {
                true => None,
                false => Some(grant_list(queries.client, &key).await?),
            };
            Ok(Saved::Conflict(workspace, grants))
        }
        answer => answer.map(Saved::Done),
    }
}

/// Takes over what someone else made of it. What the person changed is kept, but for the limits of models that are
/// gone: how many these are.
pub(super) fn rebase(editing: Editing, workspace: Workspace, grants: Option<GrantList>) -> usize {
    let (mut version, mut lost) = (workspace.version, 0);
    if let Some(grants) = grants {
        version = version.min(grants.version);
        lost = editing.draft.try_update(|draft| draft.rebase(grants)).unwrap_or_default();
    }
    // A name that was not touched follows theirs.
    if !untrack(|| editing.is_renamed()) {
        editing.name.text.set(workspace.name.clone());
    }
    editing.base.set(Some(Workspace { version, ..workspace }));
    lost
}
