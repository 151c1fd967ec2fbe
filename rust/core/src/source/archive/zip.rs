//! The files of a zip archive, by its own list.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::entry::{Entry, Packing};
use super::listing::Listing;
use crate::error::{Error, Result};
use crate::source::bounds::{most_from, MOST_GROWTH};

/// Lists the archive at `path`.
///
/// # Errors
/// As [`super::Archive::at`].
pub(super) fn list(path: &Path) -> Result<(Arc<File>, Listing)> {
    let file = File::open(path).map_err(Error::io(path))?;
    let len_bytes = file.metadata().map_err(Error::io(path))?.len();
    let mut listing = Listing::new(path);
    let failed = |cause, listing: &Listing| match cause {
        ZipError::Io(cause) if cause.kind() != std::io::ErrorKind::UnexpectedEof => Error::io(path)(cause),
        cause => listing.error(0, format!("this is not a zip archive, or it is damaged ({cause})")),
    };
    let shared = file.try_clone().map_err(Error::io(path))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|cause| failed(cause, &listing))?;
    for number in 0..archive.len() {
        let member = archive.by_index_raw(number).map_err(|cause| failed(cause, &listing))?;
        let byte = member.header_start();
        let name = name_of(member.name_raw(), member.name());
        let Some(path) = listing.path(byte, &name)? else {
            continue;
        };
        // Programs of Windows may write a folder with their own slash at its end.
        if member.is_dir() || name.as_os_str().as_encoded_bytes().ends_with(b"/") {
            continue;
        }
        let refused = |what: &str| {
            let message = format!(
                "its member {} is {what}; unpack the archive and give the folder",
                path.display()
            );
            Err(listing.error(byte, message))
        };
        if member.is_symlink() {
            return Err(listing.link(byte, &path));
        }
        if member.encrypted() {
            return refused("encrypted");
        }
        let packing = match member.compression() {
            CompressionMethod::Stored => Packing::Stored,
            CompressionMethod::Deflated => Packing::deflated(member.crc32()),
            _ => return refused("packed in a way that is not read here, where expected is deflate or none"),
        };
        let (stored_bytes, unpacked_bytes) = (member.compressed_size(), member.size());
        let at = member.data_start().unwrap_or(len_bytes);
        let is_inside = at.checked_add(stored_bytes).is_some_and(|end| end <= len_bytes);
        if !is_inside || (matches!(packing, Packing::Stored) && stored_bytes != unpacked_bytes) {
            return refused("not whole: the archive ends before it, or gives it two lengths");
        }
        let entry = Entry {
            at,
            stored_bytes,
            len_bytes: unpacked_bytes,
            packing,
        };
        listing.add(path, entry);
    }
    if listing.len_bytes() > most_from(len_bytes) {
        let message =
            format!("it unpacks to more than {MOST_GROWTH} times its size; unpack it first and give the folder");
        return Err(listing.error(0, message));
    }
    Ok((Arc::new(shared), listing))
}

/// The path of a member. Names are UTF-8 also where the archive does not say so; some programs of Windows write their own
/// slashes.
fn name_of(raw: &[u8], told: &str) -> PathBuf {
    let name = std::str::from_utf8(raw).unwrap_or(told);
    PathBuf::from(name.replace('\\', "/"))
}
