//! Rows of the IR as lines of JSON: one object a line, whose members are called as the columns of the table. Lines of a
//! reject file are read as the rows in them.

mod line;
mod members;
mod points;
mod values;

use std::sync::Arc;

use crate::batch::{AnnotationBatchBuilder, Unit};
use crate::error::Result;
use crate::formats::json_names::JSON_SUFFIXES;
use crate::formats::rejects;
use crate::formats::{Batch, Files, Format, OpenPiece, Opened, ReadOption, ReadOptions, Reader, Texts};
use crate::reject::{Origin, Reason, Reject, RowReject};
use crate::source::{Frames, Lines, LinesPart, Source, SourceFile, TextSpan};
use line::{Found, Place};
use members::Members;

/// Most rows, or rejects, a batch.
const MOST_ROWS: usize = 1 << 13;

/// Bytes of text after which a batch is full.
const BATCH_BYTES: u64 = 1 << 22;

/// Rows as lines of JSON.
pub static FORMAT: Format = Format {
    name: "ndjson",
    about: "One JSON object a line, with the columns of Ropewalk's table",
    files: Files::Tables(JSON_SUFFIXES),
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    detect: |head| head.is_json("ndjson"),
    open: |opening| {
        let Source::File(file) = &opening.source else {
            return Err(opening.wrong_source("a file"));
        };
        Ok(Opened::reader(NdjsonRows::open(file, opening.label, opening.options)?))
    },
};

/// The rows of a file of lines.
pub struct NdjsonRows {
    lines: Lines,
    label: String,
    unit: Option<Unit>,
    builder: AnnotationBatchBuilder,
    /// What lines of a reject file are read into.
    reject: rejects::Line,
}

impl NdjsonRows {
    /// Opens a file, also a compressed one. `label` is the source of rows that name none.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`].
    pub fn open(input: &SourceFile, label: &str, options: &ReadOptions) -> Result<Self> {
        let lines = Lines::new(input.stream_from(0)?, options.chunk_bytes);
        Ok(Self::of(lines, label, options.unit))
    }

    fn of(lines: Lines, label: &str, unit: Option<Unit>) -> Self {
        Self {
            lines,
            label: label.to_owned(),
            unit,
            builder: AnnotationBatchBuilder::new(),
            reject: rejects::Line::default(),
        }
    }
}

/// What a batch has beside its rows.
#[derive(Default)]
struct Beside {
    rejects: Vec<Reject>,
    row_rejects: Vec<RowReject>,
    spans: Vec<TextSpan>,
    frameless: Vec<bool>,
    origins: Vec<Option<Arc<Origin>>>,
}

impl Reader for NdjsonRows {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let Self {
            lines,
            label,
            unit,
            builder,
            reject,
        } = self;
        let mut beside = Beside::default();
        let begin = lines.position();
        let mut any = false;
        loop {
            let most = builder.len().max(beside.rejects.len()).max(beside.row_rejects.len());
            if most >= MOST_ROWS || lines.position() - begin >= BATCH_BYTES {
                break;
            }
            let Some(line) = lines.next()? else { break };
            any = true;
            add(line, reject, label, *unit, builder, &mut beside);
        }
        if !any {
            return Ok(None);
        }
        let Beside {
            rejects,
            row_rejects,
            spans,
            frameless,
            mut origins,
        } = beside;
        if origins.iter().all(Option::is_none) {
            origins.clear();
        }
        Ok(Some(Batch {
            rejects,
            row_rejects,
            texts: Texts::Spans(spans),
            frameless,
            origins,
            ..Batch::new(builder.take()?)
        }))
    }

    fn bytes_read(&self) -> u64 {
        self.lines.stored_bytes()
    }

    fn pieces(&mut self, len_bytes: u64) -> Result<Option<Vec<OpenPiece>>> {
        let piece = |part: LinesPart| -> OpenPiece {
            let (label, unit) = (self.label.clone(), self.unit);
            Box::new(move || Ok(Box::new(Self::of(part.open()?, &label, unit))))
        };
        let parts = self.lines.parts(len_bytes);
        Ok(parts.map(|parts| parts.into_iter().map(piece).collect()))
    }
}

/// Adds what a line holds.
fn add(
    (byte, text): (u64, &[u8]),
    reject: &mut rejects::Line,
    label: &str,
    unit: Option<Unit>,
    builder: &mut AnnotationBatchBuilder,
    beside: &mut Beside,
) {
    let (place, found) = match std::str::from_utf8(text) {
        Ok(text) => line::read(text, reject),
        Err(cause) => {
            let message = format!("it is not UTF-8 at its byte {}", cause.valid_up_to());
            (Place::whole(text), Found::Wrong(Reason::BadLine { message }))
        }
    };
    let own_byte = byte + place.start as u64;
    let named = place.origin.as_deref().map(|origin| &*origin.source);
    let mut push = |members: &Members<'_>| {
        let offset = place.offset.or(members.offset.map(|whole| whole.0));
        let source = named.or(members.source.as_deref()).unwrap_or(label);
        members.with_row(source, offset.unwrap_or(own_byte), unit, |row, attributes| {
            builder.push_with_attributes(row, attributes);
            beside.spans.push(TextSpan {
                at: own_byte,
                len: place.len as u32,
            });
            beside.frameless.push(members.frame.is_none());
            beside.origins.push(place.origin.clone());
        })
    };
    let pushed = match found {
        Found::Row(members) => push(&members),
        Found::Quoted(inner) => Members::read(&inner).and_then(|members| push(&members)),
        Found::Wrong(reason) => Err(reason),
        Found::RejectedRow(row) => {
            beside.row_rejects.push(row);
            Ok(())
        }
    };
    if let Err(reason) = pushed {
        let here = || Origin::of(label);
        let origin = place.origin.as_deref().cloned().unwrap_or_else(here);
        let own = &text[place.start..place.start + place.len];
        let offset = place.offset.unwrap_or(own_byte);
        let id = place.annotation_id.as_deref();
        beside.rejects.push(Reject::new(reason, &origin, offset, id, Some(own)));
    }
}
