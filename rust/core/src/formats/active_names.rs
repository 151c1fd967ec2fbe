//! What Encord Active's importers of folders read beside the predictions: names of files, and a file that maps classes.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{KnownNames, Opening};
use crate::error::Result;
use crate::source::{Source, SourceFile};

/// The file in which Encord Active keeps which feature hash a class becomes.
pub(super) const MAPPING: &str = "ontology_mapping.json";

/// Splits `<title>__<frame>`, the name of a file without its suffix. A name that is a medium's title is that medium.
pub(super) fn title_and_frame<'a>(name: &'a str, known: Option<&KnownNames>) -> (&'a str, Option<u32>) {
    if known.is_some_and(|known| known.has_title(name)) {
        return (name, None);
    }
    let numbered = name.rsplit_once("__").filter(|(title, _)| !title.is_empty());
    match numbered.map(|(title, digits)| (title, digits.bytes().all(|byte| byte.is_ascii_digit()), digits.parse())) {
        Some((title, true, Ok(frame))) => (title, Some(frame)),
        _ => (name, None),
    }
}

/// Class to feature hash, by the mapping of the folder that is opened; none where it has none, or a class map is in its place.
///
/// # Errors
/// [`crate::error::Error::Source`] for a mapping that is not one, or names a class twice.
pub(super) fn mapping(opening: &Opening<'_>) -> Result<Option<HashMap<String, String>>> {
    let known = opening.project.map(|project| project.known_names());
    let is_mapped = known.is_some_and(|known| known.has_class_map);
    match &opening.source {
        Source::Folder(folder) if !is_mapped => folder.companion(MAPPING).map(|file| read(&file)).transpose(),
        _ => Ok(None),
    }
}

/// Reads `{feature hash: class}`, where a class is a name or a number.
fn read(file: &SourceFile) -> Result<HashMap<String, String>> {
    let wrong =
        |cause: &dyn std::fmt::Display| file.error(0, format!("{cause}; expected an object {{feature hash: class}}"));
    let classes: BTreeMap<String, Value> = serde_json::from_str(&file.read_short()?).map_err(|cause| wrong(&cause))?;
    let mut hashes = HashMap::with_capacity(classes.len());
    for (hash, class) in classes {
        let class = match class {
            Value::String(name) => name,
            Value::Number(number) => number.to_string(),
            other => return Err(wrong(&format_args!("the class of {hash} is {other}"))),
        };
        if let Some(other) = hashes.insert(class.clone(), hash.clone()) {
            return Err(wrong(&format_args!(
                "the class {class:?} becomes both {other} and {hash}"
            )));
        }
    }
    Ok(hashes)
}
