//! All of a label row but its labels: who it is, and the data units that labels stand on. Of a data group these are its
//! spaces.
//!
//! The fields are kept as the JSON that is going to be sent, so that writing a row copies them.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::Number;

use super::spaces;
use super::text::Members;
use super::unit::{ServerAudio, ServerUnit, UnitHeader};
use crate::error::{Error, Result};
use crate::json::Entries;
use crate::plan::{DataType, Medium};
use crate::stage::record::Key;

/// label_hash of a row that no server has made yet, as in the SDK's detached rows.
const NO_LABEL_HASH: &str = "00000000-0000-0000-0000-000000000000";

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
    /// `first`. Spaces that the plan does not know follow; those that the row does not have are made, as the SDK makes them of a
    /// listing.
    ///
    /// # Errors
    /// [`Error::LabelRow`] for a medium that is not a space.
    pub fn with_spaces(mut self, first: u32, media: &[Medium]) -> Result<Self> {
        let mut others = std::mem::take(&mut self.units);
        for medium in media {
            let known = others.iter().position(|unit| *unit.data_hash == *medium.data_hash);
            let unit = match (known, &medium.space) {
                (Some(at), _) => others.remove(at),
                (None, Some(space)) => spaces::unit(&medium.data_hash, &space.info)?,
                (None, None) => {
                    return Err(Error::LabelRow {
                        label_row: self.data_hash,
                        message: format!("is a data group, and {} is not one of its spaces", medium.data_hash),
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
