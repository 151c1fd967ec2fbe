//! Reads formats whose records are the entries of one list of a JSON text (the text itself, or a member of it), or are one a
//! text: from a file, or from all files of a folder.
//!
//! A record is read twice. First its own fields, of which some may follow the long list of what it draws; then that list.
//! So one record is in memory at a time, and nothing of it is parsed into a tree.

use super::draft::{known_members, Draft};
use super::keyframes::{Gap, Gaps};
use super::members::{Members, NextFile};
use super::{Batch, OpenPiece, Opening, Reader};
use crate::batch::{Annotation, AttributeValue};
use crate::error::Result;
use crate::formats::segmentation::Segmentation;
use crate::json::{only_space, plain, Scan, Scanner, Stop, Window};
use crate::reject::{Origin, Reason, Reject};

/// Bytes read at a time.
pub(super) const CHUNK_BYTES: usize = 1 << 18;

/// Bytes of text after which a batch is full.
const BATCH_BYTES: u64 = 1 << 20;

/// What a format makes of its records.
pub(super) trait EntryFormat: Clone + Send + 'static {
    /// Member whose list holds the records, where the text is an object.
    const MEMBER: Option<&'static str>;
    /// Whether the text may be the list itself.
    const MAY_BE_LIST: bool;
    /// Whether the text may be the records one after the other, as lines.
    const MAY_BE_LINES: bool = false;
    /// Whether the text is one record, an object.
    const IS_RECORD: bool = false;
    /// What a record says besides what it draws, and where that is.
    type Record;

    /// Prepares for a file with this name, without folders and without the suffix that says how it is compressed.
    fn file(&mut self, name: &str) {
        let _ = name;
    }

    /// Reads the fields of a record, at whose first byte the scanner is. It may be called again for the same record.
    ///
    /// # Errors
    /// Text that is not JSON, and the end of what was read so far.
    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<Self::Record>;

    /// Adds the rows of record `number` of the list. Places in it are those of the first reading.
    ///
    /// # Errors
    /// None: the text was read before.
    fn rows(&mut self, record: &Self::Record, number: u32, rows: &mut Rows<'_>) -> Scan<()>;
}

/// Takes what a record holds.
pub(super) struct Rows<'r> {
    origin: &'r Origin,
    /// What was read; the record is a part of it.
    text: &'r [u8],
    /// Byte in the file where `text` begins.
    base: u64,
    /// Where the record is in `text`.
    pub record: std::ops::Range<usize>,
    /// Whether the list that it is in is a member of an object.
    pub in_object: bool,
    draft: &'r mut Draft,
    gaps: &'r mut Gaps,
}

impl<'r> Rows<'r> {
    /// What was read, in which the record is.
    pub fn text(&self) -> &'r [u8] {
        self.text
    }

    /// Reads the record again, from a place in it on.
    pub fn scanner(&self, at: usize) -> Scanner<'r> {
        Scanner::new(&self.text[..self.record.end], at, true)
    }

    /// Adds a row that is on `frame`, or on the only one of its medium, and begins at `at`.
    pub fn push(&mut self, at: usize, row: &Annotation<'_>, frame: Option<u32>) {
        self.push_with_attributes(at, row, frame, &[]);
    }

    /// Adds a row with its answers.
    pub fn push_with_attributes(
        &mut self,
        at: usize,
        row: &Annotation<'_>,
        frame: Option<u32>,
        attributes: &[AttributeValue<'_>],
    ) {
        let row = Annotation {
            source: &self.origin.source,
            offset: self.base + at as u64,
            frame: frame.unwrap_or(0),
            ..*row
        };
        self.draft.rows.push_with_attributes(&row, attributes);
        self.draft.frameless.push(frame.is_none());
    }

    /// Adds the frames of a gap behind a keyframe that begins at `at`, or rejects them; `row` is what is known of them.
    pub fn fill(&mut self, at: usize, row: &Annotation<'_>, gap: std::result::Result<Option<Gap>, Reason>) {
        match gap {
            Ok(None) => {}
            Ok(Some(gap)) => {
                if let Some((frame, reason)) = self.gaps.add(gap, self.base + at as u64) {
                    self.reject_row(at, row, Some(frame), reason);
                }
            }
            Err(reason) => self.reject_row(at, row, None, reason),
        }
    }

    /// Rejects what begins at `at` and is known to be this row but for what is wrong with it.
    pub fn reject_row(&mut self, at: usize, row: &Annotation<'_>, frame: Option<u32>, reason: Reason) {
        let text = known_members(row, frame).to_string();
        self.reject_text(at, reason, text.as_bytes());
    }

    /// Rejects the whole record.
    pub fn reject_record(&mut self, reason: Reason) {
        let text = &self.text[self.record.clone()];
        self.reject_text(self.record.start, reason, text);
    }

    /// Rejects what is between two places.
    pub fn reject(&mut self, span: std::ops::Range<usize>, reason: Reason) {
        let text = &self.text[span.clone()];
        self.reject_text(span.start, reason, text);
    }

    fn reject_text(&mut self, at: usize, reason: Reason, text: &[u8]) {
        let offset = self.base + at as u64;
        let reject = Reject::new(reason, self.origin, offset, None, Some(text));
        self.draft.rejects.push(reject);
    }

    /// Counts what is worth a look.
    pub fn warn(&mut self, name: &'static str) {
        self.draft.warn(name);
    }

    /// Counts what the format's own rules leave out.
    pub fn leave_out(&mut self, why: &'static str, records: u64) {
        if records > 0 {
            *self.draft.filtered.entry(why).or_default() += records;
        }
    }

    /// Reads a segmentation, and adds the row that it is drawn on; null and what else is nothing is not a row.
    ///
    /// # Errors
    /// As [`Segmentation::read`].
    pub fn segmentation(
        &mut self,
        scanner: &mut Scanner<'_>,
        area: &mut Segmentation,
        row: &Annotation<'_>,
        frame: u32,
    ) -> Scan<()> {
        scanner.peek()?;
        let start = scanner.at;
        match area.read(scanner)? {
            Ok(()) if area.is_empty() => {}
            Ok(()) => self.push(start, &area.on(*row, self.text), Some(frame)),
            Err(wrong) => {
                scanner.at = start;
                scanner.skip()?;
                let reason = wrong.reason("segmentation", scanner.since(start));
                self.reject_row(start, row, Some(frame), reason);
            }
        }
        Ok(())
    }
}

/// How far a text is read.
#[derive(Debug, Clone, Copy)]
enum State {
    Start,
    /// At the only record.
    Record,
    /// Inside the list of records.
    List {
        first: bool,
    },
    /// Among records that are one after the other.
    Lines,
    /// Behind the list, inside the object that it is a member of.
    Behind,
    /// Behind the records.
    Tail,
    Done,
}

/// A file that is being read.
struct Text {
    /// Of its records.
    origin: Origin,
    window: Window,
    state: State,
    in_object: bool,
    records: u32,
    /// Frames that its records leave out.
    gaps: Gaps,
}

/// Reads the records of one document.
pub(super) struct EntryReader<F> {
    format: F,
    /// Of the document.
    origin: Origin,
    files: Members,
    current: Option<Text>,
    /// Stored bytes of the files before the current one.
    before: u64,
    /// Bytes of their texts.
    text_before: u64,
    chunk_bytes: usize,
    /// For each file, without a gap so far.
    gaps: Gaps,
}

impl<F: EntryFormat> EntryReader<F> {
    /// Reads a file, or the files of a folder.
    ///
    /// # Errors
    /// [`crate::error::Error::Plan`] for a table.
    pub fn open(format: F, opening: &Opening<'_>) -> Result<Self> {
        Self::with_gaps(format, opening, Gaps::default())
    }

    /// Reads files whose objects move between keyframes.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn with_gaps(format: F, opening: &Opening<'_>, gaps: Gaps) -> Result<Self> {
        Ok(Self {
            format,
            origin: Origin::of(opening.label),
            files: Members::of(opening)?,
            current: None,
            before: 0,
            text_before: 0,
            chunk_bytes: opening.options.chunk_bytes.unwrap_or(CHUNK_BYTES),
            gaps,
        })
    }

    /// Bytes of text so far: how batches are cut must not depend on how files are stored.
    fn position(&self) -> u64 {
        self.text_before + self.current.as_ref().map_or(0, |text| text.window.position())
    }

    /// Reads on, file by file; false at the end of the document.
    fn read(&mut self, draft: &mut Draft) -> Result<bool> {
        if let Some(text) = &mut self.current {
            if text.read(&mut self.format, draft)? {
                return Ok(true);
            }
            self.before += text.window.stored_bytes();
            self.text_before += text.window.position();
            self.current = None;
        }
        let Some(NextFile { file, member, .. }) = self.files.next() else {
            return Ok(false);
        };
        self.format.file(&file.file_name().unwrap_or_default());
        let text = Text {
            origin: Origin {
                member,
                ..self.origin.clone()
            },
            window: Window::open(&file, 0, self.chunk_bytes)?,
            state: State::Start,
            in_object: false,
            records: 0,
            gaps: self.gaps.clone(),
        };
        text.name_member(draft);
        self.current = Some(text);
        Ok(true)
    }
}

impl Text {
    /// Says of the coming rows which file they are from.
    fn name_member(&self, draft: &mut Draft) {
        if let Some(member) = &self.origin.member {
            draft.name_member(member);
        }
    }

    /// Reads the next record, or what is between records; false at the end.
    fn read<F: EntryFormat>(&mut self, format: &mut F, draft: &mut Draft) -> Result<bool> {
        if !self.gaps.is_empty() {
            self.gaps.fill(&self.origin.source, draft);
            return Ok(true);
        }
        self.state = match self.state {
            State::Start => self.begin::<F>()?,
            State::Record => {
                self.record(format, |_| Ok(true), draft)?;
                State::Tail
            }
            State::List { first } => {
                let is_there = |scanner: &mut Scanner<'_>| scanner.next_item(&mut { first });
                match (self.record(format, is_there, draft)?, self.in_object) {
                    (true, _) => State::List { first: false },
                    (false, true) => State::Behind,
                    (false, false) => State::Tail,
                }
            }
            State::Lines => {
                let is_there = |scanner: &mut Scanner<'_>| scanner.at_end().map(|at_end| !at_end);
                match self.record(format, is_there, draft)? {
                    true => State::Lines,
                    false => State::Done,
                }
            }
            State::Behind => {
                if next_member(&mut self.window, false, F::MEMBER.unwrap_or_default())? {
                    let byte = self.window.position();
                    let message = "the list is in the object twice; expected it once";
                    return Err(self.window.input().error(byte, message));
                }
                State::Tail
            }
            State::Tail => {
                self.window.item(only_space)?;
                State::Done
            }
            State::Done => return Ok(false),
        };
        Ok(true)
    }

    /// Finds the records.
    fn begin<F: EntryFormat>(&mut self) -> Result<State> {
        let (at, byte) = self.window.item(|scanner| {
            scanner.skip_mark()?;
            let byte = if scanner.at_end()? { None } else { Some(scanner.peek()?) };
            Ok((scanner.at, byte))
        })?;
        let start = self.window.byte(at);
        match (byte, F::MEMBER) {
            // An empty file holds no predictions.
            (None, _) => Ok(State::Done),
            (Some(b'{'), _) if F::IS_RECORD => Ok(State::Record),
            (Some(b'{'), None) if F::MAY_BE_LINES => Ok(State::Lines),
            (Some(b'['), _) if F::MAY_BE_LIST => {
                self.window.item(|scanner| scanner.expect(b'[', "expected a list"))?;
                Ok(State::List { first: true })
            }
            (Some(b'{'), Some(member)) => {
                self.in_object = true;
                self.window.item(|scanner| scanner.expect(b'{', "expected an object"))?;
                if next_member(&mut self.window, true, member)? {
                    self.window.item(|scanner| scanner.expect(b'[', "expected a list"))?;
                    return Ok(State::List { first: true });
                }
                let message = format!("the object has no `{member}`; {}", expected::<F>());
                Err(self.window.input().error(start, message))
            }
            _ => Err(self.window.input().error(start, expected::<F>())),
        }
    }

    /// Reads a record if one `is_there`, and adds its rows; false if none is.
    fn record<F: EntryFormat>(
        &mut self,
        format: &mut F,
        is_there: impl Fn(&mut Scanner<'_>) -> Scan<bool>,
        draft: &mut Draft,
    ) -> Result<bool> {
        self.window.release();
        let found = self.window.item(|scanner| {
            if !is_there(scanner)? {
                return Ok(None);
            }
            scanner.peek()?;
            let start = scanner.at;
            let record = format.record(scanner)?;
            Ok(Some((start..scanner.at, record)))
        })?;
        let Some((place, record)) = found else {
            return Ok(false);
        };
        let mut rows = Rows {
            origin: &self.origin,
            text: self.window.text(),
            base: self.window.byte(0),
            record: place,
            in_object: self.in_object,
            draft,
            gaps: &mut self.gaps,
        };
        let added = format.rows(&record, self.records, &mut rows);
        self.records = self.records.saturating_add(1);
        added.map(|()| true).map_err(|stop| match stop {
            Stop::Bad { at, message } => self.window.error(at, message),
            Stop::Incomplete => self.window.error(0, "the record ends too early"),
        })
    }
}

/// What a text of a format is, for errors.
fn expected<F: EntryFormat>() -> String {
    match (F::MEMBER, F::MAY_BE_LIST) {
        (Some(member), true) => format!("expected a JSON list, or an object with `{member}`"),
        (Some(member), false) => format!("expected a JSON object with `{member}`"),
        (None, _) if F::MAY_BE_LINES => "expected JSON objects, one a line, or a list of them".to_owned(),
        (None, true) => "expected a JSON list".to_owned(),
        (None, false) => "expected a JSON object".to_owned(),
    }
}

/// Moves to the value of the next member with this name, passing over others; false at the end of the object.
fn next_member(window: &mut Window, first: bool, name: &str) -> Result<bool> {
    let mut first = first;
    loop {
        window.release();
        let is_it = window.item(|scanner| {
            let mut first = first;
            let key = scanner.next_key(&mut first)?;
            Ok(key.map(|key| plain(scanner, key, &mut Vec::new()) == name.as_bytes()))
        })?;
        match is_it {
            None => return Ok(false),
            Some(true) => return Ok(true),
            Some(false) => window.skip()?,
        }
        first = false;
    }
}

impl<F: EntryFormat> Reader for EntryReader<F> {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut draft = Draft::default();
        if let Some(text) = &self.current {
            text.name_member(&mut draft);
        }
        let start = self.position();
        while !draft.is_full() && self.position() - start < BATCH_BYTES {
            if !self.read(&mut draft)? {
                break;
            }
        }
        // Files without a record end no batch.
        if self.current.is_none() && draft.is_empty() {
            Ok(None)
        } else {
            draft.finish().map(Some)
        }
    }

    fn bytes_read(&self) -> u64 {
        self.before + self.current.as_ref().map_or(0, |text| text.window.stored_bytes())
    }

    fn pieces(&mut self, len_bytes: u64) -> Result<Option<Vec<OpenPiece>>> {
        let piece = |files| -> OpenPiece {
            let reader = Self {
                format: self.format.clone(),
                origin: self.origin.clone(),
                files,
                current: None,
                before: 0,
                text_before: 0,
                chunk_bytes: self.chunk_bytes,
                gaps: self.gaps.clone(),
            };
            Box::new(move || Ok(Box::new(reader)))
        };
        Ok(self
            .files
            .split(len_bytes)
            .map(|parts| parts.into_iter().map(piece).collect()))
    }
}
