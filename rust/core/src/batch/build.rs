//! Collects rows into columns. A column that no row fills costs nothing until the batch is finished.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float64Array, ListArray, RecordBatch, UInt32Array, UInt64Array, UInt8Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType};

use super::attributes::AttributesBuilder;
use super::columns::{at, item_field, ring_type, schema};
use super::names::NameColumn;
use super::text::{Nulls, TextColumn, WordColumn};
use super::track::is_track;
use super::{Annotation, AnnotationBatch, AttributeValue, Kind, RleOrder, Shape, Unit};
use crate::error::{Error, Result};

/// Gives a column's values, and leaves room for as many.
fn take<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

/// A column of values that may all be missing: nothing is stored before the first value.
struct Sparse<T> {
    values: Vec<T>,
    /// Which values are there, once one is missing.
    valid: Option<Vec<bool>>,
}

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            valid: None,
        }
    }
}

impl<T: Copy + Default> Sparse<T> {
    /// Adds the value of row `row`, all rows before which are there.
    #[inline]
    fn push(&mut self, row: usize, value: Option<T>) {
        match value {
            Some(value) if self.values.len() == row => {
                self.values.push(value);
                if let Some(valid) = &mut self.valid {
                    valid.push(true);
                }
            }
            None if self.values.is_empty() => {}
            value => self.push_anyhow(row, value),
        }
    }

    fn push_anyhow(&mut self, row: usize, value: Option<T>) {
        let there = !self.values.is_empty();
        let valid = self.valid.get_or_insert_with(|| vec![there; row]);
        valid.push(value.is_some());
        self.values.resize(row, T::default());
        self.values.push(value.unwrap_or_default());
    }

    /// The column, or nothing when no row has a value.
    fn take(&mut self) -> Option<(Vec<T>, Option<NullBuffer>)> {
        let valid = self.valid.take().map(NullBuffer::from);
        (!self.values.is_empty()).then(|| (take(&mut self.values), valid))
    }
}

/// Where each list of a column ends in the column below it. Nothing is stored before the first list.
#[derive(Default)]
struct Lists {
    /// 0, then the end of each list.
    ends: Vec<i32>,
    valid: Option<Vec<bool>>,
}

impl Lists {
    fn end_at(&mut self, end: usize) {
        if self.ends.is_empty() {
            self.ends.push(0);
        }
        self.ends.push(end as i32);
    }

    /// Ends the list of row `row`, if there is one, at `end`.
    #[inline]
    fn push(&mut self, row: usize, there: bool, end: usize) {
        if !there && self.ends.is_empty() {
            return;
        }
        let any = !self.ends.is_empty();
        if !there || self.valid.is_some() || (!any && row > 0) {
            self.valid.get_or_insert_with(|| vec![any; row]).push(there);
        }
        self.ends.resize((row + 1).max(self.ends.len()), 0);
        self.end_at(end);
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let ends = take(&mut self.ends);
        let ends = if ends.is_empty() { vec![0] } else { ends };
        (OffsetBuffer::new(ends.into()), self.valid.take().map(NullBuffer::from))
    }
}

/// Collects [`Annotation`]s into an [`AnnotationBatch`].
pub struct AnnotationBatchBuilder {
    rows: usize,
    /// Rows before the first one that has something for one of the columns that most files leave empty (see
    /// [`Self::push_rare`]): those columns are not touched by them.
    plain: usize,
    source: TextColumn,
    offset: Vec<u64>,
    annotation_id: TextColumn,
    media: NameColumn,
    frame: Vec<u32>,
    frame_last: Sparse<u32>,
    kind: WordColumn<Kind>,
    class: NameColumn,
    track: TextColumn,
    score: Sparse<f64>,
    shape: WordColumn<Shape>,
    unit: WordColumn<Unit>,
    width_px: Sparse<u32>,
    height_px: Sparse<u32>,
    bbox: Sparse<[f64; 4]>,
    theta: Sparse<f64>,
    coords: Vec<f64>,
    rings: Lists,
    parts: Lists,
    points: Lists,
    visibility: Vec<u8>,
    visibilities: Lists,
    rle: TextColumn,
    rle_order: WordColumn<RleOrder>,
    attributes: AttributesBuilder,
    nulls: Nulls,
}

impl Default for AnnotationBatchBuilder {
    fn default() -> Self {
        Self {
            rows: 0,
            plain: 0,
            source: TextColumn::strings(),
            offset: Vec::new(),
            annotation_id: TextColumn::strings(),
            media: NameColumn::new(),
            frame: Vec::new(),
            frame_last: Sparse::default(),
            kind: WordColumn::new(),
            class: NameColumn::new(),
            track: TextColumn::strings(),
            score: Sparse::default(),
            shape: WordColumn::new(),
            unit: WordColumn::new(),
            width_px: Sparse::default(),
            height_px: Sparse::default(),
            bbox: Sparse::default(),
            theta: Sparse::default(),
            coords: Vec::new(),
            rings: Lists::default(),
            parts: Lists::default(),
            points: Lists::default(),
            visibility: Vec::new(),
            visibilities: Lists::default(),
            rle: TextColumn::bytes(),
            rle_order: WordColumn::new(),
            attributes: AttributesBuilder::default(),
            nulls: Nulls::default(),
        }
    }
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

    /// Appends a row. Coordinates are copied as they are: no conversion, no rounding. A track that is -1, NaN or empty is none.
    pub fn push(&mut self, row: &Annotation<'_>) {
        self.media.push_name(row.media);
        self.class.push_name(row.class);
        self.push_rest(row, row.annotation_id.map(str::as_bytes));
    }

    /// Appends a row with its answers.
    pub fn push_with_attributes(&mut self, row: &Annotation<'_>, attributes: &[AttributeValue<'_>]) {
        self.attributes.push(self.rows, attributes);
        self.push(row);
    }

    /// Appends the rows of a batch.
    pub fn append(&mut self, batch: &AnnotationBatch) {
        let mut attributes = Vec::new();
        for index in 0..batch.len() {
            attributes.clear();
            attributes.extend(batch.attributes(index));
            self.push_with_attributes(&batch.row(index), &attributes);
        }
    }

    /// Appends a row whose media and class are given by number, in place of the row's own: names are asked for once.
    /// Its id, too, is given apart, as text that need not be checked: the column is when it is made.
    pub(crate) fn push_numbered<'a>(
        &mut self,
        row: &Annotation<'_>,
        annotation_id: Option<&[u8]>,
        (media, media_name): (u32, impl FnOnce() -> &'a str),
        (class, class_name): (u32, impl FnOnce() -> &'a str),
    ) {
        self.media.push(media, media_name);
        self.class.push(class, class_name);
        self.push_rest(row, annotation_id);
    }

    #[inline]
    fn push_rest(&mut self, row: &Annotation<'_>, annotation_id: Option<&[u8]>) {
        self.source.push(Some(row.source.as_bytes()));
        self.offset.push(row.offset);
        self.annotation_id.push(annotation_id);
        self.frame.push(row.frame);
        self.kind.push(Some(row.kind));
        self.score.push(self.rows, row.score);
        self.shape.push(row.shape);
        self.unit.push(Some(row.unit));
        self.width_px.push(self.rows, row.width_px);
        self.height_px.push(self.rows, row.height_px);
        self.bbox.push(self.rows, row.bbox);
        let track = row.track.filter(|track| is_track(track));
        let plain = row.frame_last.is_none()
            && track.is_none()
            && row.theta.is_none()
            && row.points.is_none()
            && row.visibility.is_none()
            && row.rle.is_none()
            && row.rle_order.is_none();
        if plain && self.plain == self.rows {
            self.plain += 1;
        } else {
            self.push_rare(row, track);
        }
        self.rows += 1;
    }

    /// Fills the columns that most files leave empty.
    fn push_rare(&mut self, row: &Annotation<'_>, track: Option<&str>) {
        if self.plain == self.rows {
            self.count_plain();
        }
        self.frame_last.push(self.rows, row.frame_last);
        self.track.push(track.map(str::as_bytes));
        self.theta.push(self.rows, row.theta);
        if let Some(points) = row.points {
            for part in points.iter() {
                for ring in part {
                    self.coords.extend_from_slice(ring);
                    self.rings.end_at(self.coords.len());
                }
                self.parts.end_at(self.rings.ends.len().saturating_sub(1));
            }
        }
        let parts = self.parts.ends.len().saturating_sub(1);
        self.points.push(self.rows, row.points.is_some(), parts);
        self.visibility.extend_from_slice(row.visibility.unwrap_or_default());
        self.visibilities
            .push(self.rows, row.visibility.is_some(), self.visibility.len());
        self.rle.push(row.rle);
        self.rle_order.push(row.rle_order);
    }

    /// Counts the plain rows in the columns that count all rows.
    fn count_plain(&mut self) {
        self.track.push_nones(self.plain);
        self.rle.push_nones(self.plain);
        self.rle_order.push_nones(self.plain);
    }

    /// Makes the batch. Fails only where a column outgrew Arrow's 32-bit offsets.
    pub fn finish(mut self) -> Result<AnnotationBatch> {
        self.take()
    }

    /// Makes the batch and begins another one. What batches have in common they share.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn take(&mut self) -> Result<AnnotationBatch> {
        self.make().map_err(|cause| Error::Schema {
            message: format!("{cause}; read fewer rows a batch"),
        })?
    }

    fn make(&mut self) -> std::result::Result<Result<AnnotationBatch>, ArrowError> {
        if self.plain == self.rows {
            self.count_plain();
        }
        let rows = std::mem::take(&mut self.rows);
        self.plain = 0;
        let schema = schema();
        let nulls = &mut self.nulls;
        let mut nulls_of = |index: usize| nulls.of(index, schema.field(index).data_type(), rows);
        let mut u32s = |index: usize, column: &mut Sparse<u32>| -> ArrayRef {
            match column.take() {
                Some((values, nulls)) => Arc::new(UInt32Array::new(values.into(), nulls)),
                None => nulls_of(index),
            }
        };
        let frame_last = u32s(at::FRAME_LAST, &mut self.frame_last);
        let width_px = u32s(at::WIDTH_PX, &mut self.width_px);
        let height_px = u32s(at::HEIGHT_PX, &mut self.height_px);
        let mut f64s = |index: usize, column: &mut Sparse<f64>| -> ArrayRef {
            match column.take() {
                Some((values, nulls)) => Arc::new(Float64Array::new(values.into(), nulls)),
                None => nulls_of(index),
            }
        };
        let score = f64s(at::SCORE, &mut self.score);
        let theta = f64s(at::THETA, &mut self.theta);
        let boxes: ArrayRef = match self.bbox.take() {
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
        let points: ArrayRef = if self.points.ends.is_empty() {
            nulls_of(at::POINTS)
        } else {
            let coords = Arc::new(Float64Array::from(take(&mut self.coords)));
            let rings = ListArray::try_new(item_field(DataType::Float64), self.rings.take().0, coords, None)?;
            let parts = ListArray::try_new(item_field(ring_type()), self.parts.take().0, Arc::new(rings), None)?;
            let part_type = DataType::List(item_field(ring_type()));
            let (offsets, valid) = self.points.take();
            Arc::new(ListArray::try_new(
                item_field(part_type),
                offsets,
                Arc::new(parts),
                valid,
            )?)
        };
        let visibility: ArrayRef = if self.visibilities.ends.is_empty() {
            nulls_of(at::VISIBILITY)
        } else {
            let (offsets, valid) = self.visibilities.take();
            let flags = Arc::new(UInt8Array::from(take(&mut self.visibility)));
            Arc::new(ListArray::try_new(item_field(DataType::UInt8), offsets, flags, valid)?)
        };
        let (kinds, kind) = self.kind.take(Kind::as_str)?;
        let (shapes, shape) = self.shape.take(Shape::as_str)?;
        let (units, unit) = self.unit.take(Unit::as_str)?;
        let (orders, rle_order) = self.rle_order.take(RleOrder::as_str)?;

        let columns: Vec<ArrayRef> = vec![
            self.source.take()?,
            Arc::new(UInt64Array::from(take(&mut self.offset))),
            self.annotation_id.take()?,
            self.media.take()?,
            Arc::new(UInt32Array::from(take(&mut self.frame))),
            frame_last,
            kind,
            self.class.take()?,
            self.track.take()?,
            score,
            shape,
            unit,
            width_px,
            height_px,
            boxes,
            theta,
            points,
            visibility,
            self.rle.take()?,
            rle_order,
            match self.attributes.take(rows)? {
                Some(attributes) => attributes,
                None => nulls_of(at::ATTRIBUTES),
            },
        ];
        let table = RecordBatch::try_new(schema, columns)?;
        Ok(AnnotationBatch::made(table, kinds, shapes, units, orders))
    }
}
