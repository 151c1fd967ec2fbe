//! One line of a reject file: an annotation and where it stood in the source that it came from, or a whole label row.

use super::annotation::{plain, Draft};
use super::values::shown;
use crate::json::only_space;
use crate::json::{unescape, Scan, Scanner};
use crate::reject::{row_code, Reason, RowReject};

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
    /// The label row that the line stands for, if it does so in place of an annotation.
    pub row: Option<RowReject>,
}

/// What a line says of a label row.
#[derive(Default)]
struct RowFields {
    code: Option<&'static str>,
    message: Vec<u8>,
    data_hash: Vec<u8>,
    title: Vec<u8>,
    annotations: Option<u64>,
    len_bytes: u64,
}

impl RowFields {
    /// The row, where the line names one.
    fn row(&self) -> Option<RowReject> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(RowReject {
            code: self.code?,
            message: text(&self.message),
            data_hash: text(&self.data_hash),
            title: text(&self.title),
            // No row holds more, and sums of any number of lines stay far from overflowing.
            annotations: self.annotations.filter(|n| (1..=u64::from(u32::MAX)).contains(n))?,
            len_bytes: self.len_bytes,
        })
    }
}

impl Line {
    /// Reads {"source", "byte" or "row", "annotation", ...} with the annotation into the draft, or
    /// {"code", "annotation": null, "annotations", ...} of a label row.
    pub fn read(&mut self, scanner: &mut Scanner<'_>, draft: &mut Draft, confidence: &str) -> Scan<()> {
        draft.clear();
        (self.source, self.offset, self.ids_from, self.quoted, self.row) = (None, None, None, false, None);
        scanner.peek()?;
        self.start = scanner.at;
        scanner.expect(b'{', "a line of a reject file is not an object")?;
        let (mut first, mut found, mut null) = (true, false, true);
        let mut row = RowFields::default();
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut Vec::new()) {
                b"source" if scanner.peek()? == b'"' => self.source = Some(text(scanner)?),
                b"ids_from" if scanner.peek()? == b'"' => self.ids_from = Some(text(scanner)?),
                b"byte" | b"row" if scanner.peek()?.is_ascii_digit() => {
                    self.offset = whole(scanner)?;
                }
                b"annotation" => {
                    found = true;
                    null = scanner.peek()? == b'n';
                    self.annotation(scanner, draft, confidence)?;
                }
                b"code" if scanner.peek()? == b'"' => {
                    row.code = std::str::from_utf8(&text(scanner)?).ok().and_then(row_code);
                }
                b"message" if scanner.peek()? == b'"' => row.message = text(scanner)?,
                b"data_hash" if scanner.peek()? == b'"' => row.data_hash = text(scanner)?,
                b"title" if scanner.peek()? == b'"' => row.title = text(scanner)?,
                b"annotations" if scanner.peek()?.is_ascii_digit() => row.annotations = whole(scanner)?,
                b"len_bytes" if scanner.peek()?.is_ascii_digit() => {
                    row.len_bytes = whole(scanner)?.unwrap_or_default();
                }
                _ => scanner.skip()?,
            }
        }
        if null {
            self.row = row.row();
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

/// Reads a number that begins with a digit; none if it is not whole.
fn whole(scanner: &mut Scanner<'_>) -> Scan<Option<u64>> {
    Ok(scanner.number()?.as_integer().map(i64::unsigned_abs))
}

/// Whether two values of `ids_from` mean the same lists: the same name (it may have been mended) or the same content.
pub(super) fn same_lists(one: &str, other: &str) -> bool {
    let parts = |value| str::rsplit_once(value, '#').unwrap_or((value, ""));
    let ((name, digest), (other_name, other_digest)) = (parts(one), parts(other));
    name == other_name || (digest == other_digest && !digest.is_empty())
}
