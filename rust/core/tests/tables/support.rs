//! Tables as other programs write them, in memory.

use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float64Builder};
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, NullArray, RecordBatch, StringArray, UInt32Array,
};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_ipc::CompressionType;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use ropewalk_core::batch::Unit;
use ropewalk_core::error::{Error, Result};
use ropewalk_core::formats::table::{FileRows, TableFile, TableKind};
use ropewalk_core::formats::Reader;
use ropewalk_core::source::SourceFile;

/// Boxes on frames, from row `first` on: texts, categories, a column of nulls, one of our own, and floats with nulls.
pub fn boxes(first: usize, rows: usize) -> RecordBatch {
    let each = || first..first + rows;
    let media: StringArray = each().map(|row| Some(format!("video-{}.mp4", row / 7))).collect();
    let class_of = Int32Array::from_iter_values(each().map(|row| row as i32 % 2));
    let class = DictionaryArray::new(class_of, Arc::new(StringArray::from(vec!["Car", "Person"])));
    let mut boxes = FixedSizeListBuilder::new(Float64Builder::new(), 4);
    for row in each() {
        for value in [row as f64 * 0.25, 2.0, 30.0, 20.0] {
            boxes.values().append_value(value);
        }
        boxes.append(true);
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("media", Arc::new(media)),
        (
            "frame",
            Arc::new(each().map(|row| row as u32 % 7).collect::<UInt32Array>()),
        ),
        ("class", Arc::new(class)),
        ("track", Arc::new(NullArray::new(rows))),
        (
            "score",
            Arc::new(each().map(|row| (row % 3 > 0).then_some(0.5)).collect::<Float64Array>()),
        ),
        (
            "x_note",
            Arc::new(each().map(|row| Some(format!("note {row}"))).collect::<StringArray>()),
        ),
        ("box", Arc::new(boxes.finish())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

/// A Parquet file of `tables` with row groups of at most `group_rows` rows.
pub fn parquet(tables: &[RecordBatch], group_rows: usize, compression: Compression) -> Vec<u8> {
    let metadata = tables[0].schema().metadata().clone();
    let metadata = metadata
        .into_iter()
        .map(|(key, value)| KeyValue::new(key, value))
        .collect();
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(metadata))
        .set_compression(compression)
        .set_max_row_group_row_count(Some(group_rows))
        .set_data_page_row_count_limit(97)
        .build();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, tables[0].schema(), Some(properties)).unwrap();
    tables.iter().for_each(|table| writer.write(table).unwrap());
    writer.close().unwrap();
    file
}

fn ipc_options(compression: Option<CompressionType>) -> IpcWriteOptions {
    IpcWriteOptions::default().try_with_compression(compression).unwrap()
}

/// An Arrow file with a batch for each table.
pub fn arrow(tables: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer =
        FileWriter::try_new_with_options(&mut file, &tables[0].schema(), ipc_options(compression)).unwrap();
    tables.iter().for_each(|table| writer.write(table).unwrap());
    writer.finish().unwrap();
    drop(writer);
    file
}

/// An Arrow stream with a batch for each table.
pub fn stream(tables: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer =
        StreamWriter::try_new_with_options(&mut file, &tables[0].schema(), ipc_options(compression)).unwrap();
    tables.iter().for_each(|table| writer.write(table).unwrap());
    writer.finish().unwrap();
    drop(writer);
    file
}

pub fn open(kind: TableKind, file: &[u8]) -> Result<TableFile> {
    TableFile::open(&SourceFile::bytes("t.table", file), kind)
}

/// Rows of a file as far as they could be read, rejects included, and what stopped it.
pub fn read(kind: TableKind, file: &[u8]) -> (Vec<String>, Option<Error>) {
    let mut rows = match open(kind, file) {
        Ok(file) => FileRows::new(file, "run", Some(Unit::Px)),
        Err(error) => return (Vec::new(), Some(error)),
    };
    read_all(&mut rows)
}

/// Rows of a reader as far as they could be read, rejects included, and what stopped it.
pub fn read_all(reader: &mut dyn Reader) -> (Vec<String>, Option<Error>) {
    let mut shown = Vec::new();
    loop {
        match reader.next_batch() {
            Ok(Some(batch)) => {
                shown.extend((0..batch.rows.len()).map(|row| format!("{:?}", batch.rows.row(row))));
                shown.extend(batch.rejects.iter().map(|reject| reject.to_json_line()));
            }
            Ok(None) => return (shown, None),
            Err(error) => return (shown, Some(error)),
        }
    }
}

/// Rows of a file, all of them.
pub fn rows(kind: TableKind, file: &[u8]) -> Vec<String> {
    let (rows, error) = read(kind, file);
    assert!(error.is_none(), "{error:?}");
    rows
}
