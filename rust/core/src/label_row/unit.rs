//! What labels are on in a label row: a data unit, or a space, without its labels.
//!
//! Its fields are kept as the JSON that is going to be sent.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Number;

use super::number::{push_number, push_u64};
use super::text::{push_string, Members};
use crate::plan::{AudioFormat, DataType};

/// How the labels of a data unit lie in its `labels`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Under the number of their frame, also that of an image which is a space.
    ByFrame,
    /// Directly: of an image.
    Whole,
    /// Not at all: they are in the answers alone, with their ranges.
    InAnswers,
}

impl Layout {
    fn of(data_type: DataType) -> Self {
        match data_type {
            DataType::Image | DataType::ImgGroup | DataType::Group => Self::Whole,
            _ if data_type.is_by_range() => Self::InAnswers,
            _ => Self::ByFrame,
        }
    }

    /// The `labels` of a unit that has none.
    pub fn empty(self) -> &'static [u8] {
        match self {
            Self::Whole => br#"{"objects":[],"classifications":[]}"#,
            Self::ByFrame | Self::InAnswers => b"{}",
        }
    }
}

/// A data unit: the video, the image, one image of a group, or a space.
#[derive(Debug, Clone)]
pub struct UnitHeader {
    pub(super) layout: Layout,
    pub(super) sequence: u32,
    pub(super) data_hash: String,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    /// From the unit's key up to the value of `labels`.
    pub(super) before: Vec<u8>,
    /// From behind that value to the end of the unit.
    pub(super) after: Vec<u8>,
}

impl UnitHeader {
    /// data_hash of the unit; of a space its id.
    pub fn data_hash(&self) -> &str {
        &self.data_hash
    }

    /// Frame that its labels have in the label row: its place in an image group, else 0.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// (width, height) in px, where the row says it.
    pub fn size_px(&self) -> Option<(u32, u32)> {
        self.width.zip(self.height)
    }
}

#[derive(Deserialize)]
pub(super) struct ServerUnit {
    pub data_hash: String,
    pub data_title: String,
    pub data_link: Option<String>,
    pub data_type: Option<String>,
    #[serde(deserialize_with = "sequence")]
    pub data_sequence: u32,
    #[serde(default = "unknown_size")]
    pub width: Option<u32>,
    #[serde(default = "unknown_size")]
    pub height: Option<u32>,
    pub data_duration: Option<Number>,
    pub data_fps: Option<Number>,
    #[serde(flatten)]
    pub audio: ServerAudio,
}

#[derive(Deserialize, Default)]
pub(super) struct ServerAudio {
    pub audio_codec: Option<String>,
    pub audio_sample_rate: Option<u64>,
    pub audio_bit_depth: Option<u64>,
    pub audio_num_channels: Option<u64>,
}

impl ServerAudio {
    pub fn of(format: &AudioFormat) -> Self {
        Self {
            audio_codec: format.codec.clone(),
            audio_sample_rate: format.sample_rate,
            audio_bit_depth: format.bit_depth,
            audio_num_channels: format.num_channels,
        }
    }
}

/// Older rows lack the size; the SDK sends 0 for it.
fn unknown_size() -> Option<u32> {
    Some(0)
}

/// data_sequence is a number, but text in image groups.
fn sequence<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Sequence {
        Number(u32),
        Text(String),
    }
    match Sequence::deserialize(deserializer)? {
        Sequence::Number(number) => Ok(number),
        Sequence::Text(text) => text.parse().map_err(|_| {
            D::Error::custom(format_args!(
                "data_sequence is {text:?}; expected a number of 0 or more"
            ))
        }),
    }
}

impl ServerUnit {
    /// Writes the members that the SDK writes for this type.
    pub fn render(&self, data_type: DataType) -> UnitHeader {
        let mut before = Vec::new();
        push_string(&mut before, &self.data_hash);
        before.extend_from_slice(b":{");
        let mut member = Members(&mut before);
        member.string("data_hash", Some(&self.data_hash));
        member.string("data_title", Some(&self.data_title));
        if !matches!(data_type, DataType::Dicom | DataType::Group) {
            member.string("data_link", self.data_link.as_deref());
        }
        member.string("data_type", self.data_type.as_deref());
        if data_type == DataType::ImgGroup {
            member.string("data_sequence", Some(&self.data_sequence.to_string()));
        } else {
            push_u64(member.name("data_sequence"), self.data_sequence.into());
        }
        let size = [("width", self.width), ("height", self.height)];
        let numbers = match data_type {
            DataType::Audio => {
                member.string("audio_codec", self.audio.audio_codec.as_deref());
                vec![
                    ("audio_sample_rate", self.audio.audio_sample_rate),
                    ("audio_bit_depth", self.audio.audio_bit_depth),
                    ("audio_num_channels", self.audio.audio_num_channels),
                ]
            }
            DataType::Pdf => vec![("width", Some(0)), ("height", Some(0))],
            DataType::PlainText | DataType::TimeSeries | DataType::Group => Vec::new(),
            _ => size.map(|(name, value)| (name, value.map(u64::from))).to_vec(),
        };
        for (name, value) in numbers {
            match value {
                Some(value) => push_u64(member.name(name), value),
                None => member.string(name, None),
            }
        }
        member.name("labels");
        let mut after = Vec::new();
        let zero = Number::from(0);
        let has_times = !matches!(data_type, DataType::PlainText | DataType::Group);
        let fps = match &self.data_fps {
            Some(fps) if has_times && data_type != DataType::Audio => Some(fps),
            _ if data_type == DataType::Pdf => Some(&zero),
            _ => None,
        };
        let duration = self.data_duration.as_ref().filter(|_| has_times);
        for (name, value) in [("data_duration", duration), ("data_fps", fps)] {
            if let Some(value) = value {
                after.push(b',');
                push_string(&mut after, name);
                after.push(b':');
                push_number(&mut after, value);
            }
        }
        after.push(b'}');
        let sized = data_type != DataType::Pdf;
        let known = |size: Option<u32>| size.filter(|&size| sized && size > 0);
        UnitHeader {
            layout: Layout::of(data_type),
            sequence: self.data_sequence,
            data_hash: self.data_hash.clone(),
            width: known(self.width),
            height: known(self.height),
            before,
            after,
        }
    }
}
