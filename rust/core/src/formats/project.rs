//! What a format may ask about the project that a source is imported into.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::plan::{Medium, Plan};
use crate::reject::Reason;
use crate::source::{base_name, stem, ClassName};

/// A project, as far as readers need to know it.
pub trait Project {
    /// Whether a class is drawn from keypoints alone: then they come before its other geometry.
    fn drawn_from_keypoints(&self, class: &ClassName<'_>) -> bool;

    /// The hashes that it has.
    fn known_names(&self) -> Arc<KnownNames>;

    /// The points of its skeletons.
    fn skeletons(&self) -> Arc<dyn Skeletons>;
}

/// The points of a project's skeletons, for readers whose rows name their keypoints one by one.
pub trait Skeletons: Send + Sync {
    /// Of each point of the skeleton that a class is, its place among keypoints with these names; none where the class has no
    /// such point. None where the keypoints have the skeleton's order, where it knows none of their names, or where no one
    /// skeleton is meant.
    ///
    /// # Errors
    /// [`Reason::KeypointNames`] where it knows only some of the names, or a name is given twice.
    fn places(&self, class: &str, names: &[Box<str>]) -> Result<Option<Vec<Option<usize>>>, Reason>;
}

/// The hashes and names that a project has; what goes by another hash goes by its name.
#[derive(Debug, Clone, Default)]
pub struct KnownNames {
    /// data_hashes and storage items.
    media: Digests,
    classes: Digests,
    titles: Digests,
    /// Its classifications by feature hash and by name, and whether each is global. Of those that share a name, whether all are.
    pub classifications: HashMap<String, bool>,
    /// Whether a map says what each class becomes.
    pub has_class_map: bool,
    /// Frames of its longest medium.
    pub most_frames: u64,
}

impl KnownNames {
    /// The names of a plan's project, and those that its maps lead elsewhere.
    pub fn of(plan: &Plan) -> Self {
        let hashes = plan.media.iter().map(|medium| &*medium.data_hash);
        let items = plan.media.iter().filter_map(|medium| medium.storage_item);
        let items: Vec<_> = items.map(|item| item.to_string()).collect();
        let mapped_media = plan.media_map.iter().flat_map(|map| map.keys()).map(String::as_str);
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
        let titles = plan.media.iter().map(Medium::name);
        let titles = titles.chain(units.map(|unit| &*unit.title));
        Self {
            titles: Digests::of(titles.flat_map(|title| [title, base_name(title), stem(title)])),
            classifications: levels,
            has_class_map: plan.class_map.is_some(),
            most_frames: plan.media.iter().map(Medium::places).max().unwrap_or(0),
            media: Digests::of(hashes.chain(items.iter().map(String::as_str)).chain(mapped_media)),
            classes: Digests::of(objects.chain(classifications).chain(mapped_classes).map(String::as_str)),
        }
    }

    /// Whether this is the data_hash or the storage item of a medium.
    pub fn has_medium(&self, hash: &str) -> bool {
        self.media.has(hash)
    }

    /// Whether this is the feature hash of an object or a classification.
    pub fn has_class(&self, feature_hash: &str) -> bool {
        self.classes.has(feature_hash)
    }

    /// Whether this is the title of a medium, as it is, without folders, or without the last suffix as well.
    pub fn has_title(&self, name: &str) -> bool {
        self.titles.has(name)
    }
}

/// A set of texts, of which only digests are kept: a project may have many.
#[derive(Debug, Clone)]
struct Digests {
    seen: HashSet<u64>,
    /// Random, so that no names can be made that collide.
    seed: u64,
}

impl Default for Digests {
    fn default() -> Self {
        Self {
            seen: HashSet::new(),
            seed: RandomState::new().hash_one(0),
        }
    }
}

impl Digests {
    fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut digests = Self::default();
        digests.seen = texts.map(|text| digests.digest(text)).collect();
        digests
    }

    fn has(&self, text: &str) -> bool {
        self.seen.contains(&self.digest(text))
    }

    fn digest(&self, text: &str) -> u64 {
        xxh3_64_with_seed(text.as_bytes(), self.seed)
    }
}
