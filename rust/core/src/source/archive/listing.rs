//! The files of an archive as they are listed: whose paths are safe, and which of them a folder would give.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::entry::Entry;
use crate::error::{Error, Result};

/// What macOS adds to archives beside the files themselves.
const RESOURCES: &str = "__MACOSX";

/// The files of an archive so far.
pub(super) struct Listing {
    /// What errors call the archive.
    shown: String,
    entries: BTreeMap<PathBuf, Entry>,
}

impl Listing {
    pub fn new(path: &Path) -> Self {
        Self {
            shown: path.display().to_string(),
            entries: BTreeMap::new(),
        }
    }

    /// An error about what is at byte `byte` of the archive.
    pub fn error(&self, byte: u64, message: String) -> Error {
        Error::Source {
            source_name: self.shown.clone(),
            byte,
            message,
        }
    }

    /// The path that `name` stands for; none for hidden files, which a folder leaves out.
    ///
    /// # Errors
    /// [`Error::Source`] where it leads out of the archive.
    pub fn path(&self, byte: u64, name: &Path) -> Result<Option<PathBuf>> {
        let mut path = PathBuf::new();
        for part in name.components() {
            match part {
                Component::Normal(part) if !(path.as_os_str().is_empty() && is_drive(part)) => path.push(part),
                Component::CurDir => {}
                _ => {
                    let name = name.display().to_string();
                    let message = format!(
                        "the path of its member {name:?} leads out of the archive; make it anew, with relative paths"
                    );
                    return Err(self.error(byte, message));
                }
            }
        }
        let is_hidden = path.iter().any(|name| name.as_encoded_bytes().starts_with(b"."));
        let is_left_out = is_hidden || path.starts_with(RESOURCES) || path.as_os_str().is_empty();
        Ok((!is_left_out).then_some(path))
    }

    /// The error for a link.
    pub fn link(&self, byte: u64, path: &Path) -> Error {
        let message = format!(
            "its member {} is a link, and links may lead out of an archive; unpack it and give the folder, or put the file \
             itself in the archive (tar --dereference)",
            path.display()
        );
        self.error(byte, message)
    }

    /// Adds a file, in place of an earlier one with its path, as unpacking does.
    pub fn add(&mut self, path: PathBuf, entry: Entry) {
        self.entries.insert(path, entry);
    }

    /// Bytes of all files.
    pub fn len_bytes(&self) -> u64 {
        let lengths = self.entries.values().map(|entry| entry.len_bytes);
        lengths.fold(0, u64::saturating_add)
    }

    /// The one folder that all files are in, if there is one, and the files. Their paths are relative to that folder if it is
    /// called `own`.
    pub fn into_entries(self, own: Option<&OsStr>) -> (Option<OsString>, BTreeMap<PathBuf, Entry>) {
        let top_of = |path: &PathBuf| {
            let mut names = path.iter();
            names.next().filter(|_| names.next().is_some()).map(OsStr::to_owned)
        };
        // Paths are in order: what the first and the last have in common, all have.
        let last = self.entries.keys().next_back().and_then(top_of);
        let top = self
            .entries
            .keys()
            .next()
            .and_then(top_of)
            .filter(|top| Some(top) == last.as_ref());
        if top.is_none() || top.as_deref() != own {
            return (top, self.entries);
        }
        let below = |path: PathBuf| path.iter().skip(1).collect();
        let entries = self.entries.into_iter().map(|(path, entry)| (below(path), entry));
        (top, entries.collect())
    }
}

/// Whether a name is that of a drive of Windows.
fn is_drive(name: &OsStr) -> bool {
    matches!(name.as_encoded_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}
