//! Lines of a reject file: an annotation and where it stood in the source that it came from, or a whole label row. What the
//! annotation holds is left to the format that reads it.

use std::sync::Arc;

use crate::json::{plain, unescape, Scan, Scanner};
use crate::reject::{row_code, Origin, RowReject};

/// What the line of a reject file says. One is used for a whole file, so that lines of the same source share their origin.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Where in the scanned text the annotation stands; the whole line where it has none.
    pub start: usize,
    /// End of it.
    pub end: usize,
    /// What stands there.
    pub annotation: Held,
    /// Content of an annotation that is a string.
    pub text: Vec<u8>,
    /// Offset of the annotation in its source.
    pub offset: Option<u64>,
    /// The source's own id of it.
    pub annotation_id: Option<String>,
    /// The label row that the line stands for, if it does so in place of an annotation.
    pub row: Option<RowReject>,
    source: Option<Vec<u8>>,
    ids_from: Option<Vec<u8>>,
    format: Option<Vec<u8>>,
    member: Option<Vec<u8>>,
    /// Origin that the line before named.
    last_origin: Option<Arc<Origin>>,
}

/// What stands for the annotation in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Held {
    /// Nothing: the line has no such member.
    #[default]
    Missing,
    /// null.
    Null,
    /// A string that holds its text: that is not JSON, or it was cut.
    Quoted,
    /// The annotation itself.
    Value,
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
    /// Reads {"source", "byte" or "row", "annotation", ...}, or {"code", "annotation": null, "annotations", ...} of a label
    /// row. A member of another type than it should be is passed over.
    pub fn read(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        let last_origin = self.last_origin.take();
        *self = Self {
            last_origin,
            text: std::mem::take(&mut self.text),
            ..Self::default()
        };
        scanner.peek()?;
        self.start = scanner.at;
        scanner.expect(b'{', "a line of a reject file is not an object")?;
        let mut first = true;
        let mut row = RowFields::default();
        while let Some(key) = scanner.next_key(&mut first)? {
            let (byte, mut buffer) = (scanner.peek()?, Vec::new());
            match (plain(scanner, key, &mut buffer), byte) {
                (b"annotation", _) => self.annotation(scanner)?,
                (b"source", b'"') => self.source = Some(text(scanner)?),
                (b"ids_from", b'"') => self.ids_from = Some(text(scanner)?),
                (b"format", b'"') => self.format = Some(text(scanner)?),
                (b"member", b'"') => self.member = Some(text(scanner)?),
                (b"byte" | b"row", b'0'..=b'9') => self.offset = whole(scanner)?,
                (b"annotation_id", b'"') => {
                    self.annotation_id = Some(String::from_utf8_lossy(&text(scanner)?).into_owned());
                }
                (b"code", b'"') => {
                    row.code = std::str::from_utf8(&text(scanner)?).ok().and_then(row_code);
                }
                (b"message", b'"') => row.message = text(scanner)?,
                (b"data_hash", b'"') => row.data_hash = text(scanner)?,
                (b"title", b'"') => row.title = text(scanner)?,
                (b"annotations", b'0'..=b'9') => row.annotations = whole(scanner)?,
                (b"len_bytes", b'0'..=b'9') => row.len_bytes = whole(scanner)?.unwrap_or_default(),
                _ => scanner.skip()?,
            }
        }
        if matches!(self.annotation, Held::Missing | Held::Null) {
            self.row = row.row();
        }
        if self.annotation == Held::Missing {
            self.end = scanner.at;
        }
        Ok(())
    }

    fn annotation(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        self.start = scanner.at;
        self.annotation = match scanner.peek()? {
            b'"' => {
                let text = scanner.string()?;
                self.text.clear();
                unescape(scanner.slice(text), &mut self.text);
                Held::Quoted
            }
            b'n' => {
                scanner.skip()?;
                Held::Null
            }
            _ => {
                scanner.skip()?;
                Held::Value
            }
        };
        self.end = scanner.at;
        Ok(())
    }

    /// Where the ids of the annotation are from, if the line says so.
    pub fn ids_from(&self) -> Option<&str> {
        self.ids_from.as_deref().and_then(utf8)
    }

    /// The origin that the line names; `ids_from` is where ids are from if it does not say.
    pub fn origin(&mut self, ids_from: Option<&Arc<str>>) -> Option<Arc<Origin>> {
        let source = self.source.as_deref().and_then(utf8)?;
        let ids_from = self.ids_from().or(ids_from.map(|from| &**from));
        let [format, member] = [&self.format, &self.member].map(|name| name.as_deref().and_then(utf8));
        if let Some(last) = &self.last_origin {
            let same = [
                (Some(&last.source), Some(source)),
                (last.ids_from.as_ref(), ids_from),
                (last.format.as_ref(), format),
                (last.member.as_ref(), member),
            ];
            if same.into_iter().all(|(last, now)| last.map(|last| &**last) == now) {
                return Some(Arc::clone(last));
            }
        }
        let origin = Arc::new(Origin {
            source: source.into(),
            ids_from: ids_from.map(Arc::from),
            format: format.map(Arc::from),
            member: member.map(Arc::from),
        });
        self.last_origin = Some(Arc::clone(&origin));
        Some(origin)
    }
}

fn utf8(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
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
