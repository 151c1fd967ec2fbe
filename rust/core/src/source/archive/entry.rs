//! A file of an archive: where it is stored, and its content at any place.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use flate2::read::DeflateDecoder;
use flate2::Crc;

use crate::error::{Error, Result};
use crate::source::Anywhere;

/// Bytes of a file that is unpacked in memory; longer ones are unpacked once, to a temporary file.
const HELD_BYTES: u64 = 1 << 23;

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
        /// The file that it was unpacked to.
        unpacked: OnceLock<Arc<File>>,
    },
}

impl Packing {
    pub fn deflated(crc: u32) -> Self {
        Self::Deflated {
            crc,
            unpacked: OnceLock::new(),
        }
    }
}

impl Entry {
    /// Its content, unpacked from the archive; errors call it by `name`.
    ///
    /// # Errors
    /// [`Error::Source`] where it is damaged, and [`Error::Io`] where it cannot be unpacked.
    pub fn content(&self, archive: &Arc<File>, name: impl FnOnce() -> String) -> Result<Anywhere> {
        let stored = Anywhere::section(Arc::clone(archive), self.at, self.stored_bytes);
        let Packing::Deflated { crc, unpacked } = &self.packing else {
            return Ok(stored);
        };
        if let Some(file) = unpacked.get() {
            return Ok(Anywhere::section(Arc::clone(file), 0, self.len_bytes));
        }
        let decoder = DeflateDecoder::new(stored.from(0));
        let damaged = |message: String| Error::Source {
            source_name: name(),
            byte: 0,
            message,
        };
        if self.len_bytes <= HELD_BYTES {
            let mut bytes = Vec::new();
            inflate(decoder, self.len_bytes, *crc, &mut bytes, damaged)?;
            return Ok(Anywhere::bytes(bytes.into()));
        }
        let mut file = temporary()?;
        inflate(decoder, self.len_bytes, *crc, &mut file, damaged)?;
        let file = unpacked.get_or_init(|| Arc::new(file));
        Ok(Anywhere::section(Arc::clone(file), 0, self.len_bytes))
    }
}

/// Unpacks `len_bytes` with this checksum.
fn inflate(
    decoder: impl Read,
    len_bytes: u64,
    crc: u32,
    out: &mut impl Write,
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
        out.write_all(&block[..read]).map_err(Error::io(std::env::temp_dir()))?;
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
