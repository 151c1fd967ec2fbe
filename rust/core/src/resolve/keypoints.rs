//! Keypoints in the order of a skeleton's template, by the names that a class gives them.

use super::readings::Reading;
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
    pub fn new(given: &[Box<str>], template: &[SkeletonPoint]) -> Result<Option<Self>, Reason> {
        let names: Vec<_> = given.iter().map(|name| Reading::Loose.of(name)).collect();
        let template: Vec<_> = template.iter().map(|point| Reading::Loose.of(&point.name)).collect();
        if names == template || !names.iter().any(|name| template.contains(name)) {
            return Ok(None);
        }
        let odd = names.iter().enumerate().find(|(at, name)| {
            template.iter().filter(|known| known == name).count() != 1 || names[..*at].contains(name)
        });
        if let Some((at, _)) = odd {
            let name = given[at].to_string();
            return Err(Reason::KeypointNames { name });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&str], template: &[&str]) -> Result<Option<KeypointOrder>, Reason> {
        let names: Vec<Box<str>> = names.iter().map(|&name| name.into()).collect();
        let point = |name: &&str| SkeletonPoint {
            name: (*name).to_owned(),
            color: None,
            value: None,
            feature_hash: None,
        };
        KeypointOrder::new(&names, &template.iter().map(point).collect::<Vec<_>>())
    }

    #[test]
    fn names_tell_the_order() {
        let found = order(&["right", "nose", "LEFT"], &["Nose", "Left", "Right"]);
        let places = vec![Some(1), Some(2), Some(0)];
        assert_eq!(found, Ok(Some(KeypointOrder { given: 3, places })));
    }

    #[test]
    fn blanks_may_be_underscores() {
        let found = order(&["right_eye", "left_eye"], &["left eye", "right eye"])
            .ok()
            .flatten();
        assert_eq!(found.map(|order| order.places), Some(vec![Some(1), Some(0)]));
    }

    #[test]
    fn points_that_the_category_has_not_are_missing() {
        let found = order(&["Right"], &["Nose", "Right"]).ok().flatten();
        assert_eq!(
            found.as_ref().map(|order| &order.places[..]),
            Some(&[None, Some(0)][..])
        );
        assert!(found.is_some_and(|order| order.lacks()));
    }

    #[test]
    fn the_files_order_stays_where_names_say_the_same_or_nothing() {
        assert_eq!(order(&["nose", "left"], &["Nose", "Left"]), Ok(None));
        assert_eq!(order(&["a", "b"], &["Nose", "Left"]), Ok(None));
        assert_eq!(order(&[], &["Nose"]), Ok(None));
    }

    #[test]
    fn names_that_fit_in_part_are_rejected() {
        let reject = |name: &str| Err(Reason::KeypointNames { name: name.to_owned() });
        assert_eq!(order(&["nose", "tail"], &["Nose", "Left"]), reject("tail"));
        assert_eq!(order(&["nose", "Nose"], &["Nose", "Left"]), reject("Nose"));
        assert_eq!(order(&["left", "nose"], &["Nose", "left", "Left"]), reject("left"));
    }
}
