//! Encord's own format as a source: label rows as `to_encord_dict` and Encord's JSON export write them, in a list, one by
//! one, or line by line.

mod answers;
mod geometry;
mod label_row;
mod reader;
mod rows;

use crate::formats::json_names::JSON_SUFFIXES;
use crate::formats::{Files, Format, Opened, Project};
use crate::source::{Frames, Source};
pub use reader::EncordReader;

/// Label rows.
pub static FORMAT: Format = Format {
    name: "encord",
    about: "Encord's label rows, as the SDK and the JSON export write them",
    files: Files::Each(JSON_SUFFIXES),
    options: &[],
    frames: Frames::FROM_0,
    detect: |head| head.is_json("encord"),
    open: |opening| {
        let Source::File(file) = &opening.source else {
            return Err(opening.wrong_source("a file"));
        };
        let known = opening.project.map(Project::known_names);
        Ok(Opened::reader(EncordReader::open(
            file,
            opening.label,
            known,
            opening.options,
        )?))
    },
};
