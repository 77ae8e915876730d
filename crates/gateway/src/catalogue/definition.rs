//! A model as data says it: what ships, and what a configuration adds.

use super::{CatalogueRegion, Model};
use crate::limit::Limits;
use keygate_contract::{ModelId, ModelType, PerMinute, Price, RegionId};
use serde::Deserialize;
use std::collections::HashMap;
use thiserror::Error;

/// Reserved for an answer of unknown length, in tokens, unless the model gives less or its definition says otherwise.
const EXPECTED_OUTPUT_TOKENS: u64 = 4096;
/// Longest model id, in characters.
const ID_MAX: usize = 128;

/// A model, and how it differs between regions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelDefinition {
    /// As applications name it: 1 to 128 printable characters without blanks.
    pub id: ModelId,
    /// Who makes it.
    pub vendor: String,
    /// What it works on.
    #[serde(rename = "type")]
    pub kind: ModelType,
    /// The regions it can be called in; all, unless told.
    #[serde(default)]
    pub regions: Option<Vec<RegionId>>,
    /// Calls a minute of an account in a region.
    pub rpm: PerMinute,
    /// Tokens a minute of an account in a region; only, and always, for a type that is metered in tokens.
    #[serde(default)]
    pub tpm: Option<PerMinute>,
    /// Tokens of a prompt and its answer together.
    #[serde(default)]
    pub context_window: Option<u64>,
    /// Most tokens of one answer.
    #[serde(default)]
    pub max_output_tokens: Option<u64>,
    /// Tokens to reserve for an answer when the call does not say how long it may be; 4,096 unless told, or the most
    /// the model gives if that is less. Types that answer with vectors or ranks answer with none.
    #[serde(default)]
    pub expected_output_tokens: Option<u64>,
    /// What it costs.
    #[serde(default)]
    pub prices: Vec<Price>,
    /// What is different in a region.
    #[serde(default)]
    pub regional: HashMap<RegionId, Regional>,
}

/// What is different in a region.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regional {
    /// Calls a minute of an account.
    #[serde(default)]
    pub rpm: Option<PerMinute>,
    /// Tokens a minute of an account.
    #[serde(default)]
    pub tpm: Option<PerMinute>,
    /// What it costs.
    #[serde(default)]
    pub prices: Option<Vec<Price>>,
}

/// Why a definition cannot be used. Its `Display` is a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DefinitionError {
    /// The id cannot stand in a request or a path.
    #[error("an id has 1 to {ID_MAX} printable characters and no blanks")]
    Id,
    /// No vendor.
    #[error("name the vendor")]
    Vendor,
    /// `tpm` is missing.
    #[error("models of type {0} are metered in tokens; give `tpm`")]
    TpmMissing(ModelType),
    /// `tpm` is there and must not be.
    #[error("models of type {0} are not metered in tokens; leave `tpm` out")]
    TpmNotMetered(ModelType),
    /// Zero tokens.
    #[error("`{0}` must be at least 1")]
    Zero(&'static str),
    /// A price that is no price.
    #[error("the price of `{0}` must be a number, and not less than 0")]
    Price(String),
}

impl ModelDefinition {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// The first [`DefinitionError`].
    pub fn check(&self) -> Result<(), DefinitionError> {
        let id = self.id.as_str();
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        if id.is_empty() || id.chars().count() > ID_MAX || !id.chars().all(plain) {
            return Err(DefinitionError::Id);
        }
        if self.vendor.trim().is_empty() {
            return Err(DefinitionError::Vendor);
        }
        match (self.kind.is_token_metered(), self.tpm) {
            (true, None) => return Err(DefinitionError::TpmMissing(self.kind)),
            (false, Some(_)) => return Err(DefinitionError::TpmNotMetered(self.kind)),
            _ => {}
        }
        if !self.kind.is_token_metered() && self.regional.values().any(|r| r.tpm.is_some()) {
            return Err(DefinitionError::TpmNotMetered(self.kind));
        }
        for (field, value) in
            [("context_window", self.context_window), ("max_output_tokens", self.max_output_tokens)]
        {
            if value == Some(0) {
                return Err(DefinitionError::Zero(field));
            }
        }
        let regional = self.regional.values().filter_map(|r| r.prices.as_ref()).flatten();
        match self.prices.iter().chain(regional).find(|p| !p.price.is_finite() || p.price < 0.0) {
            Some(price) => Err(DefinitionError::Price(price.item.clone())),
            None => Ok(()),
        }
    }

    /// Whether it can be called in a region.
    pub(super) fn is_in(&self, region: &CatalogueRegion) -> bool {
        let named = |ids: &Vec<RegionId>| ids.contains(&region.id) || ids.contains(&region.like);
        self.regions.as_ref().is_none_or(named)
    }

    /// The model as it is in a region.
    pub(super) fn model(&self, region: &CatalogueRegion, slot: usize) -> Model {
        let here = self.regional.get(&region.id).or_else(|| self.regional.get(&region.like));
        let rpm = here.and_then(|r| r.rpm).unwrap_or(self.rpm).get();
        let tpm = here.and_then(|r| r.tpm).or(self.tpm).map(PerMinute::get);
        Model {
            slot,
            id: self.id.clone(),
            vendor: self.vendor.clone(),
            kind: self.kind,
            limits: Limits { rpm, tpm },
            context_window: self.context_window,
            max_output_tokens: self.max_output_tokens,
            expected_output_tokens: self.expected_output_tokens(),
            prices: here.and_then(|r| r.prices.as_ref()).unwrap_or(&self.prices).clone(),
        }
    }

    fn expected_output_tokens(&self) -> u64 {
        match self.kind {
            ModelType::Embedding | ModelType::MultimodalEmbedding | ModelType::Rerank => 0,
            _ => {
                let expected = self.expected_output_tokens.unwrap_or(EXPECTED_OUTPUT_TOKENS);
                expected.min(self.max_output_tokens.unwrap_or(u64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused() {
        let check = |json: &str| serde_json::from_str::<ModelDefinition>(json).unwrap().check();
        let with = |id: &str, kind: &str, rest: &str| {
            check(&format!(r#"{{"id":"{id}","vendor":"V","type":"{kind}","rpm":1{rest}}}"#))
        };
        assert_eq!(with("a/b-1.5", "text", r#","tpm":1"#), Ok(()));
        assert_eq!(with("a", "image", ""), Ok(()));
        assert_eq!(with("", "image", ""), Err(DefinitionError::Id));
        assert_eq!(with("a b", "image", ""), Err(DefinitionError::Id));
        assert_eq!(with(&"x".repeat(129), "image", ""), Err(DefinitionError::Id));
        assert_eq!(with("a", "text", ""), Err(DefinitionError::TpmMissing(ModelType::Text)));
        assert_eq!(with("a", "image", r#","tpm":1"#), Err(DefinitionError::TpmNotMetered(ModelType::Image)));
        let regional = r#","regional":{"r":{"tpm":1}}"#;
        assert_eq!(with("a", "video", regional), Err(DefinitionError::TpmNotMetered(ModelType::Video)));
        assert_eq!(
            with("a", "image", r#","context_window":0"#),
            Err(DefinitionError::Zero("context_window"))
        );
        let price = r#","prices":[{"item":"image","per":"image","price":-1,"currency":"USD"}]"#;
        assert_eq!(with("a", "image", price), Err(DefinitionError::Price("image".into())));
    }
}
