//! Encord's own format as a source: label rows as `to_encord_dict` and Encord's JSON export write them, in a list, one by
//! one, or line by line.

mod answers;
mod geometry;
mod label_row;
mod reader;

pub use reader::{EncordReader, KnownNames};
