//! A key as the gateway knows it.

use super::{OwnerEntry, WorkspaceEntry};
use crate::credential::{KeyHasher, Presented, PublicId, TemporaryKeySigner};
use crate::last_use::LastUse;
use crate::limit::Gauge;
use crate::map::HashSet;
use crate::memory::KeyMemory;
use crate::rejections::RejectionBudget;
use arc_swap::{ArcSwap, Guard};
use keygate_contract::{ApiKeyId, IpRule, ModelId, Permission};
use keygate_store::{ApiKeyRecord, PreviousSecretRecord};
use std::net::IpAddr;
use std::sync::Arc;

/// A key as the gateway knows it.
#[derive(Debug)]
pub struct KeyEntry {
    /// Its id.
    pub id: ApiKeyId,
    /// The part by which it is found; a reset leaves it.
    pub public_id: PublicId,
    /// Its workspace. Shared by all keys of it, so a change of the workspace is one write.
    pub workspace: Arc<WorkspaceEntry>,
    /// Its owner. Shared likewise.
    pub owner: Arc<OwnerEntry>,
    /// Counts its calls under way.
    pub gauge: Arc<Gauge>,
    /// The memory that its requests and answers hold.
    pub memory: KeyMemory,
    /// When it was used, and from where it was refused.
    pub last_use: LastUse,
    /// The budget of its rejections that get their own row in the request log.
    pub(crate) rejections: RejectionBudget,
    /// What can change. Swapped as a whole, so a reader never sees half a change, and calls under way that hold the
    /// entry see the change, too.
    state: ArcSwap<KeyState>,
}

/// What can change of a key.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// False once it is deleted: calls under way hold the entry longer than the directory does.
    pub live: bool,
    /// Whether someone disabled it.
    pub disabled: bool,
    /// When it stops working, in Unix milliseconds; `None`: never.
    pub expires_at: Option<i64>,
    secret_hash: [u8; 32],
    /// Boxed, like the models: few keys have any, and there may be very many keys.
    previous: Option<Box<PreviousSecretRecord>>,
    /// Where calls may come from; `None`: from anywhere.
    ips: Option<Box<[IpRule]>>,
    /// Which of its workspace's models it may call; `None`: all.
    models: Option<Box<HashSet<ModelId>>>,
    /// Grows with each change.
    revision: u64,
}

/// How a key was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The hash of the secret it was proven with, or of the one under which the temporary key was made.
    pub secret_hash: [u8; 32],
    /// When it proves nothing any more, in Unix milliseconds; `None`: as long as the key stays as it is.
    pub until: Option<i64>,
}

/// Why what a call came with does not prove the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// It is not a secret of the key, and no temporary key made from it.
    Wrong,
    /// It is a temporary key made from it, and its time is over.
    TemporaryExpired,
}

impl KeyEntry {
    pub(super) fn new(
        record: ApiKeyRecord,
        public_id: PublicId,
        workspace: Arc<WorkspaceEntry>,
        owner: Arc<OwnerEntry>,
    ) -> Self {
        Self {
            id: record.id.clone(),
            public_id,
            workspace,
            owner,
            gauge: Arc::default(),
            memory: KeyMemory::default(),
            last_use: LastUse::default(),
            rejections: RejectionBudget::default(),
            state: ArcSwap::from_pointee(KeyState::new(record)),
        }
    }

    /// What it is now.
    pub fn state(&self) -> Guard<Arc<KeyState>> {
        self.state.load()
    }

    /// Takes over what it was changed to.
    pub(super) fn change(&self, record: ApiKeyRecord) {
        let revision = self.state().revision + 1;
        self.state.store(Arc::new(KeyState { revision, ..KeyState::new(record) }));
    }

    /// Calls under way see that it is gone.
    pub(super) fn end(&self) {
        let state = self.state();
        self.state.store(Arc::new(KeyState {
            live: false,
            revision: state.revision + 1,
            ..KeyState::clone(&state)
        }));
    }
}

impl KeyState {
    /// A key as it is stored.
    pub fn new(record: ApiKeyRecord) -> Self {
        let (ips, models) = match record.permission {
            Permission::All {} => (None, None),
            Permission::Custom(own) => (
                own.ips().map(Box::from),
                own.models().map(|models| Box::new(models.iter().cloned().collect())),
            ),
        };
        Self {
            live: true,
            disabled: record.disabled,
            expires_at: record.expires_at,
            secret_hash: record.secret_hash,
            previous: record.previous.map(Box::new),
            ips,
            models,
            revision: 0,
        }
    }

    /// Another number after each change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether `presented` is the key's at `now`, in Unix milliseconds: its secret, the one before it for as long as that
    /// works, or a temporary key made under either.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn prove(
        &self,
        presented: Presented<'_>,
        hasher: &KeyHasher,
        signer: &TemporaryKeySigner,
        now: i64,
    ) -> Result<Proof, ProofError> {
        let current = Proof { secret_hash: self.secret_hash, until: None };
        let previous = self.previous.as_ref().filter(|previous| previous.expires_at > now);
        let previous = previous.map(|p| Proof { secret_hash: p.hash, until: Some(p.expires_at) });
        let mut proofs = std::iter::once(current).chain(previous);
        match presented {
            Presented::Key(key) => {
                let hash = hasher.hash(key);
                proofs.find(|own| KeyHasher::is_same(&hash, &own.secret_hash)).ok_or(ProofError::Wrong)
            }
            Presented::Temporary(key) => {
                let own = proofs.find(|own| signer.verify(key, &own.secret_hash)).ok_or(ProofError::Wrong)?;
                if key.expires_at <= now {
                    return Err(ProofError::TemporaryExpired);
                }
                let until = own.until.map_or(key.expires_at, |end| end.min(key.expires_at));
                Ok(Proof { until: Some(until), ..own })
            }
        }
    }

    /// Whether calls may come from this address.
    pub fn allows_address(&self, address: IpAddr) -> bool {
        self.ips.as_ref().is_none_or(|rules| rules.iter().any(|rule| rule.contains(address)))
    }

    /// Whether the key may call this model, as far as its workspace may.
    pub fn allows_model(&self, model: &ModelId) -> bool {
        self.models.as_ref().is_none_or(|models| models.contains(model))
    }
}
