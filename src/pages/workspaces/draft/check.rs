//! Whether the grants can be saved, and where they cannot.

use super::{Draft, Part};
use keygate_contract::{ModelGrant, ModelGrants, PerMinute};
use std::collections::HashMap;

impl Draft {
    /// All that will be granted, in the order of the rows; none if a field is wrong, which is then told there.
    pub(in crate::pages::workspaces) fn check(&mut self) -> Option<Vec<ModelGrant>> {
        let mut refused = HashMap::new();
        let mut grants = Vec::with_capacity(self.count());
        for row in self.rows.iter().filter(|row| !self.removed.contains(&row.id)) {
            let mut limit = |part| {
                let parsed = PerMinute::parse(&self.text(row, part), row.account(part)?);
                parsed.map_err(|e| refused.insert((row.id.clone(), part), e.to_string())).ok()
            };
            let (rpm, tpm) = (limit(Part::Rpm), limit(Part::Tpm));
            match (&row.model, &row.granted, rpm) {
                // Nothing can be said about its limits any more: it stays as it is.
                (None, Some(grant), _) => grants.push(grant.clone()),
                (_, _, Some(rpm)) => grants.push(ModelGrant { model: row.id.clone(), rpm, tpm }),
                _ => {}
            }
        }
        self.refused = refused;
        self.refused.is_empty().then_some(grants)
    }

    /// Tells at its field what the server refused: `grants[3].rpm`, counted in what was sent. False: it is no field.
    pub(in crate::pages::workspaces) fn refuse(
        &mut self,
        sent: &ModelGrants,
        field: &str,
        message: String,
    ) -> bool {
        let Some((index, rest)) = field.strip_prefix("grants[").and_then(|rest| rest.split_once(']')) else {
            return false;
        };
        let Some(grant) = index.parse().ok().and_then(|i: usize| sent.as_slice().get(i)) else {
            return false;
        };
        let part = match rest {
            ".rpm" => Part::Rpm,
            ".tpm" => Part::Tpm,
            _ => Part::Model,
        };
        self.refused.insert((grant.model.clone(), part), message);
        true
    }

    /// Where the first row stands that has something wrong.
    pub(in crate::pages::workspaces) fn first_refused(&self) -> Option<usize> {
        self.refused.keys().filter_map(|(id, _)| self.places.get(id).copied()).min()
    }
}
