//! The documents of a source: what is opened by itself, under a label of its own. A file is one. A folder is one where its
//! format says so; else each of its files is.

use super::detect::{claimed, detect};
use super::registry::FORMATS;
use super::{table, Format, Head, Sure};
use crate::error::{Error, Result};
use crate::source::{Folder, Member, Source};

/// Files without predictions that are named; more are counted.
const MOST_NAMED: usize = 20;

/// Files of a folder that a message names.
const FEW: usize = 3;

/// One document.
pub struct Document {
    /// What is opened.
    pub source: Source,
    /// The source of its rows: part of a tracked object's identity.
    pub label: String,
    /// What it is opened as.
    pub format: &'static Format,
    /// How sure that is: [`Sure::Yes`] where the user named the format.
    pub sure: Sure,
    /// Its bytes, as they are stored; 0 where that is not known.
    pub len_bytes: u64,
}

/// Files of folders that hold no predictions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many there are.
    pub files: u64,
    /// The first of them.
    pub names: Vec<String>,
}

impl LeftOut {
    /// Adds those of another source.
    pub fn extend(&mut self, other: &Self) {
        self.files += other.files;
        let room = MOST_NAMED.saturating_sub(self.names.len());
        self.names.extend(other.names.iter().take(room).cloned());
    }

    fn add(&mut self, folder: &Folder, member: &Member) {
        self.files += 1;
        if self.names.len() < MOST_NAMED {
            self.names.push(format!("{}/{}", folder.path(), member.shown()));
        }
    }
}

/// Gives the documents of a source one after the other.
pub struct Documents {
    left: Left,
    left_out: LeftOut,
}

enum Left {
    One(Option<Document>),
    Files {
        folder: Folder,
        next: usize,
        /// The format that was named.
        named: Option<&'static Format>,
        /// The format of the first file that is one.
        first: Option<(&'static Format, String)>,
    },
}

impl Documents {
    /// The documents of `source`, which are all of the format `named`, or each of the one that it is found to be of.
    /// `label` is that of a document which is not a file of a folder.
    ///
    /// # Errors
    /// As [`detect`].
    pub fn of(source: Source, label: &str, named: Option<&'static Format>) -> Result<Self> {
        let one = |source, format, sure, len_bytes| {
            let label = label.to_owned();
            Left::One(Some(Document {
                source,
                label,
                format,
                sure,
                len_bytes,
            }))
        };
        let mut left_out = LeftOut::default();
        let left = match (source, named) {
            (Source::Table(table), _) => one(table.into(), &table::IN_MEMORY, Sure::Yes, 0),
            (Source::File(file), named) => {
                let (format, sure) = named.map_or_else(|| detect(&file), |format| Ok((format, Sure::Yes)))?;
                let len_bytes = file.len_bytes();
                one(file.into(), format, sure, len_bytes)
            }
            (Source::Folder(folder), Some(format)) if format.is_of_folders() => {
                let document = whole_folder(folder, label, format, &mut left_out)?;
                Left::One(Some(document))
            }
            (Source::Folder(folder), named) => Left::Files {
                folder,
                next: 0,
                named,
                first: None,
            },
        };
        Ok(Self { left, left_out })
    }

    /// The next document; none at the end.
    ///
    /// # Errors
    /// [`Error::Plan`] where a folder holds none, or where several formats claim it, and what reading the
    /// beginning of a file returns.
    pub fn next_document(&mut self) -> Result<Option<Document>> {
        loop {
            let (folder, member, named, first) = match &mut self.left {
                Left::One(document) => return Ok(document.take()),
                Left::Files {
                    folder,
                    next,
                    named,
                    first,
                } => {
                    let Some(member) = folder.files().get(*next).cloned() else {
                        return if first.is_some() {
                            Ok(None)
                        } else {
                            Err(nothing_in(folder, *named))
                        };
                    };
                    *next += 1;
                    (folder, member, *named, first)
                }
            };
            let file = folder.file(&member);
            let name = member.name();
            let found = match named {
                Some(format) => format.takes_name(&name).then_some((format, Sure::Yes)),
                None if FORMATS.iter().any(|format| format.takes_name(&name)) => {
                    claimed(&Head::of(&file)?, file.name())?.filter(|(format, _)| format.takes_name(&name))
                }
                None => None,
            };
            let Some((format, sure)) = found else {
                self.left_out.add(folder, &member);
                continue;
            };
            match first {
                None if named.is_none() && format.is_of_folders() => {
                    let label = folder.name().to_owned();
                    let document = whole_folder(folder.clone(), &label, format, &mut self.left_out)?;
                    self.left = Left::One(None);
                    return Ok(Some(document));
                }
                None => *first = Some((format, member.shown())),
                // A folder is one document or many.
                Some((other, name)) if format.is_of_folders() => {
                    return Err(several(folder, (other, name), (format, &member.shown())))
                }
                Some(_) => {}
            }
            // Part of identity: the same wherever the folder is, and however the file is compressed.
            let parent = member.parent_name();
            let parent = parent.as_deref().unwrap_or(folder.name());
            let label = format!("{parent}/{}", file.file_name().unwrap_or_default());
            return Ok(Some(Document {
                label,
                source: file.into(),
                format,
                sure,
                len_bytes: member.len_bytes,
            }));
        }
    }

    /// Whether they may be of different formats.
    pub fn may_differ(&self) -> bool {
        matches!(self.left, Left::Files { named: None, .. })
    }

    /// Whether they are the files of a folder.
    pub fn are_files(&self) -> bool {
        matches!(self.left, Left::Files { .. })
    }

    /// Files so far that hold no predictions.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }
}

/// The files of a folder that are of a format of folders, as one document.
fn whole_folder(folder: Folder, label: &str, format: &'static Format, left_out: &mut LeftOut) -> Result<Document> {
    *left_out = LeftOut::default();
    let mut members = Vec::with_capacity(folder.files().len());
    for member in folder.files() {
        let name = member.name();
        if format.takes_name(&name) {
            members.push(member.clone());
        } else if !format.is_beside(&name) {
            let file = folder.file(member);
            // What another format claims must not be lost for this one.
            if let Some((other, _)) = claimed(&Head::of(&file)?, file.name())? {
                return Err(several(&folder, (format, "others"), (other, &member.shown())));
            }
            left_out.add(&folder, member);
        }
    }
    if members.is_empty() {
        return Err(nothing_in(&folder, Some(format)));
    }
    Ok(Document {
        len_bytes: members.iter().map(|member| member.len_bytes).sum(),
        source: folder.only(members).into(),
        label: label.to_owned(),
        format,
        sure: Sure::Yes,
    })
}

fn several(folder: &Folder, (one, name): (&Format, &str), (other, other_name): (&Format, &str)) -> Error {
    Error::Plan(format!(
        "{}: {name} is {} and {other_name} is {}; say which to read by --format",
        folder.path(),
        one.name,
        other.name
    ))
}

fn nothing_in(folder: &Folder, named: Option<&Format>) -> Error {
    let files = folder.files();
    let names: Vec<String> = files.iter().take(FEW).map(Member::shown).collect();
    let among = match files.len() {
        0 => "its files: there are none".to_owned(),
        few if few <= FEW => names.join(", "),
        many => format!("{many} files: {}, ...", names.join(", ")),
    };
    let what = named.map_or_else(
        || "predictions".to_owned(),
        |format| format!("file of the format {}", format.name),
    );
    Error::Plan(format!(
        "{}: no {what} among {among}; `ropewalk formats` lists what is read",
        folder.path()
    ))
}
