//! What sources call their media and classes, as resolving looks them up.

use std::borrow::Cow;

/// What a source says about one of its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaName<'a> {
    /// The image's id as text; none if the file gives it none.
    pub image_id: Option<Cow<'a, str>>,
    /// Name of its file.
    pub file_name: Option<&'a str>,
    /// Name of the video that the image belongs to.
    pub video: Option<&'a str>,
    /// Which frame of the video it is, as the source counts.
    pub frame_index: Option<i64>,
    /// Pixels; none if unknown or 0.
    pub width: Option<u32>,
    /// Pixels; none if unknown or 0.
    pub height: Option<u32>,
    /// Whether the source lists it; false where only annotations name it.
    pub declared: bool,
}

/// What a source says about one of its classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassName<'a> {
    /// The class's id as text.
    pub id: Option<Cow<'a, str>>,
    /// Its name.
    pub name: Option<&'a str>,
    /// Names of its keypoints in the order in which annotations give them; empty where it has none.
    pub keypoints: &'a [Box<str>],
    /// Whether the source lists it; false where only annotations name it.
    pub declared: bool,
}
