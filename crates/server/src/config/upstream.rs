//! Where calls go.

use super::{ConfigError, bad};
use keygate_contract::ModelId;
use keygate_gateway::catalogue::ModelDefinition;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

/// An OpenAI-compatible service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// How logs name it.
    pub id: String,
    /// Such as `http://127.0.0.1:8000/v1`.
    pub base_url: String,
    /// The environment variable that holds its key.
    #[serde(default)]
    pub api_key_env: Option<String>,
    /// What it speaks.
    #[serde(default)]
    pub protocol: UpstreamProtocol,
    /// Whether it takes `stream_options`. If not, its streams are metered by estimate.
    #[serde(default = "yes")]
    pub stream_options: bool,
    /// The models it serves.
    pub models: UpstreamModels,
}

fn yes() -> bool {
    true
}

/// What an upstream speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamProtocol {
    /// OpenAI-compatible.
    #[default]
    Openai,
}

/// The models an upstream serves.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum UpstreamModels {
    /// Under the names they have here.
    Same(Vec<ModelId>),
    /// The name here, and the name there.
    Renamed(BTreeMap<String, String>),
}

impl UpstreamModels {
    /// Each model's name here, and its name there if it is another.
    pub fn names(&self) -> Vec<(ModelId, Option<String>)> {
        match self {
            Self::Same(models) => models.iter().map(|m| (m.clone(), None)).collect(),
            Self::Renamed(names) => {
                names.iter().map(|(here, there)| (here.as_str().into(), Some(there.clone()))).collect()
            }
        }
    }
}

/// Refuses upstreams of one name, models that are not there, and a model that two serve.
pub(super) fn check_upstreams(
    upstreams: &[UpstreamConfig],
    models: &[ModelDefinition],
) -> Result<(), ConfigError> {
    let known: HashSet<&ModelId> = models.iter().map(|model| &model.id).collect();
    let mut ids = HashSet::new();
    let mut served = HashSet::new();
    for upstream in upstreams {
        let field = format!("upstreams.{}", upstream.id);
        if !ids.insert(&upstream.id) {
            return Err(bad(field, "there are two upstreams with this id"));
        }
        for (model, _) in upstream.models.names() {
            if !known.contains(&model) {
                return Err(bad(
                    field,
                    format!("`{model}` is no model; add it under [[models]], or mend its name"),
                ));
            }
            if !served.insert(model.clone()) {
                return Err(bad(field, format!("`{model}` is served by an upstream above already")));
            }
        }
    }
    Ok(())
}
