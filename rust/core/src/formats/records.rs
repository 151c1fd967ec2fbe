//! Reads formats whose records have cells with names: CSV with a header, or JSON objects in a list or one after the other.

use std::borrow::Cow;

use super::draft::{Draft, Rows};
use super::lines::BATCH_BYTES;
use super::{Batch, Head, Opening, Reader};
use crate::error::{Error, Result};
use crate::json::{unescape, Scan, Scanner, Values, Window};
use crate::reject::{Origin, Reason, Reject};
use crate::source::{fields, Lines, Source, SourceFile};

/// Bytes of JSON read at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Names of a header that a message lists.
const SHOWN_NAMES: usize = 20;

/// A cell as text; none where it is missing, empty or null. Lists and objects of JSON are their JSON.
pub(super) type Cell<'a> = Option<Cow<'a, str>>;

/// How files are called that may hold records.
pub(super) const SUFFIXES: &[&str] = &[
    ".csv",
    ".csv.gz",
    ".csv.zst",
    ".json",
    ".json.gz",
    ".json.zst",
    ".jsonl",
    ".jsonl.gz",
    ".jsonl.zst",
];

/// What a format makes of its records.
pub(super) trait RecordFormat: Send + 'static {
    /// Names of the cells that it asks for.
    fn names(&self) -> &[String];

    /// Whether records without a cell of this name can be read.
    fn needs(&self, name: &str) -> bool;

    /// Reads a record by its cells, in the order of [`Self::names`]: pushes its row, or counts why it is left out.
    ///
    /// # Errors
    /// Why it is not a row.
    fn record(&self, cells: &[Cell<'_>], rows: &mut Rows<'_>) -> std::result::Result<(), Unread>;
}

/// Why a record gives no row.
pub(super) enum Unread {
    /// It is rejected.
    Reject(Reason),
    /// What it names cannot be read, nor what follows.
    Stop(Error),
}

impl From<Reason> for Unread {
    fn from(reason: Reason) -> Self {
        Self::Reject(reason)
    }
}

/// Whether a text begins with a header that has all of `names`.
pub(super) fn has_header(head: &Head, names: &[&str]) -> bool {
    let text = head.without_mark();
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else {
        return false;
    };
    let header: Vec<_> = fields(line.trim()).collect();
    names.iter().all(|name| header.iter().any(|cell| cell.trim() == *name))
}

enum Records {
    Csv {
        lines: Lines,
        /// By name that the format asks for, its place in a record.
        places: Vec<Option<usize>>,
        /// Cells of a record.
        width: usize,
    },
    Json {
        window: Window,
        values: Values,
    },
}

/// Reads the records of a file.
pub(super) struct RecordReader<F: RecordFormat> {
    format: F,
    origin: Origin,
    records: Records,
    ended: bool,
}

impl<F: RecordFormat> RecordReader<F> {
    /// Opens a file. A text that does not begin like JSON is CSV.
    ///
    /// # Errors
    /// [`crate::error::Error::Plan`] for what is not a file, [`crate::error::Error::Source`] for a header without a name that the format needs.
    pub fn open(format: F, opening: &Opening<'_>) -> Result<Self> {
        let Source::File(file) = &opening.source else {
            return Err(opening.wrong_source("a file"));
        };
        let head = Head::of(file)?;
        let chunk_bytes = opening.options.chunk_bytes;
        let records = match head.without_mark().trim_ascii_start().first() {
            Some(b'{' | b'[') => Records::Json {
                window: Window::open(file, 0, chunk_bytes.unwrap_or(CHUNK_BYTES))?,
                values: Values::default(),
            },
            _ => csv(&format, file, Lines::of_records(file.stream_from(0)?, chunk_bytes))?,
        };
        Ok(Self {
            format,
            origin: Origin::of(opening.label),
            records,
            ended: false,
        })
    }

    /// Reads the next record; false at the end.
    fn read(&mut self, draft: &mut Draft) -> Result<bool> {
        let (byte, text, cells) = match &mut self.records {
            Records::Csv { lines, places, width } => {
                let Some((byte, text)) = lines.next()? else {
                    return Ok(false);
                };
                (byte, text, csv_cells(text, places, *width))
            }
            Records::Json { window, values } => {
                let Some((start, end)) = values.next(window, "expected a list of objects")? else {
                    return Ok(false);
                };
                let text = &window.text()[start..end];
                (window.byte(start), text, json_cells(text, self.format.names()))
            }
        };
        let mut rows = Rows {
            source: &self.origin.source,
            offset: byte,
            batch: draft,
        };
        let read = cells.map_err(Unread::Reject);
        match read.and_then(|cells| self.format.record(&cells, &mut rows)) {
            Ok(()) => {}
            Err(Unread::Reject(reason)) => {
                let reject = Reject::new(reason, &self.origin, byte, None, Some(text));
                draft.rejects.push(reject);
            }
            Err(Unread::Stop(error)) => return Err(error),
        }
        Ok(true)
    }
}

impl<F: RecordFormat> Reader for RecordReader<F> {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut draft = Draft::default();
        let start = self.bytes_read();
        while !self.ended && !draft.is_full() && self.bytes_read() - start < BATCH_BYTES {
            self.ended = !self.read(&mut draft)?;
        }
        if self.ended && draft.is_empty() {
            return Ok(None);
        }
        draft.finish().map(Some)
    }

    fn bytes_read(&self) -> u64 {
        match &self.records {
            Records::Csv { lines, .. } => lines.stored_bytes(),
            Records::Json { window, .. } => window.stored_bytes(),
        }
    }
}

/// Reads the header.
fn csv(format: &impl RecordFormat, file: &SourceFile, mut lines: Lines) -> Result<Records> {
    let Some((byte, header)) = lines.next()? else {
        // An empty file holds no predictions, which is no error.
        return Ok(Records::Csv {
            lines,
            places: Vec::new(),
            width: 0,
        });
    };
    let header = std::str::from_utf8(header).map_err(|_| file.error(byte, "the header is not UTF-8"))?;
    let header: Vec<String> = fields(header).map(|name| name.trim().to_owned()).collect();
    let place = |name: &String| header.iter().position(|cell| cell == name);
    let places: Vec<Option<usize>> = format.names().iter().map(place).collect();
    let mut missing = format.names().iter().zip(&places).filter(|(_, place)| place.is_none());
    if let Some((name, _)) = missing.find(|(name, _)| format.needs(name)) {
        let shown = header.iter().take(SHOWN_NAMES).cloned().collect::<Vec<_>>().join(", ");
        return Err(file.error(byte, format!("the header has no column {name:?}; it has {shown}")));
    }
    Ok(Records::Csv {
        lines,
        places,
        width: header.len(),
    })
}

fn not_utf8(cause: std::str::Utf8Error) -> Reason {
    let message = format!("it is not UTF-8 at its byte {}", cause.valid_up_to());
    Reason::BadLine { message }
}

fn csv_cells<'a>(text: &'a [u8], places: &[Option<usize>], width: usize) -> std::result::Result<Vec<Cell<'a>>, Reason> {
    let record = std::str::from_utf8(text).map_err(not_utf8)?;
    let mut all: Vec<Cow<'a, str>> = fields(record).collect();
    if all.len() != width {
        let message = format!("it has {} cells; expected {width}, as the header has", all.len());
        return Err(Reason::BadLine { message });
    }
    let take = |place: &Option<usize>| {
        let cell = std::mem::take(all.get_mut((*place)?)?);
        Some(cell).filter(|cell| !cell.trim().is_empty())
    };
    Ok(places.iter().map(take).collect())
}

fn json_cells<'a>(text: &'a [u8], names: &[String]) -> std::result::Result<Vec<Cell<'a>>, Reason> {
    std::str::from_utf8(text).map_err(not_utf8)?;
    let mut cells = vec![None; names.len()];
    let mut scanner = Scanner::new(text, 0, true);
    match members(&mut scanner, names, &mut cells) {
        Ok(true) => Ok(cells),
        _ => Err(Reason::BadLine {
            message: "it is not a JSON object; expected one object a record".to_owned(),
        }),
    }
}

/// Takes the members that are asked for; false for what is not an object.
fn members<'a>(scanner: &mut Scanner<'a>, names: &[String], cells: &mut [Cell<'a>]) -> Scan<bool> {
    if scanner.peek()? != b'{' {
        return Ok(false);
    }
    scanner.at += 1;
    let mut first = true;
    while let Some(key) = scanner.next_key(&mut first)? {
        let key = scanner.slice(key);
        let place = names.iter().position(|name| name.as_bytes() == key);
        let cell = value(scanner)?;
        if let Some(place) = place {
            cells[place] = cell.filter(|cell| !cell.trim().is_empty());
        }
    }
    Ok(true)
}

fn value<'a>(scanner: &mut Scanner<'a>) -> Scan<Cell<'a>> {
    if scanner.null()? {
        return Ok(None);
    }
    if scanner.peek()? == b'"' {
        let text = scanner.string()?;
        let raw = scanner.slice(text);
        if !text.escaped {
            return Ok(Some(String::from_utf8_lossy(raw)));
        }
        let mut plain = Vec::new();
        unescape(raw, &mut plain);
        return Ok(Some(String::from_utf8_lossy(&plain).into_owned().into()));
    }
    let start = scanner.at;
    scanner.skip()?;
    Ok(Some(String::from_utf8_lossy(scanner.since(start))))
}

/// A cell as a number, NaN and infinities too.
///
/// # Errors
/// [`Reason::MissingField`] and [`Reason::BadField`].
pub(super) fn number(cell: &Cell<'_>, field: &'static str) -> std::result::Result<f64, Reason> {
    let text = cell.as_deref().ok_or(Reason::MissingField { field })?;
    fast_float2::parse(text.trim()).map_err(|_| unlike(text, field, "a number"))
}

/// A whole number as text, also where it is written as `7.0`; other text as it is.
pub(super) fn whole(text: &str) -> &str {
    let text = text.trim();
    text.strip_suffix(".0").unwrap_or(text)
}

/// A track; none for -1 and NaN.
pub(super) fn track<'a>(cell: &'a Cell<'_>) -> Option<&'a str> {
    let id = whole(cell.as_deref()?);
    (id != "-1" && !id.eq_ignore_ascii_case("nan")).then_some(id)
}

/// Why a cell is not what was `expected`.
pub(super) fn unlike(text: &str, field: &'static str, expected: &'static str) -> Reason {
    let found: String = text.chars().take(40).collect();
    Reason::BadField {
        field,
        expected,
        found: format!("{found:?}"),
    }
}
