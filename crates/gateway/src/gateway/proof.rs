//! Whose call it is, and what that key may do.

use super::Gateway;
use crate::authorize::{Denial, Facts, Permit, Target, authorize};
use crate::catalogue::Model;
use crate::credential::Presented;
use crate::directory::{KeyEntry, Proof, ProofError};
use crate::door::Door;
use crate::limit::Limits;
use crate::refusal::Refusal;
use keygate_contract::{ModelId, RegionId};
use std::net::IpAddr;
use std::sync::Arc;

/// Who calls, where and when.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) door: Door,
    pub(super) region: &'a RegionId,
    /// The workspace whose own host was called.
    pub(super) workspace: Option<&'a str>,
    pub(super) address: IpAddr,
    /// In Unix milliseconds. Time of day, which goes on while a machine sleeps.
    pub(super) now: i64,
}

/// A key that was proven.
pub(super) struct Proven {
    pub(super) key: Arc<KeyEntry>,
    /// Its revision then: what was changed since has to be proven again.
    revision: u64,
    pub(super) proof: Proof,
}

/// Whose call it is, and whether it may be made.
pub(super) enum Authenticated {
    Proven(Proven),
    /// The key is known to be the caller's, and may not call.
    Refused(Arc<KeyEntry>, Refusal),
}

impl Authenticated {
    pub(super) fn key(&self) -> &Arc<KeyEntry> {
        match self {
            Self::Proven(proven) => &proven.key,
            Self::Refused(key, _) => key,
        }
    }

    pub(super) fn proven(self) -> Result<Proven, Refusal> {
        match self {
            Self::Proven(proven) => Ok(proven),
            Self::Refused(_, refusal) => Err(refusal),
        }
    }
}

impl Proven {
    /// Whether it is proven still: the key was not changed, and the time of what proved it is not over.
    pub(super) fn holds(&self, now: i64) -> bool {
        self.key.state().revision() == self.revision && self.proof.until.is_none_or(|end| now < end)
    }
}

impl Gateway {
    /// Which key this is, and whether it may call at all. A key of another region is told so only when its whole secret
    /// is right.
    ///
    /// # Errors
    /// When it is not proven: whose call this is, nobody can tell.
    pub(super) fn authenticate(
        &self,
        caller: Caller<'_>,
        presented: Presented<'_>,
    ) -> Result<Authenticated, Refusal> {
        let key = self.directory.key(presented.public_id()).ok_or(Refusal::KeyInvalid)?;
        let (proof, revision) = {
            let state = key.state();
            (state.prove(presented, &self.hasher, &self.signer, caller.now), state.revision())
        };
        let proof = match proof {
            Ok(proof) => proof,
            Err(ProofError::Wrong) => return Err(Refusal::KeyInvalid),
            Err(ProofError::TemporaryExpired) => {
                return Ok(Authenticated::Refused(key, Refusal::TemporaryKeyExpired));
            }
        };
        Ok(match self.authorize(caller, &key, Target::ModelList, "") {
            Ok(_) => Authenticated::Proven(Proven { key, revision, proof }),
            Err(refusal) => Authenticated::Refused(key, refusal),
        })
    }

    pub(super) fn authorize(
        &self,
        caller: Caller<'_>,
        key: &Arc<KeyEntry>,
        target: Target<'_>,
        model: &str,
    ) -> Result<Permit, Refusal> {
        let facts = Facts {
            called_region: caller.region,
            key_region: &key.workspace.region,
            key: &key.state(),
            owner_active: key.owner.is_active(),
            called_workspace: caller.workspace,
            key_workspace: &key.workspace.id,
            workspace: &key.workspace.state(),
            address: caller.address,
            now: caller.now,
            target,
        };
        authorize(facts).map_err(|denial| {
            if denial == Denial::AddressRefused {
                self.directory.used().note_refused(key, caller.address, caller.now);
            }
            let base_url = || {
                self.region(&key.workspace.region).map(|home| format!("{}{}", home.url, caller.door.path()))
            };
            denial.refusal(base_url, model)
        })
    }

    /// What the key may do with a model of the region.
    pub(super) fn permit<'a>(
        &self,
        caller: Caller<'_>,
        key: &Arc<KeyEntry>,
        target: Target<'a>,
        id: &ModelId,
    ) -> Result<(&'a Model, Limits), Refusal> {
        match (target, self.authorize(caller, key, target, id.as_str())?) {
            (Target::Model(model), Permit::Call(limits)) => Ok((model, limits)),
            _ => Err(Refusal::ModelNotFound { model: id.to_string() }),
        }
    }
}
