//! The files of a tar archive: it has no list of them, and is gone through once.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use tar::EntryType;

use super::entry::{temporary, Entry, Packing, BLOCK_BYTES};
use super::listing::Listing;
use crate::error::{Error, Result};
use crate::source::compressed::Compression;
use crate::source::Anywhere;

/// Lists the archive at `path`; a compressed one is unpacked.
///
/// # Errors
/// As [`super::Archive::at`].
pub(super) fn list(path: &Path) -> Result<(Arc<File>, Listing)> {
    let mut listing = Listing::new(path);
    let file = Arc::new(unpacked(path, &listing)?);
    let whole = file.metadata().map_err(Error::io(path))?.len();
    let failed = |byte, cause: std::io::Error, listing: &Listing| match cause.kind() {
        ErrorKind::Other | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            listing.error(byte, format!("this is not a tar archive, or it is damaged ({cause})"))
        }
        _ => Error::io(path)(cause),
    };
    let mut archive = tar::Archive::new(BufReader::new(Anywhere::section(Arc::clone(&file), 0, whole).from(0)));
    let mut end = 0;
    let members = archive
        .entries_with_seek()
        .map_err(|cause| failed(0, cause, &listing))?;
    for member in members {
        let mut member = member.map_err(|cause| failed(end, cause, &listing))?;
        let (byte, at, len_bytes) = (member.raw_header_position(), member.raw_file_position(), member.size());
        end = at.saturating_add(len_bytes);
        let name = member
            .path()
            .map_err(|cause| failed(byte, cause, &listing))?
            .into_owned();
        let Some(name) = listing.path(byte, &name)? else {
            continue;
        };
        match member.header().entry_type() {
            // Old programs mark folders by their names alone.
            EntryType::Regular | EntryType::Continuous if !member.path_bytes().ends_with(b"/") => {}
            EntryType::Link | EntryType::Symlink => return Err(listing.link(byte, &name)),
            EntryType::GNUSparse => return Err(sparse(&listing, byte, &name)),
            // Folders; devices and the like hold no predictions.
            _ => continue,
        }
        let extensions = member.pax_extensions().map_err(|cause| failed(byte, cause, &listing))?;
        let is_sparse = |key: &[u8]| key.starts_with(b"GNU.sparse.");
        if extensions.is_some_and(|mut all| all.any(|one| one.is_ok_and(|one| is_sparse(one.key_bytes())))) {
            return Err(sparse(&listing, byte, &name));
        }
        if end > whole {
            let message = format!("the archive ends in the middle of its member {}", name.display());
            return Err(listing.error(byte, message));
        }
        let entry = Entry {
            at,
            stored_bytes: len_bytes,
            len_bytes,
            packing: Packing::Stored,
        };
        listing.add(name, entry);
    }
    Ok((file, listing))
}

fn sparse(listing: &Listing, byte: u64, name: &Path) -> Error {
    let message = format!(
        "its member {} is stored as a sparse file; unpack the archive and give the folder",
        name.display()
    );
    listing.error(byte, message)
}

/// The archive itself, or what a compressed one decodes to, bounded as any compressed source is.
fn unpacked(path: &Path, listing: &Listing) -> Result<File> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut head = Vec::new();
    (&mut file)
        .take(Compression::HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .and_then(|_| file.rewind())
        .map_err(Error::io(path))?;
    let Some(compression) = Compression::of(&head) else {
        return Ok(file);
    };
    let failed = |cause: std::io::Error| match cause.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => listing.error(0, cause.to_string()),
        _ => Error::io(path)(cause),
    };
    let (mut decoded, _) = compression.decoded(file).map_err(Error::io(path))?;
    let mut out = temporary()?;
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match decoded.read(&mut block) {
            Ok(0) => return Ok(out),
            Ok(read) => out.write_all(&block[..read]).map_err(Error::io(std::env::temp_dir()))?,
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(failed(cause)),
        }
    }
}
