//! Reads formats whose record is a line of text: from a file, or from all files of a folder.

use std::sync::Arc;

use super::drafts::Draft;
use super::{Batch, MemberRows, Opening, Reader};
use crate::batch::Annotation;
use crate::error::Result;
use crate::reject::{Origin, Reason, Reject};
use crate::source::{Columns, Folder, Lines, Source, SourceFile};

/// Bytes of text after which a batch is full.
const BATCH_BYTES: u64 = 1 << 20;

/// The name of a text file without the suffix that says so.
pub(super) fn stem(name: &str) -> &str {
    name.strip_suffix(".txt")
        .or_else(|| name.strip_suffix(".csv"))
        .unwrap_or(name)
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
    /// What the name of a file says.
    type File: Send;

    /// Prepares for a file with this name, without folders and without the suffix that says how it is compressed.
    fn file(&self, name: &str) -> Self::File;

    /// Reads a line that is not blank: pushes its row, or counts why it is left out.
    ///
    /// # Errors
    /// Why it is not a row.
    fn line(&self, file: &Self::File, line: &str, rows: &mut Rows<'_>) -> std::result::Result<(), Reason>;
}

/// Takes what a line holds.
pub(super) struct Rows<'r> {
    source: &'r str,
    offset: u64,
    batch: &'r mut Draft,
}

impl Rows<'_> {
    /// Adds a row that is on `frame`, or on the only one of its medium. Where it comes from is filled in.
    pub fn push(&mut self, row: &Annotation<'_>, frame: Option<u32>) {
        self.batch.rows.push(&Annotation {
            source: self.source,
            offset: self.offset,
            frame: frame.unwrap_or(0),
            ..*row
        });
        self.batch.frameless.push(frame.is_none());
    }

    /// Counts a line that the format's own rules leave out.
    pub fn leave_out(&mut self, why: &'static str) {
        *self.batch.filtered.entry(why).or_default() += 1;
    }
}

/// The files of a document that are still to be read.
enum Files {
    One(Option<SourceFile>),
    Folder(Folder, std::ops::Range<usize>),
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
    files: Files,
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
        let files = match &opening.source {
            Source::File(file) => Files::One(Some(file.clone())),
            Source::Folder(folder) => Files::Folder(folder.clone(), 0..folder.files().len()),
            Source::Table(_) => return Err(opening.wrong_source("a file or a folder")),
        };
        Ok(Self {
            format,
            origin: Origin::of(opening.label),
            files,
            current: None,
            before: 0,
            chunk_bytes: opening.options.chunk_bytes,
        })
    }

    /// Goes on to the next file; false at the end of the document.
    fn next_file(&mut self, draft: &mut Draft) -> Result<bool> {
        let (file, name, member) = match &mut self.files {
            Files::One(file) => match file.take() {
                Some(file) => {
                    let name = file.file_name().unwrap_or_default().into_owned();
                    (file, name, None)
                }
                None => return Ok(false),
            },
            Files::Folder(folder, left) => match left.next().map(|next| &folder.files()[next]) {
                Some(member) => {
                    let file = folder.file(member);
                    let name = file.file_name().unwrap_or_default().into_owned();
                    (file, name, Some(Arc::from(member.shown())))
                }
                None => return Ok(false),
            },
        };
        self.current = Some(Current {
            about: self.format.file(&name),
            lines: Lines::new(file.stream_from(0)?, self.chunk_bytes),
            member,
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
            draft.members.push(MemberRows {
                first_row: draft.rows.len(),
                name: Arc::clone(member),
            });
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
            Ok(line) => self.format.line(&current.about, line, &mut rows),
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

    fn pieces(&mut self, at_most: usize) -> Result<Option<Vec<Box<dyn Reader>>>> {
        let Files::Folder(folder, left) = &self.files else {
            return Ok(None);
        };
        let size = left.len().div_ceil(at_most.max(1)).max(1);
        let piece = |start: usize| -> Box<dyn Reader> {
            Box::new(Self {
                format: self.format.clone(),
                origin: self.origin.clone(),
                files: Files::Folder(folder.clone(), start..left.end.min(start + size)),
                current: None,
                before: 0,
                chunk_bytes: self.chunk_bytes,
            })
        };
        Ok(Some(left.clone().step_by(size).map(piece).collect()))
    }
}
