//! A folder as a source: the files below it, in the order of their paths. An archive is the folder that it unpacks to.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::archive::Archive;
use super::naming::{names_of, text_of};
use super::{Directory, SourceFile};
use crate::error::{Error, Result};

/// A folder, and the files below it. Hidden files and folders are left out; links to files are followed, links to folders
/// are not.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its path as it was given.
    shown: String,
    /// The names in its path, from the root.
    names: Vec<String>,
    place: Place,
    files: Arc<[Member]>,
}

#[derive(Debug, Clone)]
enum Place {
    Disk(PathBuf),
    /// Files by their paths, with those beside the folder.
    Memory(Arc<BTreeMap<String, Arc<[u8]>>>),
    Archive(Arc<Archive>),
}

/// A file below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it is, relative to the folder.
    path: PathBuf,
    /// Its size as it is stored, in bytes; in an archive its size as it is unpacked.
    pub len_bytes: u64,
}

impl Member {
    /// Where it is relative to the folder, with `/` on every system.
    pub fn shown(&self) -> String {
        self.names().collect::<Vec<_>>().join("/")
    }

    /// Its name without folders, in lower case.
    pub fn name(&self) -> String {
        text_of(self.path.file_name().unwrap_or_default()).to_lowercase()
    }

    /// The names in its path, relative to the folder.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.path.iter().map(text_of)
    }
}

impl Folder {
    /// Whether `path` is read as a folder: one on disk, or a file that is called as an archive.
    pub fn is_at(path: &Path) -> bool {
        path.is_dir() || (Archive::is_at(path) && path.is_file())
    }

    /// Lists the folder, or the archive of one, at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] where it, or anything below it, cannot be listed, such as a link to a file that does not exist.
    /// [`Error::Source`] for an archive that is damaged, that unpacks to too much, or whose files would leave its folder.
    pub fn at(path: &Path) -> Result<Self> {
        if path.is_dir() {
            Self::on_disk(path)
        } else {
            Ok(Self::of_archive(Archive::at(path)?))
        }
    }

    /// Where the folder at `path` is; of an archive the folder that it is called after.
    pub fn place_of(path: &Path) -> PathBuf {
        if path.is_dir() {
            path.to_owned()
        } else {
            Archive::folder_of(path)
        }
    }

    fn of_archive(archive: Archive) -> Self {
        let files = archive.files().map(|(path, len_bytes)| Member {
            path: path.to_owned(),
            len_bytes,
        });
        Self {
            files: files.collect(),
            shown: archive.shown().to_owned(),
            names: names_of(archive.root()),
            place: Place::Archive(Arc::new(archive)),
        }
    }

    fn on_disk(path: &Path) -> Result<Self> {
        let walk = WalkDir::new(path).min_depth(1).sort_by_file_name();
        let mut files = Vec::new();
        for entry in walk.into_iter().filter_entry(|entry| !is_hidden(entry)) {
            let entry = entry.map_err(|cause| failed(path, cause))?;
            if entry.file_type().is_dir() {
                continue;
            }
            // Of the file that a link leads to.
            let found = std::fs::metadata(entry.path()).map_err(|cause| {
                let dangling = entry.path_is_symlink() && cause.kind() == ErrorKind::NotFound;
                let why = "a link to a file that does not exist; remove the link or restore the file";
                Error::io(entry.path())(if dangling {
                    io::Error::new(cause.kind(), why)
                } else {
                    cause
                })
            })?;
            if found.is_file() {
                let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
                files.push(Member {
                    path: below.to_owned(),
                    len_bytes: found.len(),
                });
            }
        }
        Ok(Self {
            shown: path.display().to_string(),
            names: names_of(path),
            place: Place::Disk(path.to_owned()),
            files: files.into(),
        })
    }

    /// A folder in memory that is called `name`. Paths of `files` are relative to it, with `/`; those that begin with `../`
    /// are beside it.
    pub fn of_bytes(name: &str, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let files: BTreeMap<String, Arc<[u8]>> = files.into_iter().map(|(path, bytes)| (path, bytes.into())).collect();
        let below = files.iter().filter(|(path, _)| !path.starts_with("../"));
        let members = below.map(|(path, bytes)| Member {
            path: PathBuf::from(path),
            len_bytes: bytes.len() as u64,
        });
        Self {
            files: members.collect(),
            shown: name.to_owned(),
            names: vec![name.to_owned()],
            place: Place::Memory(Arc::new(files)),
        }
    }

    /// What errors call it.
    pub fn path(&self) -> &str {
        &self.shown
    }

    /// The names in its path, from the root.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The names in the path of one of [`Self::files`], from the root.
    pub(crate) fn names_of(&self, member: &Member) -> Vec<String> {
        self.names.iter().cloned().chain(member.names()).collect()
    }

    /// The files below it, ordered by their paths.
    pub fn files(&self) -> &[Member] {
        &self.files
    }

    /// Opens one of [`Self::files`].
    pub fn file(&self, member: &Member) -> SourceFile {
        match &self.place {
            Place::Disk(root) => SourceFile::path(root.join(&member.path)),
            Place::Memory(files) => {
                let path = member.shown();
                let bytes = files.get(&path).cloned().unwrap_or_default();
                SourceFile::member(&self.shown, &path, bytes)
            }
            Place::Archive(archive) => SourceFile::packed(archive, member.path.clone()),
        }
    }

    /// A file called `name` in the folder, or else beside it; none where there is no such file.
    pub fn companion(&self, name: &str) -> Option<SourceFile> {
        match &self.place {
            Place::Disk(root) => {
                let inside = root.join(name);
                let beside = root.parent().map(|parent| parent.join(name));
                let found = std::iter::once(inside).chain(beside).find(|path| path.is_file());
                found.map(SourceFile::path)
            }
            Place::Memory(files) => {
                let found = files.get(name).or_else(|| files.get(&format!("../{name}")));
                found.map(|bytes| SourceFile::member(&self.shown, name, Arc::clone(bytes)))
            }
            Place::Archive(archive) => {
                let name = Path::new(name);
                let inside = |folder| Directory::packed(archive, folder).file(name);
                // Whoever packs a folder means what is in it, however the archive is called afterwards.
                let found = inside(Path::new("")).or_else(|| inside(archive.top()?));
                found.or_else(|| Directory::at(archive.path().parent()?).file(name))
            }
        }
    }

    /// The same folder with some of its files alone: a piece of it.
    pub fn only(&self, files: impl Into<Arc<[Member]>>) -> Self {
        Self {
            shown: self.shown.clone(),
            names: self.names.clone(),
            place: self.place.clone(),
            files: files.into(),
        }
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn failed(root: &Path, cause: walkdir::Error) -> Error {
    let path = cause.path().unwrap_or(root).to_owned();
    Error::io(path)(cause.into())
}
