//! The documents that were taken in: each by one label, and what tells their content.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::sources::AsRead;
use crate::error::{Error, Result};
use crate::formats::{Document, Unlabelled};
use crate::source::{Folder, Naming, Source, SourceFile};

/// Bytes of a file that are hashed at a time.
const BLOCK_BYTES: usize = 1 << 18;

/// A document that was taken in.
#[derive(Debug)]
pub struct Taken {
    /// The source of its rows that name none.
    pub label: String,
    /// What errors call it.
    pub name: String,
    /// Whether the label is one that the user gave.
    pub is_given: bool,
    unlabelled: Option<Unlabelled>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// A table in memory cannot be read again.
    Gone,
    File(AsRead),
    Folder(Folder),
}

impl Taken {
    /// Hash of what is in it, however it is compressed and wherever it is; none where it was changed since it was read.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Source`] where it cannot be read again.
    pub fn digest(&self) -> Result<Option<u128>> {
        let mut hash = Xxh3::new();
        match &self.content {
            Content::Gone => return Ok(None),
            Content::File(file) => match file.unchanged() {
                Some(file) => add(&mut hash, file)?,
                None => return Ok(None),
            },
            Content::Folder(folder) => {
                for member in folder.files() {
                    hash.update(member.shown().as_bytes());
                    add(&mut hash, &folder.file(member))?;
                }
            }
        }
        Ok(Some(hash.digest128()))
    }
}

/// Adds the text of a file, and its length.
fn add(hash: &mut Xxh3, file: &SourceFile) -> Result<()> {
    let mut stream = file.stream_from(0)?;
    let (mut block, mut len_bytes) = (Vec::with_capacity(BLOCK_BYTES), 0_u64);
    while stream.read_into(&mut block, BLOCK_BYTES)? > 0 {
        len_bytes += block.len() as u64;
        hash.update(&block);
        block.clear();
    }
    hash.update(&len_bytes.to_le_bytes());
    Ok(())
}

/// The documents so far. Tracked objects are recognised by their labels, so that two documents must not share one, unless it
/// was given.
#[derive(Debug, Default)]
pub(super) struct Documents {
    taken: Vec<Taken>,
    /// The documents that have a label of their own, by label.
    by_label: HashMap<String, usize>,
    /// Files that were read.
    files: HashSet<PathBuf>,
}

impl Documents {
    /// Takes a document. Files of folders may be documents already: false for one that is.
    ///
    /// # Errors
    /// [`Error::Plan`] where another document has its label.
    pub fn take(&mut self, document: &Document, naming: &Naming, is_file_of_folder: bool) -> Result<bool> {
        let name = &document.path;
        let file = std::fs::canonicalize(Path::new(name)).ok();
        let is_new = file.clone().is_none_or(|file| self.files.insert(file));
        if !is_new && is_file_of_folder {
            return Ok(false);
        }
        let is_given = matches!(naming, Naming::Given(_));
        if is_new && !is_given && document.unlabelled.is_none() {
            let number = self.taken.len();
            if let Some(other) = self.by_label.insert(document.label.clone(), number) {
                return Err(Error::Plan(format!(
                    "{} and {name} are both called {:?}, and tracks are recognised by that name; give --source-label NAME \
                     if they hold the same tracks, --label-parts N for longer names if not, or rename one of them",
                    self.taken[other].name, document.label
                )));
            }
        }
        self.taken.push(Taken {
            label: document.label.clone(),
            name: name.clone(),
            is_given,
            unlabelled: document.unlabelled,
            content: match &document.source {
                Source::File(file) => Content::File(AsRead::new(file)),
                Source::Folder(folder) => Content::Folder(folder.clone()),
                Source::Table(_) => Content::Gone,
            },
        });
        Ok(true)
    }

    /// The documents whose labels are those of some tracks.
    ///
    /// # Errors
    /// [`Error::OptionValue`] where one of them has no label of its own, and none was given.
    pub fn into_tracked(self, labels: &HashSet<&str>) -> Result<Vec<Taken>> {
        let taken = self.taken.into_iter();
        let tracked = taken.filter(|taken| labels.contains(&*taken.label));
        tracked
            .map(|taken| match taken.unlabelled {
                Some(unlabelled) => Err(unlabelled.error(&taken.name)),
                None => Ok(taken),
            })
            .collect()
    }
}
