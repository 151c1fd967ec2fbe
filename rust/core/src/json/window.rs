//! The refillable window over a file that the scanner works on.

use super::scanner::{Scan, Scanner, Stop};
use super::skip::{Hop, Skip};
use crate::error::{Error, Result};
use crate::source::{SourceFile, TextStream};

/// Largest single item (annotation, image, ...) in bytes of JSON: keeps the IR's 32-bit offsets from overflowing.
const MAX_ITEM_BYTES: usize = 1 << 30;

/// Most memory that is set aside for a batch before it is known to be needed.
const MAX_RESERVED_BYTES: usize = 1 << 23;

/// Least and most bytes asked for at a time.
const CHUNK_BYTES: std::ops::RangeInclusive<usize> = 1..=1 << 28;

/// A stretch of a file in memory: what is being read, and before it what the current batch still needs.
pub(crate) struct Window {
    file: TextStream,
    text: Vec<u8>,
    /// Offset in the file of the first byte of `text`.
    base: u64,
    /// First byte of `text` that has to stay; what is before it goes at the next refill.
    keep: usize,
    /// First byte of `text` that is not read yet.
    at: usize,
    eof: bool,
    /// Why reading on fails, once all that was read before is scanned: errors do not depend on the length of a chunk.
    failed: Option<Error>,
    chunk_bytes: usize,
}

impl Window {
    /// Opens `input` at byte `byte`.
    pub fn open(input: &SourceFile, byte: u64, chunk_bytes: usize) -> Result<Self> {
        let file = input.stream_from(byte)?;
        Ok(Self {
            text: Vec::with_capacity(file.room()),
            file,
            base: byte,
            keep: 0,
            at: 0,
            eof: false,
            failed: None,
            chunk_bytes: chunk_bytes.clamp(*CHUNK_BYTES.start(), *CHUNK_BYTES.end()),
        })
    }

    /// Goes on at byte `byte` of the file, in this window where it is still in it.
    pub fn continue_at(mut self, byte: u64) -> Result<Self> {
        match byte.checked_sub(self.base).map(usize::try_from) {
            Some(Ok(at)) if at <= self.text.len() => {
                (self.at, self.keep) = (at, at);
                Ok(self)
            }
            _ => Self::open(self.input(), byte, self.chunk_bytes),
        }
    }

    /// The bytes in memory.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Offset in the file of a position in [`Self::text`].
    pub fn byte(&self, at: usize) -> u64 {
        self.base + at as u64
    }

    /// Offset in the file of the first byte that is not read yet.
    pub fn position(&self) -> u64 {
        self.byte(self.at)
    }

    /// How much of the file was read, in bytes of the file as it is stored.
    pub fn stored_bytes(&self) -> u64 {
        self.file.packed_bytes().unwrap_or_else(|| self.position())
    }

    /// An error at a position in [`Self::text`].
    pub fn error(&self, at: usize, message: impl Into<String>) -> Error {
        self.input().error(self.byte(at), message)
    }

    /// The file itself.
    pub fn input(&self) -> &SourceFile {
        self.file.input()
    }

    /// Lets go of everything before the next byte to read, except that a batch keeps what it started with.
    pub fn release(&mut self) {
        self.keep = self.at;
    }

    /// Bytes read since the last [`Self::release`].
    pub fn kept_bytes(&self) -> usize {
        self.at - self.keep
    }

    /// Hands over the text whose positions were given out since the last [`Self::release`], and keeps what follows it.
    pub fn take(&mut self) -> Vec<u8> {
        // The next batch is about as large: growing to that in steps would copy the text several times.
        let room = if self.eof {
            0
        } else {
            self.text.len() + self.chunk_bytes
        };
        let mut rest = Vec::with_capacity(room.min(MAX_RESERVED_BYTES));
        rest.extend_from_slice(&self.text[self.at..]);
        self.base += self.at as u64;
        let mut text = std::mem::replace(&mut self.text, rest);
        text.truncate(self.at);
        self.at = 0;
        self.keep = 0;
        text
    }

    /// Scans one item, from its start again whenever the window turns out too short. Positions that `scan` gives out
    /// hold until the next call.
    #[inline]
    pub fn item<T>(&mut self, mut scan: impl FnMut(&mut Scanner<'_>) -> Scan<T>) -> Result<T> {
        loop {
            let mut scanner = Scanner::new(&self.text, self.at, self.eof);
            match scan(&mut scanner) {
                Ok(value) => {
                    self.at = scanner.at;
                    return Ok(value);
                }
                Err(stop) => self.resume(stop)?,
            }
        }
    }

    /// Consumes the next value with all checks.
    pub fn skip(&mut self) -> Result<()> {
        let mut skip = Skip::default();
        self.run(|scanner| skip.run(scanner))
    }

    /// Consumes the next value, a list or object, by its brackets alone.
    pub fn hop(&mut self) -> Result<()> {
        let mut hop = Hop::default();
        self.run(|scanner| hop.run(scanner))
    }

    /// Scans what can go on where it stopped, so that only the rest has to stay in memory.
    fn run(&mut self, mut scan: impl FnMut(&mut Scanner<'_>) -> Scan<()>) -> Result<()> {
        loop {
            let mut scanner = Scanner::new(&self.text, self.at, self.eof);
            let outcome = scan(&mut scanner);
            self.at = scanner.at;
            match outcome {
                Ok(()) => return Ok(()),
                Err(stop) => {
                    self.release();
                    self.resume(stop)?;
                }
            }
        }
    }

    fn resume(&mut self, stop: Stop) -> Result<()> {
        match stop {
            Stop::Bad { at, message } => Err(self.error(at, message)),
            Stop::Incomplete => self.refill(),
        }
    }

    /// Reads on. At least as much again as is unread, so that an item scanned anew at each refill costs linear time.
    fn refill(&mut self) -> Result<()> {
        let unread = self.text.len() - self.at;
        if unread > MAX_ITEM_BYTES {
            return Err(self.error(self.at, "one item is longer than 1 GiB; split it"));
        }
        if self.keep > 0 {
            self.text.drain(..self.keep);
            self.base += self.keep as u64;
            self.at -= self.keep;
            self.keep = 0;
        }
        let wanted = self.chunk_bytes.max(unread);
        self.text.reserve(wanted);
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        let before = self.text.len();
        match self.file.read_into(&mut self.text, wanted) {
            Ok(read) => self.eof = read < wanted,
            Err(failed) if self.text.len() > before => self.failed = Some(failed),
            Err(failed) => return Err(failed),
        }
        Ok(())
    }
}
