//! What documents are called: their labels, which are part of who a tracked object is.
//!
//! A label depends on where a document is, and on nothing else that is imported with it. Links are not resolved: a label is
//! what the user sees.

use std::ffi::OsStr;
use std::path::{Component, Path};

/// How documents get their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// All have this one: equal tracks are one object.
    Given(String),
    /// The last parts of the path, this many of a file. A folder that is one document stands for its files: it has one part
    /// less, and at least one.
    Path(usize),
}

impl Default for Naming {
    /// Folder and name.
    fn default() -> Self {
        Self::Path(2)
    }
}

impl From<&str> for Naming {
    fn from(label: &str) -> Self {
        Self::Given(label.to_owned())
    }
}

impl Naming {
    /// The label of the file with this path. How it is compressed is not part of it.
    pub fn of_file(&self, path: &[String]) -> String {
        match self {
            Self::Given(label) => label.clone(),
            Self::Path(parts) => {
                let mut names = last(path, *parts).to_vec();
                if let Some(name) = names.last_mut() {
                    *name = unpacked(name).to_owned();
                }
                names.join("/")
            }
        }
    }

    /// The label of the folder with this path, as one document.
    pub fn of_folder(&self, path: &[String]) -> String {
        match self {
            Self::Given(label) => label.clone(),
            Self::Path(parts) => last(path, parts.saturating_sub(1)).join("/"),
        }
    }

    /// The label of the file or folder at `path`.
    pub fn of(&self, path: &Path, is_folder: bool) -> String {
        let names = names_of(path);
        if is_folder {
            self.of_folder(table_root(&names))
        } else {
            self.of_file(&names)
        }
    }
}

fn last(path: &[String], parts: usize) -> &[String] {
    &path[path.len().saturating_sub(parts.max(1))..]
}

/// A name without the suffix that says how the file is compressed.
fn unpacked(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, suffix))
            if !stem.is_empty() && (suffix.eq_ignore_ascii_case("gz") || suffix.eq_ignore_ascii_case("zst")) =>
        {
            stem
        }
        _ => name,
    }
}

/// The path of a table's folder, of the path of a folder below it: `key=value` is not a folder of its own, but says which
/// rows are in it.
pub(crate) fn table_root(folder: &[String]) -> &[String] {
    let own = folder.iter().rposition(|name| !is_partition(name));
    own.map_or(folder, |own| &folder[..=own])
}

/// Whether a folder is called as one of a partitioned table: `key=value`.
pub(crate) fn is_partition(name: &str) -> bool {
    name.split_once('=').is_some_and(|(key, _)| !key.is_empty())
}

/// The names in a path, from the root, with `.` and `..` taken out as they are written.
pub(crate) fn names_of(path: &Path) -> Vec<String> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut names = Vec::new();
    for part in absolute.components() {
        match part {
            Component::Normal(name) => names.push(text_of(name)),
            Component::ParentDir => drop(names.pop()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    names
}

/// A name as text. Bytes that are not UTF-8, which some systems take, are written out: different names stay different.
pub(crate) fn text_of(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Vec<String> {
        path.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn a_label_has_as_many_parts_as_asked_for() {
        let file = names("data/run-7/preds.json.GZ");
        let expected = [
            "preds.json",
            "run-7/preds.json",
            "data/run-7/preds.json",
            "data/run-7/preds.json",
        ];
        for (parts, label) in (1..).zip(expected) {
            assert_eq!(Naming::Path(parts).of_file(&file), label);
        }
        let folder = names("data/runs/table");
        for (parts, label) in (1..).zip(["table", "table", "runs/table", "data/runs/table"]) {
            assert_eq!(Naming::Path(parts).of_folder(&folder), label);
        }
        assert_eq!(Naming::from("model").of_file(&file), "model");
        assert_eq!(Naming::from("model").of_folder(&folder), "model");
    }

    #[test]
    fn a_path_is_taken_as_it_is_written() {
        let below = |path: &str| names_of(&std::env::current_dir().unwrap_or_default().join(path));
        assert_eq!(names_of(Path::new("a/./b/../c.json")), below("a/c.json"));
        assert_eq!(table_root(&names("out/day=3/cam=1")), names("out"));
        assert_eq!(table_root(&names("=3/x")), names("=3/x"));
        assert_eq!(table_root(&names("a=1/b=2")), names("a=1/b=2"));
    }
}
