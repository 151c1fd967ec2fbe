//! MMDetection's inferencer: a JSON file an image.
//!
//! `{"labels": [...], "scores": [...], "bboxes": [[x1, y1, x2, y2], ...], "masks": [RLE, ...]?, "panoptic_seg_path"?}`, with an
//! entry for each object in each list. Files are called as their images.
//!
//! Source: mmdet 3.3.0, `apis/det_inferencer.py`.

use super::class_numbers::ClassNumbers;
use super::json_names::JSON_SUFFIXES;
use super::json_values::{member, name, numbers, score, Value, Wrong};
use super::lines::stem;
use super::list_entries::{EntryFormat, EntryReader, Rows};
use super::segmentation::Segmentation;
use super::{Files, Format, Opened, Opening, ReadOption};
use crate::batch::{Annotation, Shape};
use crate::error::{Error, Result};
use crate::json::{plain, Scan, Scanner};
use crate::reject::Reason;
use crate::source::Frames;

const BOX: &str = "four numbers: x1, y1, x2, y2";

/// MMDetection's predictions.
pub static FORMAT: Format = Format {
    name: "mmdet",
    about: "MMDetection's inferencer: a folder with a JSON file for each image",
    files: Files::Folder {
        members: JSON_SUFFIXES,
        beside: &[],
    },
    options: &[ReadOption::Classes],
    frames: Frames::FROM_0,
    detect: |head| head.is_json("mmdet"),
    open: |opening| Ok(Opened::reader(EntryReader::open(Mmdet::new(&opening)?, &opening)?)),
};

/// What the files of a folder do not say.
#[derive(Clone)]
struct Mmdet {
    classes: ClassNumbers,
    /// The image that the current file is about.
    media: String,
    area: Segmentation,
}

impl Mmdet {
    fn new(opening: &Opening<'_>) -> Result<Self> {
        let classes = ClassNumbers::new(opening, || Ok(None))?;
        if classes.are_unknown() {
            return Err(Error::Plan(format!(
                "{}: its labels are numbers from 0; give --classes FILE, or --class-map with the numbers",
                opening.label
            )));
        }
        Ok(Self {
            classes,
            media: String::new(),
            area: Segmentation::default(),
        })
    }
}

/// A list of a file.
#[derive(Clone, Copy)]
struct List {
    start: usize,
    entries: usize,
}

/// The lists of a file.
#[derive(Default)]
struct Image {
    labels: Option<List>,
    scores: Option<List>,
    boxes: Option<List>,
    masks: Option<List>,
    is_panoptic: bool,
    /// Why it cannot be read.
    odd: Option<Reason>,
}

impl Image {
    /// The list of labels, whose number of entries the others have.
    fn labels(&self) -> std::result::Result<Option<List>, Reason> {
        if let Some(reason) = &self.odd {
            return Err(reason.clone());
        }
        let missing = |field| Err(Reason::MissingField { field });
        let Some(labels) = self.labels else {
            // Models for panoptic segmentation alone write nothing else.
            return if self.is_panoptic { Ok(None) } else { missing("labels") };
        };
        if self.boxes.is_none() && self.masks.is_none() {
            return missing("bboxes");
        }
        for (field, list) in [("scores", self.scores), ("bboxes", self.boxes), ("masks", self.masks)] {
            if let Some(list) = list.filter(|list| list.entries != labels.entries) {
                return Err(Reason::BadField {
                    field,
                    expected: "as many entries as `labels` has",
                    found: format!("{} for {} labels", list.entries, labels.entries),
                });
            }
        }
        Ok(Some(labels))
    }
}

/// Finds a list, which is passed over; none for null.
fn list(scanner: &mut Scanner<'_>, field: &'static str, odd: &mut Option<Reason>) -> Scan<Option<List>> {
    if scanner.null()? {
        return Ok(None);
    }
    let start = scanner.at;
    if scanner.peek()? != b'[' {
        scanner.skip()?;
        odd.get_or_insert_with(|| Wrong::Expected("a list").reason(field, scanner.since(start)));
        return Ok(None);
    }
    scanner.at += 1;
    let (mut first, mut entries) = (true, 0);
    while scanner.next_item(&mut first)? {
        scanner.skip()?;
        entries += 1;
    }
    Ok(Some(List { start, entries }))
}

/// Reads a box as x, y, width, height.
fn corners(scanner: &mut Scanner<'_>) -> Value<Option<[f64; 4]>> {
    let Some(([x1, y1, x2, y2], 4)) = numbers::<4>(scanner)? else {
        return Ok(Err(Wrong::Expected(BOX)));
    };
    Ok(Ok(Some([x1, y1, x2 - x1, y2 - y1])))
}

/// Reads the values of a list one by one.
struct Entries<'t> {
    scanner: Option<Scanner<'t>>,
    first: bool,
    /// Where the last value begins.
    at: usize,
}

impl<'t> Entries<'t> {
    fn of(list: Option<List>, rows: &Rows<'t>) -> Self {
        let scanner = list.map(|list| rows.scanner(list.start + 1));
        Self {
            scanner,
            first: true,
            at: 0,
        }
    }

    /// Reads the next value; the default where there is no list, or where it is wrong, which makes its object odd.
    fn next<T: Default>(
        &mut self,
        field: &'static str,
        odd: &mut Option<Reason>,
        read: impl FnOnce(&mut Scanner<'_>) -> Value<T>,
    ) -> Scan<T> {
        let Some(scanner) = &mut self.scanner else {
            return Ok(T::default());
        };
        scanner.next_item(&mut self.first)?;
        scanner.peek()?;
        self.at = scanner.at;
        member(scanner, field, odd, read)
    }
}

impl EntryFormat for Mmdet {
    const MEMBER: Option<&'static str> = None;
    const MAY_BE_LIST: bool = false;
    const IS_RECORD: bool = true;
    type Record = Image;

    fn file(&mut self, name: &str) {
        stem(name).clone_into(&mut self.media);
    }

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<Image> {
        let mut image = Image::default();
        scanner.expect(b'{', "expected a JSON object")?;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let odd = &mut image.odd;
            match plain(scanner, key, &mut Vec::new()) {
                b"labels" => image.labels = list(scanner, "labels", odd)?,
                b"scores" => image.scores = list(scanner, "scores", odd)?,
                b"bboxes" => image.boxes = list(scanner, "bboxes", odd)?,
                b"masks" => image.masks = list(scanner, "masks", odd)?,
                b"panoptic_seg_path" => {
                    image.is_panoptic = !scanner.null()?;
                    if image.is_panoptic {
                        scanner.skip()?;
                    }
                }
                _ => scanner.skip()?,
            }
        }
        Ok(image)
    }

    fn rows(&mut self, image: &Image, _number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        if image.is_panoptic {
            rows.reject_record(Reason::UnsupportedLabel {
                what: "a panoptic picture (`panoptic_seg_path`)",
            });
        }
        let labels = match image.labels() {
            Ok(Some(labels)) => labels,
            Ok(None) => return Ok(()),
            Err(reason) => {
                rows.reject_record(reason);
                return Ok(());
            }
        };
        let mut classes = Entries::of(Some(labels), rows);
        let mut scores = Entries::of(image.scores, rows);
        let mut boxes = Entries::of(image.boxes, rows);
        let mut masks = Entries::of(image.masks, rows);
        for _ in 0..labels.entries {
            let mut odd = None;
            self.area.clear();
            let label = classes.next("labels", &mut odd, name)?;
            let confidence = scores.next("scores", &mut odd, score)?;
            let bbox = boxes.next("bboxes", &mut odd, corners)?;
            let area = &mut self.area;
            masks.next("masks", &mut odd, |scanner| area.read(scanner))?;
            let label = label.unwrap_or_default();
            let class = self.classes.class(&label);
            // Models for masks alone write boxes of zeros.
            let bbox = bbox.filter(|&bbox| area.is_empty() || bbox != [0.0; 4]);
            let row = Annotation {
                score: confidence,
                shape: bbox.map(|_| Shape::BoundingBox),
                bbox,
                ..Annotation::object("", 0, &self.media, 0, class.as_ref().copied().unwrap_or_default())
            };
            let at = classes.at;
            match (odd, class) {
                (Some(reason), _) | (None, Err(reason)) => rows.reject_row(at, &row, None, reason),
                (None, Ok(_)) if bbox.is_none() && self.area.is_empty() => {
                    rows.reject_row(at, &row, None, Reason::NoGeometry);
                }
                (None, Ok(_)) => rows.push(at, &self.area.on(row, rows.text()), None),
            }
        }
        Ok(())
    }
}
