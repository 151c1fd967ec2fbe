//! Tables with some of the columns, in types of all kinds.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int32Array, Int64Array, LargeListArray,
    LargeStringArray, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow_schema::{DataType, Field};
use ropewalk_core::batch::{AnnotationBatch, Defaults, Unit};
use ropewalk_core::error::Error;
use ropewalk_core::formats::table::TableRows;
use ropewalk_core::formats::Reader;
use serde_json::{json, Value};

use super::read_all;

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn boxes(values: Vec<Option<Vec<Option<f64>>>>) -> ArrayRef {
    Arc::new(LargeListArray::from_iter_primitive::<Float64Type, _, _>(values))
}

fn some(values: &[f64]) -> Option<Vec<Option<f64>>> {
    Some(values.iter().copied().map(Some).collect())
}

/// A list of lists of lists, each row of which is given as JSON.
fn points(rows: &[Option<Vec<Vec<Vec<f64>>>>]) -> ArrayRef {
    let flat = |lengths: Vec<usize>, values: ArrayRef, nulls: Option<Vec<bool>>| -> ArrayRef {
        let field = Arc::new(Field::new("item", values.data_type().clone(), true));
        let offsets = arrow_buffer::OffsetBuffer::from_lengths(lengths);
        Arc::new(ListArray::try_new(field, offsets, values, nulls.map(Into::into)).unwrap())
    };
    let parts: Vec<&Vec<Vec<f64>>> = rows.iter().flatten().flatten().collect();
    let rings: Vec<&Vec<f64>> = parts.iter().copied().flatten().collect();
    let coords = Float64Array::from_iter_values(rings.iter().copied().flatten().copied());
    let rings = flat(rings.iter().map(|ring| ring.len()).collect(), Arc::new(coords), None);
    let parts = flat(parts.iter().map(|part| part.len()).collect(), rings, None);
    let valid = rows.iter().map(Option::is_some).collect();
    flat(
        rows.iter().map(|row| row.as_ref().map_or(0, Vec::len)).collect(),
        parts,
        Some(valid),
    )
}

fn read_table(tables: Vec<RecordBatch>) -> Result<(Vec<Value>, Vec<Value>), Error> {
    read_all(&mut TableRows::new("run", tables.into_iter().map(Ok)))
}

fn blocker(table: RecordBatch) -> String {
    read_table(vec![table]).unwrap_err().to_string()
}

#[test]
fn only_what_rows_need_has_to_be_there() {
    let part = || {
        table(vec![
            ("class", texts(&[Some("Car"), Some("Car")])),
            ("media", Arc::new(LargeStringArray::from(vec!["a.jpg", "b.mp4"]))),
            (
                "box",
                boxes(vec![some(&[1.0, 2.0, 3.0, 4.0]), some(&[0.5, 0.25, 0.125, 0.0])]),
            ),
            ("unit", texts(&[Some("px"), Some("frac")])),
            ("frame", Arc::new(Float64Array::from(vec![None, Some(7.0)]))),
            ("track", Arc::new(Int64Array::from(vec![None, Some(-3)]))),
            ("theta", Arc::new(Int64Array::from(vec![None, Some(30)]))),
            ("x_note", texts(&[None, Some("mine")])),
        ])
    };
    let (rows, rejects) = read_table(vec![part(), part()]).unwrap();
    assert_eq!(rejects, Vec::<Value>::new());
    assert_eq!(
        rows[..2],
        [
            json!({"source": "run", "offset": 0, "media": "a.jpg", "class": "Car", "frame": 0, "unit": "px",
                   "shape": "bounding_box", "box": [1.0, 2.0, 3.0, 4.0]}),
            json!({"source": "run", "offset": 1, "media": "b.mp4", "class": "Car", "frame": 7, "unit": "frac", "track": "-3",
                   "shape": "rotatable_bounding_box", "box": [0.5, 0.25, 0.125, 0.0], "theta": 30.0}),
        ]
    );
    assert_eq!((&rows[2]["offset"], &rows[3]["offset"]), (&json!(2), &json!(3)));
}

#[test]
fn a_missing_frame_is_not_the_first_one() {
    let frames: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(0)]));
    let rows = table(vec![
        ("class", texts(&[Some("Car"); 2])),
        ("media", texts(&[Some("a"); 2])),
        ("frame", frames),
    ]);
    let batch = TableRows::new("run", [Ok(rows)].into_iter())
        .next_batch()
        .unwrap()
        .unwrap();
    assert_eq!(batch.frameless, [true, false]);
}

#[test]
fn kinds_and_shapes_are_told() {
    let names: ArrayRef = texts(&[Some("Weather"), None]);
    let values: ArrayRef = texts(&[Some("Sunny"), None]);
    let fields = vec![
        (Arc::new(Field::new("name", DataType::Utf8, true)), names.slice(0, 1)),
        (Arc::new(Field::new("value", DataType::Utf8, true)), values.slice(0, 1)),
    ];
    let items = StructArray::from(fields);
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    let offsets = arrow_buffer::OffsetBuffer::from_lengths([1, 0, 0]);
    let attributes =
        ListArray::try_new(field, offsets, Arc::new(items), Some(vec![true, false, false].into())).unwrap();
    let ring = vec![vec![vec![1.0, 2.0, 8.0, 2.0, 8.0, 4.5]]];
    let (rows, rejects) = read_table(vec![table(vec![
        ("class", texts(&[Some("Weather"), Some("Tree"), Some("Road")])),
        ("media", texts(&[Some("a"); 3])),
        ("frame", Arc::new(Int64Array::from(vec![2; 3]))),
        ("frame_last", Arc::new(Int64Array::from(vec![Some(4), None, None]))),
        ("unit", texts(&[None, None, Some("px")])),
        ("rle", texts(&[None, Some("0_1"), None])),
        ("rle_order", texts(&[None, Some("row_major"), None])),
        ("width_px", Arc::new(Int64Array::from(vec![None, Some(8), None]))),
        ("height_px", Arc::new(Int64Array::from(vec![None, Some(4), None]))),
        ("points", points(&[None, None, Some(ring)])),
        ("attributes", Arc::new(attributes)),
    ])])
    .unwrap();
    assert_eq!(
        rows,
        [
            json!({"source": "run", "offset": 0, "media": "a", "class": "Weather", "frame": 2, "frame_last": 4,
                   "kind": "answer", "attributes": [{"name": "Weather", "value": "Sunny"}]}),
            json!({"source": "run", "offset": 1, "media": "a", "class": "Tree", "frame": 2, "shape": "bitmask",
                   "rle": "0_1", "rle_order": "row_major", "width_px": 8, "height_px": 4}),
        ]
    );
    // Points may be a polygon, a line or more.
    assert_eq!(rejects.len(), 1);
    assert_eq!((&rejects[0][0], &rejects[0][1]), (&json!("missing_field"), &json!(2)));
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let with = |name: &'static str, column: ArrayRef| {
        table(vec![
            ("class", texts(&[Some("Car")])),
            ("media", texts(&[Some("a")])),
            (name, column),
        ])
    };
    let one_box = || boxes(vec![some(&[1.0, 2.0, 3.0, 4.0])]);
    for (bad, says) in [
        (
            with("bbox", one_box()),
            "there is no column `bbox`; expected source, offset",
        ),
        (
            with("box", one_box()),
            "no column `unit`, and row 0 has coordinates; add it (px or frac",
        ),
        (
            with("rle", texts(&[Some("04")])),
            "no column `rle_order`, and row 0 has run lengths",
        ),
        (
            with("score", Arc::new(BooleanArray::from(vec![true]))),
            "column `score` is of Boolean; expected numbers",
        ),
        (
            with("frame", Arc::new(BooleanArray::from(vec![true]))),
            "column `frame` is of Boolean; expected whole numbers",
        ),
        (
            with("box", texts(&[Some("1,2,3,4")])),
            "column `box` is of Utf8; expected four numbers",
        ),
        (with("points", one_box()), "expected lists of parts of rings of numbers"),
        (
            with("track", Arc::new(BooleanArray::from(vec![true]))),
            "column `track` is of Boolean; expected strings or whole numbers",
        ),
        (with("class", texts(&[Some("Car")])), "column `class` appears twice"),
        (
            table(vec![("class", texts(&[Some("Car")]))]),
            "there is no column `media`",
        ),
    ] {
        let message = blocker(bad);
        assert!(message.contains("run: ") && message.contains(says), "{message}");
    }
    // A unit that is given stands for all rows that name none.
    let rows = [with("box", one_box())].into_iter().map(Ok);
    let (rows, _) = read_all(&mut TableRows::new("run", rows).unit(Some(Unit::Frac))).unwrap();
    assert_eq!(rows[0]["unit"], "frac");
}

#[test]
fn a_wrong_value_rejects_its_row_alone() {
    let good = [1.0, 2.0, 3.0, 4.0];
    let rows = 12;
    let column = |name: &'static str, at: usize, bad: Value| -> (&'static str, Vec<Value>) {
        let mut values = vec![Value::Null; rows];
        values[at] = bad;
        (name, values)
    };
    let strings = |values: &[Value]| texts(&values.iter().map(Value::as_str).collect::<Vec<_>>());
    let mut media = vec![Some("a"); rows];
    media[1] = None;
    let mut all_boxes = vec![some(&good); rows];
    all_boxes[2] = some(&[1.0, 2.0, 3.0]);
    all_boxes[3] = Some(vec![Some(1.0), None, Some(3.0), Some(4.0)]);
    all_boxes[4] = some(&[1.0, 2.0, f64::NAN, 4.0]);
    all_boxes[5] = some(&[1.0, 2.0, -3.0, 4.0]);
    let mut thetas = vec![Some(0.5); rows];
    (thetas[6], thetas[7]) = (Some(f64::NAN), Some(f64::INFINITY));
    let mut frames = vec![Some(0.0); rows];
    (frames[8], frames[9]) = (Some(-1.0), Some(2.5));
    let (_, shapes) = column("shape", 10, json!("bounding-box"));
    let mut units = vec![Some("px"); rows];
    units[11] = Some("pixel");
    let (found, rejects) = read_table(vec![table(vec![
        ("class", texts(&vec![Some("Car"); rows])),
        ("media", texts(&media)),
        ("box", boxes(all_boxes)),
        ("theta", Arc::new(Float64Array::from(thetas))),
        ("frame", Arc::new(Float64Array::from(frames))),
        ("shape", strings(&shapes)),
        ("unit", texts(&units)),
    ])])
    .unwrap();
    // An angle that is not a number is only missed by a class that needs it.
    assert_eq!(found.len(), 3);
    let mut codes: Vec<(u64, &str)> = rejects
        .iter()
        .map(|reject| (reject[1].as_u64().unwrap(), reject[0].as_str().unwrap()))
        .collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            (1, "missing_field"),
            (2, "bad_field"),
            (3, "bad_field"),
            (4, "not_finite"),
            (5, "negative_box"),
            (8, "bad_field"),
            (9, "bad_field"),
            (10, "bad_field"),
            (11, "bad_field"),
        ]
    );
    let of = |offset: u64| rejects.iter().find(|reject| reject[1] == offset).unwrap()[2].clone();
    // What is wrong stands in the reject as it was, where it can be mended; of the rest only what the row said.
    assert_eq!(
        (&of(2)["unit"], &of(11)["unit"], of(2).get("kind")),
        (&json!("px"), &json!("pixel"), None)
    );
    assert_eq!(of(2)["box"], json!([1.0, 2.0, 3.0]));
    assert_eq!(of(9)["frame"], json!(2.5));
    assert_eq!(
        (&of(10)["shape"], &of(10)["box"]),
        (&json!("bounding-box"), &json!(good))
    );
}

#[test]
fn slices_of_large_tables_are_read_whole() {
    let rows: usize = 40_000;
    let ring = |at: usize| Some(vec![vec![vec![at as f64, 1.0, 5.0, 1.0, 5.0, 3.0]]]);
    let mut all: Vec<_> = (0..rows).map(ring).collect();
    all[39_999] = Some(vec![vec![vec![1.0; 5]]]);
    let whole = table(vec![
        ("class", texts(&vec![Some("Road"); rows])),
        ("media", texts(&vec![Some("a"); rows])),
        ("shape", texts(&vec![Some("polygon"); rows])),
        ("unit", texts(&vec![Some("px"); rows])),
        ("points", points(&all)),
    ]);
    let (found, rejects) = read_table(vec![whole.slice(5, rows - 5)]).unwrap();
    assert_eq!((found.len(), rejects.len()), (rows - 6, 1));
    assert_eq!((&rejects[0][0], &rejects[0][1]), (&json!("bad_field"), &json!(39_994)));
    for at in [0, 16_383, 16_384, 30_000, 39_993] {
        assert_eq!(
            (&found[at]["offset"], &found[at]["points"][0][0][0]),
            (&json!(at), &json!((at + 5) as f64))
        );
    }
}

#[test]
fn defaults_are_filled_in() {
    let ints: ArrayRef = Arc::new(LargeListArray::from_iter_primitive::<Int64Type, _, _>([Some([
        Some(1),
        Some(2),
        Some(3),
        Some(4),
    ])]));
    let whole = table(vec![
        ("class", texts(&[Some("c")])),
        ("media", texts(&[Some("a")])),
        ("box", ints),
        ("unit", texts(&[Some("px")])),
    ]);
    let defaults = Defaults {
        source: "s",
        first_offset: 9,
        unit: None,
    };
    let opened = AnnotationBatch::from_open_table(&whole, defaults).unwrap();
    let row = opened.batch.row(0);
    assert_eq!((row.bbox, row.source, row.offset), (Some([1.0, 2.0, 3.0, 4.0]), "s", 9));
}

/// The values of a member of rows of a table with three objects, and the rejects.
fn member_of(name: &'static str, column: ArrayRef) -> (Vec<Value>, Vec<Value>) {
    let mut columns = vec![
        ("media", texts(&[Some("a"); 3])),
        ("class", texts(&[Some("Car"); 3])),
        ("unit", texts(&[Some("px"); 3])),
        ("box", boxes(vec![some(&[1.0, 2.0, 3.0, 4.0]); 3])),
    ];
    columns.retain(|(known, _)| *known != name);
    columns.push((name, column));
    let (rows, rejects) = read_table(vec![table(columns)]).unwrap();
    (rows.iter().map(|row| row[name].clone()).collect(), rejects)
}

/// Numbers in the types in which programs leave whole numbers where some are missing.
fn as_columns(values: [Option<f64>; 3]) -> [ArrayRef; 3] {
    let narrow: Float32Array = values.iter().map(|value| value.map(|value| value as f32)).collect();
    let keys: Int32Array = (0..3).map(|at| values[at as usize].map(|_| at)).collect();
    let plain: Float64Array = values.iter().map(|value| value.unwrap_or(0.0)).map(Some).collect();
    [
        Arc::new(Float64Array::from(values.to_vec())),
        Arc::new(narrow),
        Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(plain)).unwrap()),
    ]
}

#[test]
fn whole_numbers_are_ids_in_whatever_type_they_come() {
    for name in ["track", "annotation_id", "class", "media"] {
        for column in as_columns([Some(7.0), Some(12.0), Some(2.0)]) {
            let (found, rejects) = member_of(name, column);
            assert_eq!(
                (found, rejects.len()),
                (vec![json!("7"), json!("12"), json!("2")], 0),
                "{name}"
            );
        }
    }
    let keys = Int32Array::from(vec![Some(1), None, Some(0)]);
    let values = Arc::new(Int64Array::from(vec![4, 5]));
    let ids = Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values).unwrap());
    let (found, _) = member_of("track", ids);
    assert_eq!(found, [json!("5"), Value::Null, json!("4")]);
}

#[test]
fn a_missing_number_is_no_id_and_a_fraction_is_rejected() {
    for column in as_columns([Some(f64::NAN), None, Some(1.5)]) {
        let (found, rejects) = member_of("track", column);
        assert_eq!(found, [Value::Null, Value::Null]);
        assert_eq!(
            (&rejects[0][0], &rejects[0][2]["track"]),
            (&json!("bad_field"), &json!(1.5))
        );
    }
    let (_, rejects) = member_of("class", Arc::new(Float64Array::from(vec![1.0, f64::NAN, 1e300])));
    let codes: Vec<&Value> = rejects.iter().map(|reject| &reject[0]).collect();
    assert_eq!(codes, ["bad_field", "missing_field"]);
}

#[test]
fn texts_are_read_where_numbers_are_meant() {
    let numbers = texts(&[Some("000012"), Some("7.0"), Some("seven")]);
    let (frames, rejects) = member_of("frame", Arc::clone(&numbers));
    assert_eq!(
        (frames, &rejects[0][2]["frame"]),
        (vec![json!(12), json!(7)], &json!("seven"))
    );
    let (scores, rejects) = member_of("theta", numbers);
    assert_eq!(
        (scores, &rejects[0][0]),
        (vec![json!(12.0), json!(7.0)], &json!("bad_field"))
    );
}
