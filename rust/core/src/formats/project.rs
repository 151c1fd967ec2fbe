//! What a format may ask about the project that a source is imported into.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::plan::Plan;
use crate::source::{base_name, stem, ClassName};

/// A project, as far as readers need to know it.
pub trait Project {
    /// Whether a class is drawn from keypoints alone: then they come before its other geometry.
    fn drawn_from_keypoints(&self, class: &ClassName<'_>) -> bool;

    /// The hashes that it has.
    fn known_names(&self) -> Arc<KnownNames>;
}

/// The hashes that a project has; what goes by another hash goes by its name.
#[derive(Debug, Clone, Default)]
pub struct KnownNames {
    /// data_hashes of its media.
    pub media: HashSet<String>,
    /// Feature hashes of its objects and classifications.
    pub classes: HashSet<String>,
    /// Its classifications by feature hash and by name, and whether each is global. Of those that share a name, whether all are.
    pub classifications: HashMap<String, bool>,
    /// Titles of its media, each as it is, without folders, and without the last suffix as well.
    pub titles: HashSet<String>,
    /// Whether a map says what each class becomes.
    pub has_class_map: bool,
}

impl KnownNames {
    /// The hashes of a plan's project, and those that its maps lead elsewhere.
    pub fn of(plan: &Plan) -> Self {
        let media = plan.media.iter().map(|medium| &medium.data_hash);
        let mapped_media = plan.media_map.iter().flat_map(|map| map.keys());
        let objects = plan.ontology.iter().map(|object| &object.feature_hash);
        let classifications = plan.classifications.iter().map(|of| &of.feature_hash);
        let mapped_classes = plan.class_map.iter().flat_map(|map| map.keys());
        let mut levels: HashMap<String, bool> = HashMap::new();
        for of in &plan.classifications {
            for name in [&of.feature_hash, of.name()] {
                let all = levels.entry(name.to_owned()).or_insert(of.is_global);
                *all &= of.is_global;
            }
        }
        let units = plan.media.iter().flat_map(|medium| &medium.units);
        let titled = plan
            .media
            .iter()
            .map(|medium| &medium.title)
            .chain(units.map(|unit| &unit.title));
        let titles = titled.flat_map(|title| [title, base_name(title), stem(title)].map(str::to_owned));
        Self {
            titles: titles.collect(),
            classifications: levels,
            has_class_map: plan.class_map.is_some(),
            media: media.chain(mapped_media).cloned().collect(),
            classes: objects.chain(classifications).chain(mapped_classes).cloned().collect(),
        }
    }
}
