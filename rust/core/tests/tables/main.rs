//! Parquet and Arrow files: read whole in any layout, or not at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod damage;
mod support;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use ropewalk_core::batch::Unit;
use ropewalk_core::error::Error;
use ropewalk_core::formats::table::{FileRows, TableKind, TableRows};
use ropewalk_core::formats::Reader;
use ropewalk_core::source::SourceFile;

use support::{arrow, boxes, open, parquet, read_all, rows, stream};

/// Rows of tables as they are in memory.
fn expected(tables: Vec<RecordBatch>) -> Vec<String> {
    let mut rows = TableRows::new("run", tables.into_iter().map(Ok)).unit(Some(Unit::Px));
    let (rows, error) = read_all(&mut rows);
    assert!(error.is_none(), "{error:?}");
    rows
}

#[test]
fn parquet_in_row_groups_and_codecs_of_all_kinds() {
    let table = boxes(0, 1000);
    let expected = expected(vec![table.clone()]);
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    for codec in codecs {
        for group_rows in [7, 333, 1000] {
            let file = parquet(std::slice::from_ref(&table), group_rows, codec);
            assert_eq!(open(TableKind::Parquet, &file).unwrap().ends().last(), Some(&1000));
            assert_eq!(
                rows(TableKind::Parquet, &file),
                expected,
                "{codec:?} in groups of {group_rows}"
            );
        }
    }
}

#[test]
fn arrow_files_and_streams_with_and_without_compression() {
    let tables = [boxes(0, 5), boxes(5, 0), boxes(5, 700)];
    let expected = expected(tables.to_vec());
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        assert_eq!(rows(TableKind::Arrow, &arrow(&tables, compression)), expected);
        assert_eq!(rows(TableKind::Arrow, &stream(&tables, compression)), expected);
    }
}

#[test]
fn pieces_put_together_are_the_table() {
    let tables = [boxes(0, 5), boxes(5, 11), boxes(16, 1), boxes(17, 40)];
    for (kind, file) in [
        (TableKind::Parquet, parquet(&tables, 6, Compression::SNAPPY)),
        (TableKind::Arrow, arrow(&tables, None)),
        (TableKind::Arrow, stream(&tables, None)),
    ] {
        let opened = open(kind, &file).unwrap();
        let expected = rows(kind, &file);
        assert!(opened.pieces() >= 4);
        let bytes = opened.len_bytes();
        for len_bytes in [0, bytes / 8, bytes / 3, bytes / 2, bytes] {
            let mut whole = FileRows::new(opened.clone(), "run", Some(Unit::Px));
            let Some(pieces) = whole.pieces(len_bytes).unwrap() else {
                assert_eq!(len_bytes, bytes);
                continue;
            };
            assert!((2..=opened.pieces()).contains(&pieces.len()));
            assert!(len_bytes > 0 || pieces.len() == opened.pieces());
            let found = pieces.into_iter().flat_map(|open| {
                let (rows, error) = read_all(open().unwrap().as_mut());
                assert!(error.is_none(), "{error:?}");
                rows
            });
            assert!(
                found.eq(expected.iter().cloned()),
                "{kind:?} in pieces of {len_bytes} bytes"
            );
        }
    }
}

#[test]
fn a_table_without_rows() {
    let none = boxes(0, 0);
    for (kind, file) in [
        (
            TableKind::Parquet,
            parquet(std::slice::from_ref(&none), 6, Compression::SNAPPY),
        ),
        (TableKind::Arrow, arrow(std::slice::from_ref(&none), None)),
        (TableKind::Arrow, stream(&[none], None)),
    ] {
        assert_eq!(rows(kind, &file), Vec::<String>::new());
    }
}

#[test]
fn progress_ends_at_the_length_of_the_file() {
    let file = parquet(&[boxes(0, 1000)], 100, Compression::SNAPPY);
    let opened = open(TableKind::Parquet, &file).unwrap();
    let mut rows = FileRows::new(opened, "run", Some(Unit::Px));
    let mut told = Vec::new();
    while rows.next_batch().unwrap().is_some() {
        told.push(rows.bytes_read());
    }
    assert!(told.is_sorted() && told.len() == 10);
    assert_eq!(told.last(), Some(&(file.len() as u64)));
}

#[test]
fn wrong_columns_and_versions_stop_before_the_first_row() {
    let table = boxes(0, 3);
    let with = |name: &str| {
        let mut columns: Vec<_> = table
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        columns[4] = name.to_owned();
        RecordBatch::try_from_iter(columns.into_iter().zip(table.columns().to_vec())).unwrap()
    };
    let version = table
        .schema()
        .as_ref()
        .clone()
        .with_metadata([("ropewalk.schema_version".into(), "2".into())].into());
    let newer = table.clone().with_schema(version.into()).unwrap();
    let without = table.project(&[0, 1]).unwrap();
    for (table, message) in [
        (with("scores"), "t.table: there is no column `scores`"),
        (with("frame"), "t.table: column `frame` appears twice"),
        (without, "t.table: there is no column `class`"),
        (newer, "t.table: the table says version 2; this release reads 1"),
    ] {
        for (kind, file) in [
            (
                TableKind::Parquet,
                parquet(std::slice::from_ref(&table), 6, Compression::SNAPPY),
            ),
            (TableKind::Arrow, arrow(std::slice::from_ref(&table), None)),
            (TableKind::Arrow, stream(std::slice::from_ref(&table), None)),
        ] {
            let error = open(kind, &file).unwrap_err();
            assert!(matches!(error, Error::Schema { .. }), "{error:?}");
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}

#[test]
fn a_file_that_is_not_there_or_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    for (path, kind) in [
        (folder.path().join("none.parquet"), TableKind::Parquet),
        (folder.path().into(), TableKind::Arrow),
    ] {
        let error = ropewalk_core::formats::table::TableFile::open(&SourceFile::path(&path), kind).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        assert!(error.to_string().starts_with(&path.display().to_string()));
    }
}
