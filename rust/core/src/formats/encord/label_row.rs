//! A label row's JSON as far as predictions go, borrowing the text.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Entries;

/// A label row.
#[derive(Debug, Deserialize)]
pub(super) struct LabelRow<'a> {
    pub data_hash: String,
    #[serde(default)]
    pub data_title: String,
    pub data_type: String,
    #[serde(borrow)]
    pub data_units: Entries<DataUnit<'a>>,
    #[serde(borrow, default)]
    pub object_answers: Entries<&'a RawValue>,
    #[serde(borrow, default)]
    pub classification_answers: Entries<&'a RawValue>,
    #[serde(borrow, default)]
    pub object_actions: Entries<&'a RawValue>,
    #[serde(borrow, default)]
    pub spaces: Option<&'a RawValue>,
}

/// A space of a medium that has several, and its labels.
#[derive(Debug, Deserialize)]
pub(super) struct Space<'a> {
    #[serde(borrow, default)]
    pub labels: Option<&'a RawValue>,
}

/// A data unit and its labels.
#[derive(Debug, Deserialize)]
pub(super) struct DataUnit<'a> {
    #[serde(default)]
    pub data_sequence: Sequence,
    #[serde(default)]
    pub width: Option<u32>,
    #[serde(default)]
    pub height: Option<u32>,
    #[serde(borrow, default)]
    pub labels: Option<&'a RawValue>,
}

/// data_sequence: a number, but text in image groups.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Sequence {
    Number(u32),
    Text(String),
}

impl Default for Sequence {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Sequence {
    pub fn frame(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// The labels of one frame, or those of an image.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Frame<'a> {
    #[serde(borrow, default)]
    pub objects: Vec<&'a RawValue>,
    #[serde(default)]
    pub classifications: Vec<OnFrame>,
}

/// A classification as older rows have it on each frame.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OnFrame {
    pub classification_hash: String,
    #[serde(default)]
    pub feature_hash: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub confidence: Option<f64>,
    #[serde(default)]
    pub is_deleted: Option<bool>,
}

/// What is said of an object besides its frames; of one that sounds, everything.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectAnswer<'a> {
    #[serde(borrow, default)]
    pub classifications: Option<Vec<Answer<'a>>>,
    #[serde(default)]
    pub range: Option<Vec<(u32, u32)>>,
    /// Places in an HTML document.
    #[serde(borrow, default, rename = "range_html")]
    pub range_html: Option<Vec<&'a RawValue>>,
    /// Where it is in each space.
    #[serde(borrow, default)]
    pub spaces: Option<Entries<&'a RawValue>>,
    #[serde(default)]
    pub is_deleted: Option<bool>,
    #[serde(default)]
    pub feature_hash: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
}

/// Answers that hold on some frames of an object.
#[derive(Debug, Deserialize)]
pub(super) struct ObjectActions<'a> {
    #[serde(borrow, default)]
    pub actions: Vec<Answer<'a>>,
}

/// A classification and where it holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClassificationAnswer<'a> {
    /// Rows of 2023 have it on the frames alone.
    #[serde(default)]
    pub feature_hash: Option<String>,
    #[serde(borrow, default)]
    pub classifications: Option<Vec<Answer<'a>>>,
    #[serde(default)]
    pub range: Option<Vec<(u32, u32)>>,
    #[serde(default)]
    pub confidence: Option<f64>,
    /// Where it holds in each space.
    #[serde(borrow, default)]
    pub spaces: Option<Entries<&'a RawValue>>,
    #[serde(default)]
    pub is_deleted: Option<bool>,
}

/// An answer to one question.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    pub name: String,
    pub feature_hash: String,
    #[serde(borrow)]
    pub answers: &'a RawValue,
    #[serde(default)]
    pub range: Vec<(u32, u32)>,
}

/// A chosen option.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chosen {
    pub name: String,
    pub feature_hash: String,
}
