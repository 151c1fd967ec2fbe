//! Damaged files: an error that names the file and what is wrong, or all rows; never fewer.

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use parquet::basic::{Compression, GzipLevel};
use ropewalk_core::error::Error;
use ropewalk_core::formats::table::TableKind;

use crate::support::{arrow, boxes, parquet, read, rows, stream};

/// Which bytes are damaged: the soak test takes more files, and more kinds of damage.
const EVERY: usize = 3;

/// Small files of every kind, each with several row groups or batches.
fn files() -> Vec<(TableKind, &'static str, Vec<u8>)> {
    let tables: Vec<RecordBatch> = vec![boxes(0, 4), boxes(4, 3)];
    vec![
        (TableKind::Parquet, "snappy", parquet(&tables, 4, Compression::SNAPPY)),
        (
            TableKind::Parquet,
            "gzip",
            parquet(&tables, 4, Compression::GZIP(GzipLevel::default())),
        ),
        (
            TableKind::Parquet,
            "plain",
            parquet(&tables, 4, Compression::UNCOMPRESSED),
        ),
        (TableKind::Arrow, "file", arrow(&tables, None)),
        (TableKind::Arrow, "zstd", arrow(&tables, Some(CompressionType::ZSTD))),
        (
            TableKind::Arrow,
            "lz4 stream",
            stream(&tables, Some(CompressionType::LZ4_FRAME)),
        ),
        (TableKind::Arrow, "stream", stream(&tables, None)),
    ]
}

fn check_error(error: &Error, what: &str) {
    let text = error.to_string();
    assert!(text.contains("t.table") || text.contains("run"), "{what}: {text}");
    assert!(
        matches!(error, Error::Source { .. } | Error::Schema { .. }),
        "{what}: {error:?}"
    );
}

#[test]
fn no_beginning_of_a_file_is_read_as_a_file() {
    for (kind, name, file) in files() {
        for len in 0..file.len() {
            let (_, error) = read(kind, &file[..len]);
            check_error(
                &error.unwrap_or_else(|| panic!("{name}: the first {len} bytes are read")),
                name,
            );
        }
    }
}

#[test]
fn a_byte_that_is_wrong_loses_no_row() {
    for (kind, name, file) in files() {
        let expected = rows(kind, &file).len();
        let mut refused = 0;
        for at in (0..file.len()).step_by(EVERY) {
            for flip in [1 << (at % 8), 0xff] {
                let mut damaged = file.clone();
                damaged[at] ^= flip;
                let (found, error) = read(kind, &damaged);
                match error {
                    Some(error) => {
                        check_error(&error, name);
                        refused += 1;
                    }
                    None => assert_eq!(found.len(), expected, "{name}: byte {at} with {flip:#x}"),
                }
            }
        }
        assert!(
            refused > file.len() / EVERY / 2,
            "{name}: {refused} of {} files are refused",
            2 * file.len() / EVERY
        );
    }
}

#[test]
fn bytes_left_out_or_put_in_lose_no_row() {
    for (kind, name, file) in files() {
        let expected = rows(kind, &file).len();
        for at in (0..file.len()).step_by(EVERY) {
            for (cut, put) in [[(1, 0), (0, 8)], [(8, 0), (64, 64)], [(0, 1), (8, 8)]][at % 3] {
                let end = file.len().min(at + cut);
                let damaged = [&file[..at], &vec![0; put], &file[end..]].concat();
                let (found, error) = read(kind, &damaged);
                match error {
                    Some(error) => check_error(&error, name),
                    None => assert_eq!(found.len(), expected, "{name}: {cut} bytes at {at} by {put}"),
                }
            }
        }
    }
}

#[test]
fn files_put_together_are_not_read_as_the_last_one() {
    let (one, two) = ([boxes(0, 4)], [boxes(4, 3)]);
    let both = [stream(&one, None), stream(&two, None)].concat();
    let (_, error) = read(TableKind::Arrow, &both);
    assert!(error
        .unwrap()
        .to_string()
        .contains("bytes follow the end of this Arrow stream"));
    let both = [arrow(&one, None), arrow(&two, None)].concat();
    assert!(read(TableKind::Arrow, &both).1.is_some());
}

#[test]
fn messages_name_the_place_and_what_to_do() {
    let file = parquet(&[boxes(0, 4)], 4, Compression::SNAPPY);
    for (content, kind, message) in [
        (
            &b"PAR1 and no more"[..],
            TableKind::Parquet,
            "t.table: byte 8: this is not a Parquet file: expected it to end with PAR1; it may be cut off",
        ),
        (
            b"",
            TableKind::Parquet,
            "t.table: byte 0: this is not a Parquet file: expected it to begin with PAR1",
        ),
        (
            b"ARROW1 and no more",
            TableKind::Arrow,
            "t.table: byte 8: expected this Arrow file to end with ARROW1; it may be cut off",
        ),
        (
            b"FEA1 of old",
            TableKind::Arrow,
            "t.table: byte 0: this is a Feather file of version 1; write it as version 2, which is Arrow IPC",
        ),
        (
            b"media,class\n",
            TableKind::Arrow,
            "t.table: byte 0: this is not an Arrow file or stream",
        ),
        (&file[..file.len() - 1], TableKind::Parquet, "it may be cut off"),
    ] {
        let error = read(kind, content).1.unwrap().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_damaged_column_that_is_not_read_costs_nothing() {
    let table = boxes(0, 50);
    for (kind, file) in [
        (
            TableKind::Parquet,
            parquet(std::slice::from_ref(&table), 50, Compression::UNCOMPRESSED),
        ),
        (TableKind::Arrow, arrow(std::slice::from_ref(&table), None)),
    ] {
        let expected = rows(kind, &file);
        let note = b"note 1";
        let at = file.windows(note.len()).position(|bytes| bytes == note).unwrap();
        let mut damaged = file.clone();
        // No text is of such bytes.
        damaged[at..at + note.len()].fill(0xff);
        assert_eq!(rows(kind, &damaged), expected);
        let media = b"video-1";
        let at = file.windows(media.len()).position(|bytes| bytes == media).unwrap();
        let mut damaged = file;
        damaged[at..at + media.len()].fill(0xff);
        check_error(&read(kind, &damaged).1.unwrap(), "media");
    }
}
