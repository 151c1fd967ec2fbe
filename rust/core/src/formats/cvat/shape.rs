//! A shape of CVAT: what its tag draws.

use super::xml::Element;
use crate::batch::{Annotation, RleOrder, Shape};
use crate::formats::figures::{Drawing, Figure};
use crate::formats::json_values::shown;
use crate::reject::Reason;
use crate::rle::{Regions, Rle, RowMajor, Size};

/// What a shape draws.
#[derive(Debug)]
pub(super) enum Drawn {
    Figure(Figure, Vec<f64>),
    Mask(Rle<RowMajor>),
    /// The points of a skeleton: x and y of each, and whether it is seen (2), hidden (1) or not there (0).
    Skeleton(Vec<f64>, Vec<u8>),
}

impl Drawn {
    /// What a tag draws; `points` are the points of a skeleton, `size_wh` the size of the image.
    ///
    /// # Errors
    /// Why it draws nothing.
    pub fn of(tag: &Element, points: &[Element], size_wh: [Option<u32>; 2]) -> Result<Self, Reason> {
        let degrees = |tag: &Element| tag.get("rotation").map_or(Ok(0.0), |_| number(tag, "rotation"));
        match tag.name.as_str() {
            "box" => {
                let [left, top] = [number(tag, "xtl")?, number(tag, "ytl")?];
                let [right, bottom] = [number(tag, "xbr")?, number(tag, "ybr")?];
                let numbers = vec![left, top, right - left, bottom - top, degrees(tag)?];
                Ok(Self::Figure(Figure::Rectangle, numbers))
            }
            "ellipse" => {
                let centre = [number(tag, "cx")?, number(tag, "cy")?];
                let radii = [number(tag, "rx")?, number(tag, "ry")?];
                let numbers = vec![centre[0], centre[1], radii[0], radii[1], degrees(tag)?];
                Ok(Self::Figure(Figure::Ellipse, numbers))
            }
            "polygon" => Ok(Self::Figure(Figure::Polygon, pairs(tag)?)),
            "polyline" => Ok(Self::Figure(Figure::Polyline, pairs(tag)?)),
            "points" => match pairs(tag)? {
                point if point.len() == 2 => Ok(Self::Figure(Figure::Point, point)),
                // Several are points of a skeleton, where the class is one.
                points => {
                    let seen = vec![2; points.len() / 2];
                    Ok(Self::Skeleton(points, seen))
                }
            },
            "mask" => mask(tag, size_wh).map(Self::Mask),
            "skeleton" => {
                let (mut coords, mut seen) = (Vec::new(), Vec::new());
                for point in points {
                    let pair = pairs(point)?;
                    if pair.len() != 2 {
                        return Err(unlike(point, "points", "one pair x,y"));
                    }
                    coords.extend(pair);
                    seen.push(match (point.is_set("outside"), point.is_set("occluded")) {
                        (true, _) => 0,
                        (false, true) => 1,
                        (false, false) => 2,
                    });
                }
                if coords.is_empty() {
                    return Err(Reason::MissingField { field: "points" });
                }
                Ok(Self::Skeleton(coords, seen))
            }
            "cuboid" => Err(Reason::UnsupportedLabel { what: "a cuboid" }),
            _ => Err(Reason::UnsupportedLabel {
                what: "a shape that CVAT's XML 1.1 does not have",
            }),
        }
    }

    /// Puts the points of a skeleton in another order: of each its place among those that are drawn now. One that has none is
    /// not in the picture.
    pub fn placed(self, places: &[Option<usize>]) -> Self {
        let Self::Skeleton(coords, seen) = self else {
            return self;
        };
        let at = |place: &Option<usize>| (*place).filter(|&place| place < seen.len());
        let points = places.iter().map(at);
        Self::Skeleton(
            points
                .clone()
                .flat_map(|at| at.map_or([0.0; 2], |at| [coords[2 * at], coords[2 * at + 1]]))
                .collect(),
            points.map(|at| at.map_or(0, |at| seen[at])).collect(),
        )
    }

    /// Gives the row with this drawn on it.
    pub fn draw<R>(&self, row: Annotation<'_>, take: impl FnOnce(&Annotation<'_>) -> R) -> R {
        let mut room = Drawing::default();
        match self {
            Self::Figure(figure, numbers) => take(&figure.draw(row, numbers, &mut room)),
            Self::Mask(mask) => {
                let mut string = Vec::new();
                mask.to_string_into(&mut string);
                take(&Annotation {
                    shape: Some(Shape::Bitmask),
                    rle: Some(&string),
                    rle_order: Some(RleOrder::RowMajor),
                    width_px: Some(mask.size().w()),
                    height_px: Some(mask.size().h()),
                    ..row
                })
            }
            Self::Skeleton(points, seen) => {
                let drawn = Figure::Polyline.draw(row, points, &mut room);
                take(&Annotation {
                    shape: Some(Shape::Skeleton),
                    visibility: Some(seen),
                    ..drawn
                })
            }
        }
    }
}

/// A mask: counts row by row inside a crop of the image, the first of them of pixels that are not in it.
fn mask(tag: &Element, [width, height]: [Option<u32>; 2]) -> Result<Rle<RowMajor>, Reason> {
    let missing = |field| Reason::MissingField { field };
    let bad = |code, message| Reason::BadRle { code, message };
    let sides = [
        u64::from(height.ok_or(missing("height"))?),
        u64::from(width.ok_or(missing("width"))?),
    ];
    let size = Size::new(sides[0], sides[1]).map_err(|cause| bad(cause.code(), cause.to_string()))?;
    let [left, top] = [count(tag, "left")?, count(tag, "top")?];
    let [width, height] = [count(tag, "width")?, count(tag, "height")?];
    if u64::from(left) + u64::from(width) > sides[1] || u64::from(top) + u64::from(height) > sides[0] {
        let message = format!(
            "the mask's crop of {height} x {width} px at row {top}, column {left} is not inside the image of {} x {} px (h x w)",
            sides[0], sides[1]
        );
        return Err(bad("rle_size", message));
    }
    let rle = tag.get("rle").ok_or(missing("rle"))?;
    let pixels = u64::from(width) * u64::from(height);
    let sum = |found| {
        let message = format!("run lengths add up to {found} px, but the crop of {height} x {width} px needs {pixels}");
        bad("rle_sum", message)
    };
    let mut regions = Regions::new(size);
    regions_skip(&mut regions, u64::from(top) * sides[1] + u64::from(left));
    let (mut at, mut is_set) = (0u64, false);
    for word in rle.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let run: u64 = word
            .parse()
            .map_err(|_| unlike(tag, "rle", "whole numbers with commas between them"))?;
        if run > pixels - at {
            return Err(sum(at.saturating_add(run)));
        }
        let end = at + run;
        while at < end {
            // A run may go over several rows of the crop.
            let row_end = (at / u64::from(width) + 1) * u64::from(width);
            let until = end.min(row_end);
            if is_set {
                let added = regions.add(1, (until - at) as u32);
                added.map_err(|cause| bad("rle_runs", cause.to_string()))?;
            } else {
                regions_skip(&mut regions, until - at);
            }
            if until == row_end {
                regions_skip(&mut regions, sides[1] - u64::from(width));
            }
            at = until;
        }
        is_set = !is_set;
    }
    if at != pixels {
        return Err(sum(at));
    }
    let found = regions.finish().next();
    Ok(found.map_or_else(|| Rle::empty(size), |(_, mask)| mask))
}

fn regions_skip(regions: &mut Regions, pixels: u64) {
    // Sizes are checked: an image has fewer pixels than 2^32.
    regions.skip(pixels as u32);
}

/// x and y of points: `x,y;x,y`.
fn pairs(tag: &Element) -> Result<Vec<f64>, Reason> {
    let text = tag.get("points").ok_or(Reason::MissingField { field: "points" })?;
    let mut coords = Vec::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let numbers = pair.split_once(',').and_then(|(x, y)| {
            let number = |text: &str| text.trim().parse::<f64>().ok();
            Some([number(x)?, number(y)?])
        });
        coords.extend(numbers.ok_or_else(|| unlike(tag, "points", "pairs x,y with ; between them"))?);
    }
    if coords.iter().any(|number| !number.is_finite()) {
        return Err(Reason::NotFinite { field: "points" });
    }
    Ok(coords)
}

fn number(tag: &Element, name: &'static str) -> Result<f64, Reason> {
    let text = tag.get(name).ok_or(Reason::MissingField { field: name })?;
    let number: f64 = text.trim().parse().map_err(|_| unlike(tag, name, "a number"))?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err(Reason::NotFinite { field: name })
    }
}

/// A whole number of at least 0.
pub(super) fn count(tag: &Element, name: &'static str) -> Result<u32, Reason> {
    let text = tag.get(name).ok_or(Reason::MissingField { field: name })?;
    let number = text.trim().parse();
    number.map_err(|_| unlike(tag, name, "a whole number of at least 0"))
}

fn unlike(tag: &Element, field: &'static str, expected: &'static str) -> Reason {
    Reason::BadField {
        field,
        expected,
        found: shown(format!("{:?}", tag.get(field).unwrap_or_default()).as_bytes()),
    }
}
