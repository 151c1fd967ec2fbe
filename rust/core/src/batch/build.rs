//! Collects rows into columns. A column that no row fills costs nothing until the batch is finished.

use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::{
    new_null_array, ArrayRef, BinaryViewArray, FixedSizeListArray, Float64Array, ListArray, RecordBatch,
    StringViewArray, UInt32Array, UInt64Array, UInt8Array,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};

use super::columns::{at, item_field, ring_type, schema};
use super::{Annotation, AnnotationBatch};
use crate::error::{Error, Result};

/// Bytes after which a string column starts a new buffer: views address 2^31 bytes of each.
const BLOCK_BYTES: usize = 1 << 24;

/// Strings or bytes as Arrow views. A value equal to the one before it shares its bytes, so that a file name
/// repeated on each row is stored once.
#[derive(Default)]
struct Views {
    views: Vec<u128>,
    nulls: Vec<bool>,
    any_null: bool,
    block: Vec<u8>,
    blocks: Vec<Buffer>,
    last: Option<(u32, usize, usize)>,
}

impl Views {
    fn push(&mut self, value: Option<&[u8]>) {
        self.nulls.push(value.is_some());
        let Some(value) = value else {
            self.any_null = true;
            self.views.push(0);
            return;
        };
        if value.len() <= 12 {
            self.views.push(make_view(value, 0, 0));
            return;
        }
        if let (Some((index, start, len)), Some(&view)) = (self.last, self.views.last()) {
            let same_block = index as usize == self.blocks.len();
            if same_block && view as u32 as usize == len && &self.block[start..start + len] == value {
                self.views.push(view);
                return;
            }
        }
        if self.block.len() + value.len() > BLOCK_BYTES && !self.block.is_empty() {
            self.blocks.push(Buffer::from(std::mem::take(&mut self.block)));
        }
        let (index, start) = (self.blocks.len() as u32, self.block.len());
        self.block.extend_from_slice(value);
        self.views.push(make_view(value, index, start as u32));
        self.last = Some((index, start, value.len()));
    }

    fn finish(mut self) -> (ScalarBuffer<u128>, Vec<Buffer>, Option<NullBuffer>) {
        if !self.block.is_empty() {
            self.blocks.push(Buffer::from(self.block));
        }
        let nulls = self.any_null.then(|| NullBuffer::from(self.nulls));
        (self.views.into(), self.blocks, nulls)
    }

    fn into_strings(self) -> std::result::Result<ArrayRef, ArrowError> {
        let (views, blocks, nulls) = self.finish();
        Ok(Arc::new(StringViewArray::try_new(views, blocks, nulls)?))
    }

    fn into_binary(self) -> std::result::Result<ArrayRef, ArrowError> {
        let (views, blocks, nulls) = self.finish();
        Ok(Arc::new(BinaryViewArray::try_new(views, blocks, nulls)?))
    }
}

/// A column of values that may all be missing: nothing is stored before the first value.
struct Sparse<T> {
    values: Vec<T>,
    valid: Vec<bool>,
}

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            valid: Vec::new(),
        }
    }
}

impl<T: Copy + Default> Sparse<T> {
    fn push(&mut self, row: usize, value: Option<T>) {
        if self.valid.is_empty() && value.is_none() {
            return;
        }
        self.values.resize(row, T::default());
        self.valid.resize(row, false);
        self.values.push(value.unwrap_or_default());
        self.valid.push(value.is_some());
    }

    /// The column of `rows` rows, or nothing when no row has a value.
    fn finish(self) -> Option<(Vec<T>, Option<NullBuffer>)> {
        if self.valid.is_empty() {
            return None;
        }
        Some((self.values, Some(NullBuffer::from(self.valid))))
    }
}

/// Collects [`Annotation`]s into an [`AnnotationBatch`].
#[derive(Default)]
pub struct AnnotationBatchBuilder {
    rows: usize,
    source: Views,
    offset: Vec<u64>,
    annotation_id: Views,
    media: Views,
    frame: Vec<u32>,
    frame_last: Sparse<u32>,
    kind: Views,
    class: Views,
    track: Views,
    score: Sparse<f64>,
    shape: Views,
    unit: Views,
    width_px: Sparse<u32>,
    height_px: Sparse<u32>,
    bbox: Sparse<[f64; 4]>,
    theta: Sparse<f64>,
    coords: Vec<f64>,
    ring_ends: Vec<i32>,
    part_ends: Vec<i32>,
    row_ends: Vec<i32>,
    points_valid: Vec<bool>,
    visibility: Vec<u8>,
    visibility_ends: Vec<i32>,
    visibility_valid: Vec<bool>,
    rle: Views,
    rle_order: Views,
}

impl AnnotationBatchBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rows collected so far.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether no row was collected yet.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Appends a row. Coordinates are copied as they are: no conversion, no rounding.
    pub fn push(&mut self, row: &Annotation<'_>) {
        self.source.push(Some(row.source.as_bytes()));
        self.offset.push(row.offset);
        self.annotation_id.push(row.annotation_id.map(str::as_bytes));
        self.media.push(Some(row.media.as_bytes()));
        self.frame.push(row.frame);
        self.frame_last.push(self.rows, row.frame_last);
        self.kind.push(Some(row.kind.as_str().as_bytes()));
        self.class.push(Some(row.class.as_bytes()));
        self.track.push(row.track.map(str::as_bytes));
        self.score.push(self.rows, row.score);
        self.shape.push(row.shape.map(|s| s.as_str().as_bytes()));
        self.unit.push(Some(row.unit.as_str().as_bytes()));
        self.width_px.push(self.rows, row.width_px);
        self.height_px.push(self.rows, row.height_px);
        self.bbox.push(self.rows, row.bbox);
        self.theta.push(self.rows, row.theta);
        if let Some(points) = row.points {
            for part in points.iter() {
                for ring in part {
                    self.coords.extend_from_slice(ring);
                    self.ring_ends.push(self.coords.len() as i32);
                }
                self.part_ends.push(self.ring_ends.len() as i32);
            }
        }
        self.row_ends.push(self.part_ends.len() as i32);
        self.points_valid.push(row.points.is_some());
        self.visibility.extend_from_slice(row.visibility.unwrap_or_default());
        self.visibility_ends.push(self.visibility.len() as i32);
        self.visibility_valid.push(row.visibility.is_some());
        self.rle.push(row.rle);
        self.rle_order.push(row.rle_order.map(|o| o.as_str().as_bytes()));
        self.rows += 1;
    }

    /// Makes the batch. Fails only where a column outgrew Arrow's 32-bit offsets.
    pub fn finish(self) -> Result<AnnotationBatch> {
        self.into_record_batch()
            .map_err(|cause| Error::Schema {
                message: format!("{cause}; read fewer rows a batch"),
            })
            .and_then(AnnotationBatch::try_from_record_batch)
    }

    fn into_record_batch(self) -> std::result::Result<RecordBatch, ArrowError> {
        let rows = self.rows;
        let schema = schema();
        let u32s = |column: Sparse<u32>| -> ArrayRef {
            match column.finish() {
                Some((values, nulls)) => Arc::new(UInt32Array::new(values.into(), nulls)),
                None => new_null_array(&DataType::UInt32, rows),
            }
        };
        let f64s = |column: Sparse<f64>| -> ArrayRef {
            match column.finish() {
                Some((values, nulls)) => Arc::new(Float64Array::new(values.into(), nulls)),
                None => new_null_array(&DataType::Float64, rows),
            }
        };
        let nulls_of = |index: usize| new_null_array(schema.field(index).data_type(), rows);

        let boxes: ArrayRef = match self.bbox.finish() {
            Some((values, nulls)) => {
                let flat = Float64Array::from(values.into_flattened());
                Arc::new(FixedSizeListArray::try_new(
                    item_field(DataType::Float64),
                    4,
                    Arc::new(flat),
                    nulls,
                )?)
            }
            None => nulls_of(at::BOX),
        };
        let points: ArrayRef = if self.points_valid.contains(&true) {
            let coords = Arc::new(Float64Array::from(self.coords));
            let rings = ListArray::try_new(item_field(DataType::Float64), offsets(self.ring_ends), coords, None)?;
            let parts = ListArray::try_new(item_field(ring_type()), offsets(self.part_ends), Arc::new(rings), None)?;
            let part_type = DataType::List(item_field(ring_type()));
            let valid = Some(NullBuffer::from(self.points_valid));
            Arc::new(ListArray::try_new(
                item_field(part_type),
                offsets(self.row_ends),
                Arc::new(parts),
                valid,
            )?)
        } else {
            nulls_of(at::POINTS)
        };
        let visibility: ArrayRef = if self.visibility_valid.contains(&true) {
            Arc::new(ListArray::try_new(
                item_field(DataType::UInt8),
                offsets(self.visibility_ends),
                Arc::new(UInt8Array::from(self.visibility)),
                Some(NullBuffer::from(self.visibility_valid)),
            )?)
        } else {
            nulls_of(at::VISIBILITY)
        };
        let attributes = nulls_of(at::ATTRIBUTES);

        let columns: Vec<ArrayRef> = vec![
            self.source.into_strings()?,
            Arc::new(UInt64Array::from(self.offset)),
            self.annotation_id.into_strings()?,
            self.media.into_strings()?,
            Arc::new(UInt32Array::from(self.frame)),
            u32s(self.frame_last),
            self.kind.into_strings()?,
            self.class.into_strings()?,
            self.track.into_strings()?,
            f64s(self.score),
            self.shape.into_strings()?,
            self.unit.into_strings()?,
            u32s(self.width_px),
            u32s(self.height_px),
            boxes,
            f64s(self.theta),
            points,
            visibility,
            self.rle.into_binary()?,
            self.rle_order.into_strings()?,
            attributes,
        ];
        RecordBatch::try_new(schema, columns)
    }
}

/// Arrow's offsets of lists of which each one's end is known.
fn offsets(mut ends: Vec<i32>) -> OffsetBuffer<i32> {
    ends.insert(0, 0);
    OffsetBuffer::new(ends.into())
}
