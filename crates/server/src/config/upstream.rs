//! Where calls go.

use super::{ConfigError, bad};
use keygate_contract::ModelId;
use keygate_gateway::catalogue::ModelDefinition;
use keygate_gateway::upstream::{OutputLimit, Terms};
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
    /// The output limits that the upstream is known to enforce, on reasoning, too. For the default see
    /// [`UpstreamConfig::terms`].
    #[serde(default)]
    pub output_limits: Option<Vec<OutputLimitName>>,
    /// The share of a model's window, 0 to 1, that is reserved for referenced context that was never seen.
    #[serde(default = "quarter")]
    pub unseen_context: f32,
    /// The models it serves.
    pub models: UpstreamModels,
}

/// The name of an output limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputLimitName {
    /// For chat and completions.
    MaxTokens,
    /// For chat.
    MaxCompletionTokens,
    /// For responses.
    MaxOutputTokens,
}

impl From<OutputLimitName> for OutputLimit {
    fn from(name: OutputLimitName) -> Self {
        match name {
            OutputLimitName::MaxTokens => Self::MaxTokens,
            OutputLimitName::MaxCompletionTokens => Self::MaxCompletionTokens,
            OutputLimitName::MaxOutputTokens => Self::MaxOutputTokens,
        }
    }
}

impl UpstreamConfig {
    /// How its tokens are counted. By default, an upstream is assumed to enforce `max_tokens`, which vLLM and OpenAI
    /// either enforce or reject. A service of Alibaba Cloud is assumed to enforce none, because there `max_tokens` does
    /// not limit reasoning.
    pub fn terms(&self) -> Terms {
        let obeys: Vec<OutputLimit> = match &self.output_limits {
            Some(names) => names.iter().map(|name| OutputLimit::from(*name)).collect(),
            None if is_alibaba_cloud(&self.base_url) => Vec::new(),
            None => vec![OutputLimit::MaxTokens],
        };
        Terms::new(&obeys, self.unseen_context)
    }
}

fn is_alibaba_cloud(base_url: &str) -> bool {
    let host = base_url.split_once("://").map_or(base_url, |(_, rest)| rest).split(['/', ':']).next();
    host.is_some_and(|host| format!(".{}", host.to_ascii_lowercase()).ends_with(".aliyuncs.com"))
}

fn quarter() -> f32 {
    0.25
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
        if !(0.0..=1.0).contains(&upstream.unseen_context) {
            return Err(bad(field, "`unseen_context` must be a fraction of the model's window, from 0 to 1"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unless_set_an_upstream_obeys_what_its_kind_is_known_to() {
        use OutputLimit::{MaxCompletionTokens, MaxTokens};
        let terms = |settings: &str| {
            toml::from_str::<UpstreamConfig>(&format!("id = 'a'\nmodels = []\n{settings}")).unwrap().terms()
        };
        let at = |url: &str| terms(&format!("base_url = '{url}'"));
        assert_eq!(at("http://127.0.0.1:8000/v1"), Terms::new(&[MaxTokens], 0.25));
        assert_eq!(at("https://api.openai.com/v1"), Terms::new(&[MaxTokens], 0.25));
        for dashscope in [
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            "https://ws-1.ap-southeast-1.maas.aliyuncs.com:443/compatible-mode/v1",
        ] {
            assert_eq!(at(dashscope), Terms::new(&[], 0.25), "{dashscope}");
        }
        assert_eq!(at("https://aliyuncs.com.example/v1"), Terms::new(&[MaxTokens], 0.25));
        let set = "base_url = 'https://x.aliyuncs.com'\noutput_limits = ['max_completion_tokens']\nunseen_context = 1";
        assert_eq!(terms(set), Terms::new(&[MaxCompletionTokens], 1.0));
        assert_eq!(terms("base_url = 'http://x'\noutput_limits = []"), Terms::new(&[], 0.25));
    }
}
