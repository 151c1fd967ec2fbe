//! The entries of a panoptic file: images with their segments, alone or by videos.

use serde::Deserialize;
use serde_json::Value;

/// An entry of `annotations`: an image, or a video with its images.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub image_id: Option<Value>,
    pub video_id: Option<Value>,
    /// Name of the PNG.
    pub file_name: Option<String>,
    pub segments_info: Option<Vec<Segment>>,
    /// The images of a video.
    pub annotations: Option<Vec<Entry>>,
}

/// What is known of the pixels with an id.
#[derive(Debug, Deserialize)]
pub(super) struct Segment {
    pub id: u32,
    pub category_id: Value,
    /// 0 and 1, or false and true.
    #[serde(default)]
    pub iscrowd: Value,
    pub score: Option<f64>,
}

impl Segment {
    pub fn is_crowd(&self) -> bool {
        !matches!(self.iscrowd, Value::Null | Value::Bool(false)) && self.iscrowd.as_f64() != Some(0.0)
    }
}

/// An id as text: `7` and `"7"` are one.
pub(super) fn id_text(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
