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

/// What a list of rows is told as: it is of no format.
const ROWS_IN_A_LIST: &str = "rows in a list";

/// What the first names of a text tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The format that it is of.
    Format(&'static str),
    /// It is JSON of another kind.
    Other,
    /// Nothing so far: the text ends too early, or is not JSON.
    Nothing,
}

/// Reads names until one of them tells of which format a text is.
pub(super) fn first_names(mut text: impl Read) -> Told {
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
    let mut is_reject = false;
    for line in 0..MOST_LINES {
        let mut found = None;
        let value = Names {
            found: &mut found,
            is_reject: &mut is_reject,
            in_reject: false,
            in_list: false,
        };
        let parsed = parser.deserialize_any(value);
        match found {
            Some(ROWS_IN_A_LIST) => return Told::Other,
            Some(told) => return Told::Format(told),
            None => {}
        }
        match parsed {
            Ok(()) => {}
            Err(cause) if cause.is_eof() && line > 0 && parser.end().is_ok() => break,
            Err(_) => return Told::Nothing,
        }
    }
    // Lines of a reject file none of which has an annotation.
    if is_reject {
        return Told::Format("coco");
    }
    Told::Other
}

/// Reads the names of an object until one of them tells; that ends the parser by an error.
struct Names<'a> {
    found: &'a mut Option<&'static str>,
    /// Whether it is a line of a reject file.
    is_reject: &'a mut bool,
    /// Whether it is the annotation in one: there, what could not be read tells nothing.
    in_reject: bool,
    /// Whether it is an item of a list.
    in_list: bool,
}

impl Names<'_> {
    fn told<E: Error>(self, kind: &'static str) -> Result<(), E> {
        *self.found = Some(kind);
        Err(E::custom("told"))
    }

    fn again(&mut self) -> Names<'_> {
        Names {
            found: &mut *self.found,
            is_reject: &mut *self.is_reject,
            in_reject: self.in_reject,
            in_list: self.in_list,
        }
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut is_empty = true;
        loop {
            // The error is how it tells.
            let mut inside = self.again();
            inside.in_list = true;
            let item = list.next_element_seed(Below(inside));
            match (*self.found, item) {
                // Rows of the IR are one a line, never in a list.
                (Some("ndjson"), _) => {
                    return self.told(ROWS_IN_A_LIST);
                }
                (Some(_), _) => return Err(A::Error::custom("told")),
                (None, Ok(Some(()))) => is_empty = false,
                // A list of no results.
                (None, Ok(None)) if is_empty => return self.told("coco"),
                (None, Ok(None)) => return Ok(()),
                (None, Err(cause)) => return Err(cause),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut is_reject = false;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                // What else such a line says is about the reject.
                _ if is_reject => {
                    map.next_value::<IgnoredAny>()?;
                }
                "media" | "class" => return self.told("ndjson"),
                "label_hash" | "data_hash" | "data_units" => return self.told("encord"),
                "x_min" => return self.told("supervision"),
                "masklet" if !self.in_reject => return self.told("sav"),
                "bboxes" | "panoptic_seg_path" if !self.in_reject => return self.told("mmdet"),
                "keypoint_scores" | "instance_info" if !self.in_reject => return self.told("mmpose"),
                "videoName" | "frameIndex" | "box2d" | "poly2d" if !self.in_reject => return self.told("scalabel"),
                "frames" | "labels" if !self.in_reject => {
                    if is_below(&mut map, "labels", &IN_SCALABEL)? {
                        return self.told("scalabel");
                    }
                }
                "instances" if !self.in_reject => {
                    if is_below(&mut map, "instances", &["keypoint_scores"])? {
                        return self.told("mmpose");
                    }
                }
                "shapes" | "imagePath" | "imageData" if !self.in_reject => return self.told("labelme"),
                "sequences" if !self.in_reject => return self.told("burst"),
                "segmentations" if !self.in_reject => return self.told("youtube-vis"),
                "dataRow" if !self.in_reject => return self.told("labelbox"),
                // Entries of COCO's results have neither.
                "predictions" | "annotations" if self.in_list && !self.in_reject => return self.told("labelstudio"),
                "images" | "annotations" | "categories" | "videos" | "image_id" => return self.told("coco"),
                "annotation" => {
                    let mut inside = self.again();
                    inside.in_reject = true;
                    map.next_value_seed(Below(inside))?;
                    is_reject = true;
                    *self.is_reject = true;
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

/// Members of Scalabel's frames and labels.
const IN_SCALABEL: [&str; 5] = ["videoName", "frameIndex", "box2d", "poly2d", "rle"];

/// Whether an object in the list that is the next value, or in its members called `below`, has one of some `names`.
fn is_below<'de, A: MapAccess<'de>>(map: &mut A, below: &str, names: &[&str]) -> Result<bool, A::Error> {
    let mut found = false;
    let looked = map.next_value_seed(InLists {
        below,
        names,
        found: &mut found,
    });
    // The error is how it tells.
    if !found {
        looked?;
    }
    Ok(found)
}

/// Lists whose objects may have a name that tells. That ends the parser by an error.
struct InLists<'a> {
    below: &'a str,
    names: &'a [&'a str],
    found: &'a mut bool,
}

impl InLists<'_> {
    fn again(&mut self) -> InLists<'_> {
        InLists {
            found: &mut *self.found,
            ..*self
        }
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for InLists<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for InLists<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self.again())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if self.names.contains(&name.as_str()) {
                *self.found = true;
                return Err(A::Error::custom("told"));
            }
            if name == self.below {
                map.next_value_seed(self.again())?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
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
