//! The lines of a text, one after the other in a buffer that holds little more than the longest of them.

use std::ops::Range;

use memchr::memchr;

use super::csv::RecordEnd;
use super::input::{SourceFile, Stamp, TextStream, BYTE_ORDER_MARK};
use crate::error::Result;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Longest line: a mask of noise as large as pictures are, many times over.
const MOST_LINE_BYTES: usize = 1 << 26;

/// Reads lines.
pub(crate) struct Lines {
    text: TextStream,
    buffer: Vec<u8>,
    /// Byte in the text of the buffer's first.
    base: u64,
    /// First byte of the buffer that was not given out.
    at: usize,
    ended: bool,
    chunk_bytes: usize,
    /// Whether a line goes on after a line break in quotes, as a record of CSV does.
    are_records: bool,
    /// Which bytes of the text a line must begin in.
    range: Range<u64>,
}

impl Lines {
    /// Lines of a text that is read so many bytes at a time, or as many as suit.
    pub fn new(text: TextStream, chunk_bytes: Option<usize>) -> Self {
        Self {
            text,
            buffer: Vec::new(),
            base: 0,
            at: 0,
            ended: false,
            chunk_bytes: chunk_bytes.unwrap_or(CHUNK_BYTES).max(1),
            are_records: false,
            range: 0..u64::MAX,
        }
    }

    /// Splits a text into parts of `len_bytes`, in order: each has the lines that begin in these. None where that takes
    /// reading what is before them, as in a compressed file.
    pub fn parts(&self, len_bytes: u64) -> Option<Vec<LinesPart>> {
        let input = self.text.input();
        let (end, len_bytes) = (input.len_bytes(), len_bytes.max(1));
        if self.are_records || self.text.packed_bytes().is_some() || end <= len_bytes {
            return None;
        }
        let stamp = input.stamp();
        let part = |start| LinesPart {
            input: input.clone(),
            stamp: stamp.clone(),
            range: start..end.min(start + len_bytes),
            chunk_bytes: self.chunk_bytes,
        };
        Some((0..end).step_by(len_bytes as usize).map(part).collect())
    }

    /// Records of CSV, whose cells may hold line breaks in quotes.
    pub fn of_records(text: TextStream, chunk_bytes: Option<usize>) -> Self {
        Self {
            are_records: true,
            ..Self::new(text, chunk_bytes)
        }
    }

    /// Byte where the next line begins.
    pub fn position(&self) -> u64 {
        self.base + self.at as u64
    }

    /// How much of the file was read, in bytes of the file as it is stored; of a part of its lines, how much of that part.
    pub fn stored_bytes(&self) -> u64 {
        self.text.stored_bytes().min(self.range.end) - self.range.start.min(self.text.stored_bytes())
    }

    /// The next line that is not blank, without what surrounds its text, and the byte where that begins; none at the end.
    pub fn next(&mut self) -> Result<Option<(u64, &[u8])>> {
        loop {
            if self.position() >= self.range.end {
                return Ok(None);
            }
            let Some(end) = self.line_end()? else {
                return Ok(None);
            };
            let start = self.at;
            self.at = (end + 1).min(self.buffer.len());
            let marked = self.base == 0 && start == 0 && self.buffer.starts_with(BYTE_ORDER_MARK);
            let first = start + if marked { BYTE_ORDER_MARK.len() } else { 0 };
            let line = &self.buffer[first..end];
            let space = line.len() - line.trim_ascii_start().len();
            if space == line.len() {
                continue;
            }
            let first = first + space;
            return Ok(Some((
                self.base + first as u64,
                self.buffer[first..end].trim_ascii_end(),
            )));
        }
    }

    /// Where the next line ends in the buffer; none at the text's end.
    fn line_end(&mut self) -> Result<Option<usize>> {
        let mut searched = self.at;
        let mut record = RecordEnd::default();
        loop {
            let found = if self.are_records {
                record.find(&self.buffer[self.at..]).map(|found| self.at + found)
            } else {
                memchr(b'\n', &self.buffer[searched..]).map(|found| searched + found)
            };
            let end = found.unwrap_or(self.buffer.len());
            if end - self.at > MOST_LINE_BYTES {
                let message = "the line is longer than 64 MiB; expected a record on each line";
                return Err(self.text.input().error(self.position(), message));
            }
            if self.ended && record.is_in_quotes() {
                let message = "this record has a quote that is not closed before the end of the file; close it";
                return Err(self.text.input().error(self.position(), message));
            }
            if found.is_some() || self.ended {
                return Ok((found.is_some() || self.at < end).then_some(end));
            }
            self.buffer.drain(..self.at);
            self.base += self.at as u64;
            self.at = 0;
            searched = self.buffer.len();
            // As much again as is there, so that a long line is moved seldom.
            let wanted = self.chunk_bytes.max(searched);
            self.ended = self.text.read_into(&mut self.buffer, wanted)? < wanted;
        }
    }
}

/// Some of the lines of a text: those that begin in a range of its bytes.
pub(crate) struct LinesPart {
    input: SourceFile,
    /// What told the file when it was split.
    stamp: Option<Stamp>,
    range: Range<u64>,
    chunk_bytes: usize,
}

impl LinesPart {
    /// Goes to the first of them.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`], a line that is too long, and a file that was changed since it was split.
    pub fn open(self) -> Result<Lines> {
        if self.input.stamp() != self.stamp {
            let message = "the file was changed while it was read; run the command again once it is complete";
            return Err(self.input.error(self.range.start, message));
        }
        // The line that the byte before is in belongs to the part before.
        let base = self.range.start.saturating_sub(1);
        let mut lines = Lines {
            base,
            ..Lines::new(self.input.stream_from(base)?, Some(self.chunk_bytes))
        };
        if self.range.start > 0 {
            let end = lines.line_end()?.unwrap_or(lines.at);
            lines.at = (end + 1).min(lines.buffer.len());
        }
        lines.range = self.range;
        Ok(lines)
    }
}
