//! A file that is read at any place, by several readers at once.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::sync::Arc;

/// A file on disk or in memory, or a part of one, whose bytes are read by their place. Copies share the file.
#[derive(Debug, Clone)]
pub(crate) struct Anywhere {
    place: Place,
    len_bytes: u64,
}

#[derive(Debug, Clone)]
enum Place {
    /// From this byte of the file on.
    File(Arc<File>, u64),
    Bytes(Arc<[u8]>),
}

impl Anywhere {
    /// A file on disk, with the length that it has now.
    ///
    /// # Errors
    /// What the system says, and for a pipe or device, which has no places to read at.
    pub fn file(file: File) -> Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            let message = "a table is read from its end; expected a file, not a pipe or device";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(Self::section(Arc::new(file), 0, metadata.len()))
    }

    /// The `len_bytes` of a file from byte `at` on.
    pub fn section(file: Arc<File>, at: u64, len_bytes: u64) -> Self {
        Self {
            place: Place::File(file, at),
            len_bytes,
        }
    }

    /// A file in memory.
    pub fn bytes(bytes: Arc<[u8]>) -> Self {
        Self {
            len_bytes: bytes.len() as u64,
            place: Place::Bytes(bytes),
        }
    }

    /// Bytes of the file, or of the part.
    pub fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    /// Fills `buffer` with what begins at byte `at`.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` where the file ends earlier.
    pub fn fill(&self, at: u64, buffer: &mut [u8]) -> Result<()> {
        match &self.place {
            Place::File(file, start) => {
                let end = at.checked_add(buffer.len() as u64);
                if end.is_none_or(|end| end > self.len_bytes) {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                fill_from(file, start.saturating_add(at), buffer)
            }
            Place::Bytes(bytes) => {
                let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
                let found = from.and_then(|from| from.get(..buffer.len()));
                buffer.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }

    /// The `len` bytes from byte `at` on.
    ///
    /// # Errors
    /// As [`Self::fill`], before any memory is taken; `OutOfMemory` where there is none.
    pub fn read(&self, at: u64, len: usize) -> Result<Vec<u8>> {
        if at.checked_add(len as u64).is_none_or(|end| end > self.len_bytes) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| ErrorKind::OutOfMemory)?;
        bytes.resize(len, 0);
        self.fill(at, &mut bytes)?;
        Ok(bytes)
    }

    /// A reader of what begins at byte `at`.
    pub fn from(&self, at: u64) -> Onward {
        Onward { file: self.clone(), at }
    }
}

#[cfg(unix)]
fn fill_from(file: &File, at: u64, buffer: &mut [u8]) -> Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

#[cfg(windows)]
fn fill_from(file: &File, mut at: u64, mut buffer: &mut [u8]) -> Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, at) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer = &mut buffer[read..];
                at += read as u64;
            }
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

/// Writes to a place in a file; what is read meanwhile is read by its own place.
#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
pub(super) fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, at) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                at += written as u64;
            }
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

/// Reads on from a place in a file.
#[derive(Debug)]
pub(crate) struct Onward {
    file: Anywhere,
    at: u64,
}

impl Read for Onward {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let rest = self.file.len_bytes.saturating_sub(self.at);
        let len = buffer.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        if len == 0 {
            return Ok(0);
        }
        self.file.fill(self.at, &mut buffer[..len])?;
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for Onward {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.file.len_bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
