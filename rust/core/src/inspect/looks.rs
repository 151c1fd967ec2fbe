//! What geometries look like, to tell units and conventions that were mixed up.

use serde::Serialize;

use crate::batch::{Annotation, Unit};
use crate::rle::is_empty_string;

/// Sums over the geometries of a source.
#[derive(Default, Serialize)]
pub(super) struct Looks {
    /// Rows that draw something in px, and those of them whose coordinates are all within -1 to 1.
    px: u64,
    px_within_one: u64,
    /// The same in fractions, and those of them that reach beyond 2.
    frac: u64,
    frac_beyond_two: u64,
    boxes: Boxes,
    angles: Angles,
    masks: u64,
    masks_empty: u64,
}

/// Boxes in px that are not turned.
#[derive(Default, Serialize)]
struct Boxes {
    count: u64,
    /// Smallest and largest width and height.
    width_px: Option<(f64, f64)>,
    height_px: Option<(f64, f64)>,
    /// Boxes whose x and y are both above 1: those of which the next figures are.
    inside: u64,
    /// Third and fourth number above the first and second one.
    as_corners: u64,
    across: Together,
    down: Together,
}

/// Sums of two numbers of each box: a position and the side along it.
#[derive(Default, Serialize)]
struct Together {
    position: f64,
    side: f64,
    position_squared: f64,
    side_squared: f64,
    product: f64,
}

/// Angles of turned boxes and ellipses, in degrees.
#[derive(Default, Serialize)]
struct Angles {
    /// Those that are not 0.
    count: u64,
    largest: f64,
}

/// Fractions this far outside the image are not: models draw a little over its edge, and not another image's width.
const BEYOND: f64 = 2.0;

impl Looks {
    #[inline]
    pub fn add(&mut self, row: &Annotation<'_>) {
        let reach = match row.unit {
            Unit::Px => 1.0,
            Unit::Frac => BEYOND,
        };
        if let Some(within) = is_within(row, reach) {
            match row.unit {
                Unit::Px => {
                    self.px += 1;
                    self.px_within_one += u64::from(within);
                }
                Unit::Frac => {
                    self.frac += 1;
                    self.frac_beyond_two += u64::from(!within);
                }
            }
        }
        match (row.bbox, row.unit, row.theta) {
            (Some(numbers), Unit::Px, None) => self.boxes.add(numbers),
            (_, _, Some(theta)) if theta != 0.0 => {
                self.angles.count += 1;
                self.angles.largest = self.angles.largest.max(theta.abs());
            }
            _ => {}
        }
        if let Some(rle) = row.rle {
            self.masks += 1;
            self.masks_empty += u64::from(is_empty_string(rle));
        }
    }
}

/// Whether all coordinates are at most `reach` from 0; none where they are all 0, as those of a box beside a mask are.
#[inline]
fn is_within(row: &Annotation<'_>, reach: f64) -> Option<bool> {
    let points = row.points.iter().flat_map(|points| points.iter().flatten());
    let mut any = false;
    for value in row.bbox.iter().flatten().chain(points.flatten()) {
        if value.abs() > reach {
            return Some(false);
        }
        any |= *value != 0.0;
    }
    any.then_some(true)
}

impl Boxes {
    #[inline]
    fn add(&mut self, [x, y, w, h]: [f64; 4]) {
        if w <= 0.0 && h <= 0.0 {
            return;
        }
        self.count += 1;
        for (range, side) in [(&mut self.width_px, w), (&mut self.height_px, h)] {
            let (min, max) = range.get_or_insert((side, side));
            (*min, *max) = (min.min(side), max.max(side));
        }
        if x > 1.0 && y > 1.0 {
            self.inside += 1;
            self.as_corners += u64::from(w > x && h > y);
            self.across.add(x, w);
            self.down.add(y, h);
        }
    }
}

impl Together {
    #[inline]
    fn add(&mut self, position: f64, side: f64) {
        self.position += position;
        self.side += side;
        self.position_squared += position * position;
        self.side_squared += side * side;
        self.product += position * side;
    }
}
