//! The COCO reader: dataset files, results lists and Ropewalk's own reject files become batches of the IR.
//!
//! ```no_run
//! use ropewalk_core::formats::coco::{CocoOptions, CocoReader};
//! use ropewalk_core::source::SourceFile;
//!
//! # fn main() -> ropewalk_core::error::Result<()> {
//! let input = SourceFile::path("predictions.json");
//! let mut reader = CocoReader::open(&input, "predictions.json", None, &CocoOptions::default())?;
//! while let Some(batch) = reader.next_batch()? {
//!     let image = reader.tables().media(batch.media[0] as usize);
//!     assert_eq!(batch.batch.row(0).media, image.video.or(image.file_name).unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```

mod annotation;
mod counts;
mod duplicates;
mod extras;
mod layout;
mod line;
mod names;
mod packed;
mod reader;
mod rotated;
mod source_batch;
mod survey;
mod tables;
mod values;

pub use reader::{CocoKind, CocoOptions, CocoReader, CocoSummary};
pub use rotated::RotatedBox;
pub use source_batch::SourceBatch;
pub use tables::CocoTables;
