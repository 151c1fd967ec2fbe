//! The documents of a source: what is opened by itself, under a label of its own. A file is one. A folder is one where its
//! format says so, or where its files are the parts of one table; else each of its files is.

use std::collections::HashSet;

use super::detect::{claimed, detect};
use super::parts::{is_part, rest_of, root_of, shown_root};
use super::registry::FORMATS;
use super::{table, Format, Head, Sure};
use crate::error::{Error, Result};
use crate::source::{Folder, Member, Naming, Source, SourceFile};

/// Files without predictions that are named; more are counted.
const MOST_NAMED: usize = 20;

/// Files of a folder that a message names.
const FEW: usize = 3;

/// The label of what is only read, and has neither a path nor a label.
const IN_MEMORY: &str = "predictions";

/// One document.
pub struct Document {
    /// What is opened.
    pub source: Source,
    /// Where it is, as the user knows it; no other document has the same path.
    pub path: String,
    /// The source of its rows: part of a tracked object's identity.
    pub label: String,
    /// Why it has no label of its own, where it has none: the one above will not do for tracks.
    pub unlabelled: Option<Unlabelled>,
    /// What it is opened as.
    pub format: &'static Format,
    /// How sure that is: [`Sure::Yes`] where the user named the format.
    pub sure: Sure,
    /// Its bytes, as they are stored; 0 where that is not known.
    pub len_bytes: u64,
}

/// Why a document has no label of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlabelled {
    /// It has no path.
    InMemory,
    /// It is a part of a table, whose folder has the label.
    Part,
}

impl Unlabelled {
    /// The error where there are tracks in the document that errors call `name`.
    pub fn error(self, name: &str) -> Error {
        let message = match self {
            Self::InMemory => format!(
                "is needed: {name} has tracks, and no file by whose name they are recognised again; give the same name \
                 each time"
            ),
            Self::Part => format!(
                "is needed: {name} has tracks, and is named like a part of a table, which goes by the name of its folder; \
                 import the folder, or give a name"
            ),
        };
        Error::OptionValue {
            option: "source_label",
            message,
        }
    }
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
    naming: Naming,
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
        /// Files of tables that were given: they are not documents by themselves.
        parts: HashSet<usize>,
    },
}

impl Documents {
    /// The documents of `source`, which are all of the format `named`, or each of the one that it is found to be of.
    ///
    /// # Errors
    /// As [`detect`].
    pub fn of(source: Source, naming: &Naming, named: Option<&'static Format>) -> Result<Self> {
        let mut left_out = LeftOut::default();
        let left = match (source, named) {
            (Source::Folder(folder), Some(format)) if format.is_of_folders() => {
                let document = whole_folder(folder, naming, format, &mut left_out)?;
                Left::One(Some(document))
            }
            (Source::Folder(folder), named) => Left::Files {
                folder,
                next: 0,
                named,
                first: None,
                parts: HashSet::new(),
            },
            (source, named) => Left::One(Some(only(source, naming, named)?)),
        };
        Ok(Self {
            left,
            left_out,
            naming: naming.clone(),
        })
    }

    /// The next document; none at the end.
    ///
    /// # Errors
    /// [`Error::Plan`] where a folder holds none, or where several formats claim it, and what reading the
    /// beginning of a file returns.
    pub fn next_document(&mut self) -> Result<Option<Document>> {
        loop {
            let (folder, at, named, first, parts) = match &mut self.left {
                Left::One(document) => return Ok(document.take()),
                Left::Files {
                    folder,
                    next,
                    named,
                    first,
                    parts,
                } => {
                    *next += 1;
                    (folder, *next - 1, *named, first, parts)
                }
            };
            let Some(member) = folder.files().get(at).cloned() else {
                return if first.is_some() {
                    Ok(None)
                } else {
                    Err(nothing_in(folder, named))
                };
            };
            if parts.contains(&at) {
                continue;
            }
            let Some((format, sure)) = format_of(folder, &member, named)? else {
                self.left_out.add(folder, &member);
                continue;
            };
            match first {
                None if named.is_none() && format.is_of_folders() => {
                    let document = whole_folder(folder.clone(), &self.naming, format, &mut self.left_out)?;
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
            let path = folder.names_of(&member);
            if !(format.is_of_tables() && is_part(&path)) {
                return Ok(Some(Document {
                    path: folder.file(&member).name().to_owned(),
                    label: self.naming.of_file(&path),
                    unlabelled: None,
                    source: folder.file(&member).into(),
                    format,
                    sure,
                    len_bytes: member.len_bytes,
                }));
            }
            let mut members = Vec::new();
            for (number, member) in rest_of(folder, at) {
                if format_of(folder, member, named)?.is_some_and(|(found, _)| found.name == format.name) {
                    parts.insert(number);
                    members.push(member.clone());
                }
            }
            return Ok(Some(Document {
                len_bytes: members.iter().map(|member| member.len_bytes).sum(),
                path: shown_root(folder, &path),
                label: self.naming.of_folder(root_of(&path)),
                unlabelled: None,
                source: folder.only(members).into(),
                format,
                sure: Sure::Yes,
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

/// The document that a file or a table is.
fn only(source: Source, naming: &Naming, named: Option<&'static Format>) -> Result<Document> {
    let ((format, sure), len_bytes) = match (&source, named) {
        (Source::File(file), None) => (detect(file)?, file.len_bytes()),
        (Source::File(file), Some(format)) => ((format, Sure::Yes), file.len_bytes()),
        _ => ((&table::IN_MEMORY, Sure::Yes), 0),
    };
    let path = source.file().and_then(SourceFile::names);
    let (label, unlabelled) = match (naming, &path) {
        (Naming::Given(label), _) => (label.clone(), None),
        (_, None) => (IN_MEMORY.to_owned(), Some(Unlabelled::InMemory)),
        (_, Some(path)) => {
            let is_part = format.is_of_tables() && is_part(path);
            (naming.of_file(path), is_part.then_some(Unlabelled::Part))
        }
    };
    Ok(Document {
        path: source.name().to_owned(),
        source,
        label,
        unlabelled,
        format,
        sure,
        len_bytes,
    })
}

/// The format of a file in a folder; none where it holds no predictions.
fn format_of(
    folder: &Folder,
    member: &Member,
    named: Option<&'static Format>,
) -> Result<Option<(&'static Format, Sure)>> {
    let name = member.name();
    match named {
        Some(format) => Ok(format.takes_name(&name).then_some((format, Sure::Yes))),
        None if FORMATS.iter().any(|format| format.takes_name(&name)) => {
            let file = folder.file(member);
            let found = claimed(&Head::of(&file)?, file.name())?;
            Ok(found.filter(|(format, _)| format.takes_name(&name)))
        }
        None => Ok(None),
    }
}

/// The files of a folder that are of a format of folders, as one document.
fn whole_folder(folder: Folder, naming: &Naming, format: &'static Format, left_out: &mut LeftOut) -> Result<Document> {
    *left_out = LeftOut::default();
    let mut members = Vec::with_capacity(folder.files().len());
    for member in folder.files() {
        let name = member.name();
        if format.is_beside(&name) {
            continue;
        }
        if format.takes_name(&name) {
            members.push(member.clone());
        } else {
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
        path: folder.path().to_owned(),
        label: naming.of_folder(folder.names()),
        unlabelled: None,
        source: folder.only(members).into(),
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
