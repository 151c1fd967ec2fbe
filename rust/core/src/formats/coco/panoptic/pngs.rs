//! Where the PNGs of a panoptic file are.

use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};
use crate::formats::Opening;
use crate::source::SourceFile;

/// The folder of the PNGs.
#[derive(Clone)]
pub(super) struct Pngs(PathBuf);

impl Pngs {
    /// The folder that was given, else the one beside the file that is called as it is.
    ///
    /// # Errors
    /// [`Error::Plan`] where there is no such folder.
    pub fn of(file: &SourceFile, opening: &Opening<'_>) -> Result<Self> {
        let (folder, told) = match &opening.options.png_dir {
            Some(folder) => (Some(folder.clone()), "there is no such folder"),
            None => (
                file.folder_beside(),
                "there is no folder of PNGs beside the file, called as it is without suffix",
            ),
        };
        match folder {
            Some(folder) if folder.is_dir() => Ok(Self(folder)),
            folder => Err(Error::Plan(format!(
                "{}: {told}{}; give --png-dir DIR",
                opening.label,
                folder
                    .map(|folder| format!(" ({})", folder.display()))
                    .unwrap_or_default()
            ))),
        }
    }

    /// The PNG of this name, of a video where there is one; none where the name leads out of the folder.
    pub fn file(&self, video: Option<&str>, name: &str) -> Option<SourceFile> {
        let path: PathBuf = video.into_iter().chain([name]).collect();
        let is_inside = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
        is_inside(&path).then(|| SourceFile::path(self.0.join(path)))
    }
}
