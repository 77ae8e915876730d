//! What the person makes of a workspace's grants until they save.
//!
//! The rows are those that were read, with the added ones on top. What is typed, removed and refused is kept by model,
//! so that a row need not be in view, and a change costs the same however many rows there are.

mod check;
mod row;

use keygate_contract::{GrantList, Model, ModelGrant, ModelId, PerMinute, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(super) use row::{Part, Row};

/// How many rows are changed, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) added: usize,
    pub(super) removed: usize,
    pub(super) limits: usize,
}

impl Changes {
    pub(super) fn total(self) -> usize {
        self.added + self.removed + self.limits
    }
}

/// The grants and what is changed in them.
#[derive(Debug, Default)]
pub(super) struct Draft {
    rows: Vec<Arc<Row>>,
    /// Grows when the rows are read anew.
    reading: u32,
    /// Where each model stands in `rows`.
    places: HashMap<ModelId, usize>,
    /// Texts that differ from the initial ones.
    typed: HashMap<(ModelId, Part), String>,
    removed: HashSet<ModelId>,
    /// What is wrong with what was last sent; it stands until the text is changed.
    refused: HashMap<(ModelId, Part), String>,
}

impl Draft {
    /// The grants as they were read.
    pub(super) fn new(list: GrantList) -> Self {
        let models = list.models.unwrap_or_default().into_iter().map(|model| (model.id.clone(), model));
        let mut models: HashMap<_, _> = models.collect();
        let row = |grant: ModelGrant| {
            let model = models.remove(&grant.model);
            Arc::new(Row::new(grant.model.clone(), model, Some(grant)))
        };
        let mut this = Self { rows: list.items.into_iter().map(row).collect(), ..Self::default() };
        this.index();
        this
    }

    fn index(&mut self) {
        self.places = self.rows.iter().enumerate().map(|(i, row)| (row.id.clone(), i)).collect();
    }

    pub(super) fn row(&self, id: &ModelId) -> Option<Arc<Row>> {
        self.places.get(id).map(|i| Arc::clone(&self.rows[*i]))
    }

    /// Tells a row from the one of the same model that was read before.
    pub(super) fn reading(&self) -> u32 {
        self.reading
    }

    /// How many models will be granted.
    pub(super) fn count(&self) -> usize {
        self.rows.len() - self.removed.len()
    }

    /// Whether there is nothing to show, not even a removed row.
    pub(super) fn has_no_rows(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the model will be granted.
    pub(super) fn grants(&self, id: &ModelId) -> bool {
        self.places.contains_key(id) && !self.removed.contains(id)
    }

    pub(super) fn is_removed(&self, id: &ModelId) -> bool {
        self.removed.contains(id)
    }

    /// What stands in a field.
    pub(super) fn text(&self, row: &Row, part: Part) -> String {
        self.typed.get(&(row.id.clone(), part)).cloned().unwrap_or_else(|| row.initial(part))
    }

    /// What is wrong with a field.
    pub(super) fn error(&self, id: &ModelId, part: Part) -> Option<String> {
        self.refused.get(&(id.clone(), part)).cloned()
    }

    /// Takes what is typed.
    pub(super) fn enter(&mut self, row: &Row, part: Part, text: String) {
        let field = (row.id.clone(), part);
        self.refused.remove(&field);
        if text == row.initial(part) {
            self.typed.remove(&field);
        } else {
            self.typed.insert(field, text);
        }
    }

    /// Adds models on top; one that was removed is put back.
    pub(super) fn add(&mut self, models: Vec<Model>) {
        let mut rows = Vec::with_capacity(models.len() + self.rows.len());
        for model in models {
            if self.places.contains_key(&model.id) {
                self.removed.remove(&model.id);
            } else {
                rows.push(Arc::new(Row::new(model.id.clone(), Some(model), None)));
            }
        }
        rows.append(&mut self.rows);
        self.rows = rows;
        self.index();
    }

    /// Marks a row as removed; one that was only added goes at once.
    pub(super) fn remove(&mut self, id: &ModelId) {
        let Some(row) = self.row(id) else { return };
        if row.granted.is_some() {
            self.removed.insert(id.clone());
        } else {
            self.forget(id);
            self.rows.retain(|row| row.id != *id);
            self.index();
        }
    }

    fn forget(&mut self, id: &ModelId) {
        for part in [Part::Model, Part::Rpm, Part::Tpm] {
            self.typed.remove(&(id.clone(), part));
            self.refused.remove(&(id.clone(), part));
        }
    }

    pub(super) fn put_back(&mut self, id: &ModelId) {
        self.removed.remove(id);
    }

    /// Gives up all changes.
    pub(super) fn discard(&mut self) {
        self.rows.retain(|row| row.granted.is_some());
        (self.typed, self.removed, self.refused) = Default::default();
        self.index();
    }

    /// Keeps the changes over what someone else has made of the grants in the meantime. How many models with other
    /// limits are gone.
    pub(super) fn rebase(&mut self, list: GrantList) -> usize {
        let before = std::mem::replace(self, Self::new(list));
        self.reading = before.reading + 1;
        let added: Vec<_> = before.rows.iter().filter(|row| row.granted.is_none()).collect();
        self.add(added.iter().filter_map(|row| row.model.clone()).collect());
        for row in added {
            // Added by both: these limits are what this person wants of it.
            for part in [Part::Rpm, Part::Tpm] {
                if let Some(here) = self.row(&row.id) {
                    self.enter(&here, part, before.text(row, part));
                }
            }
        }
        let mut lost = HashSet::new();
        for ((id, part), text) in before.typed {
            match self.row(&id) {
                Some(row) => self.enter(&row, part, text),
                None if before.removed.contains(&id) => {}
                None => drop(lost.insert(id)),
            }
        }
        self.removed = before.removed.into_iter().filter(|id| self.places.contains_key(id)).collect();
        lost.len()
    }

    /// What would be saved.
    pub(super) fn changes(&self) -> Changes {
        let rows = self.typed.keys().map(|(id, _)| id).collect::<HashSet<_>>();
        let differs = |row: &Row, part| {
            PerMinute::parse(&self.text(row, part), u64::MAX).ok().map(PerMinute::get).map(|n| n.to_string())
                != Some(row.initial(part))
        };
        let is_changed = |row: Arc<Row>| {
            row.granted.is_some()
                && !self.removed.contains(&row.id)
                && [Part::Rpm, Part::Tpm]
                    .into_iter()
                    .any(|part| self.typed.contains_key(&(row.id.clone(), part)) && differs(&row, part))
        };
        Changes {
            // They stand on top.
            added: self.rows.iter().take_while(|row| row.granted.is_none()).count(),
            removed: self.removed.len(),
            limits: rows
                .into_iter()
                .filter_map(|id| self.row(id))
                .filter(|row| is_changed(row.clone()))
                .count(),
        }
    }

    /// The models on a page of those that have `text` in them, and how many do.
    pub(super) fn page(&self, text: &str, page: usize, size: usize) -> (Vec<ModelId>, usize) {
        let text = text.trim().to_ascii_lowercase();
        let found = || self.rows.iter().filter(|row| row.words.contains(&text));
        let ids = found().skip(page * size).take(size).map(|row| row.id.clone()).collect();
        (ids, found().count())
    }

    /// The models to be removed that were called since a moment, the last called first.
    pub(super) fn removed_since(&self, moment: &str) -> Vec<(ModelId, Timestamp)> {
        let called = |id: &ModelId| {
            let at = self.row(id)?.last_called_at().filter(|at| at.as_str() >= moment).cloned();
            at.map(|at| (id.clone(), at))
        };
        let mut found: Vec<_> = self.removed.iter().filter_map(called).collect();
        found.sort_by(|(a, at), (b, bt)| bt.cmp(at).then_with(|| a.cmp(b)));
        found
    }
}

#[cfg(test)]
mod tests;
