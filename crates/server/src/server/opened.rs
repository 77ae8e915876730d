//! The store of a server, opened with its secret, and the account in it.

use super::StartError;
use crate::config::Config;
use crate::mail::make_private_folder;
use crate::secret::{ServerSecret, StoreState};
use keygate_contract::{RegionId, WorkspaceName};
use keygate_store::{NewAccount, Owner, Store};

/// The store with its secret, ready for use.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) secret: ServerSecret,
    /// Whether there is no account yet.
    pub(crate) is_new: bool,
}

impl Opened {
    /// Opens the store next to a process that may be serving it.
    pub(crate) async fn open(config: &Config) -> Result<Self, StartError> {
        make_data_dir(config)?;
        Self::with(config, Store::open(&config.database_url).await?).await
    }

    /// Opens the store for this process alone to serve.
    pub(crate) async fn open_to_serve(config: &Config) -> Result<Self, StartError> {
        make_data_dir(config)?;
        Self::with(config, Store::open_to_serve(&config.database_url).await?).await
    }

    async fn with(config: &Config, store: Store) -> Result<Self, StartError> {
        let is_new = store.first_owner().await?.is_none();
        let state = if is_new { StoreState::New } else { StoreState::InUse };
        let secret =
            ServerSecret::load(config.secret_key.as_ref(), &config.data_dir.join("server.key"), state)?;
        if !store.secret_check(&secret.check_value()).await? {
            return Err(StartError::WrongSecret);
        }
        Ok(Self { store, secret, is_new })
    }
}

/// The account of a new store, and a default workspace in each region.
pub(super) async fn accounts_ensure(store: &Store, config: &Config) -> Result<(), StartError> {
    if store.first_owner().await?.is_some() {
        return Ok(store.default_workspaces_ensure(&regions(config), &default_workspace()).await?);
    }
    account_create(store, config, "Default account").await?;
    tracing::info!("first start: account and owner created");
    Ok(())
}

/// An account of the configured owner.
pub(crate) async fn account_create(store: &Store, config: &Config, name: &str) -> Result<Owner, StartError> {
    let new = NewAccount {
        name,
        owner: &config.owner_email,
        regions: &regions(config),
        workspace: &default_workspace(),
    };
    let (owner, _) = store.account_create(new).await?;
    Ok(owner)
}

fn regions(config: &Config) -> Vec<RegionId> {
    config.regions.iter().map(|region| region.id.clone()).collect()
}

fn default_workspace() -> WorkspaceName {
    WorkspaceName::parse("Default workspace").expect("a valid name")
}

/// The data folder holds the server's secret: for its owner alone.
fn make_data_dir(config: &Config) -> Result<(), StartError> {
    make_private_folder(&config.data_dir)
        .map_err(|error| StartError::DataDir { path: config.data_dir.display().to_string(), error })
}
