//! The made-up account itself: its workspaces, what they may call, and their keys. Nobody has the secrets.

use super::cast::{Application, TEAMS, Team};
use super::{ACCOUNT, DemoError};
use crate::config::Config;
use crate::server::{Opened, account_create};
use keygate_contract::{
    ApiKeyId, Description, MemberId, ModelGrant, PerMinute, Permission, RegionId, WorkspaceId, WorkspaceName,
};
use keygate_gateway::catalogue::{Catalogue, Model};
use keygate_gateway::credential::KeyHasher;
use keygate_store::{Actor, ApiKeyQuota, Change, NewApiKey, Owner, StoreError, WorkspaceQuota};
use std::collections::BTreeSet;

/// A made-up key.
pub(super) struct Key {
    pub(super) id: ApiKeyId,
    pub(super) workspace: WorkspaceId,
    pub(super) owner: MemberId,
    pub(super) application: &'static Application,
}

/// Makes the account, all in one transaction but for its first start.
pub(super) async fn people(
    opened: &Opened,
    config: &Config,
    catalogue: &Catalogue,
) -> Result<Vec<Key>, DemoError> {
    let owner = account_create(&opened.store, config, ACCOUNT).await?;
    let region = &config.regions[0];
    let default = opened.store.default_workspace(&owner.account, &region.id).await?;
    let actor = Actor::server(owner.account.clone(), "demo-data");
    let mut scene = Scene {
        change: opened.store.change(actor).await?,
        region: &region.id,
        models: catalogue.in_region(&region.id),
        hasher: opened.secret.key_hasher(),
        owner: &owner,
    };
    let mut keys = Vec::new();
    for team in TEAMS {
        let workspace = match team.name {
            Some(name) => scene.workspace(team, name).await?,
            None => default.clone(),
        };
        for application in team.keys {
            keys.push(scene.key(&workspace, application).await?);
        }
    }
    scene.change.commit().await?;
    Ok(keys)
}

struct Scene<'a> {
    change: Change,
    region: &'a RegionId,
    models: &'a [Model],
    hasher: KeyHasher,
    owner: &'a Owner,
}

impl Scene<'_> {
    async fn workspace(&mut self, team: &Team, name: &str) -> Result<WorkspaceId, StoreError> {
        let name = WorkspaceName::parse(name).expect("the names above are names");
        let quota = WorkspaceQuota { workspaces: u32::MAX, keys_per_workspace: u32::MAX };
        let workspace = self.change.workspace_create(self.region, &name, quota).await?.id;
        let called: BTreeSet<&str> =
            team.keys.iter().flat_map(|key| key.models).map(|(model, _)| *model).collect();
        let grants: Vec<ModelGrant> =
            self.models.iter().filter(|m| called.contains(m.id.as_str())).filter_map(half).collect();
        self.change.grant_replace(self.region, &workspace, &grants, None).await?;
        Ok(workspace)
    }

    async fn key(
        &mut self,
        workspace: &WorkspaceId,
        application: &'static Application,
    ) -> Result<Key, StoreError> {
        let minted = self.hasher.mint();
        let description =
            Description::parse(application.description).expect("the texts above are descriptions");
        let new = NewApiKey {
            description: &description,
            permission: &Permission::All {},
            expires_at: None,
            owner: &self.owner.member,
            public_id: minted.public_id.as_str(),
            secret_hash: minted.secret_hash,
            masked: &minted.masked,
        };
        let quota = ApiKeyQuota { per_workspace: u32::MAX, per_region: u32::MAX, per_owner: None };
        let key = self.change.api_key_create(self.region, workspace, new, quota).await?;
        Ok(Key { id: key.id, workspace: workspace.clone(), owner: self.owner.member.clone(), application })
    }
}

/// Half of what the account may do with a model.
fn half(model: &Model) -> Option<ModelGrant> {
    let half = |limit: u64| PerMinute::within((limit / 2).max(1), limit).ok();
    let tpm = match model.limits.tpm {
        Some(tpm) => Some(half(tpm)?),
        None => None,
    };
    Some(ModelGrant { model: model.id.clone(), rpm: half(model.limits.rpm)?, tpm })
}
