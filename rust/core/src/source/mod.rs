//! Where predictions come from: files, their text and its lines, tables that a program gives, and what they call their
//! media, classes and frames.

mod class_names;
mod compressed;
mod frames;
mod input;
mod lines;
mod names;
mod span;
mod table;

pub use class_names::{ClassNames, Classes};
pub use frames::Frames;
pub(crate) use input::TextStream;
pub use input::{Excerpts, SourceFile, Stamp};
pub(crate) use lines::Lines;
pub use names::{ClassName, MediaName};
pub use span::TextSpan;
pub use table::{Source, Table};
