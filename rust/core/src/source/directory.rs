//! A folder of which single files are asked for, such as those that explain another: on disk, or in an archive.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::Archive;
use super::input::{Place as FilePlace, SourceFile};
use super::names::stem;

/// A folder on disk or in an archive. Unlike a [`super::Folder`] it is not listed.
#[derive(Debug, Clone)]
pub(crate) struct Directory(Place);

#[derive(Debug, Clone)]
enum Place {
    Disk(PathBuf),
    Archive(Arc<Archive>, PathBuf),
}

impl SourceFile {
    /// A file at `path` relative to the folder that this one is in; none if there is no such file, or it is not in the same
    /// archive.
    pub fn companion(&self, path: &str) -> Option<Self> {
        self.folder()?.file(Path::new(path))
    }

    /// The folder beside it that is called as it is without suffix; none for a file in memory.
    pub(crate) fn folder_beside(&self) -> Option<Directory> {
        let name = self.file_name()?;
        Some(self.folder()?.below(stem(&name)))
    }

    /// The folder that it is in; none for a file in memory.
    pub(crate) fn folder(&self) -> Option<Directory> {
        match self.place() {
            FilePlace::Path(own) => Some(Directory::at(own.parent()?)),
            FilePlace::Packed(archive, own) => Some(Directory::packed(archive, own.parent()?)),
            FilePlace::Bytes(..) => None,
        }
    }
}

impl Directory {
    /// The folder at `path` on disk.
    pub fn at(path: &Path) -> Self {
        Self(Place::Disk(path.to_owned()))
    }

    /// The folder at `path` of an archive.
    pub(super) fn packed(archive: &Arc<Archive>, path: &Path) -> Self {
        Self(Place::Archive(Arc::clone(archive), path.to_owned()))
    }

    /// The folder called `name` in this one.
    pub fn below(&self, name: &str) -> Self {
        Self(match &self.0 {
            Place::Disk(path) => Place::Disk(path.join(name)),
            Place::Archive(archive, path) => Place::Archive(Arc::clone(archive), path.join(name)),
        })
    }

    /// Whether there is such a folder.
    pub fn exists(&self) -> bool {
        match &self.0 {
            Place::Disk(path) => path.is_dir(),
            Place::Archive(archive, path) => archive.has_folder(path),
        }
    }

    /// The file at `path` relative to it; none if there is no such file, or it is not in the same archive.
    pub fn file(&self, path: &Path) -> Option<SourceFile> {
        match &self.0 {
            Place::Disk(folder) => {
                let found = folder.join(path);
                found.is_file().then(|| SourceFile::path(found))
            }
            Place::Archive(archive, folder) => {
                let found = archive.find(folder, path)?;
                Some(SourceFile::packed(archive, found))
            }
        }
    }

    /// What errors call it.
    pub fn shown(&self) -> String {
        match &self.0 {
            Place::Disk(path) => path.display().to_string(),
            Place::Archive(archive, path) => format!("{}/{}", archive.shown(), path.display()),
        }
    }
}
