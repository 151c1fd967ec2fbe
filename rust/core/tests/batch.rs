//! The IR: rows come back as they went in, and tables that do not follow the schema are refused by name.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt8Type;
use arrow_array::{ArrayRef, Float64Array, ListArray, RecordBatch, StringViewArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use ropewalk_core::batch::{
    schema, Annotation, AnnotationBatch, AnnotationBatchBuilder, Kind, Points, RleOrder, Shape, Unit, SCHEMA_VERSION,
};

const RINGS: [f64; 14] = [
    1.5, 2.0, 9.25, 2.0, 9.25, 5.5, 20.0, 1.0, 24.0, 1.0, 24.0, 9.0, 21.0, 3.0,
];

fn rows() -> Vec<Annotation<'static>> {
    let points = Points {
        coords: &RINGS,
        rings: &[0, 6, 14],
        parts: &[0, 1, 2],
    };
    let plain = Annotation::object("a file with a name longer than twelve.json", 17, "street.mp4", 3, "car");
    vec![
        Annotation {
            bbox: Some([0.1, 0.2, 30.0, 4.5]),
            shape: Some(Shape::BoundingBox),
            score: Some(0.25),
            ..plain
        },
        Annotation {
            annotation_id: Some("an id that is longer than twelve bytes"),
            track: Some("7"),
            shape: Some(Shape::Polygon),
            points: Some(points),
            width_px: Some(641),
            height_px: Some(47),
            ..plain
        },
        Annotation {
            source: "b",
            media: "ünïcode, and longer than twelve bytes.mp4",
            kind: Kind::Answer,
            frame_last: Some(9),
            unit: Unit::Frac,
            visibility: Some(&[2, 0, 1]),
            ..plain
        },
        Annotation {
            shape: Some(Shape::Bitmask),
            rle: Some(b"02203\\o and so on, longer than twelve"),
            rle_order: Some(RleOrder::ColumnMajor),
            theta: Some(-0.0),
            ..plain
        },
    ]
}

fn batch_of(rows: &[Annotation<'_>]) -> AnnotationBatch {
    let mut builder = AnnotationBatchBuilder::new();
    rows.iter().for_each(|row| builder.push(row));
    assert_eq!(builder.len(), rows.len());
    builder.finish().unwrap()
}

/// Rows compare with their coordinates only: offsets into shared buffers differ between a row and its batch.
fn flat(row: &Annotation<'_>) -> (Annotation<'static>, Option<Vec<Vec<Vec<f64>>>>, String) {
    let parts = row
        .points
        .map(|p| p.iter().map(|part| part.map(<[f64]>::to_vec).collect()).collect());
    let blank = Annotation::object("", 0, "", 0, "");
    (blank, parts, format!("{:?}", Annotation { points: None, ..*row }))
}

#[test]
fn rows_come_back_as_they_went_in() {
    let rows = rows();
    let batch = batch_of(&rows);
    assert_eq!(batch.len(), 4);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(flat(&batch.row(index)), flat(row));
    }
    let metadata = batch.record_batch().schema_ref().metadata().clone();
    assert_eq!(metadata["ropewalk.schema_version"], SCHEMA_VERSION.to_string());
}

#[test]
fn repeated_names_are_stored_once() {
    let row = rows()[0];
    let batch = batch_of(&vec![row; 1000]);
    let sources = batch.record_batch().column_by_name("source").unwrap().as_string_view();
    assert_eq!(
        sources.data_buffers().iter().map(|b| b.len()).sum::<usize>(),
        row.source.len()
    );
}

#[test]
fn an_empty_batch_has_the_schema() {
    let batch = AnnotationBatchBuilder::new().finish().unwrap();
    assert!(batch.is_empty());
    assert_eq!(batch.record_batch().schema(), schema());
}

fn with_column(batch: &AnnotationBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let index = schema().index_of(name).unwrap();
    let mut columns = batch.record_batch().columns().to_vec();
    columns[index] = column;
    RecordBatch::try_new(schema(), columns).unwrap()
}

#[test]
fn tables_that_break_the_schema_are_refused_by_column() {
    let batch = batch_of(&rows());
    let words = |word: &str| -> ArrayRef { Arc::new(StringViewArray::from(vec![word; 4])) };
    for name in ["kind", "shape", "unit", "rle_order"] {
        let error = AnnotationBatch::try_from_record_batch(with_column(&batch, name, words("nonsense"))).unwrap_err();
        assert!(
            error.to_string().contains(&format!("`{name}` holds \"nonsense\"")),
            "{error}"
        );
    }
    let mut fields = schema().fields().to_vec();
    fields.pop();
    let columns = batch.record_batch().columns()[..fields.len()].to_vec();
    let table = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    assert!(AnnotationBatch::try_from_record_batch(table.clone())
        .unwrap_err()
        .to_string()
        .contains("columns"));
    assert!(AnnotationBatch::from_table(&table)
        .unwrap_err()
        .to_string()
        .contains("no column `attributes`"));

    let metadata = [("ropewalk.schema_version".to_owned(), "2".to_owned())].into();
    let schema = Arc::new(Schema::new_with_metadata(schema().fields().clone(), metadata));
    let table = RecordBatch::try_new(schema, batch.record_batch().columns().to_vec()).unwrap();
    assert!(AnnotationBatch::from_table(&table)
        .unwrap_err()
        .to_string()
        .contains("version 2"));
}

#[test]
fn tables_in_other_types_and_order_are_taken() {
    let batch = batch_of(&rows());
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (field, column) in schema().fields().iter().zip(batch.record_batch().columns()) {
        let column = match field.name().as_str() {
            "offset" => Arc::new(UInt64Array::from(vec![17u64; 4])) as ArrayRef,
            "class" => arrow_cast::cast(column, &arrow_schema::DataType::LargeUtf8).unwrap(),
            "frame" => arrow_cast::cast(column, &arrow_schema::DataType::Int64).unwrap(),
            _ => column.clone(),
        };
        columns.insert(0, (field.name().clone(), column));
    }
    let table = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    let taken = AnnotationBatch::from_table(&table).unwrap();
    for (index, row) in rows().iter().enumerate() {
        assert_eq!(flat(&taken.row(index)), flat(row));
    }
    let negative: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![-1; 4]));
    let index = table.schema().index_of("frame").unwrap();
    let mut columns = table.columns().to_vec();
    columns[index] = negative;
    let table = RecordBatch::try_new(table.schema(), columns).unwrap();
    assert!(AnnotationBatch::from_table(&table)
        .unwrap_err()
        .to_string()
        .contains("column `frame`"));
}

#[test]
fn fractions_are_no_frames_and_null_no_flag() {
    let batch = batch_of(&rows());
    let floats = |frames: [f64; 4]| {
        let known = schema();
        let columns = known
            .fields()
            .iter()
            .cloned()
            .zip(batch.record_batch().columns().to_vec());
        let columns = columns.map(|(field, column)| match field.name().as_str() {
            "frame" => (
                "frame".to_owned(),
                Arc::new(Float64Array::from(frames.to_vec())) as ArrayRef,
                true,
            ),
            name => (name.to_owned(), column, true),
        });
        AnnotationBatch::from_table(&RecordBatch::try_from_iter_with_nullable(columns).unwrap())
    };
    assert_eq!(floats([3.0, 0.0, 7.0, 4294967295.0]).unwrap().row(2).frame, 7);
    let error = floats([3.0, 0.0, 7.5, 1.0]).unwrap_err().to_string();
    assert!(error.contains("column `frame` holds fractions"), "{error}");

    let flags = ListArray::from_iter_primitive::<UInt8Type, _, _>(
        [[Some(2), None], [Some(1), Some(0)]].repeat(2).into_iter().map(Some),
    );
    let error = AnnotationBatch::try_from_record_batch(with_column(&batch, "visibility", Arc::new(flags))).unwrap_err();
    assert!(
        error.to_string().contains("column `visibility` holds null flags"),
        "{error}"
    );
}

/// Boxes as lists of any length, in a table that is a slice of a larger one: each row keeps its own.
#[test]
fn slices_of_boxes_in_lists_keep_their_rows() {
    let row = rows()[0];
    let boxes = [0.0, 1.0, 2.0].map(|x| Some([x, 2.0, 30.0, 4.5]));
    let batch = batch_of(&boxes.map(|bbox| Annotation { bbox, ..row }));
    for item in [DataType::List, DataType::LargeList] {
        let mut columns = batch.record_batch().columns().to_vec();
        let index = schema().index_of("box").unwrap();
        columns[index] = arrow_cast::cast(
            &columns[index],
            &item(Field::new_list_field(DataType::Float64, true).into()),
        )
        .unwrap();
        let names = schema();
        let named = names
            .fields()
            .iter()
            .zip(columns)
            .map(|(field, column)| (field.name(), column, true));
        let table = RecordBatch::try_from_iter_with_nullable(named).unwrap();
        let slice = AnnotationBatch::from_table(&table.slice(1, 2)).unwrap();
        assert_eq!([slice.row(0).bbox, slice.row(1).bbox], boxes[1..]);
    }
}

proptest! {
    /// A slice of a batch gives the rows of the slice: offsets of views and lists are honoured.
    #[test]
    fn slices_give_their_own_rows(from in 0usize..5, len in 0usize..5) {
        let rows = rows();
        let table = batch_of(&rows).record_batch().clone();
        let (from, len) = (from.min(4), len.min(4 - from.min(4)));
        let slice = AnnotationBatch::try_from_record_batch(table.slice(from, len)).unwrap();
        prop_assert_eq!(slice.len(), len);
        for index in 0..len {
            prop_assert_eq!(flat(&slice.row(index)), flat(&rows[from + index]));
        }
    }
}
