//! Where the PNGs of a panoptic file are.

use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};
use crate::formats::Opening;
use crate::source::{Directory, SourceFile};

/// The folder of the PNGs.
#[derive(Clone)]
pub(super) struct Pngs(Directory);

impl Pngs {
    /// The folder that was given, else the one beside the file that is called as it is.
    ///
    /// # Errors
    /// [`Error::Plan`] where there is no such folder.
    pub fn of(file: &SourceFile, opening: &Opening<'_>) -> Result<Self> {
        let (folder, told) = match &opening.options.png_dir {
            Some(folder) => (Some(Directory::at(folder)), "there is no such folder"),
            None => (
                file.folder_beside(),
                "there is no folder of PNGs beside the file, called as it is without suffix",
            ),
        };
        match folder {
            Some(folder) if folder.exists() => Ok(Self(folder)),
            folder => Err(Error::Plan(format!(
                "{}: {told}{}; give --png-dir DIR",
                opening.label,
                folder
                    .map(|folder| format!(" ({})", folder.shown()))
                    .unwrap_or_default()
            ))),
        }
    }

    /// The path of the PNG of this name, of a video where there is one; none where the name leads out of the folder.
    pub fn path(video: Option<&str>, name: &str) -> Option<PathBuf> {
        let path: PathBuf = video.into_iter().chain([name]).collect();
        let mut parts = path.components();
        parts.all(|part| matches!(part, Component::Normal(_))).then_some(path)
    }

    /// The PNG with this path; none where there is no such file.
    pub fn file(&self, path: &Path) -> Option<SourceFile> {
        self.0.file(path)
    }
}
