//! Where predictions come from: files, their text and its lines, tables that a program gives, and what they call their
//! media, classes and frames.

mod anywhere;
mod archive;
mod bounds;
mod class_names;
mod columns;
mod compressed;
mod csv;
mod directory;
mod folder;
mod frames;
mod input;
mod lines;
mod names;
mod naming;
mod png;
mod span;
mod table;

pub(crate) use anywhere::{Anywhere, Onward};
pub(crate) use bounds::most_from;
pub use class_names::{ClassNames, Classes};
pub(crate) use columns::Columns;
pub(crate) use csv::fields;
pub(crate) use directory::Directory;
pub use folder::{Folder, Member};
pub use frames::Frames;
pub use input::{Excerpts, SourceFile, Stamp};
pub(crate) use input::{TextStream, BYTE_ORDER_MARK};
pub(crate) use lines::{Lines, LinesPart};
pub(crate) use names::{base_name, number_at_end, stem, stems};
pub use names::{ClassName, MediaName};
pub use naming::Naming;
pub(crate) use naming::{is_partition, table_root};
pub(crate) use png::{Picture, PictureError, Pixels, COLOUR_TYPE_AT};
pub use span::TextSpan;
pub use table::{Source, Table};
