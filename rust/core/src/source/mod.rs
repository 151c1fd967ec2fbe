//! Where predictions come from: files, their text and its lines, and what they call their media and classes.

mod anywhere;
mod bounds;
mod compressed;
mod input;
mod lines;
mod names;
mod span;

pub(crate) use anywhere::{Anywhere, Onward};
pub(crate) use bounds::most_from;
pub(crate) use input::TextStream;
pub use input::{Excerpts, SourceFile, Stamp};
pub(crate) use lines::Lines;
pub use names::{ClassName, MediaName};
pub use span::TextSpan;
