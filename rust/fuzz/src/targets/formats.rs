//! Files of every format, in chunks of any size and in pieces.
//!
//! Input: the format (a byte), the chunk size (u16), most rows a batch of COCO, or bytes of pieces (a byte), and the file. Of a format of
//! folders its files instead: length of the path (a byte), path, length (u16), content, one after the other.

use ropewalk_core::batch::AttributeValue;
use ropewalk_core::error::{Error, Result};
use ropewalk_core::formats::registry::FORMATS;
use ropewalk_core::formats::{
    open, Batch, Beside, Document, Documents, Files, Format, Opening, ReadOption, ReadOptions, Reader, Texts,
};
use ropewalk_core::reject::Counts;
use ropewalk_core::source::{Excerpts, Folder, Naming, Source, SourceFile};
use ropewalk_testkit::json::{self, Fault, Json};

use super::coco;
use crate::bytes::Bytes;
use crate::memory::within;

pub(super) const WORDS: &[&str] = &[
    "blocked",
    "compressed",
    "dataset",
    "lines",
    "no rows",
    "rejects",
    "results",
    "rows",
    "unknown",
];

/// How gzip and Zstandard begin.
const COMPRESSED: [&[u8]; 2] = [b"\x1F\x8B", b"\x28\xB5\x2F\xFD"];

/// How Parquet files, Arrow files and Arrow streams begin.
const TABLES: [&[u8]; 3] = [b"PAR1", b"ARROW1", b"\xFF\xFF\xFF\xFF"];

/// Bytes that are read at a time where the input does not say.
const CHUNK_BYTES: usize = 1 << 10;

/// Bytes that detecting or reading a file may hold: rejects of a few hundred bytes for lines of two, until a batch is full.
fn reading_bytes(len: usize, chunk_bytes: usize) -> usize {
    (400 * len).min(24 * len + MOST_BATCH_BYTES) + 4 * chunk_bytes + (1 << 17)
}

/// Bytes that reading a table may hold: a few times what its pages may decode to, however small they are.
fn table_bytes(len: usize) -> usize {
    4 * (250 * len + (1 << 26))
}

/// How PNG pictures begin.
const PICTURES: [&[u8]; 1] = [b"\x89PNG"];

/// Bytes that reading pictures may hold, however small their files are: runs of the masks of one, and the rows of a batch.
const PICTURE_BYTES: usize = 1 << 28;

/// Bytes that rows of a pickle may hold more: they may share one mask, until a batch is full.
const SHARED_BYTES: usize = 1 << 24;

/// Whether a text begins in one of some ways.
fn begins(text: &[u8], heads: &[&[u8]]) -> bool {
    heads.iter().any(|head| text.starts_with(head))
}

/// Bytes that a batch takes at most beside its text.
const MOST_BATCH_BYTES: usize = 1 << 22;

/// The formats that read files, as the first byte of the input counts them.
pub fn file_formats() -> impl Iterator<Item = &'static Format> {
    let of_files = |format: &&Format| !matches!(format.files, Files::None);
    FORMATS.iter().copied().filter(of_files)
}

/// The input for a file of format `number`, or for the files of a folder: their paths and contents.
pub fn input(number: usize, file: Content<'_>) -> Vec<u8> {
    let mut input = vec![number as u8, 3, 0, 2];
    match file {
        Content::File(content) => input.extend_from_slice(content),
        Content::Folder(files) => {
            for (path, content) in files {
                input.push(path.len() as u8);
                input.extend_from_slice(path.as_bytes());
                input.extend_from_slice(&(content.len() as u16).to_le_bytes());
                input.extend_from_slice(content);
            }
        }
    }
    input
}

/// What a source holds.
pub enum Content<'a> {
    /// One file.
    File(&'a [u8]),
    /// The files of a folder, by their paths.
    Folder(&'a [(String, Vec<u8>)]),
}

/// Draws the files of a folder.
fn folder(bytes: &mut Bytes<'_>) -> Folder {
    let mut files = Vec::new();
    while !bytes.is_empty() {
        let path_bytes = usize::from(bytes.byte());
        let path = String::from_utf8_lossy(bytes.part(path_bytes)).into_owned();
        let len = usize::from(bytes.u16());
        let content = bytes.part(len).to_vec();
        // Folders have no files without a name.
        if !path.is_empty() {
            files.push((path, content));
        }
    }
    Folder::of_bytes("folder", files)
}

/// What a source gives, in a form that can be compared.
#[derive(Debug, Clone, Default, PartialEq)]
struct Outcome {
    rows: Vec<String>,
    /// Lines of the reject file.
    lines: Vec<String>,
    read: u64,
    filtered: Counts,
}

/// Detects a source, and reads it as a format.
pub fn formats(input: &[u8]) -> &'static str {
    let mut bytes = Bytes(input);
    let number = bytes.below(file_formats().count());
    let (chunk_bytes, small) = (usize::from(bytes.u16()), bytes.byte());
    let Some(format) = file_formats().nth(number) else {
        unreachable!("the number is below their count")
    };
    let mut text: &[u8] = &[];
    let given = if format.is_of_folders() {
        Given::Folder(folder(&mut bytes))
    } else {
        text = bytes.rest();
        Given::File(SourceFile::bytes("file", text))
    };
    let holds = |heads: &[&[u8]]| match &given {
        Given::File(_) => begins(text, heads),
        Given::Folder(_) => (0..input.len()).any(|at| begins(&input[at..], heads)),
    };
    let is_compressed = holds(&COMPRESSED);
    let most = if is_compressed {
        // It decodes to a text that has a bound of its own.
        usize::MAX
    } else if holds(&TABLES) {
        table_bytes(input.len())
    } else if holds(&PICTURES) {
        PICTURE_BYTES
    } else if format.name == "active-pkl" {
        reading_bytes(input.len(), chunk_bytes) + SHARED_BYTES
    } else {
        reading_bytes(input.len(), chunk_bytes)
    };
    let through = within(most, || read_through(&given, Some(format), chunk_bytes));
    // Whatever it is found to be, it must be refused or read, never break.
    let _ = within(most, || read_through(&given, None, chunk_bytes));

    let cut = read(&given, Some(format), chunk_bytes, None);
    assert_eq!(through.is_ok(), cut.is_ok());
    let whole = read(&given, Some(format), CHUNK_BYTES, None);
    assert_eq!(
        cut, whole,
        "{} in chunks of {chunk_bytes} and of {CHUNK_BYTES}",
        format.name
    );
    // As few pieces for a long input as for a short one: each of them is opened.
    let piece_bytes = input.len() as u64 / (u64::from(small) + 1);
    let put_together = read(&given, Some(format), CHUNK_BYTES, Some(piece_bytes)).map(Outcome::sorted);
    assert_eq!(
        put_together,
        whole.clone().map(Outcome::sorted),
        "{} in pieces of {piece_bytes} bytes",
        format.name
    );
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

/// What is read, again and again.
enum Given {
    File(SourceFile),
    Folder(Folder),
}

impl Given {
    /// Its documents, all of the format `named`, or each of the one that it is found to be of.
    fn documents(&self, named: Option<&'static Format>) -> Result<Documents> {
        let source: Source = match self {
            Self::File(file) => file.clone().into(),
            Self::Folder(folder) => folder.clone().into(),
        };
        Documents::of(source, &Naming::from("source"), named)
    }

    /// The file that rows say where in it they are.
    fn file(&self) -> Option<&SourceFile> {
        match self {
            Self::File(file) => Some(file),
            Self::Folder(_) => None,
        }
    }
}

fn reader(document: Document, chunk_bytes: usize) -> Result<Box<dyn Reader>> {
    let takes_class = document.format.options.contains(&ReadOption::Class);
    let options = ReadOptions {
        chunk_bytes: Some(chunk_bytes),
        class: takes_class.then(|| "c".to_owned()),
        ..ReadOptions::default()
    };
    let opening = Opening {
        source: document.source,
        label: &document.label,
        options: &options,
        project: None,
        beside: &Beside::default(),
        sure: document.sure,
    };
    open(document.format, opening).map(|(_, reader)| reader)
}

/// Reads and forgets.
fn read_through(given: &Given, named: Option<&'static Format>, chunk_bytes: usize) -> Result<()> {
    let mut documents = given.documents(named)?;
    while let Some(document) = documents.next_document()? {
        let mut reader = reader(document, chunk_bytes)?;
        while reader.next_batch()?.is_some() {}
    }
    Ok(())
}

/// Reads in pieces of so many bytes, or as a whole.
fn read(
    given: &Given,
    named: Option<&'static Format>,
    chunk_bytes: usize,
    piece_bytes: Option<u64>,
) -> std::result::Result<Outcome, String> {
    try_read(given, named, chunk_bytes, piece_bytes).map_err(|error| error.to_string())
}

fn try_read(
    given: &Given,
    named: Option<&'static Format>,
    chunk_bytes: usize,
    piece_bytes: Option<u64>,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut documents = given.documents(named)?;
    while let Some(document) = documents.next_document()? {
        let mut whole = reader(document, chunk_bytes)?;
        let pieces = piece_bytes.map(|bytes| whole.pieces(bytes)).transpose()?.flatten();
        for open in pieces.unwrap_or_else(|| vec![Box::new(|| Ok(whole))]) {
            let mut reader = open()?;
            while let Some(batch) = reader.next_batch()? {
                outcome.add(batch, given.file())?;
            }
        }
    }
    Ok(outcome)
}

impl Outcome {
    /// With rejects in an order of their own: a batch has those of its reader before those of checking its rows.
    fn sorted(mut self) -> Self {
        self.lines.sort();
        self
    }

    fn add(&mut self, batch: Batch, file: Option<&SourceFile>) -> Result<()> {
        let read = batch.read();
        let batch = batch.checked()?;
        assert_eq!(batch.read(), read, "checking loses nothing");
        self.read += read;
        for (&name, count) in &batch.filtered {
            *self.filtered.entry(name).or_default() += count;
        }
        for row in 0..batch.rows.len() {
            let attributes: Vec<AttributeValue<'_>> = batch.rows.attributes(row).collect();
            // Its own parts alone: the coordinates of a row lie among those of its batch.
            let points = batch.rows.row(row).points;
            let points: Option<Vec<Vec<&[f64]>>> = points.map(|points| points.iter().map(Iterator::collect).collect());
            let annotation = ropewalk_core::batch::Annotation {
                points: None,
                ..batch.rows.row(row)
            };
            self.rows.push(format!("{annotation:?} {points:?} {attributes:?}"));
            if let (Texts::Spans(_) | Texts::Held { .. }, Some(file)) = (&batch.texts, file) {
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
    let file = Given::File(SourceFile::bytes("rejects.ndjson", line.as_bytes()));
    match try_read(&file, None, CHUNK_BYTES, None) {
        Ok(again) => assert!(again.read >= 1, "{line} is lost"),
        // What a label of another format holds is not told apart.
        Err(Error::Source { .. } | Error::Unknown { .. }) => {}
        Err(other) => panic!("{other}: {line}"),
    }
}
