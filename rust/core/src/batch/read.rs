//! Typed access to an IR table: checked once when a batch is made, borrowed row by row afterwards.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type, UInt64Type, UInt8Type};
use arrow_array::{
    Array, BinaryViewArray, FixedSizeListArray, ListArray, PrimitiveArray, RecordBatch, StringViewArray,
};

use arrow_cast::{cast_with_options, CastOptions};
use arrow_schema::Schema;

use super::columns::{at, schema, SCHEMA_VERSION, VERSION_KEY};
use super::{Annotation, Kind, Points, RleOrder, Shape, Unit};
use crate::error::{Error, Result};

/// A batch of the IR whose columns are known to follow schema v1.
#[derive(Debug, Clone)]
pub struct AnnotationBatch {
    table: RecordBatch,
    points: Option<PointsColumn>,
}

#[derive(Debug, Clone)]
struct PointsColumn {
    rows: ListArray,
    parts: ListArray,
    rings: ListArray,
    coords: PrimitiveArray<Float64Type>,
}

impl AnnotationBatch {
    /// Takes a table that follows schema v1.
    ///
    /// # Errors
    /// [`Error::Schema`] names the first column that differs in name, type or null-ness, an unknown version, a word that
    /// is not one of its column's, and coordinates that are null or not in pairs.
    pub fn try_from_record_batch(table: RecordBatch) -> Result<Self> {
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
        check_words(&table, at::KIND, |w| Kind::parse(w).is_some())?;
        check_words(&table, at::SHAPE, |w| Shape::parse(w).is_some())?;
        check_words(&table, at::UNIT, |w| Unit::parse(w).is_some())?;
        check_words(&table, at::RLE_ORDER, |w| RleOrder::parse(w).is_some())?;
        let boxes = table.column(at::BOX).as_fixed_size_list();
        let used_boxes = (0..boxes.len()).filter(|&row| boxes.is_valid(row));
        if boxes.values().null_count() > 0 && used_boxes.into_iter().any(|row| boxes.value(row).null_count() > 0) {
            return Err(wrong(
                "column `box` holds null coordinates; expected x, y, w, h".to_owned(),
            ));
        }
        let column = table.column(at::POINTS).as_list::<i32>();
        let points = (column.null_count() < column.len())
            .then(|| PointsColumn::new(column))
            .transpose()?;
        Ok(Self { table, points })
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
            let cast = cast_with_options(column, field.data_type(), &strict);
            columns.push(cast.map_err(|cause| wrong(format!("column `{name}`: {cause}")))?);
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

    /// Row `row` as borrowed values.
    ///
    /// # Panics
    /// When `row` is not below [`Self::len`].
    pub fn row(&self, row: usize) -> Annotation<'_> {
        let text = |column: usize| opt(self.strings(column), row).unwrap_or_default();
        let word = |column: usize| opt(self.strings(column), row);
        let number = |column: usize| self.number::<UInt32Type>(column, row);
        let visibility = self.table.column(at::VISIBILITY).as_list::<i32>();
        Annotation {
            source: text(at::SOURCE),
            offset: self.number::<UInt64Type>(at::OFFSET, row).unwrap_or_default(),
            annotation_id: word(at::ANNOTATION_ID),
            media: text(at::MEDIA),
            frame: number(at::FRAME).unwrap_or_default(),
            frame_last: number(at::FRAME_LAST),
            kind: Kind::parse(text(at::KIND)).unwrap_or(Kind::Object),
            class: text(at::CLASS),
            track: word(at::TRACK),
            score: self.number::<Float64Type>(at::SCORE, row),
            shape: word(at::SHAPE).and_then(Shape::parse),
            unit: Unit::parse(text(at::UNIT)).unwrap_or(Unit::Px),
            width_px: number(at::WIDTH_PX),
            height_px: number(at::HEIGHT_PX),
            bbox: self.bbox(row),
            theta: self.number::<Float64Type>(at::THETA, row),
            points: self.points.as_ref().and_then(|points| points.row(row)),
            visibility: visibility.is_valid(row).then(|| {
                let [start, end] = [row, row + 1].map(|i| visibility.value_offsets()[i] as usize);
                &visibility.values().as_primitive::<UInt8Type>().values()[start..end]
            }),
            rle: {
                let rle: &BinaryViewArray = self.table.column(at::RLE).as_binary_view();
                rle.is_valid(row).then(|| rle.value(row))
            },
            rle_order: word(at::RLE_ORDER).and_then(RleOrder::parse),
        }
    }

    fn strings(&self, column: usize) -> &StringViewArray {
        self.table.column(column).as_string_view()
    }

    fn number<T: arrow_array::ArrowPrimitiveType>(&self, column: usize, row: usize) -> Option<T::Native> {
        let values = self.table.column(column).as_primitive::<T>();
        values.is_valid(row).then(|| values.value(row))
    }

    fn bbox(&self, row: usize) -> Option<[f64; 4]> {
        let boxes: &FixedSizeListArray = self.table.column(at::BOX).as_fixed_size_list();
        if boxes.is_null(row) {
            return None;
        }
        let values = boxes.values().as_primitive::<Float64Type>().values();
        values
            .get(boxes.value_offset(row) as usize..)?
            .first_chunk::<4>()
            .copied()
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

fn opt(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn check_words(table: &RecordBatch, column: usize, known: impl Fn(&str) -> bool) -> Result<()> {
    let words: &StringViewArray = table.column(column).as_string_view();
    match words.iter().flatten().find(|word| !known(word)) {
        None => Ok(()),
        Some(word) => {
            let name = schema().field(column).name().clone();
            Err(Error::Schema {
                message: format!("column `{name}` holds {word:?}, which is not one of its words"),
            })
        }
    }
}
