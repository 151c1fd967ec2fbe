//! A label row's JSON taken apart as far as its labels, borrowing the text: what is not looked into is kept as it stands.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::json::Entries;

/// Members of an object, their values unread.
pub(super) type RawMembers<'a> = Entries<&'a RawValue>;

/// A label row.
pub(super) struct LabelRow<'a> {
    /// Name for errors.
    pub name: &'a str,
    /// Whether labels stand under their frame's number.
    pub by_frame: bool,
    pub members: RawMembers<'a>,
    /// The member that holds the units: `data_units`, or the `spaces` of a data group.
    pub units_in: &'static str,
    pub units: Vec<LabelUnit<'a>>,
    /// Spaces of a row that is not of a data group: an image with layers has labels on one. They are not written on.
    pub layers: Vec<LabelUnit<'a>>,
    pub object_answers: RawMembers<'a>,
    pub classification_answers: RawMembers<'a>,
    pub object_actions: RawMembers<'a>,
}

/// A data unit, or a space, and its labels.
pub(super) struct LabelUnit<'a> {
    pub data_hash: String,
    pub members: RawMembers<'a>,
    pub frames: Vec<LabelFrame<'a>>,
}

/// The labels of one frame, or those of an image.
pub(super) struct LabelFrame<'a> {
    /// The frame's number; 0 for an image, whose labels have none.
    pub number: u32,
    pub raw: &'a RawValue,
    pub members: RawMembers<'a>,
    pub objects: Vec<LabelObject<'a>>,
    /// Classifications that stand on the frame itself, as older rows have them.
    pub classifications: Vec<LabelClassification<'a>>,
}

/// A classification on a frame.
pub(super) struct LabelClassification<'a> {
    pub hash: String,
    pub raw: &'a RawValue,
}

/// An object on a frame.
pub(super) struct LabelObject<'a> {
    pub object_hash: String,
    pub raw: &'a RawValue,
}

impl<'a> LabelRow<'a> {
    /// Takes a row apart. `name` is used where an error cannot tell the row's own.
    ///
    /// # Errors
    /// [`Error::LabelRow`] says which part of the row is not what label rows have there.
    pub fn parse(name: &'a str, json: &'a [u8]) -> Result<Self> {
        let text = std::str::from_utf8(json).map_err(|cause| wrong(name, "the row", &cause.to_string()))?;
        let members: RawMembers<'a> = read(name, "the row", text)?;
        let data_type: String = match members.get("data_type") {
            Some(raw) => read(name, "`data_type`", raw.get())?,
            None => return Err(wrong(name, "`data_type`", "it is missing")),
        };
        let by_frame = match data_type.as_str() {
            // What has ranges has no labels below its data unit at all.
            "video" | "dicom" | "nifti" | "pdf" | "audio" | "plain_text" | "time_series" | "group" => true,
            "image" | "img_group" => false,
            other => {
                return Err(wrong(
                    name,
                    "`data_type`",
                    &format!("{other:?} is not a type that labels are written on"),
                ))
            }
        };
        let units_in = if data_type == "group" { "spaces" } else { "data_units" };
        let mut units = Vec::new();
        for (data_hash, raw) in optional::<RawMembers<'a>>(name, "its data units", members.get(units_in))?.0 {
            units.push(LabelUnit::parse(name, data_hash, raw, by_frame)?);
        }
        let mut layers = Vec::new();
        if units_in != "spaces" {
            for (space, raw) in optional::<RawMembers<'a>>(name, "`spaces`", members.get("spaces"))?.0 {
                layers.push(LabelUnit::parse(name, space, raw, true)?);
            }
        }
        Ok(Self {
            name,
            by_frame,
            units_in,
            units,
            layers,
            object_answers: optional(name, "`object_answers`", members.get("object_answers"))?,
            classification_answers: optional(name, "`classification_answers`", members.get("classification_answers"))?,
            object_actions: optional(name, "`object_actions`", members.get("object_actions"))?,
            members,
        })
    }
}

impl<'a> LabelUnit<'a> {
    fn parse(name: &str, data_hash: String, raw: &'a RawValue, by_frame: bool) -> Result<Self> {
        let place = format!("data unit {data_hash:?}");
        let members: RawMembers<'a> = read(name, &place, raw.get())?;
        let labels = members.get("labels").filter(|raw| raw.get() != "null");
        let mut frames = Vec::new();
        match labels {
            Some(labels) if by_frame => {
                for (number, raw) in read::<RawMembers<'a>>(name, &format!("`labels` of {place}"), labels.get())?.0 {
                    let frame = format!("frame {number:?} of {place}");
                    let canonical = number.parse::<u32>().ok().filter(|parsed| parsed.to_string() == number);
                    let Some(number) = canonical else {
                        return Err(wrong(name, &frame, "expected a frame number"));
                    };
                    frames.push(LabelFrame::parse(name, &frame, number, raw)?);
                }
            }
            Some(labels) => frames.push(LabelFrame::parse(name, &format!("`labels` of {place}"), 0, labels)?),
            None => {}
        }
        Ok(Self {
            data_hash,
            members,
            frames,
        })
    }
}

impl<'a> LabelFrame<'a> {
    fn parse(name: &str, place: &str, number: u32, raw: &'a RawValue) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Object {
            object_hash: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Classification {
            classification_hash: String,
        }
        let members: RawMembers<'a> = read(name, place, raw.get())?;
        let place = format!("`objects` of {place}");
        let raws: Vec<&'a RawValue> = optional(name, &place, members.get("objects"))?;
        let mut objects = Vec::with_capacity(raws.len());
        for raw in raws {
            let Object { object_hash } = read(name, &place, raw.get())?;
            objects.push(LabelObject { object_hash, raw });
        }
        let raws: Vec<&'a RawValue> = optional(name, &place, members.get("classifications"))?;
        let mut classifications = Vec::with_capacity(raws.len());
        for raw in raws {
            let Classification { classification_hash } = read(name, &place, raw.get())?;
            classifications.push(LabelClassification {
                hash: classification_hash,
                raw,
            });
        }
        Ok(Self {
            number,
            raw,
            members,
            objects,
            classifications,
        })
    }
}

/// Hashes of the objects in a label row that the server holds as `existing`.
///
/// # Errors
/// [`Error::LabelRow`] where it is not a label row.
pub(crate) fn object_hashes(existing: &[u8]) -> Result<HashSet<String>> {
    let row = LabelRow::parse("from the server", existing)?;
    let frames = row.units.into_iter().chain(row.layers).flat_map(|unit| unit.frames);
    let objects = frames.flat_map(|frame| frame.objects);
    let sounds = row.object_answers.0.into_iter().map(|(hash, _)| hash);
    Ok(objects.map(|object| object.object_hash).chain(sounds).collect())
}

/// Reads a part of a row.
pub(super) fn read<'a, T: Deserialize<'a>>(name: &str, place: &str, text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|cause| wrong(name, place, &cause.to_string()))
}

/// Reads a part of a row that may be missing or null.
fn optional<'a, T: Deserialize<'a> + Default>(name: &str, place: &str, raw: Option<&&'a RawValue>) -> Result<T> {
    match raw.map(|raw| raw.get()) {
        None | Some("null") => Ok(T::default()),
        Some(text) => read(name, place, text),
    }
}

pub(super) fn wrong(name: &str, place: &str, what: &str) -> Error {
    Error::LabelRow {
        label_row: name.to_owned(),
        message: format!("{place} is not what a label row has there: {what}"),
    }
}
