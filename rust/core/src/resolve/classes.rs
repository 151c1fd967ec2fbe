//! Which ontology object the classes of a source are.

use std::collections::HashMap;
use std::sync::Arc;

use super::keypoints::KeypointOrder;
use super::mapped::Mapped;
use super::readings::READINGS;
use super::verdict::Verdict;
use crate::batch::{Kind, Shape};
use crate::formats::Skeletons;
use crate::ontology::OntologyObject;
use crate::plan::{Plan, Unlisted};
use crate::reject::Reason;
use crate::source::ClassName;

/// Ontology objects that a class may be, by index in the plan; which one it is may depend on the annotation's shape. Of an
/// answer the one classification that it is about.
pub(super) type Candidates = Vec<u32>;

/// What a class of a source is.
pub(super) struct Class {
    pub candidates: Candidates,
    /// Of candidates that are skeletons: how the class's keypoints become their points, or why they do not.
    orders: Vec<(u32, Result<KeypointOrder, Reason>)>,
}

impl Class {
    /// The order in which a candidate takes the class's keypoints; none where it takes them as they stand.
    pub fn order_of(&self, candidate: u32) -> Result<Option<&KeypointOrder>, Reason> {
        let order = self.orders.iter().find(|(of, _)| *of == candidate);
        order
            .map(|(_, order)| order.as_ref())
            .transpose()
            .map_err(Reason::clone)
    }
}

/// The class rules of a plan.
pub(super) struct ClassRules {
    plan: Arc<Plan>,
    map: Option<Mapped<Option<String>>>,
    objects: Index,
    classifications: Index,
}

/// What the ontology has, by name in each reading, and by hash.
#[derive(Default)]
struct Index {
    by_name: [HashMap<String, Candidates>; READINGS.len()],
    by_hash: HashMap<String, u32>,
}

impl Index {
    fn of<'a>(items: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut index = Self::default();
        for (number, (name, feature_hash)) in (0u32..).zip(items) {
            for (reading, by_name) in READINGS.iter().zip(&mut index.by_name) {
                by_name.entry(reading.of(name).into_owned()).or_default().push(number);
            }
            index.by_hash.insert(feature_hash.to_owned(), number);
        }
        index
    }

    fn named(&self, name: &str) -> Option<Candidates> {
        let mut readings = READINGS.iter().zip(&self.by_name);
        let named = readings.find_map(|(reading, by_name)| by_name.get(&*reading.of(name)));
        named.cloned().or_else(|| Some(vec![*self.by_hash.get(name)?]))
    }
}

impl ClassRules {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let objects = plan.ontology.iter();
        let classifications = plan.classifications.iter();
        Self {
            plan: Arc::clone(plan),
            map: plan.class_map.as_ref().map(Mapped::new),
            objects: Index::of(objects.map(|object| (object.name.as_str(), object.feature_hash.as_str()))),
            classifications: Index::of(classifications.map(|of| (of.name(), of.feature_hash.as_str()))),
        }
    }

    fn index(&self, kind: Kind) -> &Index {
        match kind {
            Kind::Object => &self.objects,
            Kind::Answer => &self.classifications,
        }
    }

    /// What a source's class is.
    pub(super) fn find(&self, class: &ClassName<'_>, kind: Kind) -> Verdict<Class> {
        let candidates = match self.candidates(class, kind) {
            Verdict::Found(candidates) => candidates,
            Verdict::Filtered(why) => return Verdict::Filtered(why),
            Verdict::Reject(reason) => return Verdict::Reject(reason),
        };
        let orders = match kind {
            Kind::Object => candidates
                .iter()
                .filter_map(|&index| {
                    let template = self.plan.ontology[index as usize].template_for(class.keypoints.len())?;
                    let order = KeypointOrder::new(class.keypoints, template).transpose()?;
                    Some((index, order))
                })
                .collect(),
            Kind::Answer => Vec::new(),
        };
        Verdict::Found(Class { candidates, orders })
    }

    /// The ontology objects that a source's class may be; of an answer the classification.
    fn candidates(&self, class: &ClassName<'_>, kind: Kind) -> Verdict<Candidates> {
        let id = class.id.as_deref();
        let name = class.name.or(id).unwrap_or_default();
        let found = match self.mapped(class, name, kind) {
            // An object's shape may tell which one it is; nothing tells of classifications.
            Verdict::Found(candidates) if kind == Kind::Answer && candidates.len() > 1 => {
                let hash = |&index: &u32| self.plan.classifications[index as usize].feature_hash.clone();
                Verdict::Reject(Reason::AmbiguousClass {
                    class: name.to_owned(),
                    candidates: candidates.iter().map(hash).collect(),
                })
            }
            found => found,
        };
        let Some(only) = &self.plan.only_classes else {
            return found;
        };
        let wanted = |word: &str| only.iter().any(|o| o == word);
        if wanted(name) || id.is_some_and(wanted) {
            return found;
        }
        match found {
            Verdict::Found(candidates) => {
                let asked = |&index: &u32| {
                    let (name, feature_hash) = match kind {
                        Kind::Object => {
                            let object = &self.plan.ontology[index as usize];
                            (object.name.as_str(), &object.feature_hash)
                        }
                        Kind::Answer => {
                            let classification = &self.plan.classifications[index as usize];
                            (classification.name(), &classification.feature_hash)
                        }
                    };
                    wanted(name) || wanted(feature_hash)
                };
                let kept: Candidates = candidates.into_iter().filter(asked).collect();
                if kept.is_empty() {
                    Verdict::Filtered("only_classes")
                } else {
                    Verdict::Found(kept)
                }
            }
            Verdict::Reject(_) => Verdict::Filtered("only_classes"),
            filtered => filtered,
        }
    }

    fn mapped(&self, class: &ClassName<'_>, name: &str, kind: Kind) -> Verdict<Candidates> {
        let index = self.index(kind);
        let id = class.id.as_deref();
        if let Some(map) = &self.map {
            let listed = id.and_then(|id| map.get(id)).or_else(|| map.get(name));
            match (listed, self.plan.unlisted_classes) {
                (Some(None), _) | (None, Unlisted::Drop) => return Verdict::Filtered("dropped_class"),
                (Some(Some(hash)), _) if index.by_hash.contains_key(hash.as_str()) => {
                    return Verdict::Found(vec![index.by_hash[hash.as_str()]]);
                }
                (Some(Some(_)), _) | (None, Unlisted::Reject) => {
                    return Verdict::Reject(Reason::UnmappedClass { class: name.to_owned() });
                }
                (None, Unlisted::Match) => {}
            }
        }
        if !class.declared {
            return Verdict::Reject(Reason::UnknownCategory {
                category_id: name.to_owned(),
            });
        }
        match (index.named(name), kind) {
            (Some(candidates), _) => Verdict::Found(candidates),
            (None, Kind::Object) => Verdict::Reject(Reason::UnknownClass { class: name.to_owned() }),
            (None, Kind::Answer) => Verdict::Reject(Reason::UnknownClassification { class: name.to_owned() }),
        }
    }
}

impl Skeletons for ClassRules {
    fn places(&self, class: &str, names: &[Box<str>]) -> Result<Option<Vec<Option<usize>>>, Reason> {
        let class = ClassName {
            id: None,
            name: Some(class),
            keypoints: names,
            declared: true,
        };
        let Verdict::Found(class) = self.find(&class, Kind::Object) else {
            return Ok(None);
        };
        let skeletons = class.candidates.iter();
        let skeletons =
            skeletons.filter(|&&index| self.plan.ontology[index as usize].ir_shape() == Some(Shape::Skeleton));
        match (skeletons.count(), &class.orders[..]) {
            (1, [(_, order)]) => order.clone().map(|order| Some(order.places)),
            _ => Ok(None),
        }
    }
}

/// Picks the object for an annotation of shape `own` that could become each of `possible`.
///
/// An object of the annotation's own shape wins; else the only one whose shape can be made from it.
pub(super) fn settle(
    ontology: &[OntologyObject],
    candidates: &[u32],
    own: Option<Shape>,
    possible: &[Shape],
) -> Option<u32> {
    if let [only] = candidates {
        return Some(*only);
    }
    let shape = |index: &u32| ontology[*index as usize].ir_shape();
    let single = |fits: &dyn Fn(Shape) -> bool| {
        let mut fitting = candidates.iter().filter(|index| shape(index).is_some_and(fits));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(*first)
    };
    let of_own_shape = candidates
        .iter()
        .filter(|index| own.is_some() && shape(index) == own)
        .count();
    if of_own_shape > 0 {
        return single(&|s| Some(s) == own);
    }
    single(&|s| possible.contains(&s))
}
