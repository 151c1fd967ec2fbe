//! All of a label row but its labels: who it is, and the data units that labels stand on.
//!
//! The fields are kept as the JSON that is going to be sent, so that writing a row copies them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Number;

use super::number::{push_number, push_u64};
use super::text::push_string;
use crate::error::{Error, Result};
use crate::json::Entries;
use crate::plan::{AudioFormat, DataType, Medium};

/// label_hash of a row that no server has made yet, as in the SDK's detached rows.
const NO_LABEL_HASH: &str = "00000000-0000-0000-0000-000000000000";

/// A data unit: the video, the image, or one image of a group.
#[derive(Debug, Clone)]
pub struct UnitHeader {
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
    /// data_hash of the unit.
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
    /// From the row's opening brace up to the first data unit.
    pub(super) before: Vec<u8>,
    units: Vec<UnitHeader>,
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
                    data_hash: unit.data_hash.clone(),
                    data_title: unit.title.clone(),
                    data_link: Some(String::new()),
                    data_type: unit.file_type.clone(),
                    data_sequence: sequence,
                    width: Some(unit.width.unwrap_or(0)),
                    height: Some(unit.height.unwrap_or(0)),
                    data_duration: number(medium.duration),
                    data_fps: number(medium.fps),
                    audio: ServerAudio::default(),
                })
                .collect(),
            _ => vec![ServerUnit {
                data_hash: medium.data_hash.clone(),
                data_title: medium.title.clone(),
                data_link: Some(String::new()),
                data_type: medium.file_type.clone(),
                data_sequence: 0,
                width: Some(medium.width.unwrap_or(0)),
                height: Some(medium.height.unwrap_or(0)),
                data_duration: number(medium.duration),
                data_fps: number(medium.fps),
                audio: ServerAudio::of(&medium.audio),
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

    /// Its data units by their data_sequence: one for a video or an image, one an image for a group.
    pub fn units(&self) -> &[UnitHeader] {
        &self.units
    }

    /// The data unit that a frame stands on: the video itself, or the image.
    pub fn unit_of(&self, frame: u32) -> Option<&UnitHeader> {
        match self.data_type {
            DataType::Video => self.units.first(),
            _ => self.units.iter().find(|unit| unit.sequence == frame),
        }
    }

    fn build(fields: Fields<'_>) -> Result<Self> {
        let wrong = |message: String| Error::LabelRow {
            label_row: fields.data_hash.to_owned(),
            message,
        };
        let data_type = match fields.data_type {
            DataType::Image => "image",
            DataType::ImgGroup => "img_group",
            DataType::Video => "video",
            DataType::Dicom => "dicom",
            DataType::Nifti => "nifti",
            DataType::Audio => "audio",
            DataType::Other => {
                let message = "is of a type that labels cannot be written on; expected a video, image, image group, DICOM series, NIfTI volume or sound";
                return Err(wrong(message.to_owned()));
            }
        };
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
        Ok(Self {
            label_hash: fields.label_hash.to_owned(),
            data_hash: fields.data_hash.to_owned(),
            data_type: fields.data_type,
            before,
            units,
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
        if data_type != DataType::Dicom {
            member.string("data_link", self.data_link.as_deref());
        }
        member.string("data_type", self.data_type.as_deref());
        if data_type == DataType::ImgGroup {
            member.string("data_sequence", Some(&self.data_sequence.to_string()));
        } else {
            push_u64(member.name("data_sequence"), self.data_sequence.into());
        }
        let size = [("width", self.width), ("height", self.height)];
        let numbers = if data_type == DataType::Audio {
            member.string("audio_codec", self.audio.audio_codec.as_deref());
            vec![
                ("audio_sample_rate", self.audio.audio_sample_rate),
                ("audio_bit_depth", self.audio.audio_bit_depth),
                ("audio_num_channels", self.audio.audio_num_channels),
            ]
        } else {
            size.map(|(name, value)| (name, value.map(u64::from))).to_vec()
        };
        for (name, value) in numbers {
            match value {
                Some(value) => push_u64(member.name(name), value),
                None => member.string(name, None),
            }
        }
        member.name("labels");
        let mut after = Vec::new();
        let fps = self.data_fps.as_ref().filter(|_| data_type != DataType::Audio);
        for (name, value) in [("data_duration", self.data_duration.as_ref()), ("data_fps", fps)] {
            if let Some(value) = value {
                after.push(b',');
                push_string(&mut after, name);
                after.push(b':');
                push_number(&mut after, value);
            }
        }
        after.push(b'}');
        let known = |size: Option<u32>| size.filter(|&size| size > 0);
        UnitHeader {
            sequence: self.data_sequence,
            data_hash: self.data_hash.clone(),
            width: known(self.width),
            height: known(self.height),
            before,
            after,
        }
    }
}

/// Appends members to an object's text.
struct Members<'a>(&'a mut Vec<u8>);

impl Members<'_> {
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if self.0.last().is_some_and(|&byte| byte != b'{') {
            self.0.push(b',');
        }
        push_string(self.0, name);
        self.0.push(b':');
        self.0
    }

    fn string(&mut self, name: &str, value: Option<&str>) {
        let out = self.name(name);
        match value {
            Some(value) => push_string(out, value),
            None => out.extend_from_slice(b"null"),
        }
    }
}
