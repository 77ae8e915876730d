//! The models that can be called, by region, with what an account may do with each there.
//!
//! The catalogue is built once, at start, out of definitions: the shipped ones (see [`shipped`]) and those of the
//! configuration, which replace a shipped model of the same name or add to them.

mod definition;
mod rate;
mod shipped;

pub use definition::{DefinitionError, ModelDefinition, Regional};
pub use rate::Cost;
pub(crate) use rate::Rate;
pub use shipped::shipped;

use crate::limit::Limits;
use crate::map::HashMap;
use keygate_contract::{ModelId, ModelType, Price, RegionId};

/// A model of a region.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Counts the models of all regions, from 0 without gaps: the limiter's windows are found by it.
    pub slot: usize,
    /// As applications name it.
    pub id: ModelId,
    /// Who makes it.
    pub vendor: String,
    /// What it works on.
    pub kind: ModelType,
    /// What an account may do with it in a minute.
    pub limits: Limits,
    /// Tokens of a prompt and its answer together.
    pub context_window: Option<u64>,
    /// Most tokens of one answer.
    pub max_output_tokens: Option<u64>,
    /// Tokens that are reserved for an answer when the call does not say how long it may be.
    pub expected_output_tokens: u64,
    /// What it costs here.
    pub prices: Vec<Price>,
}

impl Model {
    /// What an answer costs that took so many tokens.
    pub fn cost(&self, input: u64, output: u64) -> Cost {
        Rate::new(&self.prices).cost(input, output)
    }
}

/// A region of the server, and the region whose definitions it takes.
#[derive(Clone, Debug)]
pub struct CatalogueRegion {
    /// The region's id.
    pub id: RegionId,
    /// The id that definitions know it by; mostly the same.
    pub like: RegionId,
}

/// All models, found by region and id.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    regions: HashMap<RegionId, RegionModels>,
    slots: usize,
}

/// Invariant: `by_id` has the index of each of `models`, which are in the order of their ids.
#[derive(Clone, Debug, Default)]
struct RegionModels {
    models: Vec<Model>,
    by_id: HashMap<ModelId, usize>,
}

impl Catalogue {
    /// The catalogue of `regions` out of `definitions`. Of two definitions of one model the later one holds.
    pub fn new(definitions: &[ModelDefinition], regions: &[CatalogueRegion]) -> Self {
        let mut catalogue = Self::default();
        let mut latest: HashMap<&ModelId, &ModelDefinition> = HashMap::default();
        for definition in definitions {
            latest.insert(&definition.id, definition);
        }
        let mut definitions: Vec<&ModelDefinition> = latest.into_values().collect();
        definitions.sort_by_cached_key(|definition| order(&definition.id));
        for region in regions {
            let mut models = RegionModels::default();
            for definition in definitions.iter().filter(|d| d.is_in(region)) {
                models.by_id.insert(definition.id.clone(), models.models.len());
                models.models.push(definition.model(region, catalogue.slots));
                catalogue.slots += 1;
            }
            catalogue.regions.insert(region.id.clone(), models);
        }
        catalogue
    }

    /// A model of a region.
    pub fn find(&self, region: &RegionId, id: &ModelId) -> Option<&Model> {
        let region = self.regions.get(region)?;
        region.by_id.get(id).map(|index| &region.models[*index])
    }

    /// All models of a region, in the order of their ids, whatever the case.
    pub fn in_region(&self, region: &RegionId) -> &[Model] {
        self.regions.get(region).map_or(&[], |region| &region.models)
    }

    /// All models of all regions.
    pub fn all(&self) -> impl Iterator<Item = (&RegionId, &Model)> {
        self.regions.iter().flat_map(|(id, region)| region.models.iter().map(move |model| (id, model)))
    }

    /// How many slots there are: models, counted in each of their regions.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// What the calls of each slot cost.
    pub(crate) fn rates(&self) -> Box<[Rate]> {
        let mut rates = vec![Rate::default(); self.slots];
        for (_, model) in self.all() {
            rates[model.slot] = Rate::new(&model.prices);
        }
        rates.into()
    }

    /// Whether any region has the model.
    pub fn contains(&self, id: &ModelId) -> bool {
        self.regions.values().any(|region| region.by_id.contains_key(id))
    }
}

/// What models are put in order by: their ids whatever the case, then their ids.
pub fn order(id: &ModelId) -> (String, &ModelId) {
    (id.as_str().to_lowercase(), id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions(ids: &[(&str, &str)]) -> Vec<CatalogueRegion> {
        ids.iter().map(|(id, like)| CatalogueRegion { id: (*id).into(), like: (*like).into() }).collect()
    }

    fn catalogue() -> Catalogue {
        let regions = regions(&[
            ("ap-southeast-1", "ap-southeast-1"),
            ("us-east-1", "us-east-1"),
            ("cn-beijing", "cn-beijing"),
            ("home", "ap-southeast-1"),
        ]);
        Catalogue::new(&shipped(), &regions)
    }

    #[test]
    fn a_model_is_found_in_its_regions_only() {
        let catalogue = catalogue();
        let us_only = "qwen-plus-us".into();
        assert_eq!(catalogue.find(&"us-east-1".into(), &us_only).unwrap().vendor, "Qwen");
        assert!(catalogue.find(&"ap-southeast-1".into(), &us_only).is_none());
        assert!(catalogue.find(&"mars".into(), &us_only).is_none());
        assert_eq!(catalogue.in_region(&"ap-southeast-1".into()).len(), 102);
    }

    #[test]
    fn limits_are_those_of_the_region() {
        let catalogue = catalogue();
        let limits = |region: &str| catalogue.find(&region.into(), &"qwen-flash".into()).unwrap().limits;
        assert_eq!(limits("cn-beijing"), Limits { rpm: 30_000, tpm: Some(10_000_000) });
        assert_eq!(limits("ap-southeast-1"), Limits { rpm: 600, tpm: Some(5_000_000) });
        assert_eq!(limits("us-east-1"), Limits { rpm: 15_000, tpm: Some(10_000_000) });
        assert_eq!(limits("home"), limits("ap-southeast-1"));
    }

    #[test]
    fn slots_count_the_models_of_all_regions_without_gaps() {
        let catalogue = catalogue();
        let mut slots: Vec<usize> = catalogue.all().map(|(_, model)| model.slot).collect();
        slots.sort_unstable();
        assert_eq!(slots, (0..catalogue.slots()).collect::<Vec<_>>());
    }

    #[test]
    fn a_later_definition_replaces_a_shipped_one_and_adds_its_own() {
        let parse = |json: &str| serde_json::from_str::<ModelDefinition>(json).unwrap();
        let mut definitions = shipped();
        definitions.push(parse(r#"{"id":"qwen-plus","vendor":"Me","type":"text","rpm":5,"tpm":7}"#));
        definitions.push(parse(r#"{"id":"my-llama","vendor":"Me","type":"text","rpm":5,"tpm":7}"#));
        let catalogue = Catalogue::new(&definitions, &regions(&[("us-east-1", "us-east-1")]));
        let find = |id: &str| catalogue.find(&"us-east-1".into(), &id.into()).unwrap();
        assert_eq!((find("qwen-plus").vendor.as_str(), find("qwen-plus").limits.rpm), ("Me", 5));
        assert_eq!(find("my-llama").expected_output_tokens, 4096);
        let ids: Vec<_> = catalogue.in_region(&"us-east-1".into()).iter().map(|m| order(&m.id)).collect();
        assert!(ids.is_sorted());
    }
}
