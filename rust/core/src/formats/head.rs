//! The beginning of a source, by which formats know their own.

use std::cell::OnceCell;

use super::json_names::first_names;
use crate::error::Result;
use crate::source::SourceFile;

/// Bytes of the text that formats are shown.
const HEAD_BYTES: usize = 1 << 16;

/// How sure a format is that a source is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sure {
    /// It is not.
    No,
    /// It may be; what tells does not stand at its beginning.
    Maybe,
    /// It is.
    Yes,
}

/// What a format may look at to tell whether a source is of it.
#[derive(Debug)]
pub struct Head {
    /// Name of the file in lower case; empty for content in memory.
    pub file_name: String,
    /// The first 64 KiB of the text, decompressed.
    pub text: Vec<u8>,
    json: OnceCell<Option<&'static str>>,
}

impl Head {
    /// Reads the beginning of a file.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`], and [`crate::error::Error::Source`] where it cannot be decompressed.
    pub fn of(file: &SourceFile) -> Result<Self> {
        let mut text = Vec::new();
        file.stream_from(0)?.read_into(&mut text, HEAD_BYTES)?;
        Ok(Self {
            file_name: file.file_name().unwrap_or_default().to_lowercase(),
            text,
            json: OnceCell::new(),
        })
    }

    /// Whether the first names of the text tell that it is of `format`.
    pub(super) fn is_json(&self, format: &str) -> Sure {
        if self.json() == Some(format) {
            Sure::Yes
        } else {
            Sure::No
        }
    }

    /// Whether the text begins like JSON, and none of the names within the head tells what it holds.
    pub(super) fn is_untold_json(&self) -> bool {
        let text = self.text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.text);
        matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) && self.json().is_none()
    }

    fn json(&self) -> Option<&'static str> {
        *self.json.get_or_init(|| first_names(self.text.as_slice()))
    }
}
