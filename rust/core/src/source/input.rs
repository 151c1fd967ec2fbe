//! Where the bytes of a source come from. Positions are those of its text, also where the file holds it compressed.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::anywhere::Anywhere;
use super::archive::Archive;
use super::compressed::{Compression, Consumed};
use super::naming::names_of;
use crate::error::{Error, Result};

/// Bytes that a window of a long file is made for: a batch, and what is read beyond it. Allocators that learn from what is
/// given back (glibc's) then keep the memory of a batch for the next one.
const WINDOW_BYTES: usize = 1 << 21;

/// What some programs write in front of a text in UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Least bytes that [`SourceFile::read_short`] refuses.
const SHORT_BYTES: usize = 1 << 26;

/// What tells a file from another that took its place, or its own later content: length and time of the last change. A
/// file in memory has no such time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    len_bytes: u64,
    changed: Option<SystemTime>,
}

/// A file that can be read more than once.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: String,
    place: Place,
}

/// Where its bytes are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Path(PathBuf),
    /// Content, and the path that it goes by where it is a file of a folder.
    Bytes(Arc<[u8]>, Option<PathBuf>),
    /// A file of an archive, by its path there.
    Packed(Arc<Archive>, PathBuf),
}

impl SourceFile {
    /// The file at `path`; errors name the path.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: path.display().to_string(),
            place: Place::Path(path),
        }
    }

    /// A file of a folder in memory; errors name its path.
    pub(crate) fn member(folder: &str, path: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self {
            name: format!("{folder}/{path}"),
            place: Place::Bytes(bytes.into(), Some(PathBuf::from(path))),
        }
    }

    /// A file of an archive; errors name its path.
    pub(super) fn packed(archive: &Arc<Archive>, path: PathBuf) -> Self {
        Self {
            name: format!("{}/{}", archive.shown(), path.display()),
            place: Place::Packed(Arc::clone(archive), path),
        }
    }

    /// Where its bytes are.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What errors call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size as it is stored, in bytes, of a file of an archive as it is unpacked; 0 where it cannot be found.
    pub fn len_bytes(&self) -> u64 {
        match &self.place {
            Place::Path(path) => path.metadata().map_or(0, |file| file.len()),
            Place::Bytes(bytes, _) => bytes.len() as u64,
            Place::Packed(archive, path) => archive.len_bytes(path),
        }
    }

    /// A file in memory; errors call it `name`.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self {
            name: name.into(),
            place: Place::Bytes(bytes.into(), None),
        }
    }

    /// The file's name without folders, and without the suffix that says how it is compressed; none for a file in memory.
    pub fn file_name(&self) -> Option<Cow<'_, str>> {
        let (Place::Path(path) | Place::Bytes(_, Some(path)) | Place::Packed(_, path)) = &self.place else {
            return None;
        };
        let is_packed = |suffix: &OsStr| suffix.eq_ignore_ascii_case("gz") || suffix.eq_ignore_ascii_case("zst");
        let packed = path.extension().is_some_and(is_packed);
        let name = if packed { path.file_stem() } else { path.file_name() };
        name.map(OsStr::to_string_lossy)
    }

    /// The names in its path, from the root; none for a file in memory.
    pub(crate) fn names(&self) -> Option<Vec<String>> {
        match &self.place {
            Place::Path(path) => Some(names_of(path)),
            Place::Packed(archive, path) => Some(names_of(&archive.root().join(path))),
            Place::Bytes(..) => None,
        }
    }

    /// Its whole text, of a file that explains others and is short.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Source`] where it is 64 MiB long or longer, or not UTF-8.
    pub fn read_short(&self) -> Result<String> {
        let mut text = Vec::new();
        if self.stream_from(0)?.read_into(&mut text, SHORT_BYTES)? == SHORT_BYTES {
            let message = "the file is longer than 64 MiB; expected a short one";
            return Err(self.error(SHORT_BYTES as u64, message));
        }
        String::from_utf8(text).map_err(|cause| {
            let byte = cause.utf8_error().valid_up_to() as u64;
            self.error(byte, "the text is not UTF-8")
        })
    }

    /// What tells the file as it is now; none if it cannot be found.
    pub fn stamp(&self) -> Option<Stamp> {
        let path = match &self.place {
            Place::Bytes(bytes, _) => {
                return Some(Stamp {
                    len_bytes: bytes.len() as u64,
                    changed: None,
                })
            }
            Place::Path(path) => path,
            // What changes is the archive.
            Place::Packed(archive, _) => archive.path(),
        };
        path.metadata().ok().map(|file| Stamp {
            len_bytes: file.len(),
            changed: file.modified().ok(),
        })
    }

    /// An error at byte `byte` of this file.
    pub(crate) fn error(&self, byte: u64, message: impl Into<String>) -> Error {
        Error::Source {
            source_name: self.name.clone(),
            byte,
            message: message.into(),
        }
    }

    /// The file as it is stored, to read at any place.
    pub(crate) fn anywhere(&self) -> Result<Anywhere> {
        match &self.place {
            Place::Path(path) => File::open(path).and_then(Anywhere::file).map_err(Error::io(path)),
            Place::Bytes(bytes, _) => Ok(Anywhere::bytes(Arc::clone(bytes))),
            Place::Packed(archive, path) => archive.file(path),
        }
    }

    /// What reading at byte `byte` of the text failed with: the file cannot be read, or what it holds cannot be decoded.
    pub(crate) fn failed(&self, byte: u64, cause: std::io::Error) -> Error {
        match cause.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => self.error(byte, cause.to_string()),
            _ => Error::io(&self.name)(cause),
        }
    }

    /// Its text from byte `byte` on, as a stream.
    pub(crate) fn stream_from(&self, byte: u64) -> Result<TextStream> {
        Ok(TextStream {
            opened: self.open_at(byte)?,
            input: self.clone(),
        })
    }

    fn open_at(&self, byte: u64) -> Result<Opened> {
        Opened::at(self.open_stored()?, byte).map_err(|cause| self.failed(byte, cause))
    }

    /// The file as it is stored, from its start.
    pub(super) fn open_stored(&self) -> Result<Box<dyn Stored>> {
        Ok(match &self.place {
            Place::Path(path) => Box::new(File::open(path).map_err(Error::io(path))?),
            Place::Bytes(bytes, _) => Box::new(Cursor::new(Arc::clone(bytes))),
            Place::Packed(archive, path) => Box::new(archive.file(path)?.from(0)),
        })
    }
}

/// A file as it is stored.
pub(super) trait Stored: Read + Seek + Send + Sync {}

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

/// The text of a file, read once.
pub(crate) struct TextStream {
    opened: Opened,
    input: SourceFile,
}

impl TextStream {
    /// Appends at most `most` bytes of what follows; gives their number, less than `most` at the end alone.
    pub fn read_into(&mut self, text: &mut Vec<u8>, most: usize) -> Result<usize> {
        let before = text.len();
        let read = (&mut self.opened.text).take(most as u64).read_to_end(text);
        // Also what was read before it failed.
        self.opened.at += (text.len() - before) as u64;
        read.map_err(|cause| self.input.failed(self.opened.at, cause))
    }

    /// How much of the file was read, in bytes of the file as it is stored.
    pub fn stored_bytes(&self) -> u64 {
        self.packed_bytes().unwrap_or(self.opened.at)
    }

    /// Of a compressed file, how many of its bytes were read.
    pub fn packed_bytes(&self) -> Option<u64> {
        self.opened.consumed.as_ref().map(Consumed::bytes)
    }

    /// Room for what is left of the file, or for what a window of a long one holds.
    pub fn room(&self) -> usize {
        if self.opened.consumed.is_some() {
            return WINDOW_BYTES;
        }
        let rest = self.input.len_bytes().saturating_sub(self.opened.at);
        // One byte more, so that the end is seen without growing.
        (rest as usize).saturating_add(1).min(WINDOW_BYTES)
    }

    /// The file itself.
    pub fn input(&self) -> &SourceFile {
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
pub struct Excerpts {
    opened: Option<Opened>,
}

impl std::fmt::Debug for Excerpts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Excerpts").finish_non_exhaustive()
    }
}

impl Excerpts {
    /// Reads at most `len` bytes of `input` from byte `at`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(&mut self, input: &SourceFile, at: u64, len: usize) -> Result<Vec<u8>> {
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
