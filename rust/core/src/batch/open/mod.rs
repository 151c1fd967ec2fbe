//! Open tables: whoever makes them gives only the columns that their rows need, in whatever Arrow types their program
//! writes. What is missing is filled in, and a value that is none becomes a reject of its row.

mod lists;
mod scalars;

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{
    new_null_array, Array, ArrayRef, RecordBatch, RecordBatchOptions, StringViewArray, UInt32Array, UInt64Array,
};
use arrow_cast::cast;
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, Field, Fields, Schema};
use serde_json::Value;

use super::columns::{at, schema, SCHEMA_VERSION, VERSION_KEY};
use super::told::{tell, Has};
use super::{AnnotationBatch, Kind, RleOrder, Shape, Unit};
use crate::error::{Error, Result};
use crate::reject::Reason;

/// Begins the names of columns and members that are passed over.
pub(crate) const OWN_PREFIX: &str = "x_";

/// Characters of a wrong value that a reject's sentence shows.
const SHOWN_CHARS: usize = 60;

/// What a table leaves to whoever reads it.
#[derive(Debug, Clone, Copy)]
pub struct Defaults<'a> {
    /// Source of rows that name none.
    pub source: &'a str,
    /// Offset of the first row, where rows have none.
    pub first_offset: u64,
    /// Unit of coordinates that have none.
    pub unit: Option<Unit>,
}

/// The rows of an open table.
#[derive(Debug)]
pub struct OpenBatch {
    /// All rows; one that is wrong holds nothing in the place of the wrong value.
    pub batch: AnnotationBatch,
    /// What is wrong with rows, at most one thing a row, in their order.
    pub wrong: Vec<WrongValue>,
    /// Whether a row says on no frame that it stands, one entry a row; empty where all do.
    pub frameless: Vec<bool>,
}

/// A value that its column does not take.
#[derive(Debug)]
pub struct WrongValue {
    /// The row.
    pub row: usize,
    /// What is wrong.
    pub reason: Reason,
    /// Its column and the value as JSON, for the reject.
    pub found: Option<(&'static str, Value)>,
    /// What the row itself says, which the rest of the wrong row does not tell.
    pub said: Said,
}

/// The words of a row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said {
    /// Its kind.
    pub kind: Option<Kind>,
    /// Its shape.
    pub shape: Option<Shape>,
    /// Its unit, or the one of all rows.
    pub unit: Option<Unit>,
}

/// A table whose columns are being read.
pub(super) struct Reading<'a> {
    table: &'a RecordBatch,
    wrong: Vec<WrongValue>,
}

impl Reading<'_> {
    /// The column, unless it is missing or has nothing but nulls in it.
    fn column(&self, name: &str) -> Option<&ArrayRef> {
        let column = self.table.column_by_name(name)?;
        (column.data_type() != &DataType::Null && column.null_count() < column.len()).then_some(column)
    }

    fn rows(&self) -> usize {
        self.table.num_rows()
    }

    /// Takes note of a value that is wrong.
    fn refuse(&mut self, row: usize, field: &'static str, expected: &'static str) {
        let text = self
            .table
            .column_by_name(field)
            .and_then(|column| array_value_to_string(column, row).ok())
            .unwrap_or_default();
        let mut found: String = text.chars().take(SHOWN_CHARS).collect();
        if found.len() < text.len() {
            found.push_str("...");
        }
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        self.wrong.push(WrongValue {
            row,
            reason: Reason::BadField { field, expected, found },
            found: Some((field, value)),
            said: Said::default(),
        });
    }

    /// Makes a blocker of a column whose type does not fit.
    fn unfit(&self, name: &str, expected: &str) -> Error {
        let found = self.table.column_by_name(name).map(|column| column.data_type().clone());
        let found = found.map_or_else(String::new, |found| found.to_string());
        wrong(format!("column `{name}` is of {found}; expected {expected}"))
    }
}

fn wrong(message: String) -> Error {
    Error::Schema { message }
}

/// Whether a name that the schema does not have may stand in a table all the same.
pub(crate) fn passed_over(name: &str) -> bool {
    name.starts_with(OWN_PREFIX)
}

/// Whether a table has a column of this name.
pub(crate) fn is_column(name: &str) -> bool {
    schema().field_with_name(name).is_ok()
}

/// Checks the columns of an open table, and the version of the schema where its metadata say one.
///
/// # Errors
/// [`Error::Schema`] for a column that the schema does not have (unless it begins with `x_`), one that there is twice, a table
/// with rows and without `media` or `class`, and another version.
pub(crate) fn check_columns(fields: &Fields, version: Option<&str>, has_rows: bool) -> Result<()> {
    let mut seen = HashSet::new();
    let mut unknown = Vec::new();
    for field in fields {
        let name = field.name().as_str();
        if !seen.insert(name) {
            return Err(wrong(format!("column `{name}` appears twice")));
        }
        if !is_column(name) && !passed_over(name) {
            unknown.push(format!("`{name}`"));
        }
    }
    if !unknown.is_empty() {
        let known = schema();
        let names: Vec<&str> = known.fields().iter().map(|field| field.name().as_str()).collect();
        return Err(wrong(format!(
            "there is no column {}; expected {}. Correct the name, or begin it with {OWN_PREFIX} to have it passed over",
            unknown.join(", "),
            names.join(", ")
        )));
    }
    for name in ["media", "class"] {
        if has_rows && !seen.contains(name) {
            return Err(wrong(format!(
                "there is no column `{name}`; add it, each row needs one"
            )));
        }
    }
    match version {
        Some(version) if version != SCHEMA_VERSION.to_string() => Err(wrong(format!(
            "the table says version {version}; this release reads {SCHEMA_VERSION}"
        ))),
        _ => Ok(()),
    }
}

impl AnnotationBatch {
    /// Takes a table with some of schema v1's columns, in any order and in other Arrow types of the same values.
    ///
    /// Missing columns and nulls get what `defaults` say, 0 for the frame, and the kind and shape that the row tells.
    ///
    /// # Errors
    /// [`Error::Schema`] for a column that the schema does not have (unless it begins with `x_`), one of another type,
    /// a table without `media` or `class`, and coordinates or run lengths whose unit or order no column says.
    pub fn from_open_table(table: &RecordBatch, defaults: Defaults<'_>) -> Result<OpenBatch> {
        let version = table.schema_ref().metadata().get(VERSION_KEY).map(String::as_str);
        check_columns(table.schema_ref().fields(), version, table.num_rows() > 0)?;
        let unpacked = unpacked(table)?;
        let mut reading = Reading {
            table: &unpacked,
            wrong: Vec::new(),
        };
        let rows = reading.rows();
        let known = schema();
        let nulls = |index: usize| new_null_array(known.field(index).data_type(), rows);
        let text = |reading: &mut Reading<'_>, name, default: &str| {
            reading.text(name).map(|column| filled(column, default, rows))
        };
        let optional = |column: Option<StringViewArray>, index: usize| -> ArrayRef {
            column.map_or_else(|| nulls(index), |column| Arc::new(column))
        };
        let source = text(&mut reading, "source", defaults.source)?;
        let offsets = reading.whole::<arrow_array::types::UInt64Type>("offset")?;
        let offset: UInt64Array = (0..rows)
            .map(|row| given(offsets.as_ref(), row).unwrap_or(defaults.first_offset + row as u64))
            .collect();
        let annotation_id = optional(reading.text("annotation_id")?, at::ANNOTATION_ID);
        let media = text(&mut reading, "media", "")?;
        let frames = reading.whole::<arrow_array::types::UInt32Type>("frame")?;
        let frame: UInt32Array = (0..rows).map(|row| given(frames.as_ref(), row).unwrap_or(0)).collect();
        let frameless = match &frames {
            Some(frames) if frames.null_count() == 0 => Vec::new(),
            frames => (0..rows).map(|row| given(frames.as_ref(), row).is_none()).collect(),
        };
        let class = text(&mut reading, "class", "")?;
        let track = optional(reading.text("track")?, at::TRACK);
        let u32s = |reading: &mut Reading<'_>, name, index| -> Result<ArrayRef> {
            let column = reading.whole::<arrow_array::types::UInt32Type>(name)?;
            Ok(column.map_or_else(|| nulls(index), |column| Arc::new(column)))
        };
        let frame_last = u32s(&mut reading, "frame_last", at::FRAME_LAST)?;
        let width_px = u32s(&mut reading, "width_px", at::WIDTH_PX)?;
        let height_px = u32s(&mut reading, "height_px", at::HEIGHT_PX)?;
        let score = reading.float("score")?.unwrap_or_else(|| nulls(at::SCORE));
        let theta = reading.float("theta")?.unwrap_or_else(|| nulls(at::THETA));
        let boxes = reading.boxes()?.unwrap_or_else(|| nulls(at::BOX));
        let points = reading.points()?.unwrap_or_else(|| nulls(at::POINTS));
        let visibility = reading.visibility()?.unwrap_or_else(|| nulls(at::VISIBILITY));
        let rle = reading.bytes("rle")?.unwrap_or_else(|| nulls(at::RLE));
        let attributes = reading.attributes()?.unwrap_or_else(|| nulls(at::ATTRIBUTES));
        let geometry = Geometry {
            bbox: &boxes,
            theta: &theta,
            points: &points,
            rle: &rle,
            attributes: &attributes,
        };
        let words = reading.words(&geometry, defaults.unit)?;

        let columns: Vec<ArrayRef> = vec![
            source,
            Arc::new(offset),
            annotation_id,
            media,
            Arc::new(frame),
            frame_last,
            words.kind,
            class,
            track,
            score,
            words.shape,
            words.unit,
            width_px,
            height_px,
            boxes,
            theta,
            points,
            visibility,
            rle,
            words.rle_order,
            attributes,
        ];
        let known = Schema::new_with_metadata(known.fields().clone(), known.metadata().clone());
        let table = RecordBatch::try_new(Arc::new(known), columns).map_err(|cause| wrong(cause.to_string()))?;
        let mut wrong = reading.wrong;
        // What was found first in a row is what its reject says; columns are looked at one by one.
        wrong.sort_by_key(|value| value.row);
        wrong.dedup_by_key(|value| value.row);
        Ok(OpenBatch {
            batch: Self::try_from_record_batch(table)?,
            wrong,
            frameless,
        })
    }
}

/// The table with its dictionaries of numbers, in which some programs write ids, as plain columns.
fn unpacked(table: &RecordBatch) -> Result<RecordBatch> {
    let unpack = |column: &ArrayRef| match column.data_type() {
        DataType::Dictionary(_, values) if values.is_numeric() => cast(column, values),
        _ => Ok(Arc::clone(column)),
    };
    let columns = table
        .columns()
        .iter()
        .map(unpack)
        .collect::<std::result::Result<Vec<_>, _>>();
    let columns = columns.map_err(|cause| wrong(cause.to_string()))?;
    let fields = table.schema_ref().fields().iter().zip(&columns);
    let fields: Vec<Field> = fields
        .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(table.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(|cause| wrong(cause.to_string()))
}

/// A text column without nulls; an empty name is one that is missing.
fn filled(column: Option<StringViewArray>, default: &str, rows: usize) -> ArrayRef {
    match column {
        Some(column) if column.null_count() == 0 => Arc::new(column),
        Some(column) => Arc::new(
            column
                .iter()
                .map(|text| Some(text.unwrap_or(default)))
                .collect::<StringViewArray>(),
        ),
        None => Arc::new(std::iter::repeat_n(Some(default), rows).collect::<StringViewArray>()),
    }
}

fn given<T: arrow_array::ArrowPrimitiveType>(
    column: Option<&arrow_array::PrimitiveArray<T>>,
    row: usize,
) -> Option<T::Native> {
    column
        .filter(|column| column.is_valid(row))
        .map(|column| column.value(row))
}

/// The columns that tell what a row is.
struct Geometry<'a> {
    bbox: &'a ArrayRef,
    theta: &'a ArrayRef,
    points: &'a ArrayRef,
    rle: &'a ArrayRef,
    attributes: &'a ArrayRef,
}

/// The columns of words.
struct WordColumns {
    kind: ArrayRef,
    shape: ArrayRef,
    unit: ArrayRef,
    rle_order: ArrayRef,
}

impl Reading<'_> {
    fn words(&mut self, geometry: &Geometry<'_>, default_unit: Option<Unit>) -> Result<WordColumns> {
        let rows = self.rows();
        let kinds = self.parsed("kind", "object or answer", Kind::parse)?;
        let shapes = self.parsed(
            "shape",
            "bounding_box, rotatable_bounding_box, polygon, polyline, point, bitmask, skeleton, circle or ellipse",
            Shape::parse,
        )?;
        let units = self.parsed("unit", "px or frac", Unit::parse)?;
        let orders = self.parsed("rle_order", "column_major or row_major", RleOrder::parse)?;
        let has_unit = self.table.column_by_name("unit").is_some();
        let has_order = self.table.column_by_name("rle_order").is_some();
        let refused: HashSet<usize> = self.wrong.iter().map(|value| value.row).collect();
        let mut told = Vec::with_capacity(rows);
        for row in 0..rows {
            let has = Has {
                bbox: geometry.bbox.is_valid(row),
                theta: geometry.theta.is_valid(row),
                points: geometry.points.is_valid(row),
                rle: geometry.rle.is_valid(row),
                attributes: geometry.attributes.is_valid(row),
            };
            let nothing = (Kind::Object, None, Unit::Px, orders[row]);
            if refused.contains(&row) {
                told.push(nothing);
                continue;
            }
            let needs_unit = has.bbox || has.points;
            let unit = units[row].or(default_unit);
            if needs_unit && unit.is_none() && !has_unit {
                return Err(wrong(format!(
                    "there is no column `unit`, and row {row} has coordinates; add it (px or frac on each row), or give --unit px or --unit frac"
                )));
            }
            if has.rle && !has_order {
                return Err(wrong(format!(
                    "there is no column `rle_order`, and row {row} has run lengths; add it: column_major for COCO's strings, row_major for Encord's"
                )));
            }
            let missing = Reason::MissingField { field: "unit" };
            let tells = tell(kinds[row], shapes[row], has).and_then(|(kind, shape)| match unit {
                None if needs_unit => Err(missing),
                unit => Ok((kind, shape, unit.unwrap_or(Unit::Px), orders[row])),
            });
            told.push(tells.unwrap_or_else(|reason| {
                self.wrong.push(WrongValue {
                    row,
                    reason,
                    found: None,
                    said: Said::default(),
                });
                nothing
            }));
        }
        for value in &mut self.wrong {
            value.said = Said {
                kind: kinds[value.row],
                shape: shapes[value.row],
                unit: units[value.row].or(default_unit),
            };
        }
        let column = |word: &dyn Fn(usize) -> Option<&'static str>| -> ArrayRef {
            Arc::new((0..rows).map(word).collect::<StringViewArray>())
        };
        Ok(WordColumns {
            kind: column(&|row| Some(told[row].0.as_str())),
            shape: column(&|row| told[row].1.map(Shape::as_str)),
            unit: column(&|row| Some(told[row].2.as_str())),
            rle_order: column(&|row| told[row].3.map(RleOrder::as_str)),
        })
    }
}
