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

impl MediaName<'_> {
    /// What rows call it: its video, else its file, else its id.
    pub fn label(&self) -> &str {
        let named = self.video.or(self.file_name).or(self.image_id.as_deref());
        named.unwrap_or_default()
    }

    /// The frame that rows on it have: 0 where it has none.
    pub fn frame(&self) -> u32 {
        self.frame_index.and_then(|frame| frame.try_into().ok()).unwrap_or(0)
    }
}

impl ClassName<'_> {
    /// What rows call it: its name, else its id.
    pub fn label(&self) -> &str {
        self.name.or(self.id.as_deref()).unwrap_or_default()
    }
}

/// What follows the last slash of either kind: sources are written on Windows, too.
pub(crate) fn base_name(title: &str) -> &str {
    title.rsplit(['/', '\\']).next().unwrap_or(title)
}

/// The base name without its last suffix.
pub(crate) fn stem(title: &str) -> &str {
    let base = base_name(title);
    match base.rfind('.') {
        Some(dot) if dot > 0 => &base[..dot],
        _ => base,
    }
}
