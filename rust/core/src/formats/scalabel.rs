//! Scalabel and BDD100K: a record is a frame with its labels, in a list or under `frames`.
//!
//! `[{"name", "videoName", "frameIndex", "labels": [{"id", "category", "score", "box2d" | "poly2d" | "rle"}]}]`; corners of
//! boxes are pixels that belong to them.
//!
//! Source: scalabel 0.3.1, `label/typing.py` and `label/transforms.py`.

use super::json_names::JSON_SUFFIXES;
use super::json_values::{count, member, name, number, place, score, Value, Wrong};
use super::list_entries::{EntryFormat, EntryReader, Rows};
use super::segmentation::Segmentation;
use super::{Files, Format, Opened};
use crate::batch::{Annotation, Points, Shape};
use crate::json::{plain, Scan, Scanner};
use crate::reject::Reason;
use crate::source::{number_at_end, Frames};

const BOX: &str = "an object with the numbers x1, y1, x2 and y2";
const POLYGONS: &str = "a list of {\"vertices\": [[x, y], ...], \"types\": \"LL...\", \"closed\": true or false}";

/// Scalabel's frames.
pub static FORMAT: Format = Format {
    name: "scalabel",
    about: "Scalabel and BDD100K: frames with boxes, polygons, lines or masks",
    files: Files::Each(JSON_SUFFIXES),
    options: &[],
    frames: Frames::FROM_0,
    detect: |head| head.is_json("scalabel"),
    open: |opening| Ok(Opened::reader(EntryReader::open(Scalabel::default(), &opening)?)),
};

/// Room for what a label draws.
#[derive(Clone, Default)]
struct Scalabel {
    area: Segmentation,
    poly: Poly,
}

/// The fields of a frame.
#[derive(Default)]
struct Frame {
    name: Option<String>,
    video: Option<String>,
    index: Option<u32>,
    /// Where its labels begin.
    labels: Option<usize>,
    /// Why it cannot be read.
    odd: Option<Reason>,
}

impl Frame {
    /// Its medium, and the frame of it where it is a video.
    fn place(&self) -> Result<(&str, Option<u32>), Reason> {
        if let Some(reason) = &self.odd {
            return Err(reason.clone());
        }
        let name = self.name.as_deref();
        let Some(video) = self.video.as_deref().filter(|video| !video.is_empty()) else {
            return Ok((name.ok_or(Reason::MissingField { field: "name" })?, None));
        };
        // Names count from 1.
        let in_name = || u32::try_from(number_at_end(name?)?.checked_sub(1)?).ok();
        let frame = self.index.or_else(in_name);
        Ok((video, Some(frame.ok_or(Reason::MissingField { field: "frameIndex" })?)))
    }
}

/// Outlines and lines.
#[derive(Clone, Default)]
struct Poly {
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
    lines: usize,
}

impl Poly {
    fn clear(&mut self) {
        self.coords.clear();
        self.lines = 0;
        (self.rings, self.parts) = (vec![0], vec![0]);
    }

    fn points(&self) -> Option<Points<'_>> {
        (self.parts.len() > 1).then_some(Points {
            coords: &self.coords,
            rings: &self.rings,
            parts: &self.parts,
        })
    }

    /// Reads a list of outlines, or one line.
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        self.clear();
        if scanner.null()? {
            return Ok(Ok(()));
        }
        if scanner.peek()? != b'[' {
            return Ok(Err(Wrong::Expected(POLYGONS)));
        }
        scanner.at += 1;
        let mut first = true;
        while scanner.next_item(&mut first)? {
            if let Err(wrong) = self.ring(scanner)? {
                return Ok(Err(wrong));
            }
        }
        let rings = self.parts.len() - 1;
        Ok(if self.lines > 0 && rings > 1 {
            Err(Wrong::Expected("one line alone, or closed outlines"))
        } else {
            Ok(())
        })
    }

    fn ring(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        if scanner.peek()? != b'{' {
            return Ok(Err(Wrong::Expected(POLYGONS)));
        }
        scanner.at += 1;
        let (mut first, mut is_line, mut has_curves) = (true, false, false);
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut Vec::new()) {
                b"vertices" => {
                    if let Err(wrong) = self.vertices(scanner)? {
                        return Ok(Err(wrong));
                    }
                }
                b"types" if scanner.peek()? == b'"' => {
                    let types = scanner.string()?;
                    has_curves = scanner.slice(types).iter().any(|&of| of != b'L');
                }
                b"closed" => {
                    is_line = scanner.peek()? == b'f';
                    scanner.skip()?;
                }
                _ => scanner.skip()?,
            }
        }
        if has_curves {
            return Ok(Err(Wrong::Expected(
                "outlines of straight lines, with the types LL..., not curves",
            )));
        }
        self.lines += usize::from(is_line);
        self.rings.push(self.coords.len() as i32);
        self.parts.push(self.rings.len() as i32 - 1);
        Ok(Ok(()))
    }

    fn vertices(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        let wrong = || Ok(Err(Wrong::Expected(POLYGONS)));
        if scanner.peek()? != b'[' {
            return wrong();
        }
        scanner.at += 1;
        let mut first = true;
        while scanner.next_item(&mut first)? {
            let Some((point, 2)) = super::json_values::numbers::<2>(scanner)? else {
                return wrong();
            };
            self.coords.extend(point);
        }
        Ok(Ok(()))
    }
}

/// Reads a box whose corners are pixels that belong to it, as x, y, width, height.
fn box2d(scanner: &mut Scanner<'_>) -> Value<Option<[f64; 4]>> {
    if scanner.null()? {
        return Ok(Ok(None));
    }
    if scanner.peek()? != b'{' {
        return Ok(Err(Wrong::Expected(BOX)));
    }
    scanner.at += 1;
    let (mut first, mut corners) = (true, [None; 4]);
    while let Some(key) = scanner.next_key(&mut first)? {
        let at = match plain(scanner, key, &mut Vec::new()) {
            b"x1" => 0,
            b"y1" => 1,
            b"x2" => 2,
            b"y2" => 3,
            _ => {
                scanner.skip()?;
                continue;
            }
        };
        let Some(value) = number(scanner)? else {
            return Ok(Err(Wrong::Expected(BOX)));
        };
        corners[at] = Some(value);
    }
    let [Some(x1), Some(y1), Some(x2), Some(y2)] = corners else {
        return Ok(Err(Wrong::Expected(BOX)));
    };
    Ok(if ![x1, y1, x2, y2].iter().all(|value| value.is_finite()) {
        Err(Wrong::NotFinite)
    } else if x2 < x1 || y2 < y1 {
        Err(Wrong::Expected("a box whose x2 and y2 are not below x1 and y1"))
    } else {
        Ok(Some([x1, y1, x2 - x1 + 1.0, y2 - y1 + 1.0]))
    })
}

/// Passes over a value, and says whether it is more than null.
fn is_there(scanner: &mut Scanner<'_>) -> Scan<bool> {
    let is_there = scanner.peek()? != b'n';
    scanner.skip()?;
    Ok(is_there)
}

impl Scalabel {
    /// Reads a label, and adds what it draws.
    fn label(
        &mut self,
        scanner: &mut Scanner<'_>,
        (media, frame): (&str, Option<u32>),
        rows: &mut Rows<'_>,
    ) -> Scan<()> {
        scanner.peek()?;
        let start = scanner.at;
        self.area.clear();
        self.poly.clear();
        if scanner.peek()? != b'{' {
            scanner.skip()?;
            let reason = Wrong::Expected("a list of objects").reason("labels", scanner.since(start));
            rows.reject(start..scanner.at, reason);
            return Ok(());
        }
        scanner.at += 1;
        let (mut id, mut category, mut confidence, mut bbox, mut odd) = (None, None, None, None, None);
        let (mut has_box3d, mut has_graph, mut first) = (false, false, true);
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut Vec::new()) {
                b"id" => id = member(scanner, "id", &mut odd, name)?,
                b"category" => category = member(scanner, "category", &mut odd, name)?,
                b"score" => confidence = member(scanner, "score", &mut odd, score)?,
                b"box2d" => bbox = member(scanner, "box2d", &mut odd, box2d)?,
                b"poly2d" => member(scanner, "poly2d", &mut odd, |scanner| self.poly.read(scanner))?,
                b"rle" => member(scanner, "rle", &mut odd, |scanner| self.area.read(scanner))?,
                b"box3d" => has_box3d = is_there(scanner)?,
                b"graph" => has_graph = is_there(scanner)?,
                _ => scanner.skip()?,
            }
        }
        let row = Annotation {
            // In images an id means nothing.
            track: id.as_deref().filter(|_| frame.is_some()),
            score: confidence,
            bbox,
            ..Annotation::object("", 0, media, 0, category.as_deref().unwrap_or_default())
        };
        let draws = bbox.is_some() || !self.area.is_empty() || self.poly.points().is_some();
        let reason = match odd {
            Some(reason) => reason,
            None if category.is_none() => Reason::MissingField { field: "category" },
            None if draws => {
                let row = match self.poly.points() {
                    points @ Some(_) if self.area.is_empty() => Annotation {
                        shape: Some(if self.poly.lines > 0 {
                            Shape::Polyline
                        } else {
                            Shape::Polygon
                        }),
                        points,
                        ..row
                    },
                    _ => Annotation {
                        shape: bbox.map(|_| Shape::BoundingBox),
                        ..row
                    },
                };
                rows.push(start, &self.area.on(row, rows.text()), frame);
                return Ok(());
            }
            None if has_graph => Reason::UnsupportedLabel { what: "a graph" },
            None if has_box3d => {
                rows.leave_out("box_3d", 1);
                return Ok(());
            }
            None => Reason::NoGeometry,
        };
        rows.reject_row(start, &row, frame, reason);
        Ok(())
    }
}

impl EntryFormat for Scalabel {
    const MEMBER: Option<&'static str> = Some("frames");
    const MAY_BE_LIST: bool = true;
    type Record = Frame;

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<Frame> {
        let mut frame = Frame::default();
        if scanner.peek()? != b'{' {
            let start = scanner.at;
            scanner.skip()?;
            frame.odd = Some(Wrong::Expected("an object").reason("frame", scanner.since(start)));
            return Ok(frame);
        }
        scanner.at += 1;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let odd = &mut frame.odd;
            match plain(scanner, key, &mut Vec::new()) {
                b"name" => frame.name = member(scanner, "name", odd, name)?,
                // BDD's old files have the second names.
                b"videoName" | b"video_name" => frame.video = member(scanner, "videoName", odd, name)?,
                b"frameIndex" | b"index" => frame.index = member(scanner, "frameIndex", odd, count)?,
                b"labels" => frame.labels = member(scanner, "labels", odd, |scanner| place(scanner, b'['))?,
                _ => scanner.skip()?,
            }
        }
        Ok(frame)
    }

    fn rows(&mut self, frame: &Frame, _number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        let place = match frame.place() {
            // A frame without labels draws nothing, wherever it is.
            _ if frame.labels.is_none() && frame.odd.is_none() => return Ok(()),
            Ok(place) => place,
            Err(reason) => {
                rows.reject_record(reason);
                return Ok(());
            }
        };
        let mut scanner = rows.scanner(frame.labels.unwrap_or_default());
        let mut first = true;
        scanner.at += 1;
        while scanner.next_item(&mut first)? {
            self.label(&mut scanner, place, rows)?;
        }
        Ok(())
    }
}
