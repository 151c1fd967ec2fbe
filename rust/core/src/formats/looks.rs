//! What a source that is of no format looks like, in words for whoever gave it.

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Head;
use crate::error::Error;
use crate::source::{Columns, SourceFile};

/// Most names that are listed.
const MOST_NAMES: usize = 8;

/// Longest piece of a name that is shown.
const MOST_NAME_CHARACTERS: usize = 40;

/// First bytes of files that are not text.
const MAGIC: [(&[u8], &str); 10] = [
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xFF\xD8\xFF", "a JPEG picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\xFD7zXZ\0", "an xz archive"),
    (b"PAR1", "a Parquet table"),
    (b"ARROW1", "an Arrow table"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"%PDF-", "a PDF document"),
    (b"(lp0\n", "a Python pickle"),
];

/// The error for a file that no format claims by its beginning.
pub(super) fn unknown(file: &SourceFile, head: &Head) -> Error {
    Error::Unknown {
        source_name: file.name().to_owned(),
        looks_like: looks_like(head),
    }
}

/// Says what a source looks like, as a noun phrase.
pub(super) fn looks_like(head: &Head) -> String {
    let text = head.without_mark();
    if text.trim_ascii().is_empty() {
        return "an empty file".to_owned();
    }
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| text.starts_with(magic)) {
        return (*what).to_owned();
    }
    if matches!(text, [0x80, 2..=5, ..]) {
        return "a Python pickle".to_owned();
    }
    let Ok(text) = valid_start(text) else {
        return "binary data".to_owned();
    };
    match text.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => json(text),
        Some(b'<') => "XML or HTML".to_owned(),
        _ => lines(text),
    }
}

/// The text up to a character that is cut off at its end.
fn valid_start(text: &[u8]) -> Result<&str, std::str::Utf8Error> {
    match std::str::from_utf8(text) {
        Err(cause) if cause.error_len().is_none() => std::str::from_utf8(&text[..cause.valid_up_to()]),
        other => other,
    }
}

fn json(text: &str) -> String {
    let mut found = Found::default();
    // An error is the end of the head, or of what is JSON.
    let _ = serde_json::Deserializer::from_str(text).deserialize_any(Names(&mut found));
    let names: Vec<String> = found.names.iter().map(|name| format!("{name:?}")).collect();
    match (found.in_list, names.is_empty()) {
        (true, true) => "a JSON list without entries that have names".to_owned(),
        (true, false) => format!("a JSON list whose entries have {}", names.join(", ")),
        (false, true) => "JSON without names".to_owned(),
        (false, false) => format!("a JSON object with {}", names.join(", ")),
    }
}

#[derive(Default)]
struct Found {
    in_list: bool,
    names: Vec<String>,
}

/// Collects the names of an object, or of the first entry of a list.
struct Names<'f>(&'f mut Found);

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if self.0.names.len() < MOST_NAMES {
                self.0.names.push(name.chars().take(MOST_NAME_CHARACTERS).collect());
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.in_list = true;
        list.next_element_seed(self).map(drop)
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, entry: D) -> Result<(), D::Error> {
        entry.deserialize_any(self)
    }
}

fn lines(text: &str) -> String {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let columns = Columns::split(first);
    let numbers = (0..columns.len()).filter(|&at| columns.number(at, "").is_ok()).count();
    match (first.contains(','), columns.len(), numbers) {
        (_, 1, _) => "text".to_owned(),
        (true, count, 0) => {
            let names: Vec<String> = (0..count.min(MOST_NAMES))
                .map(|at| format!("{:?}", columns.word(at)))
                .collect();
            format!("CSV with the columns {}", names.join(", "))
        }
        (_, count, numbers) if numbers == count => format!("text of {count} numbers a line"),
        (_, count, numbers) if numbers > 0 => format!("text of {count} columns a line, {numbers} of them numbers"),
        _ => "text".to_owned(),
    }
}
