//! Whether a proven key may make a call: a pure function over what the directory knows.

use crate::catalogue::Model;
use crate::directory::{KeyState, WorkspaceState};
use crate::limit::Limits;
use crate::refusal::Refusal;
use keygate_contract::{RegionId, WorkspaceId};
use std::net::IpAddr;

/// Everything the decision needs.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The region of the listener the call came to.
    pub called_region: &'a RegionId,
    /// The region of the key.
    pub key_region: &'a RegionId,
    /// The key as it is now; it may have been changed while the call's body was on its way.
    pub key: &'a KeyState,
    /// Whether the key's owner is enabled.
    pub owner_active: bool,
    /// The workspace whose own host was called; `None`: a host of the region.
    pub called_workspace: Option<&'a str>,
    /// The key's workspace.
    pub key_workspace: &'a WorkspaceId,
    /// The same as it is now.
    pub workspace: &'a WorkspaceState,
    /// Where the call comes from.
    pub address: IpAddr,
    /// Now, in Unix milliseconds.
    pub now: i64,
    /// What is called.
    pub target: Target<'a>,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<'a> {
    /// The list of models: no model in particular.
    ModelList,
    /// A model of this region.
    Model(&'a Model),
    /// A model this region does not have.
    UnknownModel,
}

impl Target<'_> {
    /// The model's slot in the catalogue.
    pub(crate) fn slot(self) -> Option<usize> {
        match self {
            Self::Model(model) => Some(model.slot),
            Self::ModelList | Self::UnknownModel => None,
        }
    }
}

/// What a call that is permitted may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// See what there is.
    List,
    /// Call the model, as often in a minute as the workspace may.
    Call(Limits),
}

/// Why a proven key may not make the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The key is of another region.
    WrongRegion,
    /// The key was deleted, or its workspace archived.
    KeyGone,
    /// Someone disabled the key.
    KeyDisabled,
    /// The key's time is over.
    KeyExpired,
    /// The key's owner is disabled.
    OwnerDisabled,
    /// The host is that of another workspace.
    WrongEndpoint,
    /// The key may not be used from this address.
    AddressRefused,
    /// There is no such model in this region.
    ModelNotFound,
    /// The workspace may not call the model.
    ModelNotGranted,
    /// The workspace may call the model, the key may not.
    ModelOutOfScope,
}

impl Denial {
    /// What the caller is told. `base_url` is that of the key's region, `model` the name asked for.
    pub fn refusal(self, base_url: impl FnOnce() -> Option<String>, model: &str) -> Refusal {
        let model = || model.to_owned();
        match self {
            Self::WrongRegion => Refusal::WrongRegion { base_url: base_url() },
            Self::KeyGone => Refusal::KeyInvalid,
            Self::KeyDisabled => Refusal::KeyDisabled,
            Self::KeyExpired => Refusal::KeyExpired,
            Self::OwnerDisabled => Refusal::OwnerDisabled,
            Self::WrongEndpoint => Refusal::WrongEndpoint,
            Self::AddressRefused => Refusal::AddressRefused,
            Self::ModelNotFound => Refusal::ModelNotFound { model: model() },
            Self::ModelNotGranted => Refusal::ModelNotGranted { model: model() },
            Self::ModelOutOfScope => Refusal::ModelOutOfScope { model: model() },
        }
    }
}

/// Decides. The order is from the key outwards to the model, so an answer tells no more than the key has proven.
///
/// # Errors
/// The first [`Denial`] that holds.
pub fn authorize(facts: Facts<'_>) -> Result<Permit, Denial> {
    if facts.called_region != facts.key_region {
        return Err(Denial::WrongRegion);
    }
    if !facts.key.live || !facts.workspace.live {
        return Err(Denial::KeyGone);
    }
    if facts.key.disabled {
        return Err(Denial::KeyDisabled);
    }
    if facts.key.expires_at.is_some_and(|end| end <= facts.now) {
        return Err(Denial::KeyExpired);
    }
    if !facts.owner_active {
        return Err(Denial::OwnerDisabled);
    }
    // Host names have no case.
    if facts.called_workspace.is_some_and(|called| !called.eq_ignore_ascii_case(facts.key_workspace.as_str()))
    {
        return Err(Denial::WrongEndpoint);
    }
    if !facts.key.allows_address(facts.address) {
        return Err(Denial::AddressRefused);
    }
    match facts.target {
        Target::ModelList => Ok(Permit::List),
        Target::UnknownModel => Err(Denial::ModelNotFound),
        Target::Model(model) => {
            let limits = facts.workspace.limits(&model.id, model.limits);
            let limits = limits.ok_or(Denial::ModelNotGranted)?;
            if facts.key.allows_model(&model.id) {
                Ok(Permit::Call(limits))
            } else {
                Err(Denial::ModelOutOfScope)
            }
        }
    }
}

#[cfg(test)]
mod table;
