//! labelme's JSON: a file an image, with its shapes.
//!
//! `{"version", "flags", "shapes": [{"label", "points": [[x, y], ...], "shape_type", "group_id", "flags", "mask"?}], "imagePath",
//! "imageData", "imageHeight", "imageWidth"}`, in px.
//!
//! Source: labelme 6.3.1, `_label_file.py` and `utils/shape.py`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::base64;
use super::figures::{Drawing, Figure};
use super::json_names::JSON_SUFFIXES;
use super::json_values::{count, member, name, place, shown};
use super::lines::stem;
use super::list_entries::{EntryFormat, EntryReader, Rows};
use super::{Files, Format, Opened, Opening, ReadOption};
use crate::batch::{Annotation, Points, RleOrder, Shape};
use crate::json::{plain, Scan, Scanner};
use crate::reject::Reason;
use crate::rle::{Regions, Rle, RowMajor, Size};
use crate::source::{Frames, Picture, PictureError, Pixels, SourceFile};

/// Member of a shape that holds its confidence, where no option says otherwise.
const SCORE: &str = "score";

/// labelme's files.
pub static FORMAT: Format = Format {
    name: "labelme",
    about: "labelme: a folder with a JSON file for each image",
    files: Files::Folder {
        members: JSON_SUFFIXES,
        beside: &[],
    },
    options: &[ReadOption::ConfidenceField],
    frames: Frames::FROM_0,
    detect: |head| head.is_json("labelme"),
    open: |opening| Ok(Opened::reader(EntryReader::open(Labelme::new(&opening), &opening)?)),
};

#[derive(Clone)]
struct Labelme {
    /// The file's name, which the image has where the file does not name it.
    stem: String,
    confidence: String,
}

/// An image, as far as it is not its shapes.
#[derive(Default)]
struct Image {
    /// Where the list of shapes begins.
    shapes: Option<usize>,
    path: Option<String>,
    size_wh: [Option<u32>; 2],
    /// Why it cannot be read.
    odd: Option<Reason>,
}

#[derive(Debug, Deserialize)]
struct Labelled {
    label: String,
    points: Vec<[f64; 2]>,
    shape_type: Option<String>,
    group_id: Option<Json>,
    mask: Option<String>,
    flags: Option<HashMap<String, bool>>,
    #[serde(flatten)]
    more: Map<String, Json>,
}

/// What a shape draws.
enum Drawn {
    Figure(Figure, Vec<f64>),
    Circle([f64; 4]),
    Mask(Rle<RowMajor>),
}

impl Labelme {
    fn new(opening: &Opening<'_>) -> Self {
        let confidence = opening.options.confidence_field.as_deref();
        Self {
            stem: String::new(),
            confidence: confidence.unwrap_or(SCORE).to_owned(),
        }
    }

    fn score(&self, shape: &Labelled) -> Result<Option<f64>, Reason> {
        match shape.more.get(&self.confidence) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Number(score)) => Ok(score.as_f64()),
            Some(other) => Err(Reason::BadField {
                field: "score",
                expected: "a number from 0 to 1",
                found: shown(other.to_string().as_bytes()),
            }),
        }
    }
}

impl EntryFormat for Labelme {
    const MEMBER: Option<&'static str> = None;
    const MAY_BE_LIST: bool = false;
    const IS_RECORD: bool = true;
    type Record = Image;

    fn file(&mut self, name: &str) {
        stem(name).clone_into(&mut self.stem);
    }

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<Image> {
        let mut image = Image::default();
        scanner.expect(b'{', "expected a JSON object")?;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let odd = &mut image.odd;
            match plain(scanner, key, &mut Vec::new()) {
                b"shapes" => image.shapes = member(scanner, "shapes", odd, |scanner| place(scanner, b'['))?,
                b"imagePath" => image.path = member(scanner, "imagePath", odd, name)?,
                b"imageWidth" => image.size_wh[0] = member(scanner, "imageWidth", odd, count)?,
                b"imageHeight" => image.size_wh[1] = member(scanner, "imageHeight", odd, count)?,
                _ => scanner.skip()?,
            }
        }
        Ok(image)
    }

    fn rows(&mut self, image: &Image, _number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        let start = match (&image.odd, image.shapes) {
            (None, Some(start)) => start,
            (odd, _) => {
                let missing = Reason::MissingField { field: "shapes" };
                rows.reject_record(odd.clone().unwrap_or(missing));
                return Ok(());
            }
        };
        let media = image.path.as_deref().unwrap_or(&self.stem);
        let row = |class| Annotation {
            width_px: image.size_wh[0],
            height_px: image.size_wh[1],
            ..Annotation::object("", 0, media, 0, class)
        };
        let mut shapes = Vec::new();
        let mut scanner = rows.scanner(start);
        scanner.expect(b'[', "expected a list")?;
        let mut first = true;
        while scanner.next_item(&mut first)? {
            scanner.peek()?;
            let at = scanner.at;
            scanner.skip()?;
            match serde_json::from_slice::<Labelled>(scanner.since(at)) {
                Ok(shape) => shapes.push((at, shape)),
                Err(cause) => {
                    let reason = Reason::BadField {
                        field: "shape",
                        expected: "an object with `label`, `points` and `shape_type`, as labelme writes it",
                        found: format!("not one: {}", shown(cause.to_string().as_bytes())),
                    };
                    rows.reject_row(at, &row(""), None, reason);
                }
            }
        }
        let mut groups = polygons_of_groups(&shapes);
        for (at, shape) in &shapes {
            let part = shape.group().map(|group| groups.remove(&group));
            if shape.is_polygon() && matches!(part, Some(None)) {
                // It is drawn with the first polygon of its group.
                continue;
            }
            if shape.flags.iter().flatten().any(|(_, &is_set)| is_set) {
                rows.warn("flags_ignored");
            }
            let drawn = shape.draw(image.size_wh);
            let row = row(&shape.label);
            match (self.score(shape), drawn) {
                (Err(reason), _) | (_, Err(reason)) => rows.reject_row(*at, &row, None, reason),
                (Ok(score), Ok(drawn)) => {
                    let row = Annotation { score, ..row };
                    match part.flatten() {
                        Some(polygons) => push_polygons(*at, row, &polygons, rows),
                        None => drawn.push(*at, row, rows),
                    }
                }
            }
        }
        Ok(())
    }
}

/// The class and group of shapes that are one object.
type Group<'s> = (&'s str, String);

/// The polygons of each group: labelme's own converters make one object of them.
fn polygons_of_groups(shapes: &[(usize, Labelled)]) -> HashMap<Group<'_>, Vec<Vec<f64>>> {
    let mut groups: HashMap<_, Vec<_>> = HashMap::new();
    for (_, shape) in shapes {
        if let Some(group) = shape.group() {
            groups.entry(group).or_default().push(shape.coords());
        }
    }
    groups
}

fn push_polygons(at: usize, row: Annotation<'_>, polygons: &[Vec<f64>], rows: &mut Rows<'_>) {
    let (mut rings, mut parts) = (vec![0], vec![0]);
    let coords = polygons.concat();
    for polygon in polygons {
        rings.push(rings[rings.len() - 1] + polygon.len() as i32);
        parts.push(parts.len() as i32);
    }
    let points = Points {
        coords: &coords,
        rings: &rings,
        parts: &parts,
    };
    let row = Annotation {
        shape: Some(Shape::Polygon),
        points: Some(points),
        ..row
    };
    rows.push(at, &row, None);
}

impl Labelled {
    fn is_polygon(&self) -> bool {
        matches!(self.shape_type.as_deref(), None | Some("polygon"))
    }

    /// The group of a polygon that has one.
    fn group(&self) -> Option<Group<'_>> {
        let id = self.group_id.as_ref().filter(|id| self.is_polygon() && !id.is_null())?;
        Some((&self.label, id.to_string()))
    }

    fn coords(&self) -> Vec<f64> {
        self.points.concat()
    }

    fn draw(&self, size_wh: [Option<u32>; 2]) -> Result<Drawn, Reason> {
        let unlike = |expected| Reason::BadField {
            field: "points",
            expected,
            found: format!("{} points", self.points.len()),
        };
        match (self.shape_type.as_deref(), &self.points[..]) {
            // The corners of a turned rectangle are a polygon, of which a class of turned boxes is drawn.
            (None | Some("polygon" | "oriented_rectangle"), _) => Ok(Drawn::Figure(Figure::Polygon, self.coords())),
            (Some("line" | "linestrip"), _) => Ok(Drawn::Figure(Figure::Polyline, self.coords())),
            (Some("point"), [_]) => Ok(Drawn::Figure(Figure::Point, self.coords())),
            (Some("point"), _) => Err(unlike("one point")),
            (Some("rectangle"), &[one, other]) => {
                let [left, top] = [one[0].min(other[0]), one[1].min(other[1])];
                let [right, bottom] = [one[0].max(other[0]), one[1].max(other[1])];
                let numbers = vec![left, top, right - left, bottom - top, 0.0];
                Ok(Drawn::Figure(Figure::Rectangle, numbers))
            }
            (Some("rectangle"), _) => Err(unlike("two corners")),
            (Some("circle"), &[[x, y], edge]) => {
                let radius = (edge[0] - x).hypot(edge[1] - y);
                Ok(Drawn::Circle([x - radius, y - radius, 2.0 * radius, 2.0 * radius]))
            }
            (Some("circle"), _) => Err(unlike("the centre, and a point of the circle")),
            (Some("mask"), &[corner, _]) => self.mask(corner, size_wh).map(Drawn::Mask),
            (Some("mask"), _) => Err(unlike("two corners")),
            (Some("points"), _) => Err(Reason::UnsupportedLabel {
                what: "several points of one shape (`points`)",
            }),
            _ => Err(Reason::UnsupportedLabel {
                what: "a shape that labelme does not have",
            }),
        }
    }

    /// A mask of the image: a picture in base64, whose first pixel is on the pixel of a corner.
    fn mask(&self, [left, top]: [f64; 2], [width, height]: [Option<u32>; 2]) -> Result<Rle<RowMajor>, Reason> {
        let missing = |field| Reason::MissingField { field };
        let bad = |code, message| Reason::BadRle { code, message };
        let (w, h) = (
            width.ok_or(missing("imageWidth"))?,
            height.ok_or(missing("imageHeight"))?,
        );
        let size = Size::new(h.into(), w.into()).map_err(|cause| bad(cause.code(), cause.to_string()))?;
        let text = self.mask.as_deref().ok_or(missing("mask"))?;
        let unlike = |found| Reason::BadField {
            field: "mask",
            expected: "a PNG with one channel, in base64",
            found,
        };
        let png = base64::decode(text).ok_or_else(|| unlike("a text that is not base64".to_owned()))?;
        let failed = |cause| match cause {
            PictureError::File(cause) => unlike(cause.to_string()),
            PictureError::Content(cause) => unlike(format!("a picture that cannot be read: {cause}")),
        };
        let picture = Picture::open(&SourceFile::bytes("mask", png), None).map_err(failed)?;
        if picture.pixels() != Pixels::Index {
            return Err(unlike(format!("a picture of {}", picture.pixels().name())));
        }
        let crop = picture.size();
        // labelme drops the fraction, too.
        let [left, top] = [left.trunc(), top.trunc()];
        let fits = |from: f64, len: u32, end: u32| from >= 0.0 && from + f64::from(len) <= f64::from(end);
        if !fits(left, crop.w(), w) || !fits(top, crop.h(), h) {
            let message = format!(
                "the mask's crop of {} x {} px at row {top}, column {left} is not inside the image of {h} x {w} px (h x w)",
                crop.h(),
                crop.w()
            );
            return Err(bad("rle_size", message));
        }
        let mut regions = Regions::new(size);
        regions.skip(top as u32 * w + left as u32);
        let mut x = 0;
        let read = picture.runs(|value, len| {
            if value == 0 {
                regions.skip(len);
            } else {
                regions.add(1, len).map_err(|cause| cause.to_string())?;
            }
            x += len;
            if x == crop.w() {
                x = 0;
                regions.skip(w - crop.w());
            }
            Ok(())
        });
        read.map_err(failed)?;
        let found = regions.finish().next();
        Ok(found.map_or_else(|| Rle::empty(size), |(_, mask)| mask))
    }
}

impl Drawn {
    fn push(&self, at: usize, row: Annotation<'_>, rows: &mut Rows<'_>) {
        match self {
            Self::Figure(figure, numbers) => {
                rows.push(at, &figure.draw(row, numbers, &mut Drawing::default()), None);
            }
            Self::Circle(around) => {
                let row = Annotation {
                    shape: Some(Shape::Circle),
                    bbox: Some(*around),
                    ..row
                };
                rows.push(at, &row, None);
            }
            Self::Mask(mask) => {
                let mut string = Vec::new();
                mask.to_string_into(&mut string);
                let row = Annotation {
                    shape: Some(Shape::Bitmask),
                    rle: Some(&string),
                    rle_order: Some(RleOrder::RowMajor),
                    ..row
                };
                rows.push(at, &row, None);
            }
        }
    }
}
