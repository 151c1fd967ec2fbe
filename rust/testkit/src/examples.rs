//! The examples of the formats, in tests/formats: what its README says about them, as paths.

use std::path::{Path, PathBuf};

/// A source that is not right.
#[derive(Debug, Clone)]
pub struct Malformed {
    /// The code of its reject, or `blocker-` and a word of the error's message.
    pub code: String,
    /// The file or folder.
    pub path: PathBuf,
}

/// The folder of all examples.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/formats")
}

/// Names of the formats that have examples, in order.
///
/// # Panics
/// When the folder cannot be read.
pub fn formats() -> Vec<String> {
    let folders = entries(&root()).into_iter().filter(|path| path.is_dir());
    folders.map(|path| name(&path)).collect()
}

/// Good sources of a format: those that are recognised, then those that need `--format`, each in the order of their names.
///
/// # Panics
/// When the folder cannot be read.
pub fn good(format: &str) -> Vec<PathBuf> {
    [recognised(format), named(format)].concat()
}

/// Good sources that are recognised as their format.
///
/// # Panics
/// When the folder cannot be read.
pub fn recognised(format: &str) -> Vec<PathBuf> {
    entries_if_any(&root().join(format).join("good"))
}

/// Good sources whose format has to be named.
///
/// # Panics
/// When the folder cannot be read.
pub fn named(format: &str) -> Vec<PathBuf> {
    entries_if_any(&root().join(format).join("named"))
}

/// Sources of a format that are not right, in the order of their codes and names.
///
/// # Panics
/// When the folder cannot be read.
pub fn malformed(format: &str) -> Vec<Malformed> {
    let codes = entries(&root().join(format).join("malformed"));
    let of = |folder: PathBuf| {
        entries(&folder).into_iter().map(move |path| Malformed {
            code: name(&folder),
            path,
        })
    };
    codes.into_iter().flat_map(of).collect()
}

/// The name of a file or folder.
pub fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder, as [`entries`]; nothing where there is no such folder.
fn entries_if_any(folder: &Path) -> Vec<PathBuf> {
    if folder.is_dir() {
        entries(folder)
    } else {
        Vec::new()
    }
}

/// What is in a folder, in the order of names; nothing whose name begins with a point or with two underscores.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    let mut paths: Vec<PathBuf> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| !name(path).starts_with('.') && !name(path).starts_with("__"));
    paths.sort();
    paths
}
