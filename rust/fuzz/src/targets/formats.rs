//! Files of every format, in chunks of any size and in pieces.
//!
//! Input: the format (a byte), the chunk size (u16), most rows a batch of COCO, or pieces (a byte), and the file.

use ropewalk_core::batch::AttributeValue;
use ropewalk_core::error::{Error, Result};
use ropewalk_core::formats::detect::detect;
use ropewalk_core::formats::registry::FORMATS;
use ropewalk_core::formats::{open, Batch, Beside, Files, Format, Opening, ReadOptions, Reader, Sure, Texts};
use ropewalk_core::reject::Counts;
use ropewalk_core::source::{Excerpts, Source, SourceFile};
use ropewalk_testkit::json::{self, Fault, Json};

use super::coco;
use crate::bytes::Bytes;
use crate::memory::within;

pub(super) const WORDS: &[&str] = &[
    "blocked",
    "compressed",
    "dataset",
    "no rows",
    "rejects",
    "results",
    "rows",
    "unknown",
];

/// How gzip and Zstandard begin.
const COMPRESSED: [&[u8]; 2] = [b"\x1F\x8B", b"\x28\xB5\x2F\xFD"];

/// Bytes that are read at a time where the input does not say.
const CHUNK_BYTES: usize = 1 << 10;

/// Bytes that detecting or reading a file may hold: rejects of a few hundred bytes for lines of two, until a batch is full.
fn reading_bytes(len: usize, chunk_bytes: usize) -> usize {
    (400 * len).min(24 * len + MOST_BATCH_BYTES) + 4 * chunk_bytes + (1 << 17)
}

/// Bytes that a batch takes at most beside its text.
const MOST_BATCH_BYTES: usize = 1 << 22;

/// The formats that read files, as the first byte of the input counts them.
pub fn file_formats() -> impl Iterator<Item = &'static Format> {
    let of_files = |format: &&Format| !matches!(format.files, Files::None);
    FORMATS.iter().copied().filter(of_files)
}

/// The input for a file of format `number`.
pub fn input(number: usize, file: &[u8]) -> Vec<u8> {
    [&[number as u8, 3, 0, 2], file].concat()
}

/// What a source gives, in a form that can be compared.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    rows: Vec<String>,
    /// Lines of the reject file.
    lines: Vec<String>,
    read: u64,
    filtered: Counts,
}

/// Detects a file, and reads it as a format.
pub fn formats(input: &[u8]) -> &'static str {
    let mut bytes = Bytes(input);
    let number = bytes.below(file_formats().count());
    let (chunk_bytes, small) = (usize::from(bytes.u16()), bytes.byte());
    let Some(format) = file_formats().nth(number) else {
        unreachable!("the number is below their count")
    };
    let text = bytes.rest();
    let file = SourceFile::bytes("file", text);
    let is_compressed = COMPRESSED.iter().any(|head| text.starts_with(head));
    // A compressed file has a bound of its own.
    let most = if is_compressed {
        usize::MAX
    } else {
        reading_bytes(text.len(), chunk_bytes)
    };
    let detected = within(most, || detect(&file).map(|(format, _)| format));
    let through = within(most, || read_through(format, &file, chunk_bytes));
    // Whatever it is, it must be refused or read, never break.
    if let Ok(detected) = detected {
        let _ = within(most, || read_through(detected, &file, chunk_bytes));
    }

    let cut = read(format, &file, chunk_bytes, None);
    assert_eq!(through.is_ok(), cut.is_ok());
    let whole = read(format, &file, CHUNK_BYTES, None);
    assert_eq!(
        cut, whole,
        "{} in chunks of {chunk_bytes} and of {CHUNK_BYTES}",
        format.name
    );
    let pieces = usize::from(small) + 1;
    let put_together = read(format, &file, CHUNK_BYTES, Some(pieces));
    assert_eq!(put_together, whole, "{} in {pieces} pieces", format.name);
    if let Ok(outcome) = &whole {
        outcome.lines.iter().for_each(|line| check_line(line));
    }
    if is_compressed {
        return "compressed";
    }
    if format.name == "coco" {
        return coco::compare_with_oracle(text, chunk_bytes, usize::from(small));
    }
    match whole {
        Err(_) => "blocked",
        Ok(outcome) if outcome.rows.is_empty() => "no rows",
        Ok(_) => "rows",
    }
}

fn reader(format: &'static Format, file: &SourceFile, chunk_bytes: usize) -> Result<Box<dyn Reader>> {
    let options = ReadOptions {
        chunk_bytes: Some(chunk_bytes),
        ..ReadOptions::default()
    };
    let opening = Opening {
        source: Source::File(file.clone()),
        label: "file",
        options: &options,
        project: None,
        beside: &Beside::default(),
        sure: Sure::Yes,
    };
    open(format, opening).map(|(_, reader)| reader)
}

/// Reads and forgets.
fn read_through(format: &'static Format, file: &SourceFile, chunk_bytes: usize) -> Result<()> {
    let mut reader = reader(format, file, chunk_bytes)?;
    while reader.next_batch()?.is_some() {}
    Ok(())
}

/// Reads in at most so many pieces, or as a whole.
fn read(
    format: &'static Format,
    file: &SourceFile,
    chunk_bytes: usize,
    pieces: Option<usize>,
) -> std::result::Result<Outcome, String> {
    try_read(format, file, chunk_bytes, pieces).map_err(|error| error.to_string())
}

fn try_read(format: &'static Format, file: &SourceFile, chunk_bytes: usize, pieces: Option<usize>) -> Result<Outcome> {
    let mut whole = reader(format, file, chunk_bytes)?;
    let mut outcome = Outcome::default();
    let pieces = pieces.map(|at_most| whole.pieces(at_most)).transpose()?.flatten();
    for mut reader in pieces.unwrap_or_else(|| vec![whole]) {
        while let Some(batch) = reader.next_batch()? {
            outcome.add(batch, file)?;
        }
    }
    Ok(outcome)
}

impl Outcome {
    fn add(&mut self, batch: Batch, file: &SourceFile) -> Result<()> {
        let read = batch.read();
        let batch = batch.checked()?;
        assert_eq!(batch.read(), read, "checking loses nothing");
        self.read += read;
        for (&name, count) in &batch.filtered {
            *self.filtered.entry(name).or_default() += count;
        }
        for row in 0..batch.rows.len() {
            let attributes: Vec<AttributeValue<'_>> = batch.rows.attributes(row).collect();
            let points = batch.rows.row(row).points.map(|points| points.coords.to_vec());
            let annotation = ropewalk_core::batch::Annotation {
                points: None,
                ..batch.rows.row(row)
            };
            self.rows.push(format!("{annotation:?} {points:?} {attributes:?}"));
            if !matches!(batch.texts, Texts::None) {
                let span = batch.texts.span_of(row);
                let text = Excerpts::default().read(file, span.at, span.len as usize)?;
                assert_eq!(text.len(), span.len as usize, "a row's text is in the file");
            }
        }
        self.lines
            .extend(batch.rejects.iter().map(|reject| reject.to_json_line()));
        self.lines
            .extend(batch.row_rejects.iter().map(|row| row.to_json_line()));
        Ok(())
    }
}

/// A reject's line is one line of JSON, and as a file of its own something that is detected and refused or read.
fn check_line(line: &str) {
    assert_eq!(line.find('\n'), Some(line.len() - 1), "{line}");
    let parsed = json::parse(line.as_bytes());
    assert!(
        matches!(parsed, Ok(Json::Object(_)) | Err(Fault::Deep)),
        "not JSON: {line}"
    );
    let file = SourceFile::bytes("rejects.ndjson", line.as_bytes());
    let (format, _) = detect(&file).unwrap_or_else(|cause| panic!("{cause}: {line}"));
    match try_read(format, &file, CHUNK_BYTES, None) {
        Ok(again) => assert!(again.read >= 1, "{line} is lost"),
        Err(Error::Source { .. }) => {}
        Err(other) => panic!("{other}: {line}"),
    }
}
