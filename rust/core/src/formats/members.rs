//! The files of a document that are still to be read: one, or those of a folder.

use std::ops::Range;
use std::sync::Arc;

use super::Opening;
use crate::error::Result;
use crate::source::{Folder, Source, SourceFile};

/// Files in the order in which they are read.
pub(super) enum Members {
    One(Option<SourceFile>),
    Folder(Folder, Range<usize>),
}

/// A file of a document.
pub(super) struct NextFile {
    pub file: SourceFile,
    /// Its name in the folder, if it is in one.
    pub member: Option<Arc<str>>,
    /// The names in its path, from the root; empty for a file in memory.
    pub path: Vec<String>,
    /// How many of these are below the source, its own among them.
    pub below: usize,
}

impl Members {
    /// The files of the source that is opened.
    ///
    /// # Errors
    /// [`crate::error::Error::Plan`] for a table.
    pub fn of(opening: &Opening<'_>) -> Result<Self> {
        match &opening.source {
            Source::File(file) => Ok(Self::One(Some(file.clone()))),
            Source::Folder(folder) => Ok(Self::Folder(folder.clone(), 0..folder.files().len())),
            Source::Table(_) => Err(opening.wrong_source("a file or a folder")),
        }
    }

    /// Puts the files into parts of about `len_bytes`, in order; none where there is only one part.
    pub fn split(&self, len_bytes: u64) -> Option<Vec<Self>> {
        let Self::Folder(folder, left) = self else {
            return None;
        };
        let mut parts: Vec<(u64, Range<usize>)> = Vec::new();
        for at in left.clone() {
            let bytes = folder.files()[at].len_bytes;
            match parts.last_mut() {
                Some((before, part)) if *before + bytes <= len_bytes => {
                    *before += bytes;
                    part.end = at + 1;
                }
                _ => parts.push((bytes, at..at + 1)),
            }
        }
        let part = |(_, files)| Self::Folder(folder.clone(), files);
        (parts.len() > 1).then(|| parts.into_iter().map(part).collect())
    }
}

impl Iterator for Members {
    type Item = NextFile;

    fn next(&mut self) -> Option<NextFile> {
        match self {
            Self::One(file) => file.take().map(|file| NextFile {
                member: None,
                path: file.names().unwrap_or_default(),
                below: 1,
                file,
            }),
            Self::Folder(folder, left) => left.next().map(|next| {
                let member = &folder.files()[next];
                NextFile {
                    file: folder.file(member),
                    member: Some(member.shown().into()),
                    path: folder.names_of(member),
                    below: member.names().count(),
                }
            }),
        }
    }
}
