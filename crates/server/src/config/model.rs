//! The models: those that ship, and those of the file.

use super::{ConfigError, bad};
use keygate_gateway::catalogue::{ModelDefinition, shipped};
use std::collections::HashSet;

/// The shipped models, unless the file does without them, and then its own: a later one replaces an earlier one.
pub(super) fn models(
    with_shipped: Option<bool>,
    own: Vec<ModelDefinition>,
) -> Result<Vec<ModelDefinition>, ConfigError> {
    let mut ids = HashSet::new();
    for model in &own {
        let field = format!("models.{}", model.id);
        model.check().map_err(|error| bad(&field, error.to_string()))?;
        if !ids.insert(&model.id) {
            return Err(bad(field, "there are two models with this id"));
        }
    }
    let mut models = if with_shipped.unwrap_or(true) { shipped() } else { Vec::new() };
    models.extend(own);
    Ok(models)
}
