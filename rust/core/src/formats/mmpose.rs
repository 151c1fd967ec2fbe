//! MMPose's inferencer: a JSON file an image or video.
//!
//! Of an image a list of `{"keypoints": [[x, y], ...], "keypoint_scores": [...], "bbox": [[x1, y1, x2, y2]]?, "bbox_score"?}`, of a
//! video a list of `{"frame_id", "instances": [...]}` with frames from 0. Files are called as their images or videos. The demo
//! scripts put the list into an object, as `instance_info`, count frames from 1, and call the file `results_<name>.json`.
//!
//! Source: mmpose 1.3.2, `apis/inferencers/base_mmpose_inferencer.py`, `structures/utils.py` and `demo/`.

use super::json_names::JSON_SUFFIXES;
use super::json_values::{count, member, numbers, place, score, Value, Wrong};
use super::lines::stem;
use super::list_entries::{EntryFormat, EntryReader, Rows};
use super::{Files, Format, Opened, Opening, ReadOption};
use crate::batch::{Annotation, Points, Shape};
use crate::error::{Error, Result};
use crate::json::{plain, Scan, Scanner};
use crate::reject::Reason;
use crate::source::{Frames, Source};

const KEYPOINTS: &str = "a list of [x, y] (keypoints in 3D are not read)";
const SCORES: &str = "a list of numbers, one for each keypoint";
const BOX: &str = "four numbers, x1, y1, x2, y2, in a list of their own";

/// What the demo scripts put before the name of an image or video.
const DEMO_PREFIX: &str = "results_";

/// MMPose's predictions.
pub static FORMAT: Format = Format {
    name: "mmpose",
    about: "MMPose's inferencer: a folder with a JSON file for each image or video",
    files: Files::Folder {
        members: JSON_SUFFIXES,
        beside: &[],
    },
    options: &[ReadOption::Class],
    frames: Frames::FROM_0,
    detect: |head| head.is_json("mmpose"),
    open: |opening| Ok(Opened::reader(EntryReader::open(Mmpose::new(&opening)?, &opening)?)),
};

/// What the files of a folder do not say.
#[derive(Clone)]
struct Mmpose {
    class: String,
    /// Whether an option says which number the first frame has.
    has_base: bool,
    /// The image or video that the current file is about.
    media: String,
    pose: Pose,
}

/// Room for keypoints.
#[derive(Clone, Default)]
struct Pose {
    coords: Vec<f64>,
    visibility: Vec<u8>,
}

impl Mmpose {
    fn new(opening: &Opening<'_>) -> Result<Self> {
        if matches!(opening.source, Source::Table(_)) {
            return Err(opening.wrong_source("a file or a folder"));
        }
        let Some(class) = opening.options.class.clone() else {
            return Err(Error::Plan(format!(
                "{}: MMPose's files do not say what they show; give --class NAME",
                opening.label
            )));
        };
        Ok(Self {
            class,
            has_base: opening.options.frame_base.is_some(),
            media: String::new(),
            pose: Pose::default(),
        })
    }

    /// Reads an instance, and adds its row.
    fn instance(&mut self, scanner: &mut Scanner<'_>, frame: Option<u32>, rows: &mut Rows<'_>) -> Scan<()> {
        scanner.peek()?;
        let start = scanner.at;
        if scanner.peek()? != b'{' {
            scanner.skip()?;
            let reason = Wrong::Expected("an object with `keypoints`").reason("instances", scanner.since(start));
            rows.reject(start..scanner.at, reason);
            return Ok(());
        }
        scanner.at += 1;
        let Pose { coords, visibility } = &mut self.pose;
        coords.clear();
        visibility.clear();
        let (mut first, mut odd, mut bbox, mut confidence) = (true, None, None, None);
        let mut are_scored = false;
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut Vec::new()) {
                b"keypoints" => member(scanner, "keypoints", &mut odd, |scanner| points(scanner, coords))?,
                b"keypoint_scores" => {
                    are_scored = member(scanner, "keypoint_scores", &mut odd, |scanner| {
                        seen(scanner, visibility)
                    })?;
                }
                b"bbox" => bbox = member(scanner, "bbox", &mut odd, corners)?,
                b"bbox_score" => confidence = member(scanner, "bbox_score", &mut odd, score)?,
                _ => scanner.skip()?,
            }
        }
        let ends = [0, coords.len() as i32];
        let by_demo = self.media.strip_prefix(DEMO_PREFIX).filter(|_| rows.in_object);
        let media = by_demo.unwrap_or(&self.media);
        if !are_scored {
            visibility.resize(coords.len() / 2, 2);
        }
        let row = Annotation {
            score: confidence,
            shape: Some(Shape::Skeleton),
            bbox,
            points: Some(Points {
                coords,
                rings: &ends,
                parts: &[0, 1],
            }),
            visibility: Some(visibility),
            ..Annotation::object("", 0, media, 0, &self.class)
        };
        let reason = match odd {
            Some(reason) => reason,
            None if coords.is_empty() => Reason::MissingField { field: "keypoints" },
            None if coords.len() != 2 * visibility.len() => Reason::BadField {
                field: "keypoint_scores",
                expected: SCORES,
                found: format!("{} numbers for {} keypoints", visibility.len(), coords.len() / 2),
            },
            None => {
                rows.push(start, &row, frame);
                return Ok(());
            }
        };
        let known = Annotation {
            shape: None,
            points: None,
            visibility: None,
            ..row
        };
        rows.reject_row(start, &known, frame, reason);
        Ok(())
    }
}

/// Reads [[x, y], ...].
fn points(scanner: &mut Scanner<'_>, coords: &mut Vec<f64>) -> Value<()> {
    if scanner.peek()? != b'[' {
        return Ok(Err(Wrong::Expected(KEYPOINTS)));
    }
    scanner.at += 1;
    let mut first = true;
    while scanner.next_item(&mut first)? {
        let Some((point, 2)) = numbers::<2>(scanner)? else {
            return Ok(Err(Wrong::Expected(KEYPOINTS)));
        };
        coords.extend(point);
    }
    Ok(Ok(()))
}

/// Reads the scores of keypoints into flags: 2 for one above 0, else 0. False for null.
fn seen(scanner: &mut Scanner<'_>, visibility: &mut Vec<u8>) -> Value<bool> {
    if scanner.null()? {
        return Ok(Ok(false));
    }
    if scanner.peek()? != b'[' {
        return Ok(Err(Wrong::Expected(SCORES)));
    }
    scanner.at += 1;
    let mut first = true;
    while scanner.next_item(&mut first)? {
        match score(scanner)? {
            Ok(Some(score)) => visibility.push(if score > 0.0 { 2 } else { 0 }),
            Ok(None) | Err(Wrong::Expected(_)) => return Ok(Err(Wrong::Expected(SCORES))),
            Err(wrong) => return Ok(Err(wrong)),
        }
    }
    Ok(Ok(true))
}

/// Reads a box as x, y, width, height; none for null. It is written in a list of its own.
fn corners(scanner: &mut Scanner<'_>) -> Value<Option<[f64; 4]>> {
    if scanner.null()? {
        return Ok(Ok(None));
    }
    if scanner.peek()? != b'[' {
        return Ok(Err(Wrong::Expected(BOX)));
    }
    let outer = scanner.at;
    scanner.at += 1;
    let is_nested = scanner.peek()? == b'[';
    if !is_nested {
        scanner.at = outer;
    }
    let found = numbers::<4>(scanner)?;
    if is_nested && scanner.next_item(&mut false)? {
        return Ok(Err(Wrong::Expected(BOX)));
    }
    let Some(([x1, y1, x2, y2], 4)) = found else {
        return Ok(Err(Wrong::Expected(BOX)));
    };
    Ok(Ok(Some([x1, y1, x2 - x1, y2 - y1])))
}

/// An instance, or a frame of a video.
#[derive(Default)]
struct Entry {
    is_frame: bool,
    frame: Option<u32>,
    /// Where the list of instances begins.
    instances: Option<usize>,
    /// Why it cannot be read.
    odd: Option<Reason>,
}

impl EntryFormat for Mmpose {
    const MEMBER: Option<&'static str> = Some("instance_info");
    const MAY_BE_LIST: bool = true;
    type Record = Entry;

    fn file(&mut self, name: &str) {
        stem(name).clone_into(&mut self.media);
    }

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<Entry> {
        let mut entry = Entry::default();
        if scanner.peek()? != b'{' {
            scanner.skip()?;
            return Ok(entry);
        }
        scanner.at += 1;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let odd = &mut entry.odd;
            match plain(scanner, key, &mut Vec::new()) {
                b"frame_id" => {
                    entry.is_frame = true;
                    entry.frame = member(scanner, "frame_id", odd, count)?;
                }
                b"instances" => {
                    entry.is_frame = true;
                    entry.instances = member(scanner, "instances", odd, |scanner| place(scanner, b'['))?;
                }
                _ => scanner.skip()?,
            }
        }
        Ok(entry)
    }

    fn rows(&mut self, entry: &Entry, _number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        if !entry.is_frame {
            let mut scanner = rows.scanner(rows.record.start);
            return self.instance(&mut scanner, None, rows);
        }
        // The demo scripts count from 1.
        let first_frame = u32::from(rows.in_object && !self.has_base);
        let frame = entry.frame.map(|frame| frame.checked_sub(first_frame));
        let missing = |field| Some(Reason::MissingField { field });
        let reason = match (&entry.odd, frame) {
            (Some(reason), _) => Some(reason.clone()),
            (None, None) => missing("frame_id"),
            (None, Some(None)) => Some(Reason::BadField {
                field: "frame_id",
                expected:
                    "a number from 1, as the demo scripts write it; for files that count from 0 give --frame-base 0",
                found: "0".to_owned(),
            }),
            _ if entry.instances.is_none() => missing("instances"),
            _ => None,
        };
        if let Some(reason) = reason {
            rows.reject_record(reason);
            return Ok(());
        }
        let mut scanner = rows.scanner(entry.instances.unwrap_or_default() + 1);
        let mut first = true;
        while scanner.next_item(&mut first)? {
            self.instance(&mut scanner, frame.flatten(), rows)?;
        }
        Ok(())
    }
}
