//! Keypoints in the order of a skeleton's template, by the names that a COCO category gives them.

use crate::ontology::SkeletonPoint;
use crate::reject::Reason;

/// Where each point of a template stands among the keypoints of a category.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeypointOrder {
    /// Keypoints that the category names.
    pub given: usize,
    /// By point of the template; none where the category does not have it.
    pub places: Vec<Option<usize>>,
}

impl KeypointOrder {
    /// The order for a category's names; none where keypoints stand as the template has them, or where it knows none of the
    /// names.
    pub fn new(names: &[Box<str>], template: &[SkeletonPoint]) -> Result<Option<Self>, Reason> {
        let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let template: Vec<String> = template.iter().map(|point| point.name.to_lowercase()).collect();
        if names == template || !names.iter().any(|name| template.contains(name)) {
            return Ok(None);
        }
        let odd = names.iter().enumerate().find(|(at, name)| {
            template.iter().filter(|known| known == name).count() != 1 || names[..*at].contains(name)
        });
        if let Some((_, name)) = odd {
            return Err(Reason::KeypointNames { name: name.clone() });
        }
        Ok(Some(Self {
            given: names.len(),
            places: template
                .iter()
                .map(|known| names.iter().position(|name| name == known))
                .collect(),
        }))
    }

    /// Whether the template has points that the category has not.
    pub fn lacks(&self) -> bool {
        self.places.contains(&None)
    }
}
