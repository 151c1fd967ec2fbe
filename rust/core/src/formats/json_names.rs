//! What a text that is JSON holds, by its first names: the formats that are JSON tell each other apart by them.

use std::fmt;
use std::io::Read;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Lines of a reject file that say nothing of its rows, after which no more are looked at.
const MOST_LINES: usize = 1 << 16;

/// Bytes that are looked at.
const MOST_BYTES: u64 = 1 << 28;

/// How files are called that may hold JSON.
pub(super) const JSON_SUFFIXES: &[&str] = &[
    ".json",
    ".json.gz",
    ".json.zst",
    ".jsonl",
    ".jsonl.gz",
    ".jsonl.zst",
    ".ndjson",
    ".ndjson.gz",
    ".ndjson.zst",
];

/// Reads names until one of them tells of which format a text is; none where the text ends, or is no JSON, before that.
pub fn first_names(mut text: impl Read) -> Option<&'static str> {
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
        if found.is_some() {
            return found;
        }
        if parsed.is_err() {
            break;
        }
    }
    None
}

/// Reads the names of an object until one of them tells; that ends the parser by an error.
struct Names<'a> {
    found: &'a mut Option<&'static str>,
}

impl Names<'_> {
    fn told<E: Error>(self, kind: &'static str) -> Result<(), E> {
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
        // The error is how it tells; a text that ends inside the item tells nothing.
        let item = list.next_element_seed(Below(below));
        let kind = match *self.found {
            Some("encord") => "encord",
            None if item.is_err() => return Err(A::Error::custom("not told")),
            // Rows of the IR stand one a line, never in a list.
            _ => "coco",
        };
        self.told(kind)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_reject = false;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                // What else such a line says is about the reject.
                _ if is_reject => {
                    map.next_value::<IgnoredAny>()?;
                }
                "media" | "class" => return self.told("ndjson"),
                "label_hash" | "data_hash" | "data_units" => return self.told("encord"),
                "images" | "annotations" | "categories" | "videos" | "image_id" | "category_id" => {
                    return self.told("coco")
                }
                "annotation" => {
                    let below = Names {
                        found: &mut *self.found,
                    };
                    map.next_value_seed(Below(below))?;
                    is_reject = true;
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
            return self.told("coco");
        }
        if named(&["media", "class"]) {
            return self.told("ndjson");
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
