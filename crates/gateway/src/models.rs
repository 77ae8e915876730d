//! The list of models as OpenAI clients read it.

use crate::catalogue::{Catalogue, Model};
use bytes::Bytes;
use keygate_contract::RegionId;
use keygate_store::ModelAccess;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Clients need a time of creation for each model, and the catalogue has none: this is the day it was drawn up,
/// 2026-05-01, in Unix seconds.
const CREATED: u64 = 1_777_593_600;

/// The lists of all regions, written once.
#[derive(Debug)]
pub(crate) struct ModelLists(HashMap<RegionId, Bytes>);

impl ModelLists {
    pub(crate) fn new<'a>(catalogue: &Catalogue, regions: impl Iterator<Item = &'a RegionId>) -> Self {
        Self(regions.map(|region| (region.clone(), list(catalogue.in_region(region)))).collect())
    }

    /// The list for a key whose workspace may call `models`.
    pub(crate) fn list(&self, region: &RegionId, models: &ModelAccess) -> Bytes {
        match models {
            ModelAccess::All => self.0.get(region).cloned().unwrap_or_else(|| list(std::iter::empty())),
            ModelAccess::None => list(std::iter::empty()),
        }
    }
}

fn list<'a>(models: impl Iterator<Item = &'a Model>) -> Bytes {
    let data: Vec<Value> = models.map(value).collect();
    Bytes::from(json!({ "object": "list", "data": data }).to_string())
}

fn value(model: &Model) -> Value {
    json!({ "id": model.id, "object": "model", "created": CREATED, "owned_by": model.vendor })
}

/// One model.
pub(crate) fn view(model: &Model) -> Bytes {
    Bytes::from(value(model).to_string())
}
