//! What an import is to do, as pure data: the project's ontology and media, the maps and the options.
//!
//! Python builds it from the project (or a snapshot file) and the command line, and hands it over as JSON.

use std::collections::HashMap;
use std::num::NonZeroU64;

use serde::Deserialize;

use crate::error::{Error, Result};
pub use crate::media::{AudioFormat, DataType, DataUnit, Medium, Space, StorageItem};
use crate::ontology::Classification;
pub use crate::ontology::OntologyObject;

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

/// What becomes of a name that a class map or a media map does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// It is rejected.
    #[default]
    Reject,
    /// It is left out, and counted.
    Drop,
    /// It is looked up in the project, as without a map.
    Match,
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
    /// Media of the project: its data rows, then the spaces of all data groups.
    #[serde(default)]
    pub media: Vec<Medium>,
    /// Category id or name -> feature hash, or null to drop the class.
    #[serde(default)]
    pub class_map: Option<HashMap<String, Option<String>>>,
    /// What becomes of classes that the class map does not list.
    #[serde(default)]
    pub unlisted_classes: Unlisted,
    /// Image id or file name -> where it goes, or null to drop the medium.
    #[serde(default)]
    pub media_map: Option<HashMap<String, Option<MediaTarget>>>,
    /// What becomes of media that the media map does not list.
    #[serde(default)]
    pub unlisted_media: Unlisted,
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
            _ => plan.with_spaces_checked(),
        }
    }

    /// Checks that the spaces follow all other media, those of one data group together.
    fn with_spaces_checked(self) -> Result<Self> {
        let groups: Vec<_> = self.media.iter().map(Medium::group).collect();
        let is_group = |at: u32| {
            let medium = self.media.get(at as usize);
            medium.is_some_and(|medium| medium.data_type == DataType::Group)
        };
        if groups.is_sorted() && groups.iter().flatten().all(|&at| is_group(at)) {
            return Ok(self);
        }
        let message = "the plan: spaces are listed after all other media, in the order of their data groups";
        Err(Error::Plan(message.to_owned()))
    }

    /// Index of the medium whose label row holds the labels of this one: of a space its data group, else itself.
    pub fn row_of(&self, medium: u32) -> u32 {
        self.media[medium as usize].group().unwrap_or(medium)
    }

    /// Indices of the spaces of a data group; none for other media.
    pub fn spaces_of(&self, medium: u32) -> std::ops::Range<u32> {
        let before = |group: u32| self.media.partition_point(|of| of.group() < Some(group)) as u32;
        before(medium)..before(medium + 1)
    }

    /// The media that the label row of a medium holds labels of: its spaces, or itself.
    pub fn on_row_of(&self, medium: u32) -> &[Medium] {
        let spaces = self.spaces_of(medium);
        if spaces.is_empty() {
            return &self.media[medium as usize..][..1];
        }
        &self.media[spaces.start as usize..spaces.end as usize]
    }
}
