//! Blockers: what stops an import before anything is sent. A bad row is not an error but a [`crate::reject::Reject`].

use std::path::{Path, PathBuf};

/// Result of the core's fallible operations.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an import cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{path}: {cause}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A source is not what it should be; names the byte where that shows.
    #[error("{source_name}: byte {byte}: {message}")]
    Source {
        /// The source as the user knows it.
        source_name: String,
        /// Offset of the first byte that does not fit.
        byte: u64,
        /// What was found, what was expected, what to do.
        message: String,
    },
    /// A source is of no format that is known.
    #[error("{source_name}: the format is unknown: it looks like {looks_like}; `ropewalk formats` lists those that are read, --format names one")]
    Unknown {
        /// The source as the user knows it.
        source_name: String,
        /// What it looks like, as a noun phrase.
        looks_like: String,
    },
    /// The plan (project, maps, options) contradicts itself.
    #[error("{0}")]
    Plan(String),
    /// The value of an option does not fit. Names are those of the plan and of [`crate::formats::ReadOptions`].
    #[error("{option} {message}")]
    OptionValue {
        /// The option.
        option: &'static str,
        /// What was found and what was expected.
        message: String,
    },
    /// An option that the format of a source does not take. Names are those of [`crate::formats::ReadOptions`].
    #[error("{format} does not take `{option}`; it takes {}", takes.join(", "))]
    Option {
        /// The option.
        option: &'static str,
        /// The format.
        format: &'static str,
        /// The options that it takes.
        takes: Vec<&'static str>,
    },
    /// A staged file was damaged or belongs to another version.
    #[error("staged rows: {0}")]
    Stage(String),
    /// A label row's JSON as the server or a snapshot gives it is not one that can be written to.
    #[error("label row {label_row}: {message}")]
    LabelRow {
        /// data_hash or label_hash of the row.
        label_row: String,
        /// What was found and what was expected.
        message: String,
    },
    /// A table does not follow the IR's schema.
    #[error("IR schema v{version}: {message}", version = crate::batch::SCHEMA_VERSION)]
    Schema {
        /// Which column, what was found, what was expected.
        message: String,
    },
}

impl Error {
    /// Wraps an operating-system error with the path it concerns.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |cause| Self::Io { path, cause }
    }

    /// Puts the name of a file before what is wrong with the table in it.
    pub(crate) fn in_file(self, name: &str) -> Self {
        match self {
            Self::Schema { message } => Self::Schema {
                message: format!("{name}: {message}"),
            },
            other => other,
        }
    }
}
