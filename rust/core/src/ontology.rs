//! The project's ontology: what can be drawn and what can be answered.

use serde::Deserialize;

use crate::batch::Shape;
use crate::media::DataType;

/// An object of the ontology.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OntologyObject {
    /// feature_node_hash.
    pub feature_hash: String,
    /// Display name.
    pub name: String,
    /// `#RRGGBB`.
    pub color: String,
    /// The SDK's name of the shape, as it stands in label rows (`bounding_box`, `polygon`, `bitmask`, ...).
    pub shape: String,
    /// What can be answered about it.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// Points of its skeleton template, in the template's order; none for other shapes.
    #[serde(default)]
    pub skeleton: Vec<SkeletonPoint>,
    /// Templates that a skeleton may have, where none of several is linked with it; `skeleton` is then empty.
    #[serde(default)]
    pub templates: Vec<SkeletonTemplate>,
}

impl OntologyObject {
    /// The shape as the IR knows it; `None` for shapes that no prediction can have, and for those on ranges.
    pub fn ir_shape(&self) -> Option<Shape> {
        Shape::parse(&self.shape)
    }

    /// The media on whose ranges it lies; `None` for objects that are drawn.
    pub fn on_ranges_of(&self) -> Option<DataType> {
        match self.shape.as_str() {
            "audio" => Some(DataType::Audio),
            "text" => Some(DataType::PlainText),
            "time_range" => Some(DataType::TimeSeries),
            _ => None,
        }
    }

    /// The template for a skeleton of `n` points: the linked one, else the only one with that many.
    pub fn template_for(&self, n: usize) -> Option<&[SkeletonPoint]> {
        if self.templates.is_empty() {
            return Some(&self.skeleton);
        }
        let mut fitting = self.templates.iter().filter(|template| template.points.len() == n);
        let found = fitting.next()?;
        fitting.next().is_none().then_some(&found.points)
    }
}

/// A skeleton template that is not linked with an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkeletonTemplate {
    /// Its name.
    pub name: String,
    /// Its points, in its order.
    pub points: Vec<SkeletonPoint>,
}

/// A point of a skeleton template.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkeletonPoint {
    /// Its name.
    pub name: String,
    /// `#RRGGBB`.
    pub color: Option<String>,
    /// Its name as a value.
    pub value: Option<String>,
    /// feature hash of the point.
    pub feature_hash: Option<String>,
}

/// A classification of the ontology.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// feature_node_hash.
    pub feature_hash: String,
    /// Its questions; the first one's name is the classification's.
    pub attributes: Vec<Attribute>,
    /// Whether a label row has one answer to it, which is about all of the medium and on no frame.
    #[serde(default)]
    pub is_global: bool,
}

impl Classification {
    /// What people call it.
    pub fn name(&self) -> &str {
        self.attributes.first().map_or("", |attribute| &attribute.name)
    }
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// One of its options.
    Radio,
    /// Any of its options.
    Checklist,
    /// Text.
    Text,
    /// A number.
    Numeric,
}

/// A question about an object or about frames.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// feature_node_hash.
    pub feature_hash: String,
    /// Display name.
    pub name: String,
    /// How it is answered.
    pub kind: AttributeKind,
    /// Whether one object may have another answer on each frame.
    #[serde(default)]
    pub dynamic: bool,
    /// What may be chosen.
    #[serde(default)]
    pub options: Vec<AttributeOption>,
}

/// An answer that may be chosen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeOption {
    /// feature_node_hash.
    pub feature_hash: String,
    /// Display name.
    pub label: String,
    /// Its name as a value.
    pub value: String,
    /// Questions that are asked once it is chosen.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

/// A question among all those of an object or classification.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is asked.
    pub attribute: &'a Attribute,
    /// Number of the question, and of its option, that must be chosen before this one is asked.
    pub below: Option<(u32, u32)>,
}

/// All questions, each before those below its options: the order in which the SDK keeps them.
pub fn questions(attributes: &[Attribute]) -> Vec<Question<'_>> {
    let mut all = Vec::new();
    collect(attributes, None, &mut all);
    all
}

fn collect<'a>(attributes: &'a [Attribute], below: Option<(u32, u32)>, all: &mut Vec<Question<'a>>) {
    for attribute in attributes {
        let number = all.len() as u32;
        all.push(Question { attribute, below });
        for (option, position) in attribute.options.iter().zip(0..) {
            collect(&option.attributes, Some((number, position)), all);
        }
    }
}
