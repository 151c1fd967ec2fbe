//! Where the bytes of a COCO file come from, and the refillable window over them that the scanner works on. Positions are
//! those of the JSON text, also where the file holds it compressed.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::compressed::{Compression, Consumed};
use super::json::{Scan, Scanner, Stop};
use super::skip::{Hop, Skip};
use crate::error::{Error, Result};
use crate::table::Anywhere;

/// Largest single item (annotation, image, ...) in bytes of JSON: keeps the IR's 32-bit offsets from overflowing.
const MAX_ITEM_BYTES: usize = 1 << 30;

/// Most memory that is set aside for a batch before it is known to be needed.
const MAX_RESERVED_BYTES: usize = 1 << 23;

/// Bytes that a window of a long file is made for: a batch, and what is read beyond it. Allocators that learn from what is
/// given back (glibc's) then keep the memory of a batch for the next one.
const WINDOW_BYTES: usize = 1 << 21;

/// Least and most bytes asked for at a time.
const CHUNK_BYTES: std::ops::RangeInclusive<usize> = 1..=1 << 28;

/// What tells a file from another that took its place, or its own later content: length and time of the last change. A
/// file in memory has no such time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    len_bytes: u64,
    changed: Option<SystemTime>,
}

/// A COCO file that can be read more than once.
#[derive(Debug, Clone)]
pub struct CocoInput {
    name: String,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Path(PathBuf),
    Bytes(Arc<[u8]>),
}

impl CocoInput {
    /// The file at `path`; errors name the path.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: path.display().to_string(),
            place: Place::Path(path),
        }
    }

    /// A file in memory; errors call it `name`.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self {
            name: name.into(),
            place: Place::Bytes(bytes.into()),
        }
    }

    /// The file's name without folders, and without the suffix that says how it is compressed; none for a file in memory.
    pub fn file_name(&self) -> Option<Cow<'_, str>> {
        match &self.place {
            Place::Path(path) => {
                let is_packed =
                    |suffix: &OsStr| suffix.eq_ignore_ascii_case("gz") || suffix.eq_ignore_ascii_case("zst");
                let packed = path.extension().is_some_and(is_packed);
                let name = if packed { path.file_stem() } else { path.file_name() };
                name.map(OsStr::to_string_lossy)
            }
            Place::Bytes(_) => None,
        }
    }

    /// What tells the file as it is now; none if it cannot be found.
    pub fn stamp(&self) -> Option<Stamp> {
        match &self.place {
            Place::Path(path) => path.metadata().ok().map(|file| Stamp {
                len_bytes: file.len(),
                changed: file.modified().ok(),
            }),
            Place::Bytes(bytes) => Some(Stamp {
                len_bytes: bytes.len() as u64,
                changed: None,
            }),
        }
    }

    /// An error at byte `byte` of this file.
    pub(crate) fn error(&self, byte: u64, message: impl Into<String>) -> Error {
        Error::Source {
            source_name: self.name.clone(),
            byte,
            message: message.into(),
        }
    }

    /// The file as errors name it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The file as it is stored, to read at any place.
    pub(crate) fn anywhere(&self) -> Result<Anywhere> {
        match &self.place {
            Place::Path(path) => File::open(path).and_then(Anywhere::file).map_err(Error::io(path)),
            Place::Bytes(bytes) => Ok(Anywhere::bytes(Arc::clone(bytes))),
        }
    }

    /// What reading at byte `byte` of the text failed with: the file cannot be read, or what it holds cannot be decoded.
    pub(crate) fn failed(&self, byte: u64, cause: std::io::Error) -> Error {
        match cause.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => self.error(byte, cause.to_string()),
            _ => Error::io(&self.name)(cause),
        }
    }

    /// Room for what is left of the file, or for what a window of a long one holds.
    fn room_from(&self, opened: &Opened) -> usize {
        if opened.consumed.is_some() {
            return WINDOW_BYTES;
        }
        let rest = self
            .stamp()
            .map_or(0, |stamp| stamp.len_bytes.saturating_sub(opened.at));
        // One byte more, so that the end is seen without growing.
        (rest as usize).saturating_add(1).min(WINDOW_BYTES)
    }

    /// Its text from the start, as a stream.
    pub(crate) fn stream(&self) -> Result<TextStream> {
        Ok(TextStream {
            opened: self.open_at(0)?,
            input: self.clone(),
        })
    }

    fn open_at(&self, byte: u64) -> Result<Opened> {
        Opened::at(self.open_stored()?, byte).map_err(|cause| self.failed(byte, cause))
    }

    fn open_stored(&self) -> Result<Box<dyn Stored>> {
        Ok(match &self.place {
            Place::Path(path) => Box::new(File::open(path).map_err(Error::io(path))?),
            Place::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        })
    }
}

/// A file as it is stored.
trait Stored: Read + Seek + Send + Sync {}

impl<T: Read + Seek + Send + Sync> Stored for T {}

/// Reads until `buffer` is full or the file ends; gives the number of bytes.
fn read_fully(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(read)
}

/// The text of a file from somewhere on.
struct Opened {
    text: Box<dyn Read + Send + Sync>,
    /// Where it stands.
    at: u64,
    /// Of a compressed file, how much of it was taken.
    consumed: Option<Consumed>,
}

impl Opened {
    /// The text of a file from byte `byte` on.
    fn at(mut stored: Box<dyn Stored>, byte: u64) -> std::io::Result<Self> {
        let mut head = [0; Compression::HEAD_BYTES];
        let head_bytes = read_fully(&mut stored, &mut head)?;
        let Some(compression) = Compression::of(&head[..head_bytes]) else {
            stored.seek(SeekFrom::Start(byte))?;
            return Ok(Self {
                text: Box::new(stored),
                at: byte,
                consumed: None,
            });
        };
        stored.rewind()?;
        let (text, consumed) = compression.decoded(stored)?;
        let mut opened = Self {
            text,
            at: 0,
            consumed: Some(consumed),
        };
        opened.skip_to(byte)?;
        Ok(opened)
    }

    /// Reads past everything before byte `byte`, or to the end of a shorter text.
    fn skip_to(&mut self, byte: u64) -> std::io::Result<()> {
        self.at += std::io::copy(&mut (&mut self.text).take(byte - self.at), &mut std::io::sink())?;
        Ok(())
    }
}

/// The text of a file, read once from its start.
pub(crate) struct TextStream {
    opened: Opened,
    input: CocoInput,
}

impl TextStream {
    /// Appends at most `most` bytes of what follows; gives their number, less than `most` at the end alone.
    pub fn read_into(&mut self, text: &mut Vec<u8>, most: usize) -> Result<usize> {
        let read = (&mut self.opened.text).take(most as u64).read_to_end(text);
        let read = read.map_err(|cause| self.input.failed(self.opened.at, cause))?;
        self.opened.at += read as u64;
        Ok(read)
    }

    /// How much of the file was read, in bytes of the file as it is stored.
    pub fn stored_bytes(&self) -> u64 {
        self.opened.consumed.as_ref().map_or(self.opened.at, Consumed::bytes)
    }

    /// The file itself.
    pub fn input(&self) -> &CocoInput {
        &self.input
    }
}

impl Read for TextStream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.opened.text.read(buffer)
    }
}

/// Reads pieces of a file. A compressed one is decoded once, as long as pieces are asked for in their order.
#[derive(Default)]
pub struct Pieces {
    opened: Option<Opened>,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").finish_non_exhaustive()
    }
}

impl Pieces {
    /// Reads at most `len` bytes of `input` from byte `at`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(&mut self, input: &CocoInput, at: u64, len: usize) -> Result<Vec<u8>> {
        let mut opened = match self.opened.take() {
            Some(opened) if opened.at <= at && opened.consumed.is_some() => opened,
            _ => input.open_at(at)?,
        };
        let mut text = Vec::new();
        let read = opened
            .skip_to(at)
            .and_then(|()| (&mut opened.text).take(len as u64).read_to_end(&mut text));
        opened.at += read.map_err(|cause| input.failed(at, cause))? as u64;
        self.opened = Some(opened);
        Ok(text)
    }
}

/// A stretch of a file in memory: what is being read, and before it what the current batch still needs.
pub(crate) struct Window {
    input: CocoInput,
    file: Opened,
    text: Vec<u8>,
    /// Offset in the file of the first byte of `text`.
    base: u64,
    /// First byte of `text` that has to stay; what is before it goes at the next refill.
    keep: usize,
    /// First byte of `text` that is not read yet.
    at: usize,
    eof: bool,
    chunk_bytes: usize,
}

impl Window {
    /// Opens `input` at byte `byte`.
    pub fn open(input: &CocoInput, byte: u64, chunk_bytes: usize) -> Result<Self> {
        let file = input.open_at(byte)?;
        Ok(Self {
            input: input.clone(),
            text: Vec::with_capacity(input.room_from(&file)),
            file,
            base: byte,
            keep: 0,
            at: 0,
            eof: false,
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
            _ => Self::open(&self.input, byte, self.chunk_bytes),
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
        self.file.consumed.as_ref().map_or(self.position(), Consumed::bytes)
    }

    /// An error at a position in [`Self::text`].
    pub fn error(&self, at: usize, message: impl Into<String>) -> Error {
        self.input.error(self.byte(at), message)
    }

    /// The file itself.
    pub fn input(&self) -> &CocoInput {
        &self.input
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
        let read = (&mut self.file.text)
            .take(wanted as u64)
            .read_to_end(&mut self.text)
            .map_err(|cause| self.input.failed(self.base + self.text.len() as u64, cause))?;
        self.eof = read < wanted;
        Ok(())
    }
}
