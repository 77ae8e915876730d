//! Whether a proven key may make a call: a pure function over what the directory knows.

use crate::directory::WorkspaceState;
use keygate_contract::RegionId;
use keygate_store::ModelAccess;

/// Everything the decision needs.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The region of the listener the call came to.
    pub called_region: &'a RegionId,
    /// The region of the key.
    pub key_region: &'a RegionId,
    /// Whether the key is there still; it may have been deleted while the call's body was on its way.
    pub key_live: bool,
    /// Whether the key's owner is enabled.
    pub owner_active: bool,
    /// The key's workspace.
    pub workspace: &'a WorkspaceState,
    /// What is called.
    pub target: Target,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The list of models: no model in particular.
    ModelList,
    /// A model of this region.
    Model,
    /// A model this region does not have.
    UnknownModel,
}

/// Why a proven key may not make the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The key is of another region.
    WrongRegion,
    /// The key was deleted, or its workspace archived.
    KeyGone,
    /// The key's owner is disabled.
    OwnerDisabled,
    /// There is no such model in this region.
    ModelNotFound,
    /// The workspace may not call the model.
    ModelNotGranted,
}

/// Decides. The order is from the key outwards to the model, so an answer tells no more than the key has proven.
///
/// # Errors
/// The first [`Denial`] that holds.
pub fn authorize(facts: Facts<'_>) -> Result<(), Denial> {
    if facts.called_region != facts.key_region {
        return Err(Denial::WrongRegion);
    }
    if !facts.key_live || !facts.workspace.live {
        return Err(Denial::KeyGone);
    }
    if !facts.owner_active {
        return Err(Denial::OwnerDisabled);
    }
    match (facts.target, &facts.workspace.models) {
        (Target::ModelList, _) | (Target::Model, ModelAccess::All) => Ok(()),
        (Target::UnknownModel, _) => Err(Denial::ModelNotFound),
        (Target::Model, ModelAccess::None) => Err(Denial::ModelNotGranted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of region × key × workspace × owner × grant × target, each with its one answer.
    #[test]
    fn the_table_of_decisions() {
        use Denial::{KeyGone, ModelNotFound, ModelNotGranted, OwnerDisabled, WrongRegion};
        use ModelAccess::{All, None as NoModels};
        use Target::{Model, ModelList, UnknownModel};
        let (here, elsewhere) = (RegionId::from("here"), RegionId::from("elsewhere"));
        let mut cases = 0;
        for right_region in [true, false] {
            for (key_live, live) in [(true, true), (true, false), (false, true), (false, false)] {
                for owner_active in [true, false] {
                    for (models, target, granted) in [
                        (All, ModelList, Ok(())),
                        (All, Model, Ok(())),
                        (All, UnknownModel, Err(ModelNotFound)),
                        (NoModels, ModelList, Ok(())),
                        (NoModels, Model, Err(ModelNotGranted)),
                        (NoModels, UnknownModel, Err(ModelNotFound)),
                    ] {
                        let expected = match (right_region, key_live && live, owner_active) {
                            (false, _, _) => Err(WrongRegion),
                            (true, false, _) => Err(KeyGone),
                            (true, true, false) => Err(OwnerDisabled),
                            (true, true, true) => granted,
                        };
                        let facts = Facts {
                            called_region: &here,
                            key_region: if right_region { &here } else { &elsewhere },
                            key_live,
                            owner_active,
                            workspace: &WorkspaceState { live, models },
                            target,
                        };
                        assert_eq!(authorize(facts), expected, "{facts:?}");
                        cases += 1;
                    }
                }
            }
        }
        assert_eq!(cases, 96);
    }
}
