//! The formats of predictions. A format is one file here (a folder where it is long) that ends in a [`Format`], and one line
//! in [`registry::FORMATS`]; everything else follows from these.
//!
//! A source is opened by [`open`], which finds its format where none was named, refuses options that the format does
//! not take, and gives a [`Reader`]. A reader gives [`Batch`]es until it is at the end. To add a format:
//!
//! * Write a reader. It pulls, holds a bounded amount of memory, and gives the same rows however its input was cut.
//!   Rows of the IR keep the source's own words: names of media and classes, frames as the source counts them, coordinates in
//!   the source's unit. What is no row is a [`crate::reject::Reject`] with its place and text; what is left out by the
//!   format's own rules is counted in [`Batch::filtered`]. An error stops the import: it is for sources that cannot be read on.
//! * Most readers give [`Names::ByText`] and set nothing but `rows`, `rejects` and `texts` of a [`Batch::new`]. The caller
//!   checks rows ([`check_row`]), numbers their names, and resolves each name once a batch.
//! * Describe it in a `pub static FORMAT: Format`, and add that to the table.

mod active_names;
mod active_pkl;
mod base64;
mod batch;
mod bdd_bitmask;
mod beside;
mod burst;
mod check;
mod class_numbers;
pub mod coco;
mod counts;
mod cvat;
mod davis;
pub mod detect;
mod documents;
mod draft;
mod encord;
mod fault;
mod figures;
mod head;
mod json_names;
mod json_values;
mod keyframes;
mod kitti;
mod kitti_tracking;
pub mod known;
mod labelbox;
mod labelme;
mod labelstudio;
mod lines;
mod list_entries;
mod looks;
mod masks;
mod members;
mod mmdet;
mod mmpose;
mod mot;
mod mots;
pub mod ndjson;
mod open;
mod openimages;
mod options;
mod parts;
mod pictures;
mod project;
mod records;
pub mod registry;
mod rejects;
mod sav;
mod scalabel;
mod scores;
mod segmentation;
mod shared_options;
mod supervision;
pub mod table;
mod visibility;
mod yolo;
mod youtube_vis;

use crate::error::{Error, Result};
use crate::source::{ClassName, Frames, MediaName, Source};
pub use batch::{Batch, MemberRows, Names, Texts};
pub use beside::Beside;
pub use check::{check_row, GoodRings};
pub use documents::{Document, Documents, LeftOut, Unlabelled};
pub use fault::{Fault, Piece};
pub use head::{Head, Sure};
pub use open::open;
pub use options::{AngleFormat, BoxFormat, ReadOption, ReadOptions, COMMON_OPTIONS};
pub use project::{KnownNames, Project, Skeletons};
pub use scores::Scores;
pub use shared_options::SharedOptions;
pub use yolo::{YoloExtra, YoloKeypoints, YoloTask};

/// A format of predictions: one line of the table.
pub struct Format {
    /// What it is called: by `--format`, its page in docs/guide/formats, its examples in tests/formats.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Which files may be of it, and what one source is.
    pub files: Files,
    /// The options that it takes besides [`COMMON_OPTIONS`]; any other is refused.
    pub options: &'static [ReadOption],
    /// How it counts frames, where no option says otherwise.
    pub frames: Frames,
    /// Tells whether a file is of it.
    pub detect: fn(&Head) -> Sure,
    /// Opens a source.
    pub open: fn(Opening<'_>) -> Result<Opened>,
}

/// Which files may be of a format, and what one source of it is. Suffixes are in lower case, with their point.
#[derive(Debug, Clone, Copy)]
pub enum Files {
    /// Every file is a source of its own.
    Each(&'static [&'static str]),
    /// Every file is a source of its own, but those that are called as parts of one table: their folder is one.
    Tables(&'static [&'static str]),
    /// A folder is one source.
    Folder {
        /// Suffixes of the files inside that hold predictions.
        members: &'static [&'static str],
        /// Names of files that explain them, inside the folder or in the one that holds it.
        beside: &'static [&'static str],
    },
    /// No file is: rows come from a program.
    None,
}

/// A source that is to be opened, and all that its reader may depend on.
pub struct Opening<'a> {
    /// The source.
    pub source: Source,
    /// The source of rows that name none: part of a tracked object's identity.
    pub label: &'a str,
    /// How it is read; all options that the format does not take are left out.
    pub options: &'a ReadOptions,
    /// The project that it is imported into; none where it is only read.
    pub project: Option<&'a dyn Project>,
    /// Files beside the sources.
    pub beside: &'a Beside,
    /// How sure it is that the source is of the format: [`Sure::Yes`] where the user named the format.
    pub sure: Sure,
}

impl Opening<'_> {
    /// The error for a source that is not one that the format reads, such as a table where a file is expected.
    pub fn wrong_source(&self, expected: &str) -> Error {
        Error::Plan(format!("{}: expected {expected}", self.label))
    }
}

/// What opening a source came to.
pub enum Opened {
    /// Its reader.
    Reader(Box<dyn Reader>),
    /// It is of the format with this name instead. Only a format that was not sure may say so.
    This(&'static str),
}

impl Opened {
    /// A reader.
    pub fn reader(reader: impl Reader + 'static) -> Self {
        Self::Reader(Box::new(reader))
    }
}

/// Opens the reader of a piece of a source. Pieces may be many, so that each is opened when its turn comes.
pub type OpenPiece = Box<dyn FnOnce() -> Result<Box<dyn Reader>> + Send>;

/// Reads a source, batch by batch.
pub trait Reader: Send {
    /// The next batch; none at the end. A batch may hold rejects alone. Nothing can be read after an error.
    ///
    /// # Errors
    /// What keeps the rest of the source from being read; [`Error::Source`] names the first byte that does not fit.
    fn next_batch(&mut self) -> Result<Option<Batch>>;

    /// Bytes of the source, as it is stored, that the batches so far cover; 0 where that is not known.
    fn bytes_read(&self) -> u64;

    /// What the numbers of [`Names::Numbered`] mean; none for readers whose batches name by text.
    fn lists(&self) -> Option<&dyn Lists> {
        None
    }

    /// Splits what is to be read into pieces of about `len_bytes` stored bytes of text each, or of what takes as long to
    /// read, in the order of the source: put one after the other, their batches hold the same rows and rejects. Asked for
    /// before the first batch; none where the source cannot be split. The reader itself still reads all of it.
    ///
    /// # Errors
    /// As [`Self::next_batch`].
    fn pieces(&mut self, len_bytes: u64) -> Result<Option<Vec<OpenPiece>>> {
        let _ = len_bytes;
        Ok(None)
    }
}

/// Media and classes by number. A reader may add some at the end as it reads on; the others stay as they are.
pub trait Lists {
    /// How many media there are.
    fn media_len(&self) -> usize;

    /// Numbers of the media that the source itself lists: the others are those of a file beside it.
    fn own_media(&self) -> std::ops::Range<usize> {
        0..self.media_len()
    }

    /// Medium `number`, which is below [`Self::media_len`].
    fn media(&self, number: usize) -> MediaName<'_>;

    /// How many classes there are.
    fn class_len(&self) -> usize;

    /// Class `number`, which is below [`Self::class_len`].
    fn class(&self, number: usize) -> ClassName<'_>;
}

impl Format {
    /// Checks that the format takes the options that were given.
    ///
    /// # Errors
    /// [`Error::Option`] for the first one that it does not.
    pub fn check_options(&self, options: &ReadOptions) -> Result<()> {
        let other = options.given().find(|option| !self.options.contains(option));
        other.map_or(Ok(()), |option| Err(self.refuses(option)))
    }

    /// The error for an option that the format does not take.
    fn refuses(&self, option: ReadOption) -> Error {
        Error::Option {
            option: option.name(),
            format: self.name,
            takes: self.option_names().collect(),
        }
    }

    /// Whether a folder is one source of it.
    pub fn is_of_folders(&self) -> bool {
        matches!(self.files, Files::Folder { .. })
    }

    /// Whether the parts of one table are one source of it.
    pub(crate) fn is_of_tables(&self) -> bool {
        matches!(self.files, Files::Tables(_))
    }

    /// Whether a file with this name (in lower case) may be of it.
    pub(crate) fn takes_name(&self, name: &str) -> bool {
        let suffixes = match self.files {
            Files::Each(suffixes) | Files::Tables(suffixes) | Files::Folder { members: suffixes, .. } => suffixes,
            Files::None => &[],
        };
        suffixes.iter().any(|suffix| name.ends_with(suffix))
    }

    /// Whether a file with this name (in lower case) explains others of it.
    pub(crate) fn is_beside(&self, name: &str) -> bool {
        matches!(self.files, Files::Folder { beside, .. } if beside.contains(&name))
    }

    /// Names of all options that it takes.
    pub fn option_names(&self) -> impl Iterator<Item = &'static str> {
        self.options.iter().map(|option| option.name()).chain(COMMON_OPTIONS)
    }

    /// How a source of it counts frames.
    ///
    /// # Errors
    /// [`Error::OptionValue`] for a stride below 1.
    pub fn frames(&self, options: &ReadOptions) -> Result<Frames> {
        let stride = options.frame_stride.unwrap_or(self.frames.stride);
        if stride < 1 {
            return Err(Error::OptionValue {
                option: "frame_stride",
                message: format!("is {stride}; expected a whole number of at least 1"),
            });
        }
        Ok(Frames {
            base: options.frame_base.unwrap_or(self.frames.base),
            stride,
        })
    }
}
