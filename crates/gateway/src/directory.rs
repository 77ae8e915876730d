//! The gateway's view in memory of keys, workspaces and members.
//!
//! It is filled at start and changed by the [`Event`]s of each commit, in the order of commits, before the change is
//! answered: what the console said is what the very next request meets. Reads take no lock that a change holds for
//! longer than one map entry.

mod key;

pub use key::{KeyEntry, KeyState, Proof, ProofError};

use crate::credential::PublicId;
use crate::last_use::UsedKeys;
use crate::limit::Limits;
use crate::map::{DashMap, HashMap};
use arc_swap::ArcSwap;
use keygate_contract::{AccountId, ApiKeyId, MemberId, ModelId, RegionId, WorkspaceId};
use keygate_store::{
    ApiKeyRecord, DirectoryContent, Event, GrantedLimits, MemberRecord, ModelAccess, WorkspaceRecord,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// A record that does not fit with the others.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// A public id of the wrong form.
    #[error("key {0} has an unreadable public id")]
    PublicId(ApiKeyId),
    /// A key of a workspace that was not told.
    #[error("key {0} is of an unknown workspace")]
    Workspace(ApiKeyId),
    /// A key of a member that was not told.
    #[error("key {0} is of an unknown member")]
    Owner(ApiKeyId),
}

/// A workspace as the gateway knows it.
#[derive(Debug)]
pub struct WorkspaceEntry {
    /// Its id.
    pub id: WorkspaceId,
    /// Its account; never changes.
    pub account: AccountId,
    /// Its region; never changes.
    pub region: RegionId,
    /// What can change. Swapped as a whole, so a reader never sees half a change.
    state: ArcSwap<WorkspaceState>,
}

impl WorkspaceEntry {
    /// What it is now.
    pub fn state(&self) -> arc_swap::Guard<Arc<WorkspaceState>> {
        self.state.load()
    }
}

/// What can change of a workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceState {
    /// False once it is archived.
    pub live: bool,
    models: Models,
}

/// The models that a workspace's keys may call.
#[derive(Clone, Debug)]
enum Models {
    All,
    Granted(HashMap<ModelId, Limits>),
}

impl WorkspaceState {
    /// A workspace whose keys may call `models`, as long as it is live.
    pub fn new(live: bool, models: ModelAccess) -> Self {
        let granted =
            |(model, limits): (ModelId, GrantedLimits)| (model, Limits { rpm: limits.rpm, tpm: limits.tpm });
        let models = match models {
            ModelAccess::All => Models::All,
            ModelAccess::Granted(models) => Models::Granted(models.into_iter().map(granted).collect()),
        };
        Self { live, models }
    }

    /// What the workspace may do with a model in a minute, where the account may do `account`; `None` when it may not
    /// call it.
    pub fn limits(&self, model: &ModelId, account: Limits) -> Option<Limits> {
        match &self.models {
            Models::All => Some(account),
            Models::Granted(models) => models.get(model).copied(),
        }
    }
}

/// A key's owner as the gateway knows them.
#[derive(Debug)]
pub struct OwnerEntry {
    /// Their id.
    pub id: MemberId,
    active: AtomicBool,
}

impl OwnerEntry {
    /// Whether they are enabled now.
    pub fn is_active(&self) -> bool {
        self.active.load(Ordering::Acquire)
    }
}

/// The view. Invariant: every key's workspace and owner are the entries of the two other maps, or were, before the
/// workspace was archived; then their state says so.
#[derive(Debug, Default)]
pub struct Directory {
    keys: DashMap<PublicId, Arc<KeyEntry>>,
    workspaces: DashMap<WorkspaceId, Arc<WorkspaceEntry>>,
    owners: DashMap<MemberId, Arc<OwnerEntry>>,
    used: UsedKeys,
}

impl Directory {
    /// A directory of everything stored.
    ///
    /// # Errors
    /// [`DirectoryError`] when the content does not fit together; the server must not start with part of it.
    pub fn new(content: DirectoryContent) -> Result<Self, DirectoryError> {
        let directory = Self::default();
        content.members.into_iter().for_each(|m| directory.member_put(m));
        content.workspaces.into_iter().for_each(|w| directory.workspace_put(w));
        content.api_keys.into_iter().try_for_each(|k| directory.key_put(k))?;
        Ok(directory)
    }

    /// Applies the events of one commit. To be called in the order of commits.
    ///
    /// # Errors
    /// The first [`DirectoryError`], when an event does not fit. The others are applied all the same, and the key that
    /// does not fit is not taken: what fails, fails closed.
    pub fn apply(&self, events: Vec<Event>) -> Result<(), DirectoryError> {
        let mut result = Ok(());
        for event in events {
            let applied = match event {
                Event::ApiKeyPut(record) => self.key_put(record),
                Event::ApiKeyGone { public_id } => {
                    self.key_gone(&public_id);
                    Ok(())
                }
                Event::WorkspacePut(record) => {
                    self.workspace_put(record);
                    Ok(())
                }
                Event::WorkspaceGone(id) => {
                    self.workspace_gone(&id);
                    Ok(())
                }
                Event::MemberPut(record) => {
                    self.member_put(record);
                    Ok(())
                }
            };
            result = result.and(applied);
        }
        result
    }

    /// The key with this public id.
    pub fn key(&self, id: PublicId) -> Option<Arc<KeyEntry>> {
        self.keys.get(&id).map(|entry| Arc::clone(&entry))
    }

    /// The keys that were used or refused and whose use is not written down yet.
    pub fn used(&self) -> &UsedKeys {
        &self.used
    }

    /// How many keys there are.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    fn member_put(&self, record: MemberRecord) {
        self.owners
            .entry(record.id.clone())
            .and_modify(|entry| entry.active.store(record.active, Ordering::Release))
            .or_insert_with(|| {
                Arc::new(OwnerEntry { id: record.id, active: AtomicBool::new(record.active) })
            });
    }

    fn workspace_put(&self, record: WorkspaceRecord) {
        let state = Arc::new(WorkspaceState::new(true, record.models));
        self.workspaces
            .entry(record.id.clone())
            .and_modify(|entry| entry.state.store(Arc::clone(&state)))
            .or_insert_with(|| {
                Arc::new(WorkspaceEntry {
                    id: record.id,
                    account: record.account,
                    region: record.region,
                    state: ArcSwap::new(state),
                })
            });
    }

    /// Requests that hold the entry already see it as not live; the map forgets it.
    fn workspace_gone(&self, id: &WorkspaceId) {
        if let Some((_, entry)) = self.workspaces.remove(id) {
            entry.state.store(Arc::new(WorkspaceState::new(false, ModelAccess::Granted([].into()))));
        }
    }

    fn key_gone(&self, public_id: &str) {
        if let Some((_, entry)) = PublicId::parse(public_id).and_then(|id| self.keys.remove(&id)) {
            entry.end();
        }
    }

    fn key_put(&self, record: ApiKeyRecord) -> Result<(), DirectoryError> {
        let Some(public_id) = PublicId::parse(&record.public_id) else {
            return Err(DirectoryError::PublicId(record.id));
        };
        let Some(workspace) = self.workspaces.get(&record.workspace).map(|w| Arc::clone(&w)) else {
            return Err(DirectoryError::Workspace(record.id));
        };
        let Some(owner) = self.owners.get(&record.owner).map(|o| Arc::clone(&o)) else {
            return Err(DirectoryError::Owner(record.id));
        };
        match self.keys.get(&public_id).map(|entry| Arc::clone(&entry)) {
            // The same key: its calls under way see the change, and still count.
            Some(entry) => entry.change(record),
            None => drop(
                self.keys.insert(public_id, Arc::new(KeyEntry::new(record, public_id, workspace, owner))),
            ),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keygate_contract::Permission;

    fn key(public_id: &str, workspace: &str) -> ApiKeyRecord {
        ApiKeyRecord {
            id: "key-1".into(),
            public_id: public_id.into(),
            secret_hash: [1; 32],
            previous: None,
            workspace: workspace.into(),
            owner: "mem-1".into(),
            permission: Permission::default(),
            disabled: false,
            expires_at: None,
        }
    }

    fn directory() -> Directory {
        let content = DirectoryContent {
            members: vec![MemberRecord { id: "mem-1".into(), active: true }],
            workspaces: vec![WorkspaceRecord {
                id: "ws-1".into(),
                account: "acc-1".into(),
                region: "r".into(),
                models: ModelAccess::All,
            }],
            api_keys: vec![key("AAAAAAAAAAAA", "ws-1")],
        };
        Directory::new(content).unwrap()
    }

    fn id(text: &str) -> PublicId {
        PublicId::parse(text).unwrap()
    }

    #[test]
    fn a_deleted_key_is_gone_at_once() {
        let directory = directory();
        let held = directory.key(id("AAAAAAAAAAAA")).unwrap();
        assert!(held.state().live);
        directory.apply(vec![Event::ApiKeyGone { public_id: "AAAAAAAAAAAA".into() }]).unwrap();
        assert!(directory.key(id("AAAAAAAAAAAA")).is_none());
        assert!(!held.state().live, "for a request under way, too");
    }

    #[test]
    fn a_call_under_way_sees_that_its_key_was_changed_and_still_counts() {
        let directory = directory();
        let held = directory.key(id("AAAAAAAAAAAA")).unwrap();
        let place = held.gauge.try_enter(1).unwrap();
        let before = held.state().revision();
        let disabled = ApiKeyRecord { disabled: true, ..key("AAAAAAAAAAAA", "ws-1") };
        directory.apply(vec![Event::ApiKeyPut(disabled)]).unwrap();
        assert!(held.state().disabled);
        assert_ne!(held.state().revision(), before);
        let found = directory.key(id("AAAAAAAAAAAA")).unwrap();
        assert!(found.gauge.try_enter(1).is_none());
        drop(place);
    }

    #[test]
    fn a_request_under_way_sees_that_its_workspace_was_archived() {
        let directory = directory();
        let held = directory.key(id("AAAAAAAAAAAA")).unwrap();
        directory.apply(vec![Event::WorkspaceGone("ws-1".into())]).unwrap();
        assert!(!held.workspace.state().live);
    }

    #[test]
    fn disabling_an_owner_reaches_keys_already_held_and_enabling_does_too() {
        let directory = directory();
        let held = directory.key(id("AAAAAAAAAAAA")).unwrap();
        for active in [false, true] {
            directory.apply(vec![Event::MemberPut(MemberRecord { id: "mem-1".into(), active })]).unwrap();
            assert_eq!(held.owner.is_active(), active);
        }
    }

    #[test]
    fn content_that_does_not_fit_together_is_refused() {
        let directory = directory();
        assert!(directory.apply(vec![Event::ApiKeyPut(key("BBBBBBBBBBBB", "ws-2"))]).is_err());
        let gone = Event::ApiKeyGone { public_id: "AAAAAAAAAAAA".into() };
        assert!(directory.apply(vec![Event::ApiKeyPut(key("short", "ws-1")), gone]).is_err());
        assert!(directory.key(id("AAAAAAAAAAAA")).is_none(), "a deletion beside it is applied");
        assert_eq!(directory.key_count(), 0);
    }
}
