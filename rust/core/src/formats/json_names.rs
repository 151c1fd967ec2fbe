//! What a file of JSON holds, by its first names.

use std::fmt;
use std::io::Read;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::source::SourceFile;

/// Lines of a reject file that say nothing of its rows, after which no more are looked at.
const MOST_LINES: usize = 1 << 16;

/// Bytes that are looked at.
const MOST_BYTES: u64 = 1 << 28;

/// What a file of JSON holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonKind {
    /// A COCO dataset, a list of results, lines of a reject file with annotations of COCO; or nothing that is known.
    Coco,
    /// Rows of the IR, one a line, or lines of a reject file with such rows.
    Ndjson,
    /// Label rows as Encord writes them, in a list or one after the other.
    Encord,
}

/// Looks at the beginning of a file, also of a compressed one. A file that cannot be read is left to the reader of COCO,
/// which says why.
pub fn sniff(input: &SourceFile) -> JsonKind {
    let Ok(mut text) = input.stream_from(0) else {
        return JsonKind::Coco;
    };
    let mut head = [0; 3];
    let mut read = 0;
    while read < head.len() {
        match text.read(&mut head[read..]) {
            Ok(more) if more > 0 => read += more,
            _ => break,
        }
    }
    let start = if head == *b"\xEF\xBB\xBF" { 3 } else { 0 };
    let rest = std::io::BufReader::new(text.take(MOST_BYTES));
    let mut parser = serde_json::Deserializer::from_reader(head[start..read].chain(rest));
    for _ in 0..MOST_LINES {
        let mut found = None;
        let value = Names { found: &mut found };
        let parsed = parser.deserialize_any(value);
        if let Some(kind) = found {
            return kind;
        }
        if parsed.is_err() {
            break;
        }
    }
    JsonKind::Coco
}

/// Reads the names of an object until one of them tells; that ends the parser by an error.
struct Names<'a> {
    found: &'a mut Option<JsonKind>,
}

impl Names<'_> {
    fn told<E: Error>(self, kind: JsonKind) -> Result<(), E> {
        *self.found = Some(kind);
        Err(E::custom("told"))
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let below = Names {
            found: &mut *self.found,
        };
        // The error is how it tells; only what is told counts.
        let _ = list.next_element_seed(Below(below));
        // Rows of the IR stand one a line, never in a list.
        let kind = match *self.found {
            Some(JsonKind::Encord) => JsonKind::Encord,
            _ => JsonKind::Coco,
        };
        self.told(kind)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "media" | "class" => return self.told(JsonKind::Ndjson),
                "label_hash" | "data_hash" | "data_units" => return self.told(JsonKind::Encord),
                "images" | "annotations" | "categories" | "videos" | "image_id" | "category_id" => {
                    return self.told(JsonKind::Coco)
                }
                "annotation" => {
                    let below = Names {
                        found: &mut *self.found,
                    };
                    map.next_value_seed(Below(below))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    /// An annotation that is no JSON stands in its line as a string.
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let named = |names: &[&str]| names.iter().any(|name| text.contains(&format!("\"{name}\"")));
        if named(&["image_id", "category_id"]) {
            return self.told(JsonKind::Coco);
        }
        if named(&["media", "class"]) {
            return self.told(JsonKind::Ndjson);
        }
        Ok(())
    }
}

/// The annotation in a line of a reject file, or the first item of a list.
struct Below<'a>(Names<'a>);

impl<'de> serde::de::DeserializeSeed<'de> for Below<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self.0)
    }
}
