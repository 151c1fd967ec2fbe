//! The project's media: what label rows are of, and what is inside them.

use std::fmt;
use std::num::NonZeroU128;
use std::sync::Arc;

use serde::de::value::Error as ValueError;
use serde::de::IntoDeserializer;
use serde::Deserialize;
use serde_json::value::RawValue;

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
    /// A PDF: one data unit, labels by page as a video has them by frame. Its pages have no size.
    Pdf,
    /// Plain text: one data unit, labels on ranges of characters.
    PlainText,
    /// A time series: one data unit, labels on ranges of its time.
    TimeSeries,
    /// A data group: one label row, and a medium of its own for each of its spaces.
    Group,
    /// Any other type; nothing of this release can be written on it.
    #[serde(other)]
    Other,
}

impl DataType {
    /// The type that label rows call so.
    pub fn named(name: &str) -> Self {
        let named: Result<Self, ValueError> = Self::deserialize(name.into_deserializer());
        named.unwrap_or(Self::Other)
    }

    /// The type as label rows call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::ImgGroup => "img_group",
            Self::Video => "video",
            Self::Dicom => "dicom",
            Self::Nifti => "nifti",
            Self::Audio => "audio",
            Self::Pdf => "pdf",
            Self::PlainText => "plain_text",
            Self::TimeSeries => "time_series",
            Self::Group => "group",
            Self::Other => "another",
        }
    }

    /// Whether labels stand under their frame's number.
    pub fn is_by_frame(self) -> bool {
        matches!(self, Self::Video | Self::Dicom | Self::Nifti | Self::Pdf)
    }

    /// Whether labels lie on ranges, and are kept in the answers alone.
    pub fn is_by_range(self) -> bool {
        matches!(self, Self::Audio | Self::PlainText | Self::TimeSeries)
    }
}

/// An image inside an image group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataUnit {
    /// data_hash of the image.
    pub data_hash: Box<str>,
    /// Its title.
    pub title: Box<str>,
    /// MIME type, such as `image/png`.
    pub file_type: Option<Arc<str>>,
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
    pub data_hash: Box<str>,
    /// Its title.
    pub title: Box<str>,
    /// What it is matched by instead of its title.
    #[serde(default)]
    pub key: Option<Box<str>>,
    /// Id of the storage item behind it, which names it as its data_hash does.
    #[serde(skip)]
    pub storage_item: Option<StorageItem>,
    /// Video, image or image group.
    pub data_type: DataType,
    /// MIME type, such as `video/mp4`; many media share it.
    pub file_type: Option<Arc<str>>,
    /// data_hash of the dataset it belongs to; shared.
    pub dataset_hash: Arc<str>,
    /// Title of that dataset; shared.
    pub dataset_title: Arc<str>,
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
    /// What an audio label row says of the sound besides; none where nothing is known.
    #[serde(default)]
    pub audio: Option<Box<AudioFormat>>,
    /// Images of an image group, in the order of their data_sequence.
    #[serde(default)]
    pub units: Box<[DataUnit]>,
    /// Of a space, the data group that it is in.
    #[serde(default)]
    pub space: Option<Box<Space>>,
}

/// What makes a medium a space of a data group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// Index of the data group in the plan's media.
    pub group: u32,
    /// Its name in the group's layout.
    pub layout_key: Option<String>,
    /// The members besides its labels that a label row has of it, as an object.
    pub info: Box<RawValue>,
}

/// How sound was recorded, in the words of label rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
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

/// Id of a storage item, a UUID. A project has as many as media, and their texts would take four times the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StorageItem(NonZeroU128);

impl StorageItem {
    /// Reads a UUID with its hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        let groups = text.split('-').map(str::len);
        let digits = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        if !digits || !groups.eq([8, 4, 4, 4, 12]) {
            return None;
        }
        let number = u128::from_str_radix(&text.replace('-', ""), 16).ok()?;
        NonZeroU128::new(number).map(Self)
    }
}

impl fmt::Display for StorageItem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let (first, rest) = digits.split_at(8);
        write!(
            out,
            "{first}-{}-{}-{}-{}",
            &rest[..4],
            &rest[4..8],
            &rest[8..12],
            &rest[12..]
        )
    }
}

impl Medium {
    /// What names of the source are compared with: the key, or else the title.
    pub fn name(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.title)
    }

    /// Frames that labels can stand on: those that the project lists, for sound its milliseconds.
    pub fn places(&self) -> u64 {
        match (self.data_type, self.duration) {
            // Milliseconds that became seconds and come back are a hair more or less than they were.
            (DataType::Audio, Some(seconds)) => (seconds * 1000.0 - 1e-6).ceil() as u64 + 1,
            // Nothing says where it ends.
            (data_type, _) if data_type.is_by_range() => u64::from(u32::MAX),
            _ => self.frames,
        }
    }

    /// The last frame, millisecond or character, that labels can be on; none where nothing says where the medium ends.
    pub fn last_place(&self) -> Option<u32> {
        let last = u32::try_from(self.places().saturating_sub(1)).ok();
        last.filter(|&last| last < u32::MAX - 1)
    }

    /// Index of the data group that it is a space of.
    pub fn group(&self) -> Option<u32> {
        self.space.as_ref().map(|space| space.group)
    }

    /// The title as messages, rejects and reports may show it: without the query of a URL, where signatures stand.
    pub fn shown_title(&self) -> &str {
        shown_title(&self.title)
    }

    /// Whether the size of the medium, or of each image in the group, is known or will not be.
    pub fn is_sized(&self) -> bool {
        if self.data_type.is_by_range() {
            return true;
        }
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
