//! A file of an archive: where it is stored, and its content at any place.

use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use flate2::read::DeflateDecoder;
use flate2::Crc;

use crate::error::{Error, Result};
use crate::source::anywhere::{write_at, Anywhere};

/// Bytes of a file that is unpacked in memory, each time that it is read; longer ones are unpacked once.
const HELD_BYTES: u64 = 1 << 20;

/// Bytes that are unpacked at a time.
pub(super) const BLOCK_BYTES: usize = 1 << 17;

/// Where a file is in an archive.
#[derive(Debug)]
pub(super) struct Entry {
    /// First byte of its content as it is stored.
    pub at: u64,
    pub stored_bytes: u64,
    pub len_bytes: u64,
    pub packing: Packing,
}

#[derive(Debug)]
pub(super) enum Packing {
    Stored,
    Deflated {
        crc: u32,
        /// Of a long one that was unpacked, its first byte in the [`Unpacked`].
        unpacked_at: OnceLock<u64>,
    },
}

impl Packing {
    pub fn deflated(crc: u32) -> Self {
        Self::Deflated {
            crc,
            unpacked_at: OnceLock::new(),
        }
    }
}

/// The temporary file that the long files of an archive are unpacked to, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Unpacked(Mutex<Option<(Arc<File>, u64)>>);

impl Entry {
    /// Its content, unpacked from the archive; errors call it by `name`.
    ///
    /// # Errors
    /// [`Error::Source`] where it is damaged, and [`Error::Io`] where it cannot be unpacked.
    pub fn content(&self, archive: &Arc<File>, long: &Unpacked, name: impl FnOnce() -> String) -> Result<Anywhere> {
        let stored = Anywhere::section(Arc::clone(archive), self.at, self.stored_bytes);
        let Packing::Deflated { crc, unpacked_at } = &self.packing else {
            return Ok(stored);
        };
        let decoder = DeflateDecoder::new(stored.from(0));
        let damaged = |message: String| Error::Source {
            source_name: name(),
            byte: 0,
            message,
        };
        if self.len_bytes <= HELD_BYTES {
            let mut bytes = Vec::new();
            let push = |block: &[u8]| {
                bytes.extend_from_slice(block);
                Ok(())
            };
            inflate(decoder, self.len_bytes, *crc, push, damaged)?;
            return Ok(Anywhere::bytes(bytes.into()));
        }
        let mut file = long.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, end) = match &mut *file {
            Some(file) => file,
            none => none.insert((Arc::new(temporary()?), 0)),
        };
        let at = match unpacked_at.get() {
            Some(at) => *at,
            None => {
                let (at, mut to) = (*end, *end);
                let write = |block: &[u8]| {
                    let written = write_at(file, block, to);
                    to += block.len() as u64;
                    written.map_err(Error::io(std::env::temp_dir()))
                };
                inflate(decoder, self.len_bytes, *crc, write, damaged)?;
                *end = to;
                *unpacked_at.get_or_init(|| at)
            }
        };
        Ok(Anywhere::section(Arc::clone(file), at, self.len_bytes))
    }
}

/// Unpacks `len_bytes` with this checksum.
fn inflate(
    decoder: impl Read,
    len_bytes: u64,
    crc: u32,
    mut out: impl FnMut(&[u8]) -> Result<()>,
    damaged: impl FnOnce(String) -> Error,
) -> Result<()> {
    // One more, so that what goes on is seen.
    let mut decoder = decoder.take(len_bytes.saturating_add(1));
    let (mut found, mut sum) = (0, Crc::new());
    let mut block = vec![0; BLOCK_BYTES.min(len_bytes as usize + 1)];
    loop {
        let read = match decoder.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(cause) => return Err(damaged(format!("its compressed data is damaged ({cause})"))),
        };
        found += read as u64;
        sum.update(&block[..read]);
        out(&block[..read])?;
    }
    if found != len_bytes {
        return Err(damaged(format!(
            "it does not unpack to the {len_bytes} bytes that the archive gives it; the archive is damaged"
        )));
    }
    if sum.sum() != crc {
        return Err(damaged(
            "its checksum does not match; the archive is damaged".to_owned(),
        ));
    }
    Ok(())
}

/// A file without a name in the system's temporary folder, which is gone with the last that reads it.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn temporary() -> Result<File> {
    tempfile::tempfile().map_err(Error::io(std::env::temp_dir()))
}
