//! Columns of an IR table drawn from bytes: as plain values, and as Arrow arrays of one of several types.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    new_null_array, Array, ArrayRef, BinaryArray, BinaryViewArray, DictionaryArray, FixedSizeListArray, Float32Array,
    Float64Array, Int64Array, LargeListArray, LargeStringArray, ListArray, StringArray, StringViewArray, UInt32Array,
    UInt64Array, UInt8Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::Field;
use ropewalk_core::batch::{schema, Annotation, Kind, RleOrder, Shape, Unit};

use crate::bytes::Bytes;

/// A row as plain values.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    texts: [Option<String>; 9],
    offset: u64,
    numbers: [Option<u32>; 4],
    floats: [Option<f64>; 2],
    bbox: Option<[f64; 4]>,
    points: Option<Vec<Vec<Vec<f64>>>>,
    visibility: Option<Vec<u8>>,
    rle: Option<Vec<u8>>,
}

/// Columns of text, and whether each may be null.
const TEXTS: [(&str, bool); 9] = [
    ("source", false),
    ("annotation_id", true),
    ("media", false),
    ("kind", false),
    ("class", false),
    ("track", true),
    ("shape", true),
    ("unit", false),
    ("rle_order", true),
];
const NUMBERS: [(&str, bool); 4] = [
    ("frame", true),
    ("frame_last", true),
    ("width_px", true),
    ("height_px", true),
];
const FLOATS: [&str; 2] = ["score", "theta"];

impl Row {
    fn text(&self, name: &str) -> Option<&str> {
        let index = TEXTS.iter().position(|(known, _)| *known == name)?;
        self.texts[index].as_deref()
    }

    /// The row as [`super::ir_table`] shows those of a batch.
    pub fn shown(&self) -> (String, Option<Vec<Vec<Vec<f64>>>>) {
        let text = |name| self.text(name).unwrap_or_default();
        let [frame, frame_last, width_px, height_px] = self.numbers;
        let row = Annotation {
            annotation_id: self.text("annotation_id"),
            frame_last,
            kind: Kind::parse(text("kind")).unwrap_or(Kind::Object),
            // An empty one says that there is none.
            track: self.text("track").filter(|track| !track.is_empty()),
            score: self.floats[0],
            shape: self.text("shape").and_then(Shape::parse),
            unit: Unit::parse(text("unit")).unwrap_or(Unit::Px),
            width_px,
            height_px,
            bbox: self.bbox,
            theta: self.floats[1],
            visibility: self.visibility.as_deref(),
            rle: self.rle.as_deref(),
            rle_order: self.text("rle_order").and_then(RleOrder::parse),
            ..Annotation::object(
                text("source"),
                self.offset,
                text("media"),
                frame.unwrap_or(0),
                text("class"),
            )
        };
        (format!("{row:?}"), self.points.clone())
    }
}

/// Arrays of `total` rows, of which those in `used` will be kept.
pub(super) struct Columns {
    /// Names and arrays, in the schema's order.
    pub arrays: Vec<(&'static str, ArrayRef)>,
    /// The used rows.
    pub rows: Vec<Row>,
    /// Whether the used rows hold what must be refused.
    pub must_fail: bool,
    /// Whether something stands elsewhere that may be refused.
    pub may_fail: bool,
    used: Range<usize>,
}

impl Columns {
    pub fn draw(bytes: &mut Bytes<'_>, used: Range<usize>, total: usize) -> Self {
        let mut columns = Self {
            arrays: Vec::new(),
            rows: vec![Row::default(); used.len()],
            must_fail: false,
            may_fail: false,
            used,
        };
        for field in schema().fields() {
            columns.column(bytes, field, total);
        }
        columns
    }

    /// Notes something wrong with row `row`.
    fn wrong(&mut self, row: usize) {
        let used = self.used.contains(&row);
        self.must_fail |= used;
        self.may_fail |= !used;
    }

    /// Takes over the values of the used rows.
    fn keep<T: Clone>(&mut self, values: &[T], into: impl Fn(&mut Row) -> &mut T) {
        let used = values[self.used.clone()].iter();
        self.rows
            .iter_mut()
            .zip(used)
            .for_each(|(row, value)| *into(row) = value.clone());
    }

    fn column(&mut self, bytes: &mut Bytes<'_>, field: &Field, total: usize) {
        let of = |names: &[(&'static str, bool)]| names.iter().position(|(name, _)| name == field.name());
        if let Some(index) = of(&TEXTS) {
            let array = self.texts(bytes, index, total);
            return self.arrays.push((TEXTS[index].0, array));
        }
        if let Some(index) = of(&NUMBERS) {
            let array = self.numbers(bytes, index, total);
            return self.arrays.push((NUMBERS[index].0, array));
        }
        if let Some(index) = FLOATS.iter().position(|name| name == field.name()) {
            let array = self.floats(bytes, index, total);
            return self.arrays.push((FLOATS[index], array));
        }
        let (name, array) = match field.name().as_str() {
            "offset" => ("offset", self.offsets(bytes, total)),
            "box" => ("box", self.boxes(bytes, total)),
            "points" => ("points", self.points(bytes, total)),
            "visibility" => ("visibility", self.visibility(bytes, total)),
            "rle" => ("rle", self.rles(bytes, total)),
            _ => ("attributes", new_null_array(field.data_type(), total)),
        };
        self.arrays.push((name, array));
    }

    fn texts(&mut self, bytes: &mut Bytes<'_>, index: usize, total: usize) -> ArrayRef {
        let (name, nullable) = TEXTS[index];
        let words: &[&str] = match name {
            "kind" => &["object", "answer"],
            "shape" => &[
                "bounding_box",
                "rotatable_bounding_box",
                "polygon",
                "polyline",
                "bitmask",
                "skeleton",
            ],
            "unit" => &["px", "frac"],
            "rle_order" => &["column_major", "row_major"],
            _ => &[
                "",
                "a",
                "ünï 🚀",
                "a name that is longer than twelve bytes",
                "another of those, also long",
            ],
        };
        let is_word = !words.contains(&"");
        let form = bytes.below(5);
        let mut values = Vec::new();
        for row in 0..total {
            let draw = usize::from(bytes.byte());
            values.push(match draw {
                250.. => None,
                240.. if is_word => Some("nonsense".to_owned()),
                _ => Some(words[draw % words.len()].to_owned()),
            });
            if draw >= 250 && !nullable || (240..250).contains(&draw) && is_word {
                self.wrong(row);
            }
        }
        self.keep(&values, |row| &mut row.texts[index]);
        match form {
            0 => Arc::new(StringViewArray::from_iter(values)),
            1 => Arc::new(StringArray::from_iter(values)),
            2 => Arc::new(LargeStringArray::from_iter(values)),
            3 => Arc::new(
                values
                    .iter()
                    .map(Option::as_deref)
                    .collect::<DictionaryArray<Int32Type>>(),
            ),
            _ => Arc::new(BinaryArray::from_iter(values)),
        }
    }

    fn numbers(&mut self, bytes: &mut Bytes<'_>, index: usize, total: usize) -> ArrayRef {
        let nullable = NUMBERS[index].1;
        let form = bytes.below(3);
        let mut drawn: Vec<Option<f64>> = Vec::new();
        for row in 0..total {
            let (draw, value) = match bytes.byte() {
                250.. => (250, None),
                draw @ 248.. => (draw, Some(f64::from(bytes.u32()))),
                240.. if form > 0 => (240, Some(-1.0)),
                232.. if form > 0 => (240, Some(4_294_967_296.0)),
                224.. if form > 1 => (240, Some(2.5)),
                draw => (0, Some(f64::from(draw))),
            };
            if draw == 250 && !nullable || draw == 240 {
                self.wrong(row);
            }
            drawn.push(value);
        }
        let values: Vec<Option<u32>> = drawn.iter().map(|value| value.map(|value| value as u32)).collect();
        self.keep(&values, |row| &mut row.numbers[index]);
        match form {
            0 => Arc::new(UInt32Array::from(values)),
            1 => Arc::new(Int64Array::from_iter(
                drawn.iter().map(|value| value.map(|value| value as i64)),
            )),
            _ => Arc::new(Float64Array::from(drawn)),
        }
    }

    fn floats(&mut self, bytes: &mut Bytes<'_>, index: usize, total: usize) -> ArrayRef {
        let form = bytes.below(3);
        let values: Vec<Option<f64>> = (0..total)
            .map(|_| match bytes.byte() {
                250.. => None,
                draw @ 240.. if form == 0 && draw < 250 => Some(bytes.f64()),
                draw => Some(f64::from(draw)),
            })
            .collect();
        self.keep(&values, |row| &mut row.floats[index]);
        match form {
            0 => Arc::new(Float64Array::from(values)),
            1 => Arc::new(Float32Array::from_iter(
                values.iter().map(|value| value.map(|value| value as f32)),
            )),
            _ => Arc::new(UInt8Array::from_iter(
                values.iter().map(|value| value.map(|value| value as u8)),
            )),
        }
    }

    fn offsets(&mut self, bytes: &mut Bytes<'_>, total: usize) -> ArrayRef {
        let form = bytes.below(2);
        let drawn: Vec<Option<i64>> = (0..total)
            .map(|_| match bytes.byte() {
                253.. => None,
                250.. => Some(bytes.i64()),
                draw => Some(i64::from(draw)),
            })
            .collect();
        for (row, value) in drawn.iter().enumerate() {
            if value.is_none_or(|value| value < 0 && form == 1) {
                self.wrong(row);
            }
        }
        let values: Vec<u64> = drawn.iter().map(|value| value.unwrap_or_default() as u64).collect();
        self.keep(&values, |row| &mut row.offset);
        match form {
            0 => Arc::new(UInt64Array::from_iter(
                drawn.iter().map(|value| value.map(|value| value as u64)),
            )),
            _ => Arc::new(Int64Array::from(drawn)),
        }
    }

    fn boxes(&mut self, bytes: &mut Bytes<'_>, total: usize) -> ArrayRef {
        let (form, mut rows) = (bytes.below(2), Vec::new());
        for row in 0..total {
            let valid = bytes.byte() < 200;
            let sides: Vec<Option<f64>> = (0..4).map(|_| coordinate(bytes)).collect();
            let known: Vec<f64> = sides.iter().copied().flatten().collect();
            let whole = <[f64; 4]>::try_from(known).ok().filter(|_| valid);
            if valid && whole.is_none() {
                self.wrong(row);
            }
            rows.push((whole, valid, sides));
        }
        let values: Vec<_> = rows.iter().map(|row| row.0).collect();
        self.keep(&values, |row| &mut row.bbox);
        let valid = Some(rows.iter().map(|row| row.1).collect::<NullBuffer>());
        let flat: ArrayRef = Arc::new(rows.iter().flat_map(|row| row.2.clone()).collect::<Float64Array>());
        if form == 0 {
            return Arc::new(FixedSizeListArray::new(item(&flat), 4, flat, valid));
        }
        let lengths = OffsetBuffer::from_repeated_length(4, total);
        Arc::new(ListArray::new(item(&flat), lengths, flat, valid))
    }

    /// Three levels of lists; null rows have content of their own, as slices of others may.
    fn points(&mut self, bytes: &mut Bytes<'_>, total: usize) -> ArrayRef {
        let large = bytes.below(2) == 1;
        let (mut coords, mut rings, mut parts, mut rows) = (vec![], List::default(), List::default(), List::default());
        let mut values = Vec::new();
        for row in 0..total {
            let draw = bytes.byte();
            let (valid, mut sound, mut of_row) = (draw < 200, true, Vec::new());
            for _ in 0..draw % 3 {
                let (draw, mut of_part) = (bytes.byte(), Vec::new());
                for _ in 0..draw % 3 {
                    let draw = bytes.byte();
                    let ring: Vec<Option<f64>> = (0..draw % 8).map(|_| coordinate(bytes)).collect();
                    sound &= draw < 250 && ring.len().is_multiple_of(2) && !ring.contains(&None);
                    rings.push(ring.len(), draw < 250);
                    of_part.push(ring.iter().copied().flatten().collect::<Vec<f64>>());
                    coords.extend(ring);
                }
                sound &= draw < 250;
                parts.push(of_part.len(), draw < 250);
                of_row.push(of_part);
            }
            if !sound && valid {
                self.wrong(row);
            }
            self.may_fail |= !sound;
            rows.push(of_row.len(), valid);
            values.push(valid.then_some(of_row));
        }
        self.keep(&values, |row| &mut row.points);
        let coords: ArrayRef = Arc::new(Float64Array::from(coords));
        rows.array(parts.array(rings.array(coords, large), large), large)
    }

    fn visibility(&mut self, bytes: &mut Bytes<'_>, total: usize) -> ArrayRef {
        let form = bytes.below(3);
        let (mut flags, mut rows, mut values) = (Vec::new(), List::default(), Vec::new());
        for row in 0..total {
            let draw = bytes.byte();
            let valid = draw < 200;
            let of_row: Vec<Option<u8>> = (0..draw % 4)
                .map(|_| Some(bytes.byte()).filter(|&flag| flag < 250))
                .collect();
            let sound = !of_row.contains(&None);
            if !sound && valid {
                self.wrong(row);
            }
            self.may_fail |= !sound;
            rows.push(of_row.len(), valid);
            values.push(valid.then(|| of_row.iter().copied().flatten().collect::<Vec<u8>>()));
            flags.extend(of_row);
        }
        self.keep(&values, |row| &mut row.visibility);
        let flags: ArrayRef = match form {
            2 => Arc::new(UInt32Array::from_iter(flags.iter().map(|flag| flag.map(u32::from)))),
            _ => Arc::new(UInt8Array::from(flags)),
        };
        rows.array(flags, form == 1)
    }

    fn rles(&mut self, bytes: &mut Bytes<'_>, total: usize) -> ArrayRef {
        let form = bytes.below(3);
        let values: Vec<Option<Vec<u8>>> = (0..total)
            .map(|_| {
                let draw = bytes.byte();
                (draw < 200).then(|| (0..draw % 16).map(|_| bytes.byte() % 64 + 48).collect())
            })
            .collect();
        self.keep(&values, |row| &mut row.rle);
        let texts = values.iter().map(|value| value.as_deref().map(String::from_utf8_lossy));
        match form {
            0 => Arc::new(BinaryViewArray::from_iter(values.iter().map(Option::as_deref))),
            1 => Arc::new(BinaryArray::from_iter(values.iter().map(Option::as_deref))),
            _ => Arc::new(StringArray::from_iter(texts)),
        }
    }
}

fn coordinate(bytes: &mut Bytes<'_>) -> Option<f64> {
    match bytes.byte() {
        250.. => None,
        245.. => Some(bytes.f64()).filter(|value| !value.is_nan()),
        draw => Some(f64::from(draw) / 4.0),
    }
}

fn item(values: &ArrayRef) -> Arc<Field> {
    Arc::new(Field::new("item", values.data_type().clone(), true))
}

/// One level of lists.
#[derive(Default)]
struct List {
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

impl List {
    fn push(&mut self, length: usize, valid: bool) {
        self.lengths.push(length);
        self.valid.push(valid);
    }

    fn array(self, values: ArrayRef, large: bool) -> ArrayRef {
        let valid = self.valid.contains(&false).then(|| NullBuffer::from(self.valid));
        if large {
            let offsets = OffsetBuffer::from_lengths(self.lengths);
            return Arc::new(LargeListArray::new(item(&values), offsets, values, valid));
        }
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        Arc::new(ListArray::new(item(&values), offsets, values, valid))
    }
}
