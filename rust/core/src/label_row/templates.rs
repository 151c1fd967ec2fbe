//! What is the same for all labels of an ontology object: rendered once an import, so that a box costs little more than its
//! numbers.

use std::iter;

use super::coordinate::damaged;
use super::questions::QuestionTexts;
use super::shapes::skeleton_point;
use super::text::{lower_snake_case, push_string};
use crate::batch::Shape;
use crate::error::Result;
use crate::ontology::{Classification, OntologyObject};

/// How labels are written: the constant JSON of each ontology object's, and how long numbers are. Made once an import,
/// used for all its rows.
#[derive(Debug)]
pub struct Templates {
    objects: Vec<Template>,
    classifications: Vec<ClassificationTemplate>,
    /// The creation time as JSON.
    pub(super) when: Vec<u8>,
    pub(super) decimals: Option<u8>,
}

/// The constant JSON of a classification.
#[derive(Debug)]
pub(super) struct ClassificationTemplate {
    /// Its feature hash as JSON.
    pub feature_hash: Vec<u8>,
    pub questions: QuestionTexts,
    pub is_global: bool,
}

/// The constant JSON of an ontology object, and what its labels must be.
#[derive(Debug)]
pub(super) struct Template {
    pub shape: Option<Shape>,
    /// Whether it lies on ranges and has no geometry.
    pub on_ranges: bool,
    /// What the entry of such an object says of its class.
    pub about: Vec<u8>,
    pub questions: QuestionTexts,
    /// What is the same for each point of a skeleton; several where several templates may be its own.
    pub skeletons: Vec<Vec<Vec<u8>>>,
    /// From the opening brace up to the confidence.
    pub before_confidence: Vec<u8>,
    /// From behind the object hash up to the geometry.
    pub before_geometry: Vec<u8>,
}

impl Templates {
    /// Renders the constant JSON of `objects` and `classifications` of the ontology. `when` is the creation time of all
    /// labels, such as `Sat, 21 Nov 2026 23:48:11 UTC`.
    pub fn new(objects: &[OntologyObject], classifications: &[Classification], when: &str) -> Self {
        let text = |value: &str| {
            let mut out = Vec::new();
            push_string(&mut out, value);
            out
        };
        Self {
            objects: objects.iter().map(|object| Template::new(object, when)).collect(),
            classifications: classifications
                .iter()
                .map(|of| ClassificationTemplate {
                    feature_hash: text(&of.feature_hash),
                    questions: QuestionTexts::new(&of.attributes),
                    is_global: of.is_global,
                })
                .collect(),
            when: text(when),
            decimals: None,
        }
    }

    pub(super) fn object(&self, feature: u32) -> Result<&Template> {
        let of = self.objects.len();
        let object = self.objects.get(feature as usize);
        object.ok_or_else(|| damaged(format!("ontology object {feature} of {of}")))
    }

    pub(super) fn classification(&self, feature: u32) -> Result<&ClassificationTemplate> {
        let of = self.classifications.len();
        let classification = self.classifications.get(feature as usize);
        classification.ok_or_else(|| damaged(format!("classification {feature} of {of}")))
    }

    /// Rounds coordinates and angles to so many decimals (see [`super::number::round_to`]); masks and confidences stay as
    /// they are.
    #[must_use]
    pub fn with_decimals(self, decimals: Option<u8>) -> Self {
        Self { decimals, ..self }
    }
}

impl Template {
    fn new(object: &OntologyObject, when: &str) -> Self {
        let mut before_confidence = Vec::new();
        let mut text = |before: &str, value: &str| {
            before_confidence.extend_from_slice(before.as_bytes());
            push_string(&mut before_confidence, value);
        };
        text(r#"{"name":"#, &object.name);
        text(r#","color":"#, &object.color);
        text(r#","shape":"#, &object.shape);
        text(r#","value":"#, &lower_snake_case(&object.name));
        text(r#","createdAt":"#, when);
        before_confidence.extend_from_slice(br#","createdBy":null,"confidence":"#);

        let mut before_geometry = br#"","featureHash":"#.to_vec();
        push_string(&mut before_geometry, &object.feature_hash);
        before_geometry.extend_from_slice(br#","manualAnnotation":false,"lastEditedAt":"#);
        push_string(&mut before_geometry, when);
        let mut about = Vec::new();
        for (name, value) in [
            (r#""featureHash":"#, object.feature_hash.as_str()),
            (r#","name":"#, &object.name),
            (r#","color":"#, &object.color),
            (r#","shape":"#, &object.shape),
            (r#","value":"#, &lower_snake_case(&object.name)),
        ] {
            about.extend_from_slice(name.as_bytes());
            push_string(&mut about, value);
        }
        let unlinked = object.templates.iter().map(|template| &template.points);
        let skeletons = iter::once(&object.skeleton).chain(unlinked);
        Self {
            shape: object.ir_shape(),
            on_ranges: object.on_ranges_of().is_some(),
            about,
            questions: QuestionTexts::new(&object.attributes),
            skeletons: skeletons
                .map(|points| points.iter().map(skeleton_point).collect())
                .collect(),
            before_confidence,
            before_geometry,
        }
    }
}
