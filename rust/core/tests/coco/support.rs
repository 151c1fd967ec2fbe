//! Reads whole files and gathers what they give, in a form that can be compared.

use std::sync::Arc;

use ropewalk_core::error::Error;
use ropewalk_core::formats::coco::{CocoOptions, CocoReader, CocoSummary, CocoTables};
use ropewalk_core::formats::{Batch, Names, Reader};
use ropewalk_core::reject::{Reject, RowReject};
use ropewalk_core::source::SourceFile;

/// A dataset of each kind of annotation, its images and categories after them or before them in parts.
pub const DATASET: &str = include_str!("dataset.json");

/// Numbers of the images, one a row.
pub fn media(batch: &Batch) -> &[u32] {
    match &batch.names {
        Names::Numbered { media, .. } => media,
        Names::ByText => panic!("images are numbered"),
    }
}

/// Numbers of the categories, one a row.
pub fn classes(batch: &Batch) -> &[u32] {
    match &batch.names {
        Names::Numbered { classes, .. } => classes,
        Names::ByText => panic!("categories are numbered"),
    }
}

/// Crowds that were left out.
pub fn crowds(batch: &Batch) -> u64 {
    batch.filtered.get("crowd").copied().unwrap_or_default()
}

/// What a file gives, gathered over its batches.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    pub rows: Vec<String>,
    pub texts: Vec<String>,
    pub rejects: Vec<Reject0>,
    pub row_rejects: Vec<RowReject>,
    pub summary: CocoSummary,
    pub batches: Vec<usize>,
    pub media: Vec<String>,
    pub classes: Vec<String>,
}

/// A reject's fields, its reason as code and sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Reject0 {
    pub code: &'static str,
    pub message: String,
    pub source: String,
    pub offset: u64,
    pub annotation_id: Option<String>,
    pub text: String,
}

impl From<&Reject> for Reject0 {
    fn from(reject: &Reject) -> Self {
        Self {
            code: reject.reason.code(),
            message: reject.reason.to_string(),
            source: reject.origin.source.to_string(),
            offset: reject.offset,
            annotation_id: reject.annotation_id.clone(),
            text: String::from_utf8(reject.text.clone().unwrap()).unwrap(),
        }
    }
}

pub fn options() -> CocoOptions {
    CocoOptions::default()
}

pub fn tables(text: &str) -> Arc<CocoTables> {
    Arc::new(CocoTables::read(&SourceFile::bytes("gt.json", text.as_bytes()), &options()).unwrap())
}

pub fn open(text: &[u8], tables: Option<Arc<CocoTables>>, options: &CocoOptions) -> Result<CocoReader, Error> {
    CocoReader::open(&SourceFile::bytes("dir/a.json", text), "a.json", tables, options)
}

/// Reads a file to its end; each batch's sums and texts are checked on the way.
pub fn read_with(text: &[u8], tables: Option<Arc<CocoTables>>, options: &CocoOptions) -> Result<Outcome, Error> {
    let mut reader = open(text, tables, options)?;
    let mut outcome = Outcome::default();
    let (mut filtered, mut rejected) = (0, 0);
    while let Some(found) = reader.next_batch()? {
        assert!(found.rows.len() <= options.batch_rows);
        assert_eq!(found.rows.len(), media(&found).len());
        assert_eq!(found.rows.len(), classes(&found).len());
        outcome.batches.push(found.rows.len());
        for row in 0..found.rows.len() {
            let annotation = found.rows.row(row);
            let (medium, class) = (media(&found)[row], classes(&found)[row]);
            let name = reader.tables().class(class as usize);
            assert_eq!(annotation.class, name.name.or(name.id.as_deref()).unwrap());
            outcome.rows.push(format!("{medium} {class} {annotation:?}"));
            outcome
                .texts
                .push(String::from_utf8(found.texts.text_of(row).unwrap().to_vec()).unwrap());
        }
        outcome.rejects.extend(found.rejects.iter().map(Reject0::from));
        rejected += found.rejected();
        filtered += crowds(&found);
        outcome.row_rejects.extend(found.row_rejects);
    }
    assert!(reader.next_batch()?.is_none());
    outcome.summary = reader.summary();
    outcome.media = reader.tables().media_names().map(|m| format!("{m:?}")).collect();
    outcome.classes = reader.tables().class_names().map(|c| format!("{c:?}")).collect();
    let summary = outcome.summary;
    assert_eq!(filtered, summary.filtered_crowd);
    assert_eq!(outcome.rows.len() as u64, summary.rows);
    let of_rows: u64 = outcome.row_rejects.iter().map(|row| row.annotations).sum();
    assert_eq!(outcome.rejects.len() as u64 + of_rows, summary.rejected);
    assert_eq!(rejected, summary.rejected);
    let sum = summary.rows + summary.rejected + summary.filtered_crowd;
    assert_eq!(summary.annotations_read, sum);
    Ok(outcome)
}

pub fn read(text: &str) -> Outcome {
    read_with(text.as_bytes(), None, &options()).unwrap()
}

/// A dataset of one image of 40 x 64 (h x w) and one category around annotations.
pub fn dataset(annotations: &str) -> String {
    format!(
        r#"{{"images":[{{"id":7,"file_name":"quay.png","width":64,"height":40}}],
"categories":[{{"id":3,"name":"crate"}}],"annotations":[{annotations}]}}"#
    )
}

/// Where a blocker shows, and its message.
pub fn blocker(error: Error) -> (u64, String) {
    match error {
        Error::Source {
            byte,
            message,
            source_name,
        } => {
            assert_eq!(source_name, "dir/a.json");
            (byte, message)
        }
        other => panic!("{other}"),
    }
}
