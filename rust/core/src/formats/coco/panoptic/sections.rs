//! Finds the annotations of a panoptic file, and gives them one by one.

use crate::error::Result;
use crate::json::{bad, plain, Window};
use crate::source::SourceFile;

/// Bytes of the file that are read at a time.
pub(super) const CHUNK_BYTES: usize = 1 << 16;

/// The list of annotations of a file, at its next entry.
pub(super) struct Annotations {
    window: Window,
    first: bool,
    /// Entries that are still to be given, at most.
    left: u64,
    /// Byte at which this part of the list begins.
    start: u64,
}

impl Annotations {
    /// Goes to the annotations of a file; none where it has none.
    ///
    /// # Errors
    /// [`crate::error::Error::Source`] where the text before them is not that of a JSON object, or they are not a list.
    pub fn of(file: &SourceFile, chunk_bytes: usize) -> Result<Option<Self>> {
        let mut window = Window::open(file, 0, chunk_bytes)?;
        window.item(|scanner| {
            scanner.skip_mark()?;
            scanner.expect(b'{', "expected an object with `annotations`")
        })?;
        let mut first = true;
        loop {
            window.release();
            let is_annotations = window.item(|scanner| {
                let mut first = first;
                let key = scanner.next_key(&mut first)?;
                Ok(key.map(|key| plain(scanner, key, &mut Vec::new()) == b"annotations"))
            })?;
            first = false;
            match is_annotations {
                None => return Ok(None),
                Some(false) => window.skip()?,
                Some(true) => break,
            }
        }
        window.item(|scanner| scanner.expect(b'[', "`annotations` is not a list"))?;
        Ok(Some(Self {
            window,
            first: true,
            left: u64::MAX,
            start: 0,
        }))
    }

    /// Goes to the entry that begins at byte `byte`, the first of `left` ones.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`].
    pub fn part(file: &SourceFile, byte: u64, left: u64, chunk_bytes: usize) -> Result<Self> {
        Ok(Self {
            window: Window::open(file, byte, chunk_bytes)?,
            first: true,
            left,
            start: byte,
        })
    }

    /// The next entry, and the byte at which it begins; none at the end of the list.
    ///
    /// # Errors
    /// [`crate::error::Error::Source`] where it is not JSON.
    pub fn next_entry(&mut self) -> Result<Option<(u64, &[u8])>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.window.release();
        let found = self.window.item(|scanner| {
            let mut first = self.first;
            if !scanner.next_item(&mut first)? {
                return Ok(None);
            }
            let byte = scanner.peek()?;
            if byte != b'{' {
                return bad(scanner.at, "an entry of `annotations` is not an object");
            }
            let start = scanner.at;
            scanner.skip()?;
            Ok(Some((start, scanner.at)))
        })?;
        self.first = false;
        self.left = found.map_or(0, |_| self.left - 1);
        Ok(found.map(|(start, end)| (self.window.byte(start), &self.window.text()[start..end])))
    }

    /// How much of the file was read, in bytes of the file as it is stored.
    pub fn stored_bytes(&self) -> u64 {
        self.window.stored_bytes().saturating_sub(self.start)
    }
}
