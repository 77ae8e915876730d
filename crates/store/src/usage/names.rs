//! Texts that calls repeat, known by number. Reader and writer share them in memory.

use crate::error::StoreError;
use keygate_contract::{RegionId, WorkspaceId};
use sqlx::SqlitePool;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The names of keys, members and models, and the workspaces.
#[derive(Debug, Default)]
pub(super) struct Names(RwLock<Known>);

#[derive(Debug, Default)]
pub(super) struct Known {
    names: Numbered,
    workspaces: Numbered,
    regions: HashMap<u32, RegionId>,
}

/// Texts with their numbers.
#[derive(Debug, Default)]
struct Numbered {
    by_text: HashMap<String, u32>,
    by_number: HashMap<u32, String>,
    last: u32,
}

impl Numbered {
    fn put(&mut self, number: u32, text: String) {
        self.last = self.last.max(number);
        self.by_number.insert(number, text.clone());
        self.by_text.insert(text, number);
    }

    /// The number of a text, and whether it is new.
    fn number(&mut self, text: &str) -> (u32, bool) {
        if let Some(number) = self.by_text.get(text) {
            return (*number, false);
        }
        let number = self.last.saturating_add(1);
        self.put(number, text.to_owned());
        (number, true)
    }
}

impl Names {
    /// Those that are stored.
    pub(super) async fn load(pool: &SqlitePool) -> Result<Self, StoreError> {
        let mut known = Known::default();
        // Number 0 is the empty name, and is not stored.
        known.names.put(0, String::new());
        let names: Vec<(u32, String)> =
            sqlx::query_as("SELECT id, name FROM usage_names").fetch_all(pool).await?;
        for (number, name) in names {
            known.names.put(number, name);
        }
        let workspaces: Vec<(u32, String, String)> =
            sqlx::query_as("SELECT id, workspace_id, region FROM usage_workspaces").fetch_all(pool).await?;
        for (number, workspace, region) in workspaces {
            known.workspaces.put(number, workspace);
            known.regions.insert(number, region.into());
        }
        Ok(Self(RwLock::new(known)))
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The number of a name; `None`: no call had it.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.names.by_text.get(name).copied()
    }

    /// The name with a number.
    pub(super) fn name(&self, number: u32) -> &str {
        self.names.by_number.get(&number).map_or("", String::as_str)
    }

    /// The number of a workspace; `None`: it was never called.
    pub(super) fn workspace_number(&self, workspace: &WorkspaceId) -> Option<u32> {
        self.workspaces.by_text.get(workspace.as_str()).copied()
    }

    /// The workspace with a number.
    pub(super) fn workspace(&self, number: u32) -> WorkspaceId {
        self.workspaces.by_number.get(&number).map_or("", String::as_str).into()
    }

    /// The numbers of a region's workspaces.
    pub(super) fn workspaces_in(&self, region: &RegionId) -> Vec<u32> {
        self.regions.iter().filter(|(_, r)| *r == region).map(|(number, _)| *number).collect()
    }

    /// The numbers of all workspaces.
    pub(super) fn workspaces(&self) -> Vec<u32> {
        self.regions.keys().copied().collect()
    }

    /// The number of a name, and whether it has to be stored.
    pub(super) fn intern(&mut self, name: &str) -> (u32, bool) {
        self.names.number(name)
    }

    /// The number of a workspace, and whether it has to be stored.
    pub(super) fn intern_workspace(&mut self, workspace: &WorkspaceId, region: &RegionId) -> (u32, bool) {
        let (number, new) = self.workspaces.number(workspace.as_str());
        if new {
            self.regions.insert(number, region.clone());
        }
        (number, new)
    }
}
