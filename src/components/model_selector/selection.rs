//! The models chosen so far.

use keygate_contract::{Model, ModelId};
use std::collections::BTreeMap;

/// The models chosen so far, whole, so that nothing of them need be asked for again.
#[derive(Debug, Default)]
pub(super) struct Selection(BTreeMap<ModelId, Model>);

impl Selection {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn has(&self, id: &ModelId) -> bool {
        self.0.contains_key(id)
    }

    pub(super) fn add(&mut self, models: impl IntoIterator<Item = Model>) {
        self.0.extend(models.into_iter().map(|model| (model.id.clone(), model)));
    }

    pub(super) fn take_out<'a>(&mut self, models: impl IntoIterator<Item = &'a Model>) {
        for model in models {
            self.0.remove(&model.id);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// All of them, by name.
    pub(super) fn models(&self) -> Vec<Model> {
        self.0.values().cloned().collect()
    }
}
