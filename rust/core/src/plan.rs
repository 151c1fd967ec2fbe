//! What an import is to do, as pure data: the project's ontology and media, the maps and the options.
//!
//! Python builds it from the project (or a snapshot file) and the command line, and hands it over as JSON.

use std::collections::HashMap;
use std::num::NonZeroU64;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ontology::Classification;
pub use crate::ontology::OntologyObject;

/// Type of a medium, in the words that label rows use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataType {
    /// One image.
    Image,
    /// Several images, each a data unit of its own.
    ImgGroup,
    /// A video: one data unit, labels by frame.
    Video,
    /// A series of DICOM slices: one data unit, labels by frame.
    Dicom,
    /// A NIfTI volume: one data unit, labels by frame.
    Nifti,
    /// Sound: one data unit, labels on ranges of milliseconds.
    Audio,
    /// Any other type; nothing of this release can be written on it.
    #[serde(other)]
    Other,
}

impl DataType {
    /// Whether labels stand under their frame's number.
    pub fn is_by_frame(self) -> bool {
        matches!(self, Self::Video | Self::Dicom | Self::Nifti)
    }
}

/// An image inside an image group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataUnit {
    /// data_hash of the image.
    pub data_hash: String,
    /// Its title.
    pub title: String,
    /// MIME type, such as `image/png`.
    pub file_type: Option<String>,
    /// Pixels, where known.
    pub width: Option<u32>,
    /// Pixels, where known.
    pub height: Option<u32>,
}

/// A medium of the project: what one label row stands on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Medium {
    /// data_hash.
    pub data_hash: String,
    /// Its title.
    pub title: String,
    /// Video, image or image group.
    pub data_type: DataType,
    /// MIME type, such as `video/mp4`.
    pub file_type: Option<String>,
    /// data_hash of the dataset it belongs to.
    pub dataset_hash: String,
    /// Title of that dataset.
    pub dataset_title: String,
    /// Pixels, where known.
    pub width: Option<u32>,
    /// Pixels, where known.
    pub height: Option<u32>,
    /// Frames of a video, images of a group, 1 for an image.
    pub frames: u64,
    /// Frames a second of a video.
    pub fps: Option<f64>,
    /// Seconds of a video or of sound.
    pub duration: Option<f64>,
    /// What an audio label row says of the sound besides.
    #[serde(default)]
    pub audio: AudioFormat,
    /// Images of an image group, in the order of their data_sequence.
    #[serde(default)]
    pub units: Vec<DataUnit>,
}

/// How sound was recorded, in the words of label rows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioFormat {
    /// Such as `mp3`.
    pub codec: Option<String>,
    /// Samples a second.
    pub sample_rate: Option<u64>,
    /// Bits a sample.
    pub bit_depth: Option<u64>,
    /// Channels.
    pub num_channels: Option<u64>,
}

impl Medium {
    /// Frames that labels can stand on: those that the project lists, for sound its milliseconds.
    pub fn places(&self) -> u64 {
        match (self.data_type, self.duration) {
            (DataType::Audio, Some(seconds)) => (seconds * 1000.0).ceil() as u64 + 1,
            // Nothing says where it ends.
            (DataType::Audio, None) => u64::from(u32::MAX),
            _ => self.frames,
        }
    }

    /// The last frame, or millisecond, that labels can be on; none where nothing says where the medium ends.
    pub fn last_place(&self) -> Option<u32> {
        let last = u32::try_from(self.places().saturating_sub(1)).ok();
        last.filter(|&last| last < u32::MAX - 1)
    }

    /// The title as messages, rejects and reports may show it: without the query of a URL, where signatures stand.
    pub fn shown_title(&self) -> &str {
        shown_title(&self.title)
    }

    /// Whether the size of the medium, or of each image in the group, is known.
    pub fn is_sized(&self) -> bool {
        if self.units.is_empty() {
            return self.width.zip(self.height).is_some();
        }
        self.units.iter().all(|unit| unit.width.zip(unit.height).is_some())
    }
}

/// A title as messages may show it, see [`Medium::shown_title`].
pub(crate) fn shown_title(title: &str) -> &str {
    let Some(scheme) = title.find("://") else {
        return title;
    };
    let end = title[scheme..].find(['?', '#']);
    &title[..end.map_or(title.len(), |end| scheme + end)]
}

/// Where a media map leads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum MediaTarget {
    /// A medium, or an image inside an image group.
    DataHash(String),
    /// A frame of a medium, in Encord's counting.
    Frame {
        /// data_hash of the medium.
        data_hash: String,
        /// 0-based frame.
        frame: u32,
    },
}

/// What names the medium of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaFrom {
    /// The image's video where it has one, else the image's file name.
    #[default]
    Auto,
    /// The image's file name, also where it belongs to a video.
    FileName,
    /// The prediction file's own name without its suffix: one medium a file.
    Stem,
}

/// How alike the name of a medium and its title must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaMatch {
    /// The name is the title to the letter, or the data_hash.
    Exact,
    /// Or the title written otherwise, or a path that ends in the same folder and file.
    Suffix,
    /// Or a path to a file of the same name, with or without a suffix.
    #[default]
    Name,
}

/// What gives the frame of an annotation on a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameFrom {
    /// `frame_index` (or `frame_id`) of the image.
    #[default]
    Auto,
    /// The image id itself.
    ImageId,
}

/// What happens to masks without a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyMasks {
    /// Left out, and counted.
    #[default]
    Drop,
    /// Written as they are; rejected where a box or polygon is to be drawn.
    Keep,
}

/// What happens where the source's image has the medium's sides the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwappedSides {
    /// Rejected.
    #[default]
    Reject,
    /// Coordinates are fractions of the sides that the source gives, as where the aspect differs.
    Keep,
}

/// What happens to geometry that reaches over the image's edge, and to sounds that reach past the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffImage {
    /// Cut at the edge, and counted.
    #[default]
    Clip,
    /// Written as they are.
    Keep,
    /// Rejected.
    Reject,
}

/// Everything that reading, resolving, staging and encoding depend on besides the sources.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Branch that the label rows are written on.
    pub branch: String,
    /// Objects of the ontology.
    pub ontology: Vec<OntologyObject>,
    /// Classifications of the ontology.
    #[serde(default)]
    pub classifications: Vec<Classification>,
    /// Media of the project.
    pub media: Vec<Medium>,
    /// Category id or name -> feature hash, or null to drop the class.
    #[serde(default)]
    pub class_map: Option<HashMap<String, Option<String>>>,
    /// Image id or file name -> where it goes.
    #[serde(default)]
    pub media_map: Option<HashMap<String, MediaTarget>>,
    /// What names the medium.
    #[serde(default)]
    pub media_from: MediaFrom,
    /// How alike names of media and titles must be.
    #[serde(default)]
    pub media_match: MediaMatch,
    /// What gives the frame.
    #[serde(default)]
    pub frame_from: FrameFrom,
    /// Regular expression over file names with the named groups `media` and `frame`.
    #[serde(default)]
    pub frame_pattern: Option<String>,
    /// Annotations below are filtered.
    #[serde(default)]
    pub min_confidence: Option<f64>,
    /// Policy at the image's edge.
    #[serde(default)]
    pub off_image: OffImage,
    /// Policy for masks without a pixel.
    #[serde(default)]
    pub empty_masks: EmptyMasks,
    /// Policy where the source's image has the medium's sides the other way round.
    #[serde(default)]
    pub swapped_sides: SwappedSides,
    /// Only these classes (name or feature hash, as the source or the ontology has it); others are filtered.
    #[serde(default)]
    pub only_classes: Option<Vec<String>>,
    /// Only media whose title matches one of these globs; others are filtered.
    #[serde(default)]
    pub only_media: Option<Vec<String>>,
    /// At most so many label rows; annotations on others are filtered.
    #[serde(default)]
    pub limit_rows: Option<usize>,
    /// Of videos, only frames whose number this divides; annotations on others are filtered.
    #[serde(default)]
    pub every: Option<NonZeroU64>,
    /// At most so many annotations on a frame, those with the highest score; others are filtered.
    #[serde(default)]
    pub max_per_frame: Option<NonZeroU64>,
    /// Coordinates are written with so many decimals.
    #[serde(default)]
    pub decimals: Option<u8>,
    /// Polygons made from masks may leave the pixel edges by so many px.
    #[serde(default)]
    pub simplify: Option<f64>,
}

/// Most decimals that coordinates can be rounded to: with 17, and often before, nothing is left to round.
const MAX_DECIMALS: u8 = 17;

impl Plan {
    /// Reads the plan that Python hands over.
    ///
    /// # Errors
    /// [`Error::Plan`] with the JSON error's own words; [`Error::OptionValue`] for decimals beyond 17.
    pub fn from_json(text: &str) -> Result<Self> {
        let plan: Self = serde_json::from_str(text).map_err(|cause| Error::Plan(format!("the plan: {cause}")))?;
        match plan.decimals {
            Some(decimals) if decimals > MAX_DECIMALS => Err(Error::OptionValue {
                option: "decimals",
                message: format!("is {decimals}; expected a whole number from 0 to {MAX_DECIMALS}"),
            }),
            _ => Ok(plan),
        }
    }
}
