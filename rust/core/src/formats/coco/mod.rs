//! COCO: dataset files, results as a list or line by line, and Ropewalk's own reject files become batches of the IR, and batches a dataset.

mod annotation;
mod duplicates;
mod entries;
mod extras;
mod fractions;
mod layout;
mod line;
mod lookup;
mod names;
mod odd;
mod packed;
pub mod panoptic;
mod reader;
mod rotated;
mod rows;
mod survey;
mod tables;
pub mod tao;
mod titled;
mod write;

pub use reader::{CocoKind, CocoOptions, CocoReader, CocoSummary};
pub use rotated::RotatedBox;
pub use tables::CocoTables;
pub use write::{CocoWriter, Written};

use std::path::Path;
use std::sync::Arc;

use crate::batch::Unit;
use crate::error::{Error, Result};
use crate::formats::json_names::{first_names, Told, JSON_SUFFIXES};
use crate::formats::looks::{looks_like, unknown};
use crate::formats::{BoxFormat, Files, Format, Head, Opened, Opening, ReadOption, Sure};
use crate::source::{Frames, Source, SourceFile};

/// What COCO and its kin take.
pub(super) const OPTIONS: &[ReadOption] = &[
    ReadOption::Annotations,
    ReadOption::ConfidenceField,
    ReadOption::IncludeCrowd,
    ReadOption::BoxFormat,
    ReadOption::Angle,
    ReadOption::Unit,
];

/// Datasets, lists of results, and reject files with their annotations.
pub static FORMAT: Format = Format {
    name: "coco",
    about: "COCO datasets, and results as a list or line by line",
    files: Files::Each(JSON_SUFFIXES),
    options: OPTIONS,
    frames: Frames::FROM_0,
    detect: |head| match head.is_json("coco") {
        // COCO panoptic has the same sections.
        _ if head.has_name("segments_info") => Sure::No,
        _ if names_tracks(head) => Sure::No,
        Sure::No if head.is_untold_json() => Sure::Maybe,
        // Nor does a long list of images tell them apart.
        Sure::Yes if head.is_cut() && !head.has_name("annotations") && head.has_name("images") => Sure::Maybe,
        sure => sure,
    },
    open,
};

/// Whether a text, if it is COCO's, is a list of entries that name a track and a video: TAO's.
fn names_tracks(head: &Head) -> bool {
    head.without_mark().trim_ascii_start().starts_with(b"[") && head.has_name("track_id") && head.has_name("video_id")
}

/// The images and categories of the file that the options name.
///
/// # Errors
/// As [`CocoTables::read`].
pub(super) fn annotations(opening: &Opening<'_>) -> Result<Option<Arc<CocoTables>>> {
    let read = |path: &Path| CocoTables::read(&SourceFile::path(path), &CocoOptions::default());
    let path = opening.options.annotations.as_deref();
    path.map(|path| opening.beside.get(path, read)).transpose()
}

/// Opens a source that is COCO's.
///
/// # Errors
/// As [`CocoReader::open`], and for options that do not go together.
pub(super) fn open(opening: Opening<'_>) -> Result<Opened> {
    let Source::File(file) = &opening.source else {
        return Err(opening.wrong_source("a file"));
    };
    if opening.sure < Sure::Yes {
        // The names that tell stand behind the head.
        match first_names(file.stream_from(0)?) {
            Told::Format(told) if told != FORMAT.name => return Ok(Opened::This(told)),
            Told::Other => return Err(unknown(file, &Head::of(file)?)),
            // What else is wrong with it is found by reading it.
            Told::Format(_) if matches!(panoptic::has_segments(file), Ok(true)) => {
                return Ok(Opened::This(panoptic::FORMAT.name))
            }
            Told::Format(_) | Told::Nothing => {}
        }
    }
    let options = opening.options;
    let tables = annotations(&opening)?;
    if options.unit == Some(Unit::Frac) && options.box_format == Some(BoxFormat::Corners) {
        return Err(Error::OptionValue {
            option: "unit",
            message: "frac does not go with --box-format corners: which corners are at right angles depends on the \
                      image's sides"
                .to_owned(),
        });
    }
    let defaults = CocoOptions::default();
    let own = CocoOptions {
        confidence_field: options.confidence_field.clone(),
        include_crowd: options.include_crowd,
        rotated_boxes: match options.box_format {
            None | Some(BoxFormat::Xywh) => None,
            Some(BoxFormat::Cxcywha) => Some(RotatedBox::Cxcywha),
            Some(BoxFormat::Corners) => Some(RotatedBox::Corners),
        },
        angle: options.angle,
        unit: options.unit,
        chunk_bytes: options.chunk_bytes.unwrap_or(defaults.chunk_bytes),
        ..defaults
    };
    let mut reader = CocoReader::open(file, opening.label, tables, &own)?;
    if opening.sure == Sure::Yes && reader.kind() == CocoKind::Results {
        refuse_without_annotations(file)?;
    }
    if reader.kind() == CocoKind::Lines && options.annotations.is_none() {
        let message =
            "lines of COCO annotations name their images and categories by ids; give the dataset that lists them \
                       with --annotations";
        return Err(file.error(0, message));
    }
    if let Some(project) = opening.project {
        let classes = reader.tables().class_names();
        let drawn = classes.map(|class| project.drawn_from_keypoints(&class)).collect();
        reader.draw_from_keypoints(drawn);
    }
    Ok(Opened::reader(reader))
}

/// Refuses a list none of whose entries is an annotation: once, instead of entry by entry.
fn refuse_without_annotations(file: &SourceFile) -> Result<()> {
    match first_names(file.stream_from(0)?) {
        Told::Nothing => Ok(()),
        Told::Format(told) if told == FORMAT.name => Ok(()),
        Told::Format(_) | Told::Other => {
            let found = looks_like(&Head::of(file)?);
            let message =
                format!("no entry of the list is a COCO annotation, with an `image_id`; it looks like {found}");
            Err(file.error(0, message))
        }
    }
}
