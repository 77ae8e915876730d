//! The catalogue as it ships. Where its figures come from is in `docs/architecture.md`.

use super::{ModelDefinition, Regional};
use keygate_contract::{ModelId, ModelType, PerMinute, Price, RegionId};
use serde::Deserialize;
use std::collections::HashMap;

const DATA: &str = include_str!("../../data/models.json");

/// The regions of the data, and the deployment scopes whose limits hold there: the first that a model has.
const REGIONS: [(&str, &[&str]); 6] = [
    ("cn-beijing", &["cn"]),
    ("ap-southeast-1", &["intl"]),
    ("us-east-1", &["us", "global"]),
    ("eu-central-1", &["eu", "global"]),
    ("ap-northeast-1", &["intl"]),
    ("cn-hongkong", &["intl"]),
];

/// A model as the data has it.
#[derive(Deserialize)]
struct Row {
    id: ModelId,
    vendor: String,
    #[serde(rename = "type")]
    kind: ModelType,
    context_window: Option<u64>,
    max_output_tokens: Option<u64>,
    rpm: PerMinute,
    tpm: Option<PerMinute>,
    regions: Vec<RegionId>,
    limits_by_scope: HashMap<String, ScopeLimits>,
    input_price_per_million: Option<f64>,
    output_price_per_million: Option<f64>,
    currency: Option<String>,
    unit_prices: Option<Vec<UnitPrice>>,
}

#[derive(Deserialize)]
struct ScopeLimits {
    rpm: PerMinute,
    tpm: Option<PerMinute>,
}

#[derive(Deserialize)]
struct UnitPrice {
    scope: String,
    item: String,
    per: String,
    price: f64,
    currency: String,
}

/// The definitions that ship: 150 models.
pub fn shipped() -> Vec<ModelDefinition> {
    let rows: Vec<Row> = serde_json::from_str(DATA).expect("the shipped catalogue is checked by a test");
    rows.into_iter().map(Row::into_definition).collect()
}

impl Row {
    fn into_definition(self) -> ModelDefinition {
        let regional =
            REGIONS.iter().map(|(id, scopes)| (RegionId::from(*id), self.in_scopes(scopes))).collect();
        ModelDefinition {
            prices: self.token_prices(),
            id: self.id,
            vendor: self.vendor,
            kind: self.kind,
            regions: Some(self.regions),
            rpm: self.rpm,
            tpm: self.tpm,
            context_window: self.context_window,
            max_output_tokens: self.max_output_tokens,
            expected_output_tokens: None,
            regional,
        }
    }

    fn in_scopes(&self, scopes: &[&str]) -> Regional {
        let limits = scopes.iter().find_map(|scope| self.limits_by_scope.get(*scope));
        // Prices of a unit are known for some scopes only; those of another scope are another place's.
        let units = self.unit_prices.iter().flatten().filter(|unit| scopes.contains(&unit.scope.as_str()));
        let mut prices = self.token_prices();
        prices.extend(units.map(|unit| Price {
            item: unit.item.clone(),
            per: unit.per.clone(),
            price: unit.price,
            currency: unit.currency.clone(),
        }));
        Regional { rpm: limits.map(|l| l.rpm), tpm: limits.and_then(|l| l.tpm), prices: Some(prices) }
    }

    fn token_prices(&self) -> Vec<Price> {
        let Some(currency) = &self.currency else { return Vec::new() };
        [("input_tokens", self.input_price_per_million), ("output_tokens", self.output_price_per_million)]
            .into_iter()
            .filter_map(|(item, price)| {
                Some(Price {
                    item: item.into(),
                    per: "million_tokens".into(),
                    price: price?,
                    currency: currency.clone(),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_150_models_each_once_in_a_region_and_sound() {
        let models = shipped();
        assert_eq!(models.len(), 150);
        assert_eq!(models.iter().map(|m| &m.id).collect::<HashSet<_>>().len(), 150);
        for model in &models {
            assert_eq!(model.check(), Ok(()), "{}", model.id);
            assert!(model.regions.as_ref().is_some_and(|regions| !regions.is_empty()), "{}", model.id);
        }
    }

    #[test]
    fn prices_are_those_of_the_regions_scope() {
        let models = shipped();
        let prices = |id: &str, region: &str| {
            let model = models.iter().find(|m| m.id.as_str() == id).unwrap();
            let prices = model.regional[&region.into()].prices.clone().unwrap();
            prices.into_iter().map(|p| (p.item, p.price, p.currency)).collect::<Vec<_>>()
        };
        assert_eq!(prices("qwen-image", "cn-beijing"), [("image_number".into(), 0.25, "CNY".into())]);
        assert_eq!(prices("qwen-image", "us-east-1"), []);
        assert_eq!(
            prices("qwen-flash", "ap-southeast-1"),
            [("input_tokens".into(), 0.05, "USD".into()), ("output_tokens".into(), 0.4, "USD".into())]
        );
    }
}
