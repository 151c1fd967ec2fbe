//! One line of a reject file: an annotation, and where it stood in the source that it came from.

use super::annotation::{plain, Draft};
use super::json::{unescape, Scan, Scanner};
use super::survey::only_space;
use super::values::shown;
use crate::reject::Reason;

/// Where an annotation stands, and what the line of a reject file says about where it stood before.
#[derive(Default)]
pub(super) struct Line {
    /// The annotation's own text in the window.
    pub start: usize,
    pub end: usize,
    pub source: Option<Vec<u8>>,
    pub offset: Option<u64>,
    /// File whose images and categories the ids are.
    pub ids_from: Option<Vec<u8>>,
    /// Whether the annotation is a string; its content is in `text`.
    pub quoted: bool,
    pub text: Vec<u8>,
}

impl Line {
    /// Reads {"source", "byte" or "row", "annotation", ...} with the annotation into the draft.
    pub fn read(&mut self, scanner: &mut Scanner<'_>, draft: &mut Draft, confidence: &str) -> Scan<()> {
        draft.clear();
        (self.source, self.offset, self.ids_from, self.quoted) = (None, None, None, false);
        scanner.peek()?;
        self.start = scanner.at;
        scanner.expect(b'{', "a line of a reject file is not an object")?;
        let (mut first, mut found) = (true, false);
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut Vec::new()) {
                b"source" if scanner.peek()? == b'"' => self.source = Some(text(scanner)?),
                b"ids_from" if scanner.peek()? == b'"' => self.ids_from = Some(text(scanner)?),
                b"byte" | b"row" if scanner.peek()?.is_ascii_digit() => {
                    self.offset = scanner.number()?.as_integer().map(i64::unsigned_abs);
                }
                b"annotation" => {
                    found = true;
                    self.annotation(scanner, draft, confidence)?;
                }
                _ => scanner.skip()?,
            }
        }
        if !found {
            self.end = scanner.at;
            draft.refuse(Reason::MissingField { field: "annotation" });
        }
        Ok(())
    }

    fn annotation(&mut self, scanner: &mut Scanner<'_>, draft: &mut Draft, confidence: &str) -> Scan<()> {
        let byte = scanner.peek()?;
        self.start = scanner.at;
        self.quoted = byte == b'"';
        if self.quoted {
            let text = scanner.string()?;
            self.text.clear();
            unescape(scanner.slice(text), &mut self.text);
            let mut inner = Scanner::new(&self.text, 0, true);
            if draft
                .read(&mut inner, confidence)
                .and_then(|()| only_space(&mut inner))
                .is_err()
            {
                draft.clear();
                draft.refuse(Reason::BadField {
                    field: "annotation",
                    expected: "the whole JSON of an annotation",
                    found: shown(&self.text),
                });
            }
        } else {
            draft.read(scanner, confidence)?;
        }
        self.end = scanner.at;
        Ok(())
    }
}

fn text(scanner: &mut Scanner<'_>) -> Scan<Vec<u8>> {
    let string = scanner.string()?;
    let mut text = Vec::new();
    unescape(scanner.slice(string), &mut text);
    Ok(text)
}

/// Whether two values of `ids_from` mean the same lists: the same name (it may have been mended) or the same content.
pub(super) fn same_lists(one: &str, other: &str) -> bool {
    let parts = |value| str::rsplit_once(value, '#').unwrap_or((value, ""));
    let ((name, digest), (other_name, other_digest)) = (parts(one), parts(other));
    name == other_name || (digest == other_digest && !digest.is_empty())
}
