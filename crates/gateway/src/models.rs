//! The list of models as OpenAI clients read it.

use crate::catalogue::{Catalogue, Model};
use crate::directory::{KeyState, WorkspaceState};
use bytes::Bytes;
use keygate_contract::RegionId;
use serde_json::{Value, json};

/// Clients need a time of creation for each model, and the catalogue has none: this is the day it was drawn up,
/// 2026-05-01, in Unix seconds.
const CREATED: u64 = 1_777_593_600;

/// The models of a region that a key may call.
pub(crate) fn list(
    catalogue: &Catalogue,
    region: &RegionId,
    workspace: &WorkspaceState,
    key: &KeyState,
) -> Bytes {
    let models = catalogue.in_region(region).iter();
    let granted = models
        .filter(|model| workspace.limits(&model.id, model.limits).is_some() && key.allows_model(&model.id));
    let data: Vec<Value> = granted.map(value).collect();
    Bytes::from(json!({ "object": "list", "data": data }).to_string())
}

fn value(model: &Model) -> Value {
    json!({ "id": model.id, "object": "model", "created": CREATED, "owned_by": model.vendor })
}

/// One model.
pub(crate) fn view(model: &Model) -> Bytes {
    Bytes::from(value(model).to_string())
}
