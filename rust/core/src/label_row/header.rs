//! All of a label row but its labels: who it is, and the data units that labels stand on. Of a data group these are its
//! spaces.
//!
//! The fields are kept as the JSON that is going to be sent, so that writing a row copies them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::Number;

use super::number::{push_number, push_u64};
use super::spaces;
use super::text::{push_string, Members};
use crate::error::{Error, Result};
use crate::json::Entries;
use crate::plan::{AudioFormat, DataType, Medium};
use crate::stage::record::Key;

/// label_hash of a row that no server has made yet, as in the SDK's detached rows.
const NO_LABEL_HASH: &str = "00000000-0000-0000-0000-000000000000";

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

/// All of a label row but its labels.
#[derive(Debug, Clone)]
pub struct RowHeader {
    label_hash: String,
    data_hash: String,
    data_type: DataType,
    /// From the row's opening brace up to the first data unit, or space.
    pub(super) before: Vec<u8>,
    units: Vec<UnitHeader>,
    /// Index of the medium that the first space is.
    first_space: u32,
}

impl RowHeader {
    /// Reads the header of a label row as `GET labelrow` and `PUT labelrow` answer it. Labels in it are passed over, and
    /// so are fields that the SDK would not send back.
    ///
    /// Times stay in the server's own words. Where the SDK would take duration and frame rate from the project's
    /// listing, they are the data unit's.
    ///
    /// # Errors
    /// [`Error::LabelRow`] for JSON that is none or no label row, for a data type that labels cannot be written on, and for
    /// data units that do not fit it.
    pub fn from_server(json: &[u8]) -> Result<Self> {
        let row: ServerRow = serde_json::from_slice(json).map_err(|cause| Error::LabelRow {
            label_row: "from the server".to_owned(),
            message: format!("{cause}; expected a label row as `labelrow` answers it"),
        })?;
        let units = row.data_units.0.into_iter().map(|(_, unit)| unit).collect();
        let spaces = row.spaces.0.iter().map(|(id, info)| spaces::unit(id, info));
        Self::build(Fields {
            label_hash: &row.label_hash,
            branch: &row.branch_name,
            created_at: row.created_at.as_deref(),
            last_edited_at: row.last_edited_at.as_deref(),
            data_hash: &row.data_hash,
            dataset_hash: &row.dataset_hash,
            dataset_title: &row.dataset_title,
            data_title: &row.data_title,
            data_type: row.data_type,
            annotation_task_status: row.annotation_task_status.as_deref(),
            is_shadow_data: row.is_shadow_data.unwrap_or(false),
            label_status: &row.label_status,
            units,
            spaces: spaces.collect::<Result<_>>()?,
        })
    }

    /// Makes the header of a row that no server knows yet: a label_hash of zeros, and the medium's own hashes, titles and
    /// sizes. `when` is its creation time, such as `Sat, 21 Nov 2026 23:48:11 UTC`.
    ///
    /// # Errors
    /// [`Error::LabelRow`] for a medium of a type that labels cannot be written on.
    pub fn offline(medium: &Medium, branch: &str, when: &str) -> Result<Self> {
        let number = |value: Option<f64>| value.and_then(Number::from_f64);
        let units = match medium.data_type {
            DataType::ImgGroup => (0..)
                .zip(&medium.units)
                .map(|(sequence, unit)| ServerUnit {
                    data_hash: unit.data_hash.to_string(),
                    data_title: unit.title.to_string(),
                    data_link: Some(String::new()),
                    data_type: unit.file_type.as_deref().map(str::to_owned),
                    data_sequence: sequence,
                    width: Some(unit.width.unwrap_or(0)),
                    height: Some(unit.height.unwrap_or(0)),
                    data_duration: number(medium.duration),
                    data_fps: number(medium.fps),
                    audio: ServerAudio::default(),
                })
                .collect(),
            _ => vec![ServerUnit {
                data_hash: medium.data_hash.to_string(),
                data_title: medium.title.to_string(),
                data_link: Some(String::new()),
                data_type: medium.file_type.as_deref().map(str::to_owned),
                data_sequence: 0,
                width: Some(medium.width.unwrap_or(0)),
                height: Some(medium.height.unwrap_or(0)),
                data_duration: number(medium.duration),
                data_fps: number(medium.fps),
                audio: medium.audio.as_deref().map(ServerAudio::of).unwrap_or_default(),
            }],
        };
        Self::build(Fields {
            label_hash: NO_LABEL_HASH,
            branch,
            created_at: Some(when),
            last_edited_at: Some(when),
            data_hash: &medium.data_hash,
            dataset_hash: &medium.dataset_hash,
            dataset_title: &medium.dataset_title,
            data_title: &medium.title,
            data_type: medium.data_type,
            annotation_task_status: Some("QUEUED"),
            is_shadow_data: false,
            label_status: "LABEL_IN_PROGRESS",
            units,
            spaces: Vec::new(),
        })
    }

    /// label_hash of the row; zeros where no server has made it yet.
    pub fn label_hash(&self) -> &str {
        &self.label_hash
    }

    /// data_hash of the medium that the row stands on.
    pub fn data_hash(&self) -> &str {
        &self.data_hash
    }

    /// Type of that medium.
    pub fn data_type(&self) -> DataType {
        self.data_type
    }

    /// Its data units by their data_sequence: one for a video or an image, one an image for a group. Of a data group its
    /// spaces.
    pub fn units(&self) -> &[UnitHeader] {
        &self.units
    }

    /// Number of the data unit that a label with this key is on: that of its space, of its image, or the only one.
    pub fn unit_at(&self, key: &Key) -> Option<usize> {
        let at = match self.data_type {
            DataType::Group => key.label_row.checked_sub(self.first_space)? as usize,
            DataType::Image | DataType::ImgGroup => {
                return self.units.binary_search_by_key(&key.frame, |unit| unit.sequence).ok()
            }
            _ => 0,
        };
        (at < self.units.len()).then_some(at)
    }

    /// Whether the units are the spaces of a data group.
    pub(super) fn has_spaces(&self) -> bool {
        self.data_type == DataType::Group
    }

    /// Puts the spaces of a data group in the order of `media`, which are those of the plan, the first of them medium number
    /// `first`. Spaces that the plan does not know follow; those that an offline row does not have are made.
    ///
    /// # Errors
    /// [`Error::LabelRow`] where the server's row lacks a space.
    pub fn with_spaces(mut self, first: u32, media: &[Medium]) -> Result<Self> {
        let is_offline = self.label_hash == NO_LABEL_HASH;
        let mut others = std::mem::take(&mut self.units);
        for medium in media {
            let known = others.iter().position(|unit| *unit.data_hash == *medium.data_hash);
            let unit = match (known, &medium.space) {
                (Some(at), _) => others.remove(at),
                (None, Some(space)) if is_offline => spaces::unit(&medium.data_hash, &space.info)?,
                _ => {
                    return Err(Error::LabelRow {
                        label_row: self.data_hash,
                        message: format!("has no space {}, which the project lists", medium.data_hash),
                    })
                }
            };
            self.units.push(unit);
        }
        self.units.append(&mut others);
        self.first_space = first;
        Ok(self)
    }

    fn build(fields: Fields<'_>) -> Result<Self> {
        let wrong = |message: String| Error::LabelRow {
            label_row: fields.data_hash.to_owned(),
            message,
        };
        if fields.data_type == DataType::Other {
            let message = "is of a type that labels cannot be written on; expected a video, image, image group, DICOM series, NIfTI volume, sound, PDF, text, time series or data group";
            return Err(wrong(message.to_owned()));
        }
        let data_type = fields.data_type.name();
        let mut before = b"{".to_vec();
        let mut member = Members(&mut before);
        member.string("label_hash", Some(fields.label_hash));
        member.string("branch_name", Some(fields.branch));
        member.string("created_at", fields.created_at);
        member.string("last_edited_at", fields.last_edited_at);
        member.string("data_hash", Some(fields.data_hash));
        member.string("dataset_hash", Some(fields.dataset_hash));
        member.string("dataset_title", Some(fields.dataset_title));
        member.string("data_title", Some(fields.data_title));
        member.string("data_type", Some(data_type));
        member.string("annotation_task_status", fields.annotation_task_status);
        let shadow: &[u8] = if fields.is_shadow_data { b"true" } else { b"false" };
        member.name("is_shadow_data").extend_from_slice(shadow);
        member.string("label_status", Some(fields.label_status));
        member.name("data_units").push(b'{');

        let group = fields.data_type == DataType::ImgGroup;
        let mut units: Vec<_> = fields.units.iter().map(|unit| unit.render(fields.data_type)).collect();
        units.sort_by_key(|unit| unit.sequence);
        if !group && units.len() != 1 {
            return Err(wrong(format!(
                "has {} data units; expected one, as it is of type {data_type}",
                units.len()
            )));
        }
        if let Some(pair) = units.windows(2).find(|pair| pair[0].sequence == pair[1].sequence) {
            return Err(wrong(format!(
                "two data units have data_sequence {}; expected each once",
                pair[0].sequence
            )));
        }
        if fields.data_type == DataType::Group {
            // What labels are on are the spaces; the group's own data unit has none.
            for unit in std::mem::replace(&mut units, fields.spaces) {
                before.extend_from_slice(&unit.before);
                before.extend_from_slice(unit.layout.empty());
                before.extend_from_slice(&unit.after);
            }
            before.extend_from_slice(br#"},"spaces":{"#);
        }
        Ok(Self {
            label_hash: fields.label_hash.to_owned(),
            data_hash: fields.data_hash.to_owned(),
            data_type: fields.data_type,
            before,
            units,
            first_space: 0,
        })
    }
}

/// The row's fields, wherever they come from.
struct Fields<'a> {
    label_hash: &'a str,
    branch: &'a str,
    created_at: Option<&'a str>,
    last_edited_at: Option<&'a str>,
    data_hash: &'a str,
    dataset_hash: &'a str,
    dataset_title: &'a str,
    data_title: &'a str,
    data_type: DataType,
    annotation_task_status: Option<&'a str>,
    is_shadow_data: bool,
    label_status: &'a str,
    units: Vec<ServerUnit>,
    spaces: Vec<UnitHeader>,
}

#[derive(Deserialize)]
struct ServerRow {
    label_hash: String,
    branch_name: String,
    created_at: Option<String>,
    last_edited_at: Option<String>,
    data_hash: String,
    dataset_hash: String,
    dataset_title: String,
    data_title: String,
    data_type: DataType,
    annotation_task_status: Option<String>,
    is_shadow_data: Option<bool>,
    label_status: String,
    data_units: Entries<ServerUnit>,
    #[serde(default)]
    spaces: Entries<Box<RawValue>>,
}

#[derive(Deserialize)]
struct ServerUnit {
    data_hash: String,
    data_title: String,
    data_link: Option<String>,
    data_type: Option<String>,
    #[serde(deserialize_with = "sequence")]
    data_sequence: u32,
    #[serde(default = "unknown_size")]
    width: Option<u32>,
    #[serde(default = "unknown_size")]
    height: Option<u32>,
    data_duration: Option<Number>,
    data_fps: Option<Number>,
    #[serde(flatten)]
    audio: ServerAudio,
}

#[derive(Deserialize, Default)]
struct ServerAudio {
    audio_codec: Option<String>,
    audio_sample_rate: Option<u64>,
    audio_bit_depth: Option<u64>,
    audio_num_channels: Option<u64>,
}

impl ServerAudio {
    fn of(format: &AudioFormat) -> Self {
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
    fn render(&self, data_type: DataType) -> UnitHeader {
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
