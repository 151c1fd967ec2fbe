//! BURST: a record is a sequence, with the masks of its tracks on each annotated image.
//!
//! `{"sequences": [{"seq_name", "width", "height", "annotated_image_paths": [...], "segmentations": [{TRACK: {"rle", "score"?,
//! "category_id"?}}], "track_category_ids": {TRACK: id}}], ...}`; an `rle` is the bare string of counts.
//!
//! Source: trackeval 1.3.0, `datasets/burst_helpers/format_converter.py`.

use std::collections::HashMap;

use super::json_names::JSON_SUFFIXES;
use super::json_values::{count, member, name, place, score, string, Span, Wrong};
use super::list_entries::{EntryFormat, EntryReader, Rows};
use super::{Files, Format, Opened};
use crate::batch::{Annotation, RleOrder, Shape};
use crate::json::{plain, Scan, Scanner};
use crate::reject::Reason;
use crate::source::{number_at_end, Frames};

/// BURST's annotations and results.
pub static FORMAT: Format = Format {
    name: "burst",
    about: "BURST: sequences with the masks of their tracks",
    files: Files::Each(JSON_SUFFIXES),
    options: &[],
    frames: Frames::FROM_0,
    detect: |head| head.is_json("burst"),
    open: |opening| Ok(Opened::reader(EntryReader::open(Burst::default(), &opening)?)),
};

/// What is kept from sequence to sequence: room for texts with escapes.
#[derive(Clone, Default)]
struct Burst {
    own: Vec<u8>,
}

/// The fields of a sequence, and where its lists begin.
#[derive(Default)]
struct Sequence {
    name: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    paths: Option<usize>,
    segmentations: Option<usize>,
    classes: HashMap<String, String>,
    /// Why it cannot be read.
    odd: Option<Reason>,
}

/// What can be read of a sequence.
struct Parts<'s> {
    name: &'s str,
    size_wh: [u32; 2],
    paths: usize,
    segmentations: usize,
}

impl Sequence {
    fn parts(&self) -> Result<Parts<'_>, Reason> {
        if let Some(reason) = &self.odd {
            return Err(reason.clone());
        }
        let missing = |field| Reason::MissingField { field };
        Ok(Parts {
            name: self.name.as_deref().ok_or(missing("seq_name"))?,
            size_wh: [
                self.width.ok_or(missing("width"))?,
                self.height.ok_or(missing("height"))?,
            ],
            paths: self.paths.ok_or(missing("annotated_image_paths"))?,
            segmentations: self.segmentations.ok_or(missing("segmentations"))?,
        })
    }
}

impl EntryFormat for Burst {
    const MEMBER: Option<&'static str> = Some("sequences");
    const MAY_BE_LIST: bool = false;
    type Record = Sequence;

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<Sequence> {
        let mut found = Sequence::default();
        if scanner.peek()? != b'{' {
            let start = scanner.at;
            scanner.skip()?;
            found.odd = Some(Wrong::Expected("an object").reason("sequence", scanner.since(start)));
            return Ok(found);
        }
        scanner.at += 1;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let odd = &mut found.odd;
            match plain(scanner, key, &mut Vec::new()) {
                b"seq_name" => found.name = member(scanner, "seq_name", odd, name)?,
                b"width" => found.width = member(scanner, "width", odd, count)?,
                b"height" => found.height = member(scanner, "height", odd, count)?,
                b"annotated_image_paths" => {
                    found.paths = member(scanner, "annotated_image_paths", odd, |scanner| place(scanner, b'['))?;
                }
                b"segmentations" => {
                    found.segmentations = member(scanner, "segmentations", odd, |scanner| place(scanner, b'['))?;
                }
                b"track_category_ids" if scanner.peek()? == b'{' => found.classes = classes(scanner)?,
                _ => scanner.skip()?,
            }
        }
        Ok(found)
    }

    fn rows(&mut self, sequence: &Sequence, _number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        let parts = match sequence.parts() {
            Ok(parts) => parts,
            Err(reason) => {
                rows.reject_record(reason);
                return Ok(());
            }
        };
        let frames = frames(rows.scanner(parts.paths))?;
        let mut scanner = rows.scanner(parts.segmentations);
        let (mut first, mut image) = (true, 0);
        scanner.at += 1;
        while scanner.next_item(&mut first)? {
            if scanner.peek()? == b'{' {
                scanner.at += 1;
                let mut first = true;
                while let Some(key) = scanner.next_key(&mut first)? {
                    let track = string(&scanner, key);
                    let class = sequence.classes.get(&track).map_or("", String::as_str);
                    let row = Annotation {
                        track: Some(&track),
                        ..Annotation::object("", 0, parts.name, 0, class)
                    };
                    self.mask(&mut scanner, &row, parts.size_wh, frames.get(image), rows)?;
                }
            } else if !scanner.null()? {
                let start = scanner.at;
                scanner.skip()?;
                let reason =
                    Wrong::Expected("an object, with the masks by track").reason("segmentations", scanner.since(start));
                rows.reject(start..scanner.at, reason);
            }
            image += 1;
        }
        Ok(())
    }
}

impl Burst {
    /// Reads the mask of a track on one image.
    fn mask(
        &mut self,
        scanner: &mut Scanner<'_>,
        row: &Annotation<'_>,
        [width, height]: [u32; 2],
        frame: Option<&Option<u32>>,
        rows: &mut Rows<'_>,
    ) -> Scan<()> {
        scanner.peek()?;
        let start = scanner.at;
        let (mut counts, mut confidence, mut class, mut odd) = (None, None, None, None);
        self.own.clear();
        if scanner.peek()? == b'{' {
            scanner.at += 1;
            let mut first = true;
            while let Some(key) = scanner.next_key(&mut first)? {
                match plain(scanner, key, &mut Vec::new()) {
                    b"rle" => {
                        let own = &mut self.own;
                        counts = member(scanner, "rle", &mut odd, |scanner| {
                            if scanner.null()? {
                                return Ok(Ok(None));
                            }
                            if scanner.peek()? != b'"' {
                                return Ok(Err(Wrong::Expected("the counts of an RLE as a string")));
                            }
                            let text = scanner.string()?;
                            Ok(Ok(Some(Span::of(scanner, text, own))))
                        })?;
                    }
                    b"score" => confidence = member(scanner, "score", &mut odd, score)?,
                    b"category_id" => class = member(scanner, "category_id", &mut odd, name)?,
                    _ => scanner.skip()?,
                }
            }
        } else {
            scanner.skip()?;
            odd = Some(Wrong::Expected("an object with an `rle`").reason("segmentations", scanner.since(start)));
        }
        let row = Annotation {
            class: class.as_deref().unwrap_or(row.class),
            score: confidence,
            width_px: Some(width),
            height_px: Some(height),
            ..*row
        };
        let no_frame = |found: &str| Reason::BadField {
            field: "annotated_image_paths",
            expected: "for each entry of `segmentations` a name that ends in the frame's number",
            found: found.to_owned(),
        };
        let missing = |field| Some(Reason::MissingField { field });
        let reason = match (odd, frame) {
            (Some(reason), _) => Some(reason),
            (None, None) => Some(no_frame("a shorter list")),
            (None, Some(None)) => Some(no_frame("a name without a number at its end")),
            _ if row.class.is_empty() => missing("category_id"),
            _ if counts.is_none() => missing("rle"),
            _ => None,
        };
        let frame = frame.copied().flatten();
        match reason {
            Some(reason) => rows.reject_row(start, &row, frame, reason),
            None => {
                let drawn = Annotation {
                    shape: Some(Shape::Bitmask),
                    rle: counts.map(|counts| counts.slice(rows.text(), &self.own)),
                    rle_order: Some(RleOrder::ColumnMajor),
                    ..row
                };
                rows.push(start, &drawn, frame);
            }
        }
        Ok(())
    }
}

/// Reads the classes of tracks.
fn classes(scanner: &mut Scanner<'_>) -> Scan<HashMap<String, String>> {
    scanner.at += 1;
    let (mut first, mut classes) = (true, HashMap::new());
    while let Some(key) = scanner.next_key(&mut first)? {
        let track = string(scanner, key);
        // A mask of a track whose class is not one says that it has none.
        if let Some(class) = member(scanner, "track_category_ids", &mut None, name)? {
            classes.insert(track, class);
        }
    }
    Ok(classes)
}

/// Reads the frames that names of images end in.
fn frames(mut scanner: Scanner<'_>) -> Scan<Vec<Option<u32>>> {
    scanner.at += 1;
    let (mut first, mut frames) = (true, Vec::new());
    while scanner.next_item(&mut first)? {
        let path = member(&mut scanner, "annotated_image_paths", &mut None, name)?;
        let number = path.as_deref().and_then(number_at_end);
        frames.push(number.and_then(|number| u32::try_from(number).ok()));
    }
    Ok(frames)
}
