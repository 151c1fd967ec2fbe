//! Columns of lists: boxes, points, flags and answers, whichever kinds of lists they come in.

use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt8Type};
use arrow_array::{
    new_null_array, Array, ArrayRef, FixedSizeListArray, Float64Array, ListArray, OffsetSizeTrait, StructArray,
    UInt8Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType};

use super::Reading;
use crate::batch::columns::{attribute_fields, item_field, ring_type};
use crate::error::{Error, Result};

const BOX: &str = "four numbers: x, y, width, height";
const POINTS: &str = "lists of parts of rings of numbers: [[[x, y, x, y, ...], ...], ...]";
const FLAGS: &str = "a list of whole numbers from 0 to 255";
const ATTRIBUTES: &str = "a list of answers {name, value, frame, frame_last}, each with a name";

/// A column of lists: where each begins and ends in the values, which are only those that are used.
struct Lists {
    /// The first offset is 0.
    offsets: Vec<i32>,
    nulls: Option<NullBuffer>,
    values: ArrayRef,
}

impl Lists {
    /// Opens a column of lists; none if it is no such.
    fn open(column: &ArrayRef) -> Option<Self> {
        let (offsets, values) = match column.data_type() {
            // Lists of nothing have no type of their own; a part of them is not a list either.
            DataType::Null => {
                let nulls = Some(NullBuffer::new_null(column.len()));
                let (offsets, values) = (vec![0; column.len() + 1], column.slice(0, 0));
                return Some(Self { offsets, nulls, values });
            }
            DataType::ListView(item) => return Self::open(&cast(column, &DataType::List(Arc::clone(item))).ok()?),
            DataType::LargeListView(item) => {
                return Self::open(&cast(column, &DataType::LargeList(Arc::clone(item))).ok()?);
            }
            DataType::List(_) => {
                let lists = column.as_list::<i32>();
                (
                    rebased(lists.value_offsets())?,
                    used(lists.values(), lists.value_offsets()),
                )
            }
            DataType::LargeList(_) => {
                let lists = column.as_list::<i64>();
                (
                    rebased(lists.value_offsets())?,
                    used(lists.values(), lists.value_offsets()),
                )
            }
            DataType::FixedSizeList(_, size) => {
                let lists = column.as_fixed_size_list();
                let ends = (0..=lists.len()).map(|row| i32::try_from(row * *size as usize).ok());
                let first = lists.value_offset(0) as usize;
                let values = lists.values().slice(first, lists.len() * *size as usize);
                (ends.collect::<Option<_>>()?, values)
            }
            _ => return None,
        };
        Some(Self {
            offsets,
            nulls: column.nulls().cloned(),
            values,
        })
    }

    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn is_valid(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }

    /// Whether no list is null, and no null hides values.
    fn has_no_null(&self) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.null_count() == 0)
    }

    fn nulls_are_empty(&self) -> bool {
        (0..self.len()).all(|row| self.is_valid(row) || self.range(row).is_empty())
    }
}

fn rebased<O: OffsetSizeTrait>(offsets: &[O]) -> Option<Vec<i32>> {
    let first = offsets.first()?.as_usize();
    offsets
        .iter()
        .map(|offset| i32::try_from(offset.as_usize() - first).ok())
        .collect()
}

fn used<O: OffsetSizeTrait>(values: &ArrayRef, offsets: &[O]) -> ArrayRef {
    let (first, last) = (offsets[0].as_usize(), offsets[offsets.len() - 1].as_usize());
    values.slice(first, last - first)
}

fn floats(values: &ArrayRef) -> Option<Float64Array> {
    let numeric = values.data_type().is_numeric() || values.data_type() == &DataType::Null;
    let cast = numeric.then(|| cast(values, &DataType::Float64).ok())??;
    Some(cast.as_primitive::<Float64Type>().clone())
}

fn made(array: std::result::Result<impl Array + 'static, ArrowError>) -> Result<Option<ArrayRef>> {
    match array {
        Ok(array) => Ok(Some(Arc::new(array))),
        Err(cause) => Err(Error::Schema {
            message: cause.to_string(),
        }),
    }
}

/// Coordinates as they are collected, where some rows are left out.
#[derive(Default)]
struct Kept {
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
    rows: Vec<i32>,
    valid: Vec<bool>,
}

impl Reading<'_> {
    /// `box`. None where it is missing.
    pub(super) fn boxes(&mut self) -> Result<Option<ArrayRef>> {
        let Some(column) = self.column("box").map(Arc::clone) else {
            return Ok(None);
        };
        let lists = Lists::open(&column).ok_or_else(|| self.unfit("box", BOX))?;
        let values = floats(&lists.values).ok_or_else(|| self.unfit("box", BOX))?;
        let is_box = |row| {
            let range = lists.range(row);
            range.len() == 4 && (values.null_count() == 0 || range.into_iter().all(|at| values.is_valid(at)))
        };
        if values.len() == 4 * lists.len() && (0..lists.len()).all(|row| lists.is_valid(row) && is_box(row)) {
            let item = item_field(DataType::Float64);
            return made(FixedSizeListArray::try_new(item, 4, Arc::new(values), None));
        }
        let mut boxes = FixedSizeListBuilder::with_capacity(Float64Builder::new(), 4, lists.len())
            .with_field(item_field(DataType::Float64));
        for row in 0..lists.len() {
            // Some writers put an empty list where there is no box.
            let there = lists.is_valid(row) && !lists.range(row).is_empty();
            let fits = there && is_box(row);
            if there && !fits {
                self.refuse(row, "box", BOX);
            }
            for at in 0..4 {
                let value = if fits {
                    values.value(lists.range(row).start + at)
                } else {
                    0.0
                };
                boxes.values().append_value(value);
            }
            boxes.append(fits);
        }
        Ok(Some(Arc::new(boxes.finish())))
    }

    /// `points`. None where it is missing.
    pub(super) fn points(&mut self) -> Result<Option<ArrayRef>> {
        let Some(column) = self.column("points").map(Arc::clone) else {
            return Ok(None);
        };
        let opened = || {
            let rows = Lists::open(&column)?;
            let parts = Lists::open(&rows.values)?;
            let rings = Lists::open(&parts.values)?;
            let coords = floats(&rings.values)?;
            Some((rows, parts, rings, coords))
        };
        let Some((rows, parts, rings, coords)) = opened() else {
            return Err(self.unfit("points", POINTS));
        };
        let pairs = rings.offsets.windows(2).all(|ring| (ring[1] - ring[0]) % 2 == 0);
        if pairs && parts.has_no_null() && rings.has_no_null() && coords.null_count() == 0 && rows.nulls_are_empty() {
            return points_column(rows.offsets, rows.nulls, parts.offsets, rings.offsets, coords);
        }
        let mut kept = Kept {
            rings: vec![0],
            parts: vec![0],
            rows: vec![0],
            ..Kept::default()
        };
        for row in 0..rows.len() {
            let part_range = rows.range(row);
            let ring_range = parts.offsets[part_range.start] as usize..parts.offsets[part_range.end] as usize;
            let coord_range = rings.offsets[ring_range.start] as usize..rings.offsets[ring_range.end] as usize;
            let whole = part_range.clone().all(|part| parts.is_valid(part))
                && ring_range
                    .clone()
                    .all(|ring| rings.is_valid(ring) && rings.range(ring).len() % 2 == 0)
                && coord_range.clone().all(|at| coords.is_valid(at));
            if rows.is_valid(row) && !whole {
                self.refuse(
                    row,
                    "points",
                    "parts of rings of x y pairs: [[[x, y, x, y, ...], ...], ...]",
                );
            }
            let keeps = rows.is_valid(row) && whole;
            if keeps {
                kept.coords.extend_from_slice(&coords.values()[coord_range]);
                for ring in ring_range {
                    kept.rings
                        .push(kept.rings[kept.rings.len() - 1] + rings.range(ring).len() as i32);
                }
                for part in part_range {
                    kept.parts
                        .push(kept.parts[kept.parts.len() - 1] + parts.range(part).len() as i32);
                }
            }
            kept.rows.push(kept.parts.len() as i32 - 1);
            kept.valid.push(keeps);
        }
        let coords = Float64Array::from(kept.coords);
        points_column(kept.rows, Some(kept.valid.into()), kept.parts, kept.rings, coords)
    }

    /// `visibility`. None where it is missing.
    pub(super) fn visibility(&mut self) -> Result<Option<ArrayRef>> {
        let Some(column) = self.column("visibility").map(Arc::clone) else {
            return Ok(None);
        };
        let lists = Lists::open(&column).ok_or_else(|| self.unfit("visibility", FLAGS))?;
        let whole = lists.values.data_type().is_integer() || lists.values.data_type() == &DataType::Null;
        // What is out of range becomes null.
        let flags = whole.then(|| cast(&lists.values, &DataType::UInt8).ok()).flatten();
        let flags = flags.ok_or_else(|| self.unfit("visibility", FLAGS))?;
        let flags = flags.as_primitive::<UInt8Type>();
        let (mut kept, mut ends, mut valid) = (Vec::with_capacity(flags.len()), vec![0], Vec::new());
        for row in 0..lists.len() {
            let whole = lists.range(row).all(|at| flags.is_valid(at));
            if lists.is_valid(row) && !whole {
                self.refuse(row, "visibility", FLAGS);
            }
            let keeps = lists.is_valid(row) && whole;
            if keeps {
                kept.extend_from_slice(&flags.values()[lists.range(row)]);
            }
            ends.push(kept.len() as i32);
            valid.push(keeps);
        }
        let flags = Arc::new(UInt8Array::from(kept));
        let offsets = OffsetBuffer::new(ends.into());
        let item = item_field(DataType::UInt8);
        made(ListArray::try_new(item, offsets, flags, Some(valid.into())))
    }

    /// `attributes`. None where it is missing.
    pub(super) fn attributes(&mut self) -> Result<Option<ArrayRef>> {
        let Some(column) = self.column("attributes").map(Arc::clone) else {
            return Ok(None);
        };
        let lists = Lists::open(&column).ok_or_else(|| self.unfit("attributes", ATTRIBUTES))?;
        let Some(items) = lists.values.as_struct_opt() else {
            // Lists of nothing have no type of their own.
            return if lists.values.is_empty() || lists.values.data_type() == &DataType::Null {
                Ok(None)
            } else {
                Err(self.unfit("attributes", ATTRIBUTES))
            };
        };
        let known = attribute_fields();
        if items.fields().iter().any(|field| known.find(field.name()).is_none()) {
            return Err(self.unfit("attributes", ATTRIBUTES));
        }
        let column_of = |name: &str, data_type: &DataType| -> Option<ArrayRef> {
            let Some(column) = items
                .column_by_name(name)
                .filter(|column| column.data_type() != &DataType::Null)
            else {
                return Some(new_null_array(data_type, items.len()));
            };
            let fits = matches!(
                (column.data_type(), data_type),
                (
                    DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..),
                    DataType::Utf8View
                )
            ) || (column.data_type().is_integer() && data_type.is_integer());
            fits.then(|| cast(column, data_type).ok())?
        };
        let columns: Option<Vec<ArrayRef>> = known
            .iter()
            .map(|field| column_of(field.name(), field.data_type()))
            .collect();
        let columns = columns.ok_or_else(|| self.unfit("attributes", ATTRIBUTES))?;
        // A number that a frame cannot be became null by the cast.
        let lost = |at: usize| {
            ["frame", "frame_last"].into_iter().zip([2, 3]).any(|(name, place)| {
                let given = items
                    .column_by_name(name)
                    .is_some_and(|column| column.data_type() != &DataType::Null && column.is_valid(at));
                given && columns[place].is_null(at)
            })
        };
        let mut keep = Vec::new();
        let (mut lengths, mut valid) = (Vec::with_capacity(lists.len()), Vec::with_capacity(lists.len()));
        for row in 0..lists.len() {
            let whole = lists
                .range(row)
                .all(|at| items.is_valid(at) && columns[0].is_valid(at) && !lost(at));
            if lists.is_valid(row) && !whole {
                self.refuse(row, "attributes", ATTRIBUTES);
            }
            let keeps = lists.is_valid(row) && whole && !lists.range(row).is_empty();
            if keeps {
                keep.extend(lists.range(row).map(|at| at as u32));
            }
            lengths.push(if keeps { lists.range(row).len() } else { 0 });
            valid.push(keeps);
        }
        let keep = arrow_array::UInt32Array::from(keep);
        let taken: std::result::Result<Vec<ArrayRef>, ArrowError> = columns
            .iter()
            .map(|column| arrow_select::take::take(column, &keep, None))
            .collect();
        let items = taken.and_then(|columns| StructArray::try_new(known.clone(), columns, None));
        let items = items.map_err(|cause| Error::Schema {
            message: cause.to_string(),
        })?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        let item = item_field(DataType::Struct(known));
        made(ListArray::try_new(item, offsets, Arc::new(items), Some(valid.into())))
    }
}

fn points_column(
    rows: Vec<i32>,
    valid: Option<NullBuffer>,
    parts: Vec<i32>,
    rings: Vec<i32>,
    coords: Float64Array,
) -> Result<Option<ArrayRef>> {
    let offsets = |ends: Vec<i32>| OffsetBuffer::new(ends.into());
    let build = || {
        let rings = ListArray::try_new(item_field(DataType::Float64), offsets(rings), Arc::new(coords), None)?;
        let parts = ListArray::try_new(item_field(ring_type()), offsets(parts), Arc::new(rings), None)?;
        let part_type = DataType::List(item_field(ring_type()));
        ListArray::try_new(item_field(part_type), offsets(rows), Arc::new(parts), valid)
    };
    made(build())
}
