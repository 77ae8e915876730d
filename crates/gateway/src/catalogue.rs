//! The models that can be called, by region. Shipped as data; the source of each figure is named in `docs/`.

use keygate_contract::{ModelId, RegionId};
use serde::Deserialize;
use std::collections::HashMap;

/// The catalogue as it ships.
const SHIPPED: &str = include_str!("../data/models.json");

/// A model of the catalogue. Limits and prices come with the capability that uses them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Model {
    /// As applications name it.
    pub id: ModelId,
    /// Who makes it.
    pub vendor: String,
    /// The regions it can be called in.
    pub regions: Vec<RegionId>,
}

/// All models, found by region and id.
#[derive(Clone, Debug)]
pub struct Catalogue {
    models: Vec<Model>,
    by_region: HashMap<RegionId, HashMap<ModelId, usize>>,
}

impl Catalogue {
    /// The catalogue as it ships: 150 models.
    pub fn shipped() -> Self {
        let models: Vec<Model> =
            serde_json::from_str(SHIPPED).expect("the shipped catalogue is checked by a test");
        Self::new(models)
    }

    fn new(models: Vec<Model>) -> Self {
        let mut by_region: HashMap<RegionId, HashMap<ModelId, usize>> = HashMap::new();
        for (index, model) in models.iter().enumerate() {
            for region in &model.regions {
                by_region.entry(region.clone()).or_default().insert(model.id.clone(), index);
            }
        }
        Self { models, by_region }
    }

    /// A model of a region.
    pub fn find(&self, region: &RegionId, id: &ModelId) -> Option<&Model> {
        self.by_region.get(region)?.get(id).map(|index| &self.models[*index])
    }

    /// All models of a region, in the catalogue's order.
    pub fn in_region<'a>(&'a self, region: &'a RegionId) -> impl Iterator<Item = &'a Model> {
        self.models.iter().filter(move |model| model.regions.contains(region))
    }

    /// Whether any region has the model.
    pub fn contains(&self, id: &ModelId) -> bool {
        self.models.iter().any(|model| &model.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_shipped_catalogue_has_150_models_each_once_and_in_a_region() {
        let catalogue = Catalogue::shipped();
        assert_eq!(catalogue.models.len(), 150);
        assert_eq!(catalogue.models.iter().map(|m| &m.id).collect::<HashSet<_>>().len(), 150);
        assert!(catalogue.models.iter().all(|m| !m.regions.is_empty()));
    }

    #[test]
    fn a_model_is_found_in_its_regions_only() {
        let catalogue = Catalogue::shipped();
        let (us_only, virginia, singapore) =
            ("qwen-plus-us".into(), "us-east-1".into(), "ap-southeast-1".into());
        assert_eq!(catalogue.find(&virginia, &us_only).unwrap().vendor, "Qwen");
        assert!(catalogue.find(&singapore, &us_only).is_none());
        assert!(catalogue.find(&"mars".into(), &us_only).is_none());
        assert_eq!(catalogue.in_region(&singapore).count(), 102);
    }
}
