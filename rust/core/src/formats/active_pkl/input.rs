//! The bytes of a pickle, read on as they are asked for.

use crate::error::{Error, Result};
use crate::source::{SourceFile, TextStream};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Longest line that is not a text: numbers, and names.
const MOST_LINE_BYTES: usize = 1 << 12;

/// A file from its beginning to its end, of which only what is being read is held.
pub(super) struct Input {
    stream: TextStream,
    held: Vec<u8>,
    /// Byte of the file at which `held` begins.
    base: u64,
    /// First byte of `held` that is not read yet.
    at: usize,
    ended: bool,
    /// Why reading on fails, once all that was read before is used: errors do not depend on the length of a chunk.
    failed: Option<Error>,
    chunk_bytes: usize,
}

impl Input {
    pub fn open(file: &SourceFile, chunk_bytes: Option<usize>) -> Result<Self> {
        Ok(Self {
            stream: file.stream_from(0)?,
            held: Vec::new(),
            base: 0,
            at: 0,
            ended: false,
            failed: None,
            chunk_bytes: chunk_bytes.unwrap_or(CHUNK_BYTES).max(1),
        })
    }

    /// Byte of the file that is read next.
    pub fn position(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Bytes of the file, as it is stored, that were read.
    pub fn stored_bytes(&self) -> u64 {
        self.stream.packed_bytes().unwrap_or_else(|| self.position())
    }

    /// An error at a byte of the file.
    pub fn error(&self, byte: u64, message: impl Into<String>) -> Error {
        self.stream.input().error(byte, message)
    }

    /// Whether nothing is left.
    pub fn at_end(&mut self) -> Result<bool> {
        Ok(self.at == self.held.len() && !self.fill()?)
    }

    /// Reads a byte.
    pub fn byte(&mut self) -> Result<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// Reads bytes. Memory grows with what the file has, whatever a length says.
    pub fn take(&mut self, len: u64) -> Result<&[u8]> {
        while ((self.held.len() - self.at) as u64) < len {
            if !self.fill()? {
                return Err(self.cut());
            }
        }
        let start = self.at;
        self.at += len as usize;
        Ok(&self.held[start..self.at])
    }

    /// Reads `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N as u64)?);
        Ok(bytes)
    }

    /// Reads a text up to the end of its line, which is left out.
    pub fn text_line(&mut self) -> Result<&[u8]> {
        self.line(usize::MAX)
    }

    /// Reads a short line, whose end is left out.
    pub fn short_line(&mut self) -> Result<&[u8]> {
        self.line(MOST_LINE_BYTES)
    }

    fn line(&mut self, most: usize) -> Result<&[u8]> {
        let start = self.position();
        let mut seen = 0;
        let len = loop {
            let unread = &self.held[self.at..];
            if let Some(found) = memchr::memchr(b'\n', &unread[seen..]).map(|found| seen + found) {
                if found <= most {
                    break found;
                }
            }
            seen = unread.len();
            if seen > most {
                return Err(self.error(start, "a line of the pickle is too long; expected a number or a name"));
            }
            if !self.fill()? {
                return Err(self.cut());
            }
        };
        let line = self.at;
        self.at += len + 1;
        Ok(&self.held[line..line + len])
    }

    fn cut(&self) -> Error {
        let end = self.base + self.held.len() as u64;
        self.error(end, "the file ends inside the pickle; it was cut, write it again")
    }

    /// Reads on; false at the end.
    fn fill(&mut self) -> Result<bool> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        if self.ended {
            return Ok(false);
        }
        self.held.drain(..self.at);
        self.base += self.at as u64;
        self.at = 0;
        let before = self.held.len();
        match self.stream.read_into(&mut self.held, self.chunk_bytes) {
            Ok(read) => self.ended = read < self.chunk_bytes,
            Err(failed) if self.held.len() > before => self.failed = Some(failed),
            Err(failed) => return Err(failed),
        }
        Ok(self.held.len() > before)
    }
}
