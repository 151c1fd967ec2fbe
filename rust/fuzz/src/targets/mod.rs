//! The targets, by the names of their binaries and corpora.

mod coco;
mod formats;
mod ir_columns;
mod ir_table;
mod label_rows;
mod mask;
mod polygon;
mod rle_counts;
mod rle_string;

pub use formats::{file_formats, formats, input as formats_input, Content};
pub use ir_table::ir_table;
pub use label_rows::label_rows;
pub use polygon::polygon;
pub use rle_counts::rle_counts;
pub use rle_string::rle_string;

/// A target: panics on what must not be, and else says what the input was.
pub type Target = fn(&[u8]) -> &'static str;

/// All targets, each with all that it can say.
///
/// A corpus that no longer leads to one of these words tests less than it did.
pub const TARGETS: [(&str, Target, &[&str]); 6] = [
    ("rle_string", rle_string, rle_string::WORDS),
    ("rle_counts", rle_counts, rle_counts::WORDS),
    ("polygon", polygon, polygon::WORDS),
    ("formats", formats, formats::WORDS),
    ("ir_table", ir_table, ir_table::WORDS),
    ("label_rows", label_rows, label_rows::WORDS),
];
