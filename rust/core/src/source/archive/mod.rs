//! Archives of folders: `.zip`, and `.tar`, which may be compressed. They are read where they are.
//!
//! An archive is the folder that it is called after: `run.zip` is the folder `run` beside it, whether or not its files are in
//! a folder `run` of the archive. No path leads out of an archive, and what it decodes to is bounded by its own size.

mod entry;
mod listing;
mod tar;
mod zip;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use self::entry::{Entry, Unpacked};
use super::naming::text_of;
use super::Anywhere;
use crate::error::{Error, Result};

/// Suffixes of archives, in lower case.
const ZIP: &[&str] = &[".zip"];
const TAR: &[&str] = &[".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst"];

/// An archive, and where its files are in it.
#[derive(Debug)]
pub(super) struct Archive {
    /// The archive as it was given.
    path: PathBuf,
    /// Where its folder would be if it was unpacked.
    root: PathBuf,
    /// What errors call that folder.
    shown: String,
    /// The archive, or of a compressed tar what it was unpacked to.
    file: Arc<File>,
    /// What its long files are unpacked to.
    long: Unpacked,
    /// The one folder inside it that holds all files.
    top: Option<PathBuf>,
    /// By paths relative to the folder.
    entries: BTreeMap<PathBuf, Entry>,
}

impl Archive {
    /// Whether a file with this name is an archive.
    pub fn is_at(path: &Path) -> bool {
        suffix_of(path, ZIP).or(suffix_of(path, TAR)).is_some()
    }

    /// The folder that the archive at `path` is called after, where it would be if it was unpacked.
    pub fn folder_of(path: &Path) -> PathBuf {
        let name = text_of(path.file_name().unwrap_or_default());
        let suffix = suffix_of(path, ZIP).or(suffix_of(path, TAR)).unwrap_or_default();
        path.with_file_name(&name[..name.len() - suffix.len()])
    }

    /// Lists the archive at `path`. A compressed tar, which has no list of its files, is unpacked to a temporary file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Source`] where it is not an archive or is damaged, where a file's path leads out of it, where a
    /// file is a link, encrypted or packed in a way that is not read, and where it decodes to too much.
    pub fn at(path: &Path) -> Result<Self> {
        let (file, listing) = match suffix_of(path, ZIP) {
            Some(_) => zip::list(path)?,
            None => tar::list(path)?,
        };
        let root = Self::folder_of(path);
        let (top, entries) = listing.into_entries(root.file_name());
        let mut shown = path.display().to_string();
        let top = match top {
            Some(top) if Some(&*top) == root.file_name() => {
                shown = format!("{shown}/{}", text_of(&top));
                None
            }
            top => top.map(PathBuf::from),
        };
        Ok(Self {
            path: path.to_owned(),
            root,
            shown,
            file,
            long: Unpacked::default(),
            top,
            entries,
        })
    }

    /// The archive as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its folder would be if it was unpacked.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What errors call its folder.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The one folder inside it that holds all files, if there is one.
    pub fn top(&self) -> Option<&Path> {
        self.top.as_deref()
    }

    /// Its files in the order of their paths, each with its length in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.entries.iter().map(|(path, entry)| (&**path, entry.len_bytes))
    }

    /// The path of a file that is called `name` in `folder`; none where it is not in the archive.
    pub fn find(&self, folder: &Path, name: &Path) -> Option<PathBuf> {
        let mut path = folder.to_owned();
        for part in name.components() {
            match part {
                Component::Normal(name) => path.push(name),
                Component::ParentDir if path.pop() => {}
                Component::CurDir => {}
                _ => return None,
            }
        }
        self.entries.contains_key(&path).then_some(path)
    }

    /// Whether there are files in `folder`.
    pub fn has_folder(&self, folder: &Path) -> bool {
        let mut from = self.entries.range(folder.to_owned()..).map(|(path, _)| path);
        from.find(|path| *path != folder)
            .is_some_and(|path| path.starts_with(folder))
    }

    /// Length of a file, in bytes; 0 where there is none.
    pub fn len_bytes(&self, path: &Path) -> u64 {
        self.entries.get(path).map_or(0, |entry| entry.len_bytes)
    }

    /// A file, to read at any place.
    ///
    /// # Errors
    /// [`Error::Source`] where it is damaged, and [`Error::Io`] where it cannot be unpacked.
    pub fn file(&self, path: &Path) -> Result<Anywhere> {
        let name = || format!("{}/{}", self.shown, path.display());
        match self.entries.get(path) {
            Some(entry) => entry.content(&self.file, &self.long, name),
            None => Err(Error::io(name())(ErrorKind::NotFound.into())),
        }
    }
}

/// The one of these suffixes that a file's name ends in, if there is something before it.
fn suffix_of(path: &Path, suffixes: &[&'static str]) -> Option<&'static str> {
    let name = path.file_name()?.as_encoded_bytes().to_ascii_lowercase();
    let longest = suffixes
        .iter()
        .filter(|suffix| name.ends_with(suffix.as_bytes()) && name.len() > suffix.len());
    longest.max_by_key(|suffix| suffix.len()).copied()
}
