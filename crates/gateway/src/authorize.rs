//! Whether a proven key may make a call: a pure function over what the directory knows.

use crate::catalogue::Model;
use crate::directory::WorkspaceState;
use crate::limit::Limits;
use keygate_contract::RegionId;

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
pub fn authorize(facts: Facts<'_>) -> Result<Permit, Denial> {
    if facts.called_region != facts.key_region {
        return Err(Denial::WrongRegion);
    }
    if !facts.key_live || !facts.workspace.live {
        return Err(Denial::KeyGone);
    }
    if !facts.owner_active {
        return Err(Denial::OwnerDisabled);
    }
    match facts.target {
        Target::ModelList => Ok(Permit::List),
        Target::UnknownModel => Err(Denial::ModelNotFound),
        Target::Model(model) => {
            let limits = facts.workspace.limits(&model.id, model.limits);
            limits.map(Permit::Call).ok_or(Denial::ModelNotGranted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keygate_contract::ModelType;
    use keygate_store::{GrantedLimits, ModelAccess};

    fn model(id: &str) -> Model {
        Model {
            slot: 0,
            id: id.into(),
            vendor: "V".into(),
            kind: ModelType::Text,
            limits: Limits { rpm: 600, tpm: Some(6000) },
            context_window: None,
            max_output_tokens: None,
            expected_output_tokens: 0,
            prices: Vec::new(),
        }
    }

    /// Every combination of region × key × workspace × owner × grant × target, each with its one answer.
    #[test]
    fn the_table_of_decisions() {
        use Denial::{KeyGone, ModelNotFound, ModelNotGranted, OwnerDisabled, WrongRegion};
        use Permit::{Call, List};
        use Target::{ModelList, UnknownModel};
        let (here, elsewhere) = (RegionId::from("here"), RegionId::from("elsewhere"));
        let (granted, other) = (model("granted"), model("other"));
        let grant = (granted.id.clone(), GrantedLimits { rpm: 60, tpm: Some(600) });
        let (all, some, none) =
            (ModelAccess::All, ModelAccess::Granted([grant].into()), ModelAccess::Granted([].into()));
        let account = Call(granted.limits);
        let own = Call(Limits { rpm: 60, tpm: Some(600) });
        let mut cases = 0;
        for right_region in [true, false] {
            for (key_live, live) in [(true, true), (true, false), (false, true), (false, false)] {
                for owner_active in [true, false] {
                    for (models, target, answer) in [
                        (&all, ModelList, Ok(List)),
                        (&all, Target::Model(&granted), Ok(account)),
                        (&all, Target::Model(&other), Ok(account)),
                        (&all, UnknownModel, Err(ModelNotFound)),
                        (&some, ModelList, Ok(List)),
                        (&some, Target::Model(&granted), Ok(own)),
                        (&some, Target::Model(&other), Err(ModelNotGranted)),
                        (&some, UnknownModel, Err(ModelNotFound)),
                        (&none, ModelList, Ok(List)),
                        (&none, Target::Model(&granted), Err(ModelNotGranted)),
                        (&none, Target::Model(&other), Err(ModelNotGranted)),
                        (&none, UnknownModel, Err(ModelNotFound)),
                    ] {
                        let expected = match (right_region, key_live && live, owner_active) {
                            (false, _, _) => Err(WrongRegion),
                            (true, false, _) => Err(KeyGone),
                            (true, true, false) => Err(OwnerDisabled),
                            (true, true, true) => answer,
                        };
                        let facts = Facts {
                            called_region: &here,
                            key_region: if right_region { &here } else { &elsewhere },
                            key_live,
                            owner_active,
                            workspace: &WorkspaceState::new(live, models.clone()),
                            target,
                        };
                        assert_eq!(authorize(facts), expected, "{facts:?}");
                        cases += 1;
                    }
                }
            }
        }
        assert_eq!(cases, 192);
    }
}
