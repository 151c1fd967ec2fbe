//! How a source is read: the options of all formats in one place.

use std::path::PathBuf;

use serde::de::{Deserializer, Error as _};
use serde::Deserialize;

use super::{Scores, YoloExtra, YoloKeypoints, YoloTask};
use crate::batch::Unit;
use crate::error::{Error, Result};
use crate::source::Classes;

/// What the numbers of a box are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoxFormat {
    /// x and y of the top left corner, width, height.
    Xywh,
    /// x and y of the centre, width, height, degrees clockwise around the centre.
    Cxcywha,
    /// x and y of four corners one after the other.
    Corners,
}

/// Unit and sense of the angles of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AngleFormat {
    /// Degrees, clockwise as the image is seen.
    Degrees,
    /// Degrees, counter-clockwise.
    DegreesCcw,
    /// Radians, clockwise.
    Radians,
    /// Radians, counter-clockwise.
    RadiansCcw,
}

impl AngleFormat {
    /// An angle in degrees clockwise.
    pub fn clockwise_degrees(self, angle: f64) -> f64 {
        match self {
            Self::Degrees => angle,
            Self::DegreesCcw => -angle,
            Self::Radians => angle.to_degrees(),
            Self::RadiansCcw => -angle.to_degrees(),
        }
    }
}

/// The options that some formats take and others do not. [`COMMON_OPTIONS`] belong to all formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadOption {
    /// [`ReadOptions::annotations`]
    Annotations,
    /// [`ReadOptions::confidence_field`]
    ConfidenceField,
    /// [`ReadOptions::include_crowd`]
    IncludeCrowd,
    /// [`ReadOptions::box_format`]
    BoxFormat,
    /// [`ReadOptions::angle`]
    Angle,
    /// [`ReadOptions::unit`]
    Unit,
    /// [`ReadOptions::class`]
    Class,
    /// [`ReadOptions::classes`]
    Classes,
    /// [`ReadOptions::media`]
    Media,
    /// [`ReadOptions::pixel_base`]
    PixelBase,
    /// [`ReadOptions::png_dir`]
    PngDir,
    /// [`ReadOptions::frame_column`]
    FrameColumn,
    /// [`ReadOptions::media_column`]
    MediaColumn,
    /// [`ReadOptions::yolo_task`]
    YoloTask,
    /// [`ReadOptions::yolo_extra`]
    YoloExtra,
    /// [`ReadOptions::yolo_keypoints`]
    YoloKeypoints,
    /// [`ReadOptions::model_version`]
    ModelVersion,
}

/// Names of the options that every format takes.
pub const COMMON_OPTIONS: [&str; 3] = ["frame_base", "frame_stride", "score"];

impl ReadOption {
    /// Its name in JSON and in Python.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Annotations => "annotations",
            Self::ConfidenceField => "confidence_field",
            Self::IncludeCrowd => "include_crowd",
            Self::BoxFormat => "box_format",
            Self::Angle => "angle",
            Self::Unit => "unit",
            // Python keeps the word itself for something else.
            Self::Class => "class_",
            Self::Classes => "classes",
            Self::Media => "media",
            Self::PixelBase => "pixel_base",
            Self::PngDir => "png_dir",
            Self::FrameColumn => "frame_column",
            Self::MediaColumn => "media_column",
            Self::YoloTask => "yolo_task",
            Self::YoloExtra => "yolo_extra",
            Self::YoloKeypoints => "yolo_keypoints",
            Self::ModelVersion => "model_version",
        }
    }
}

/// How a source is read. A new option is a field here, a [`ReadOption`] and a line in each of `given` and `forget`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadOptions {
    /// File with the images and categories that ids refer to.
    pub annotations: Option<PathBuf>,
    /// Name of the field with the confidence.
    pub confidence_field: Option<String>,
    /// Whether annotations of crowds are rows like others; they are left out and counted otherwise.
    pub include_crowd: bool,
    /// What the numbers of a box are.
    pub box_format: Option<BoxFormat>,
    /// What angles are; degrees clockwise if none, or what a format's own field says.
    pub angle: Option<AngleFormat>,
    /// Unit of coordinates that do not say theirs.
    #[serde(deserialize_with = "unit")]
    pub unit: Option<Unit>,
    /// Class of all annotations, for formats that do not say it.
    #[serde(rename = "class_")]
    pub class: Option<String>,
    /// Names of class numbers.
    pub classes: Option<Classes>,
    /// Medium that the source is about, for formats that do not say it.
    pub media: Option<String>,
    /// Number of the first pixel in each direction, 0 or 1.
    pub pixel_base: Option<u8>,
    /// Folder of the pictures that the source names.
    pub png_dir: Option<PathBuf>,
    /// Name of the column that counts frames.
    pub frame_column: Option<String>,
    /// Name of the column that names media.
    pub media_column: Option<String>,
    /// What a line of YOLO text draws.
    pub yolo_task: Option<YoloTask>,
    /// What a line of YOLO text has behind that.
    pub yolo_extra: Option<YoloExtra>,
    /// What YOLO text has of each keypoint.
    pub yolo_keypoints: Option<YoloKeypoints>,
    /// The model whose predictions are read.
    pub model_version: Option<String>,
    /// The source's number of the first frame; that of the format if none.
    pub frame_base: Option<i64>,
    /// Frames of the video from one frame of the source to the next; that of the format if none.
    pub frame_stride: Option<i64>,
    /// What becomes of a confidence outside 0 to 1.
    pub score: Scores,
    /// Bytes read at a time, for tests: what is read does not depend on it.
    #[serde(skip)]
    pub chunk_bytes: Option<usize>,
}

impl ReadOptions {
    /// Reads the options that Python hands over: an object with some of the fields, none of them of another name.
    ///
    /// # Errors
    /// [`Error::Plan`] with the JSON error's own words.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|cause| Error::Plan(format!("the reading options: {cause}")))
    }

    /// Sets an option back to what it is when it is not given.
    pub(super) fn forget(&mut self, option: ReadOption) {
        match option {
            ReadOption::Annotations => self.annotations = None,
            ReadOption::ConfidenceField => self.confidence_field = None,
            ReadOption::IncludeCrowd => self.include_crowd = false,
            ReadOption::BoxFormat => self.box_format = None,
            ReadOption::Angle => self.angle = None,
            ReadOption::Unit => self.unit = None,
            ReadOption::Class => self.class = None,
            ReadOption::Classes => self.classes = None,
            ReadOption::Media => self.media = None,
            ReadOption::PixelBase => self.pixel_base = None,
            ReadOption::PngDir => self.png_dir = None,
            ReadOption::FrameColumn => self.frame_column = None,
            ReadOption::MediaColumn => self.media_column = None,
            ReadOption::YoloTask => self.yolo_task = None,
            ReadOption::YoloExtra => self.yolo_extra = None,
            ReadOption::YoloKeypoints => self.yolo_keypoints = None,
            ReadOption::ModelVersion => self.model_version = None,
        }
    }

    /// The options that were given, but those of all formats.
    pub(super) fn given(&self) -> impl Iterator<Item = ReadOption> {
        [
            (ReadOption::Annotations, self.annotations.is_some()),
            (ReadOption::ConfidenceField, self.confidence_field.is_some()),
            (ReadOption::IncludeCrowd, self.include_crowd),
            (ReadOption::BoxFormat, self.box_format.is_some()),
            (ReadOption::Angle, self.angle.is_some()),
            (ReadOption::Unit, self.unit.is_some()),
            (ReadOption::Class, self.class.is_some()),
            (ReadOption::Classes, self.classes.is_some()),
            (ReadOption::Media, self.media.is_some()),
            (ReadOption::PixelBase, self.pixel_base.is_some()),
            (ReadOption::PngDir, self.png_dir.is_some()),
            (ReadOption::FrameColumn, self.frame_column.is_some()),
            (ReadOption::MediaColumn, self.media_column.is_some()),
            (ReadOption::YoloTask, self.yolo_task.is_some()),
            (ReadOption::YoloExtra, self.yolo_extra.is_some()),
            (ReadOption::YoloKeypoints, self.yolo_keypoints.is_some()),
            (ReadOption::ModelVersion, self.model_version.is_some()),
        ]
        .into_iter()
        .filter_map(|(option, is_given)| is_given.then_some(option))
    }
}

fn unit<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Unit>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    word.map(|word| {
        Unit::parse(&word).ok_or_else(|| D::Error::custom(format_args!("unit is {word:?}; expected px or frac")))
    })
    .transpose()
}
