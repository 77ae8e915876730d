//! One model that is granted, or will be.

use crate::components::type_name;
use keygate_contract::{Model, ModelGrant, ModelId, PerMinute, Timestamp};

/// Part of a grant that can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::pages::workspaces) enum Part {
    Model,
    Rpm,
    Tpm,
}

/// A model that is granted, or will be.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::pages::workspaces) struct Row {
    pub(in crate::pages::workspaces) id: ModelId,
    /// None: the region no longer has it.
    pub(in crate::pages::workspaces) model: Option<Model>,
    /// As it was read; none: it is new.
    pub(in crate::pages::workspaces) granted: Option<ModelGrant>,
    /// What the search looks through.
    pub(super) words: String,
}

impl Row {
    pub(super) fn new(id: ModelId, model: Option<Model>, granted: Option<ModelGrant>) -> Self {
        let more = model
            .as_ref()
            .map(|m| format!("{} {} {}", m.vendor, type_name(m.kind), m.kind))
            .unwrap_or_default();
        Self { words: format!("{id} {more}").to_ascii_lowercase(), id, model, granted }
    }

    /// The account's limit; none: this model is not limited so.
    pub(in crate::pages::workspaces) fn account(&self, part: Part) -> Option<u64> {
        let model = self.model.as_ref()?;
        if part == Part::Rpm { Some(model.rpm) } else { model.tpm }
    }

    /// What stands in the field before anything is typed. A new row starts with the account's limit.
    pub(super) fn initial(&self, part: Part) -> String {
        let granted = self.granted.as_ref();
        let limit = match part {
            Part::Model => None,
            Part::Rpm => granted.map_or_else(|| self.account(part), |grant| Some(grant.rpm.get())),
            Part::Tpm => granted.map_or_else(|| self.account(part), |grant| grant.tpm.map(PerMinute::get)),
        };
        limit.map(|limit| limit.to_string()).unwrap_or_default()
    }

    pub(super) fn last_called_at(&self) -> Option<&Timestamp> {
        self.model.as_ref()?.workspace.as_ref()?.last_called_at.as_ref()
    }
}
