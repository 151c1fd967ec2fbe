//! Typed access to an IR table: checked once when a batch is made, borrowed row by row afterwards.

use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type, UInt64Type, UInt8Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryViewArray, BooleanArray, FixedSizeListArray, Float64Array,
    GenericListArray, ListArray, OffsetSizeTrait, PrimitiveArray, RecordBatch, StringViewArray, UInt32Array,
    UInt64Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_cast::{cast_with_options, CastOptions};
use arrow_schema::{ArrowError, DataType, FieldRef, Schema};
use arrow_select::filter::filter_record_batch;

use super::attributes::AttributesColumn;
use super::columns::{at, schema, SCHEMA_VERSION, VERSION_KEY};
use super::text::Words;
use super::track::tracks_only;
use super::{Annotation, AttributeValue, Kind, Points, RleOrder, Shape, Unit};
use crate::error::{Error, Result};

/// A batch of the IR whose columns are known to follow schema v1.
#[derive(Debug, Clone)]
pub struct AnnotationBatch {
    table: RecordBatch,
    columns: Columns,
}

/// The table's columns under their types: looked up once, not for each row.
#[derive(Debug, Clone)]
struct Columns {
    source: StringViewArray,
    offset: UInt64Array,
    annotation_id: StringViewArray,
    media: StringViewArray,
    frame: UInt32Array,
    frame_last: UInt32Array,
    words: EnumColumns,
    class: StringViewArray,
    track: StringViewArray,
    score: Float64Array,
    width_px: UInt32Array,
    height_px: UInt32Array,
    boxes: FixedSizeListArray,
    box_values: Float64Array,
    theta: Float64Array,
    points: Option<PointsColumn>,
    visibility: ListArray,
    rle: BinaryViewArray,
    attributes: Option<AttributesColumn>,
}

/// The columns whose words are those of an enum.
#[derive(Debug, Clone)]
struct EnumColumns {
    kind: Words<Kind>,
    shape: Words<Shape>,
    unit: Words<Unit>,
    rle_order: Words<RleOrder>,
}

impl Columns {
    fn new(table: &RecordBatch, words: EnumColumns) -> Result<Self> {
        let text = |index: usize| table.column(index).as_string_view().clone();
        let number = |index: usize| table.column(index).as_primitive::<UInt32Type>().clone();
        let float = |index: usize| table.column(index).as_primitive::<Float64Type>().clone();
        let boxes = table.column(at::BOX).as_fixed_size_list().clone();
        let points = table.column(at::POINTS).as_list::<i32>();
        Ok(Self {
            source: text(at::SOURCE),
            offset: table.column(at::OFFSET).as_primitive::<UInt64Type>().clone(),
            annotation_id: text(at::ANNOTATION_ID),
            media: text(at::MEDIA),
            frame: number(at::FRAME),
            frame_last: number(at::FRAME_LAST),
            words,
            class: text(at::CLASS),
            track: text(at::TRACK),
            score: float(at::SCORE),
            width_px: number(at::WIDTH_PX),
            height_px: number(at::HEIGHT_PX),
            box_values: boxes.values().as_primitive::<Float64Type>().clone(),
            boxes,
            theta: float(at::THETA),
            points: (points.null_count() < points.len())
                .then(|| PointsColumn::new(points))
                .transpose()?,
            visibility: table.column(at::VISIBILITY).as_list::<i32>().clone(),
            rle: table.column(at::RLE).as_binary_view().clone(),
            attributes: AttributesColumn::new(table.column(at::ATTRIBUTES)).map_err(|message| Error::Schema {
                message: format!("column `attributes`: {message}"),
            })?,
        })
    }

    fn row(&self, row: usize) -> Annotation<'_> {
        Annotation {
            source: self.source.value(row),
            offset: self.offset.value(row),
            annotation_id: text(&self.annotation_id, row),
            media: self.media.value(row),
            frame: number(&self.frame, row).unwrap_or(0),
            frame_last: number(&self.frame_last, row),
            kind: self.words.kind.get(row).unwrap_or(Kind::Object),
            class: self.class.value(row),
            track: text(&self.track, row),
            score: number(&self.score, row),
            shape: self.words.shape.get(row),
            unit: self.words.unit.get(row).unwrap_or(Unit::Px),
            width_px: number(&self.width_px, row),
            height_px: number(&self.height_px, row),
            bbox: self.bbox(row),
            theta: number(&self.theta, row),
            points: self.points.as_ref().and_then(|points| points.row(row)),
            visibility: self.visibility.is_valid(row).then(|| {
                let [start, end] = [row, row + 1].map(|i| self.visibility.value_offsets()[i] as usize);
                &self.visibility.values().as_primitive::<UInt8Type>().values()[start..end]
            }),
            rle: self.rle.is_valid(row).then(|| self.rle.value(row)),
            rle_order: self.words.rle_order.get(row),
        }
    }

    fn bbox(&self, row: usize) -> Option<[f64; 4]> {
        if self.boxes.is_null(row) {
            return None;
        }
        let start = self.boxes.value_offset(row) as usize;
        self.box_values.values().get(start..)?.first_chunk::<4>().copied()
    }
}

fn text(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn number<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}

#[derive(Debug, Clone)]
struct PointsColumn {
    rows: ListArray,
    parts: ListArray,
    rings: ListArray,
    coords: PrimitiveArray<Float64Type>,
}

impl AnnotationBatch {
    /// Takes a table that follows schema v1. A track that is -1, NaN or empty becomes null: there is none.
    ///
    /// # Errors
    /// [`Error::Schema`] names the first column that differs in name, type or null-ness, an unknown version, a word that
    /// is not one of its column's, coordinates that are null or not in pairs, and null flags.
    pub fn try_from_record_batch(mut table: RecordBatch) -> Result<Self> {
        let wrong = |message: String| Error::Schema { message };
        let expected = schema();
        if let Some(version) = table.schema_ref().metadata().get(VERSION_KEY) {
            if *version != SCHEMA_VERSION.to_string() {
                return Err(wrong(format!(
                    "the table says version {version}; this release reads {SCHEMA_VERSION}"
                )));
            }
        }
        if table.num_columns() != expected.fields().len() {
            let (found, wanted) = (table.num_columns(), expected.fields().len());
            return Err(wrong(format!("the table has {found} columns; expected {wanted}")));
        }
        for ((column, found), field) in table
            .columns()
            .iter()
            .zip(table.schema_ref().fields())
            .zip(expected.fields())
        {
            let name = field.name();
            if found.name() != name || column.data_type() != field.data_type() {
                let (found_name, found_type, wanted) = (found.name(), column.data_type(), field.data_type());
                return Err(wrong(format!(
                    "expected column `{name}` of {wanted}, found `{found_name}` of {found_type}"
                )));
            }
            if !field.is_nullable() && column.null_count() > 0 {
                return Err(wrong(format!("column `{name}` holds nulls; expected none")));
            }
        }
        let words = EnumColumns {
            kind: words(&table, at::KIND, Kind::parse)?,
            shape: words(&table, at::SHAPE, Shape::parse)?,
            unit: words(&table, at::UNIT, Unit::parse)?,
            rle_order: words(&table, at::RLE_ORDER, RleOrder::parse)?,
        };
        let boxes = table.column(at::BOX).as_fixed_size_list();
        let used_boxes = (0..boxes.len()).filter(|&row| boxes.is_valid(row));
        if boxes.values().null_count() > 0 && used_boxes.into_iter().any(|row| boxes.value(row).null_count() > 0) {
            return Err(wrong(
                "column `box` holds null coordinates; expected x, y, w, h".to_owned(),
            ));
        }
        if table.column(at::VISIBILITY).as_list::<i32>().values().null_count() > 0 {
            return Err(wrong("column `visibility` holds null flags; expected none".to_owned()));
        }
        if let Some(tracks) = tracks_only(table.column(at::TRACK)).map_err(|cause| wrong(cause.to_string()))? {
            let mut columns = table.columns().to_vec();
            columns[at::TRACK] = tracks;
            table = RecordBatch::try_new(table.schema(), columns).map_err(|cause| wrong(cause.to_string()))?;
        }
        let columns = Columns::new(&table, words)?;
        Ok(Self { table, columns })
    }

    /// Takes a table that the builder made: nothing in it needs a check.
    pub(super) fn made(
        table: RecordBatch,
        kind: Words<Kind>,
        shape: Words<Shape>,
        unit: Words<Unit>,
        rle_order: Words<RleOrder>,
    ) -> Result<Self> {
        let words = EnumColumns {
            kind,
            shape,
            unit,
            rle_order,
        };
        let columns = Columns::new(&table, words)?;
        Ok(Self { table, columns })
    }

    /// Takes a table with the columns of schema v1, in any order and in other Arrow types of the same values (other
    /// programs write large lists and plain strings).
    ///
    /// # Errors
    /// As [`Self::try_from_record_batch`]; a column that is missing or cannot be cast without loss of a value.
    pub fn from_table(table: &RecordBatch) -> Result<Self> {
        let wrong = |message: String| Error::Schema { message };
        let strict = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let mut columns = Vec::with_capacity(schema().fields().len());
        for field in schema().fields() {
            let name = field.name();
            let column = table
                .column_by_name(name)
                .ok_or_else(|| wrong(format!("there is no column `{name}`")))?;
            let cast = from_its_start(column).and_then(|column| cast_with_options(&column, field.data_type(), &strict));
            let cast = cast.map_err(|cause| wrong(format!("column `{name}`: {cause}")))?;
            if drops_fractions(column, &cast) {
                return Err(wrong(format!(
                    "column `{name}` holds fractions; expected whole numbers"
                )));
            }
            columns.push(cast);
        }
        let known = schema();
        let version = table.schema_ref().metadata().get(VERSION_KEY);
        let metadata = version.map_or_else(
            || known.metadata().clone(),
            |v| [(VERSION_KEY.to_owned(), v.clone())].into(),
        );
        let known = Arc::new(Schema::new_with_metadata(known.fields().clone(), metadata));
        let table = RecordBatch::try_new(known, columns).map_err(|cause| wrong(cause.to_string()))?;
        Self::try_from_record_batch(table)
    }

    /// The rows for which `keep` says so.
    ///
    /// # Errors
    /// [`Error::Schema`] where `keep` has another length.
    pub fn filtered(&self, keep: &BooleanArray) -> Result<Self> {
        let wrong = |cause: ArrowError| Error::Schema {
            message: cause.to_string(),
        };
        Self::try_from_record_batch(filter_record_batch(&self.table, keep).map_err(wrong)?)
    }

    /// The confidences.
    pub fn scores(&self) -> &Float64Array {
        &self.columns.score
    }

    /// The same rows with other confidences.
    ///
    /// # Errors
    /// [`Error::Schema`] where there are not as many of them.
    pub fn with_scores(&self, scores: Float64Array) -> Result<Self> {
        let mut columns = self.table.columns().to_vec();
        columns[at::SCORE] = Arc::new(scores.clone());
        let table = RecordBatch::try_new(self.table.schema(), columns).map_err(|cause| Error::Schema {
            message: cause.to_string(),
        })?;
        Ok(Self {
            table,
            columns: Columns {
                score: scores,
                ..self.columns.clone()
            },
        })
    }

    /// The table itself, for the Arrow C interface and for writers.
    pub fn record_batch(&self) -> &RecordBatch {
        &self.table
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.table.num_rows()
    }

    /// Whether the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a row's medium is called `name`, which has at most 12 bytes: such names are in the column itself.
    pub(crate) fn has_media(&self, name: &str) -> bool {
        self.columns.media.views().contains(&make_view(name.as_bytes(), 0, 0))
    }

    /// Row `row` as borrowed values.
    ///
    /// # Panics
    /// When `row` is not below [`Self::len`].
    pub fn row(&self, row: usize) -> Annotation<'_> {
        self.columns.row(row)
    }

    /// Whether rows may have answers.
    pub(crate) fn has_attributes(&self) -> bool {
        self.columns.attributes.is_some()
    }

    /// The answers of row `row`.
    ///
    /// # Panics
    /// When `row` is not below [`Self::len`].
    pub fn attributes(&self, row: usize) -> impl Iterator<Item = AttributeValue<'_>> {
        self.columns.attributes.iter().flat_map(move |column| column.row(row))
    }
}

impl PointsColumn {
    fn new(rows: &ListArray) -> Result<Self> {
        let wrong = |message: &str| Error::Schema {
            message: format!("column `points`: {message}"),
        };
        let parts = rows.values().as_list::<i32>().clone();
        let rings = parts.values().as_list::<i32>().clone();
        let coords = rings.values().as_primitive::<Float64Type>().clone();
        if parts.null_count() + rings.null_count() + coords.null_count() > 0 {
            return Err(wrong("holds a null part, ring or coordinate; expected none"));
        }
        if rings
            .value_offsets()
            .windows(2)
            .any(|ring| (ring[1] - ring[0]) % 2 != 0)
        {
            return Err(wrong("a ring has an odd number of coordinates; expected x y pairs"));
        }
        Ok(Self {
            rows: rows.clone(),
            parts,
            rings,
            coords,
        })
    }

    fn row(&self, row: usize) -> Option<Points<'_>> {
        if self.rows.is_null(row) {
            return None;
        }
        let [start, end] = [row, row + 1].map(|i| self.rows.value_offsets()[i] as usize);
        Some(Points {
            coords: self.coords.values(),
            rings: self.rings.value_offsets(),
            parts: &self.parts.value_offsets()[start..=end],
        })
    }
}

/// Whether casting numbers to integers, which Arrow takes to be no loss, left out what stands behind the point.
fn drops_fractions(column: &ArrayRef, cast: &ArrayRef) -> bool {
    let (from, to) = (column.data_type(), cast.data_type());
    let narrows = from.is_numeric() && !from.is_integer() && to.is_integer();
    narrows && !arrow_cast::cast(cast, from).is_ok_and(|back| &back == column)
}

/// A list column whose values begin with its first row's.
///
/// Casting lists to lists of a fixed size takes the values from their beginning on, whichever row a slice begins with.
fn from_its_start(column: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::List(field) => rebased(column.as_list::<i32>(), field),
        DataType::LargeList(field) => rebased(column.as_list::<i64>(), field),
        _ => Ok(Arc::clone(column)),
    }
}

fn rebased<O: OffsetSizeTrait>(
    list: &GenericListArray<O>,
    field: &FieldRef,
) -> std::result::Result<ArrayRef, ArrowError> {
    let offsets = list.value_offsets();
    let (first, last) = (offsets[0], offsets[list.len()]);
    let rebased: Vec<O> = offsets.iter().map(|&offset| offset - first).collect();
    let values = list.values().slice(first.as_usize(), (last - first).as_usize());
    let offsets = OffsetBuffer::new(rebased.into());
    let rebased = GenericListArray::try_new(Arc::clone(field), offsets, values, list.nulls().cloned())?;
    Ok(Arc::new(rebased))
}

/// The words of a column that holds no others.
fn words<T: Copy + PartialEq>(
    table: &RecordBatch,
    column: usize,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Words<T>> {
    let mut words = Words::NONE;
    for text in table.column(column).as_string_view() {
        let word = text.map(|text| {
            parse(text).ok_or_else(|| {
                let name = schema().field(column).name().clone();
                Error::Schema {
                    message: format!("column `{name}` holds {text:?}, which is not one of its words"),
                }
            })
        });
        words.push(word.transpose()?);
    }
    Ok(words)
}
