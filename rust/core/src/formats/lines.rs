//! Reads formats whose record is a line of text: from a file, or from all files of a folder.

use std::sync::Arc;

use super::draft::Draft;
pub(super) use super::draft::Rows;
use super::members::Members;
use super::{Batch, OpenPiece, Opening, Reader};
use crate::error::Result;
use crate::reject::{Origin, Reason, Reject};
use crate::source::{Columns, Lines, LinesPart};

/// Bytes of text after which a batch is full.
pub(super) const BATCH_BYTES: u64 = 1 << 20;

/// The name of a text file without the suffix that says so.
pub(super) fn stem(name: &str) -> &str {
    let suffixes = [".txt", ".csv", ".json", ".jsonl"];
    let cut = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
    cut.unwrap_or(name)
}

/// Reads a box that is written as left, top, right, bottom from column `first` on, as x, y, width, height.
///
/// # Errors
/// The column that is not a number, or a right or bottom that is not above its left or top.
pub(super) fn box_of_edges(columns: &Columns<'_>, first: usize) -> std::result::Result<[f64; 4], Reason> {
    let [left, top] = [columns.number(first, "left")?, columns.number(first + 1, "top")?];
    let [right, bottom] = [
        columns.number(first + 2, "right")?,
        columns.number(first + 3, "bottom")?,
    ];
    if right <= left {
        return Err(columns.unlike(first + 2, "right", "a number above `left`"));
    }
    if bottom <= top {
        return Err(columns.unlike(first + 3, "bottom", "a number above `top`"));
    }
    Ok([left, top, right - left, bottom - top])
}

/// What a format makes of its files, line by line.
pub(super) trait LineFormat: Clone + Send + 'static {
    /// What the name of a file says, and what its lines so far did.
    type File: Send;

    /// Whether a line is read without those before it, so that a file may be read in parts.
    const LINES_ARE_ALONE: bool = true;

    /// Prepares for a file with this name, without folders and without the suffix that says how it is compressed.
    fn file(&self, name: &str) -> Self::File;

    /// Reads a line that is not blank: pushes its row, or counts why it is left out.
    ///
    /// # Errors
    /// Why it is not a row.
    fn line(&self, file: &mut Self::File, line: &str, rows: &mut Rows<'_>) -> std::result::Result<(), Reason>;
}

/// A file that is being read.
struct Current<T> {
    about: T,
    /// Its name in the folder, if it is in one.
    member: Option<Arc<str>>,
    lines: Lines,
}

/// Reads the files of one document.
pub(super) struct LineReader<F: LineFormat> {
    format: F,
    origin: Origin,
    files: Members,
    current: Option<Current<F::File>>,
    /// Stored bytes of the files before the current one.
    before: u64,
    chunk_bytes: Option<usize>,
}

impl<F: LineFormat> LineReader<F> {
    /// Reads a file, or the files of a folder, in which every line is a record of `format`.
    ///
    /// # Errors
    /// [`crate::error::Error::Plan`] for a table.
    pub fn open(format: F, opening: &Opening<'_>) -> Result<Self> {
        Ok(Self {
            format,
            origin: Origin::of(opening.label),
            files: Members::of(opening)?,
            current: None,
            before: 0,
            chunk_bytes: opening.options.chunk_bytes,
        })
    }

    /// Goes on to the next file; false at the end of the document.
    fn next_file(&mut self, draft: &mut Draft) -> Result<bool> {
        let Some(next) = self.files.next() else {
            return Ok(false);
        };
        self.current = Some(Current {
            about: self.format.file(&next.file.file_name().unwrap_or_default()),
            lines: Lines::new(next.file.stream_from(0)?, self.chunk_bytes),
            member: next.member,
        });
        self.name_member(draft);
        Ok(true)
    }

    /// Says of the coming rows which file they are from.
    fn name_member(&self, draft: &mut Draft) {
        if let Some(Current {
            member: Some(member), ..
        }) = &self.current
        {
            draft.name_member(member);
        }
    }

    /// Reads the next line of the current file; false at its end.
    fn line(&mut self, draft: &mut Draft) -> Result<bool> {
        let Some(current) = &mut self.current else {
            return Ok(false);
        };
        let Some((at, text)) = current.lines.next()? else {
            self.before += current.lines.stored_bytes();
            self.current = None;
            return Ok(false);
        };
        let mut rows = Rows {
            source: &self.origin.source,
            offset: at,
            batch: draft,
        };
        let read = match std::str::from_utf8(text) {
            Ok(line) => self.format.line(&mut current.about, line, &mut rows),
            Err(cause) => {
                let message = format!("it is not UTF-8 at its byte {}", cause.valid_up_to());
                Err(Reason::BadLine { message })
            }
        };
        if let Err(reason) = read {
            let origin = Origin {
                member: current.member.clone(),
                ..self.origin.clone()
            };
            draft.rejects.push(Reject::new(reason, &origin, at, None, Some(text)));
        }
        Ok(true)
    }
}

impl<F: LineFormat> Reader for LineReader<F> {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut draft = Draft::default();
        self.name_member(&mut draft);
        let start = self.bytes_read();
        while !draft.is_full() && self.bytes_read() - start < BATCH_BYTES {
            if !self.line(&mut draft)? && !self.next_file(&mut draft)? {
                break;
            }
        }
        // Files without a line end no batch.
        let at_end = self.current.is_none() && draft.is_empty();
        if at_end {
            Ok(None)
        } else {
            draft.finish().map(Some)
        }
    }

    fn bytes_read(&self) -> u64 {
        self.before + self.current.as_ref().map_or(0, |current| current.lines.stored_bytes())
    }

    fn pieces(&mut self, len_bytes: u64) -> Result<Option<Vec<OpenPiece>>> {
        let empty = || Self {
            format: self.format.clone(),
            origin: self.origin.clone(),
            files: Members::One(None),
            current: None,
            before: 0,
            chunk_bytes: self.chunk_bytes,
        };
        let Members::One(Some(file)) = &self.files else {
            let part = |files| -> OpenPiece {
                let reader = Self { files, ..empty() };
                Box::new(move || Ok(Box::new(reader)))
            };
            let parts = self.files.split(len_bytes);
            return Ok(parts.map(|parts| parts.into_iter().map(part).collect()));
        };
        if !F::LINES_ARE_ALONE {
            return Ok(None);
        }
        let name = file.file_name().unwrap_or_default();
        let part = |lines: LinesPart| -> OpenPiece {
            let (mut reader, about) = (empty(), self.format.file(&name));
            Box::new(move || {
                let lines = lines.open()?;
                reader.current = Some(Current {
                    about,
                    member: None,
                    lines,
                });
                Ok(Box::new(reader))
            })
        };
        let parts = Lines::new(file.stream_from(0)?, self.chunk_bytes).parts(len_bytes);
        Ok(parts.map(|parts| parts.into_iter().map(part).collect()))
    }
}
