//! The beginning of a source, by which formats know their own.

use std::cell::OnceCell;

use memchr::memmem;

use super::json_names::{first_names, Told};
use crate::error::Result;
use crate::source::{Columns, SourceFile};

/// Bytes of the text that formats are shown.
const HEAD_BYTES: usize = 1 << 16;

/// Lines of a text that are looked at.
const LINES: usize = 16;

/// How sure a format is that a source is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Whether the text goes on.
    is_cut: bool,
    json: OnceCell<Told>,
}

impl Head {
    /// Reads the beginning of a file.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`], and [`crate::error::Error::Source`] where it cannot be decompressed.
    pub fn of(file: &SourceFile) -> Result<Self> {
        let mut text = Vec::new();
        let is_cut = file.stream_from(0)?.read_into(&mut text, HEAD_BYTES)? == HEAD_BYTES;
        Ok(Self {
            is_cut,
            file_name: file.file_name().unwrap_or_default().to_lowercase(),
            text,
            json: OnceCell::new(),
        })
    }

    /// Whether the first names of the text tell that it is of `format`.
    pub(super) fn is_json(&self, format: &str) -> Sure {
        match self.json() {
            Told::Format(told) if told == format => Sure::Yes,
            _ => Sure::No,
        }
    }

    /// The text without its byte order mark.
    pub(super) fn without_mark(&self) -> &[u8] {
        self.text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.text)
    }

    /// Whether the text goes on behind what is shown.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether some object of the text has a member called `name`.
    pub(super) fn has_name(&self, name: &str) -> bool {
        memmem::find(&self.text, format!("\"{name}\"").as_bytes()).is_some()
    }

    /// Whether the text begins like JSON, and none of the names within the head tells what it holds.
    pub(super) fn is_untold_json(&self) -> bool {
        let text = self.without_mark();
        matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) && self.json() == Told::Nothing
    }

    /// Sure where most of the first lines of the text are like a record: some may be damaged. Blank lines do not count, nor
    /// one that is cut off.
    pub(super) fn most_lines(&self, is_record: impl Fn(&str) -> bool) -> Sure {
        let text = self.without_mark();
        // JSON is one long line, or many that are not worth a look.
        if matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
            return Sure::No;
        }
        let whole = match text.iter().rposition(|&byte| byte == b'\n') {
            Some(end) if self.is_cut => &text[..end],
            _ => text,
        };
        let Ok(whole) = std::str::from_utf8(whole) else {
            return Sure::No;
        };
        let mut lines = whole.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
        if lines.peek().is_some_and(|line| is_header(line)) {
            return Sure::No;
        }
        let (mut found, mut records) = (0, 0);
        for line in lines.take(LINES) {
            found += 1;
            records += usize::from(is_record(line));
        }
        if 2 * records > found {
            Sure::Yes
        } else {
            Sure::No
        }
    }

    fn json(&self) -> Told {
        *self.json.get_or_init(|| first_names(self.text.as_slice()))
    }
}

/// Whether a line names the columns of those that follow: records of such a text are not told by their numbers.
fn is_header(line: &str) -> bool {
    let columns = Columns::split(line);
    line.contains(',') && columns.len() > 1 && (0..columns.len()).all(|at| columns.number(at, "").is_err())
}
