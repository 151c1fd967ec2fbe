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
    /// Title of the medium, where the source gives it beside a file name of its own making, as Encord's exports do.
    pub title: Option<&'a str>,
    /// Which frame of the video it is, as the source counts.
    pub frame_index: Option<i64>,
    /// Pixels; none if unknown or 0.
    pub width: Option<u32>,
    /// Pixels; none if unknown or 0.
    pub height: Option<u32>,
    /// Whether the source lists it; false where only annotations name it.
    pub declared: bool,
    /// Whether its id may be the name of its file, where it has none beside it.
    pub id_is_name: bool,
    /// Whether all of the medium is meant where nothing says which frame.
    pub may_be_whole: bool,
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

/// Suffixes that say how a file is compressed, or what a TIFF holds: with the one before them they are one suffix.
const OUTER_SUFFIXES: [&str; 4] = ["gz", "zst", "bz2", "xz"];
const DOUBLE_SUFFIXES: [&str; 2] = [".ome.tif", ".ome.tiff"];

/// Longest suffix of a file, without its point.
const MOST_SUFFIX_BYTES: usize = 8;

/// The base name without its suffix, as whole as that is: `vol` of `vol.nii.gz`.
pub(crate) fn stem(title: &str) -> &str {
    stems(title).1
}

/// The base name without its last suffix, and without all of a double one: `vol.nii` and `vol` of `vol.nii.gz`. Both are the
/// base name where it has no suffix.
pub(crate) fn stems(title: &str) -> (&str, &str) {
    let base = base_name(title);
    let Some((inner, suffix)) = split_suffix(base) else {
        return (base, base);
    };
    let lower = |text: &str| text.to_ascii_lowercase();
    let is_double = OUTER_SUFFIXES.contains(&lower(suffix).as_str())
        || DOUBLE_SUFFIXES.iter().any(|double| lower(base).ends_with(double));
    match split_suffix(inner) {
        Some((stem, _)) if is_double => (inner, stem),
        _ => (inner, inner),
    }
}

/// A base name before and after the point of its suffix. A suffix is short and has a letter in it: the 2 of `run.v1.2` is
/// part of the name.
fn split_suffix(base: &str) -> Option<(&str, &str)> {
    let (stem, suffix) = base.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?;
    let is_suffix = suffix.len() <= MOST_SUFFIX_BYTES
        && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && suffix.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_suffix.then_some((stem, suffix))
}

/// The number that a file's name ends in: 12 of `cam_00/frame_000012.jpg`. Numbers with points between them, as in the UIDs
/// of DICOM, do not count anything.
pub(crate) fn number_at_end(name: &str) -> Option<i64> {
    let stem = stem(name);
    let is_uid = stem.contains('.') && stem.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
    let digits = stem.bytes().rev().take_while(u8::is_ascii_digit).count();
    stem[stem.len() - digits..].parse().ok().filter(|_| !is_uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_has_a_letter_and_may_be_double() {
        for (name, expected) in [
            ("a/clip.mp4", ("clip", "clip")),
            ("run.v1.2", ("run.v1.2", "run.v1.2")),
            ("run.v1.2.mp4", ("run.v1.2", "run.v1.2")),
            ("vol.nii.gz", ("vol.nii", "vol")),
            ("scan.OME.TIFF", ("scan.OME", "scan")),
            ("2024_186.rgb.jpg", ("2024_186.rgb", "2024_186.rgb")),
            (".hidden", (".hidden", ".hidden")),
            ("St. Mary Church", ("St. Mary Church", "St. Mary Church")),
            ("archive.1.gz", ("archive.1", "archive.1")),
        ] {
            assert_eq!(stems(name), expected, "{name}");
        }
    }

    #[test]
    fn names_end_in_numbers() {
        assert_eq!(number_at_end("cam_00/frame_000012.jpg"), Some(12));
        assert_eq!(number_at_end("7.png"), Some(7));
        assert_eq!(number_at_end("shot.0001.png"), Some(1));
        assert_eq!(number_at_end("a1/b.png"), None);
        assert_eq!(number_at_end("dicom/series/1.2.840.113619"), None);
        assert_eq!(number_at_end("99999999999999999999.png"), None);
    }
}
