//! Which ontology object the classes of a source are.

use std::collections::HashMap;
use std::sync::Arc;

use super::Verdict;
use crate::batch::Shape;
use crate::coco::ClassName;
use crate::plan::{OntologyObject, Plan};
use crate::reject::Reason;

/// Ontology objects that a class may be, by index in the plan; which one it is may depend on the annotation's shape.
pub(super) type Candidates = Vec<u32>;

/// The class rules of a plan.
pub(super) struct ClassRules {
    plan: Arc<Plan>,
    exact: HashMap<String, Candidates>,
    folded: HashMap<String, Candidates>,
    by_hash: HashMap<String, u32>,
}

impl ClassRules {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let mut rules = Self {
            plan: Arc::clone(plan),
            exact: HashMap::new(),
            folded: HashMap::new(),
            by_hash: HashMap::new(),
        };
        for (index, object) in (0u32..).zip(&plan.ontology) {
            rules.exact.entry(object.name.clone()).or_default().push(index);
            rules.folded.entry(object.name.to_lowercase()).or_default().push(index);
            rules.by_hash.insert(object.feature_hash.clone(), index);
        }
        rules
    }

    /// The ontology objects that a source's class may be.
    pub(super) fn candidates(&self, class: &ClassName<'_>) -> Verdict<Candidates> {
        let id = class.id.as_deref();
        let name = class.name.or(id).unwrap_or_default();
        let found = self.mapped(class, name);
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
                    let object = &self.plan.ontology[index as usize];
                    wanted(&object.name) || wanted(&object.feature_hash)
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

    fn mapped(&self, class: &ClassName<'_>, name: &str) -> Verdict<Candidates> {
        let id = class.id.as_deref();
        if let Some(map) = &self.plan.class_map {
            return match id.and_then(|id| map.get(id)).or_else(|| map.get(name)) {
                Some(None) => Verdict::Filtered("dropped_class"),
                Some(Some(hash)) if self.by_hash.contains_key(hash.as_str()) => {
                    Verdict::Found(vec![self.by_hash[hash.as_str()]])
                }
                _ => Verdict::Reject(Reason::UnmappedClass { class: name.to_owned() }),
            };
        }
        if !class.declared {
            return Verdict::Reject(Reason::UnknownCategory {
                category_id: name.to_owned(),
            });
        }
        let candidates = self.exact.get(name).or_else(|| self.folded.get(&name.to_lowercase()));
        match candidates {
            Some(candidates) => Verdict::Found(candidates.clone()),
            None => Verdict::Reject(Reason::UnknownClass { class: name.to_owned() }),
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
