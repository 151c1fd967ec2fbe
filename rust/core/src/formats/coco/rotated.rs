//! Boxes that are turned, in the two ways in which models write them.

use super::values::{Value, Wrong};
use crate::json::{starts_number, Scanner};
use crate::reject::Reason;

/// What the numbers of a `bbox` are, where they are not COCO's x, y, width, height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotatedBox {
    /// Centre, width, height, degrees clockwise around the centre.
    Cxcywha,
    /// x and y of four corners one after the other, from the one that is the top left one before the box is turned.
    Corners,
}

/// A corner may lie off the rectangle by a pixel, and by this part of its longer side: models and rounding are not exact.
const SLACK: f64 = 0.05;

impl RotatedBox {
    fn expected(self) -> &'static str {
        match self {
            Self::Cxcywha => {
                "five numbers, as --box-format cxcywha says: x and y of the centre, width, height, degrees"
            }
            Self::Corners => {
                "eight numbers, as --box-format corners says: x and y of a rectangle's corners in their order"
            }
        }
    }

    /// Reads a box as x, y, width, height before it is turned, and degrees clockwise; none for null and an empty list.
    pub(super) fn read(self, scanner: &mut Scanner<'_>) -> Value<Option<([f64; 4], f64)>> {
        let wrong = || Ok(Err(Wrong::Expected(self.expected())));
        if scanner.null()? {
            return Ok(Ok(None));
        }
        if scanner.peek()? != b'[' {
            return wrong();
        }
        scanner.at += 1;
        let (mut first, mut found, mut values) = (true, 0, [0.0; 8]);
        while scanner.next_item(&mut first)? {
            if found == values.len() || !starts_number(scanner.peek()?) {
                return wrong();
            }
            values[found] = scanner.number()?.as_f64();
            found += 1;
        }
        if found > 0 && !values.iter().all(|value| value.is_finite()) {
            return Ok(Err(Wrong::NotFinite));
        }
        let [a, b, c, d, e, ..] = values;
        Ok(match (self, found) {
            (_, 0) => Ok(None),
            (Self::Cxcywha, 5) => upright([a - c / 2.0, b - d / 2.0, c, d], e),
            (Self::Corners, 8) => rectangle(values).map(Some).ok_or(Wrong::Expected(self.expected())),
            _ => Err(Wrong::Expected(self.expected())),
        })
    }
}

fn upright(corner_and_size: [f64; 4], theta: f64) -> Result<Option<([f64; 4], f64)>, Wrong> {
    let [_, _, w, h] = corner_and_size;
    if w < 0.0 || h < 0.0 {
        return Err(Reason::NegativeBox { w, h }.into());
    }
    Ok(Some((corner_and_size, theta)))
}

/// The rectangle with four corners; none where they are not those of one.
fn rectangle([x0, y0, x1, y1, x2, y2, x3, y3]: [f64; 8]) -> Option<([f64; 4], f64)> {
    let (cx, cy) = ((x0 + x1 + x2 + x3) / 4.0, (y0 + y1 + y2 + y3) / 4.0);
    // Opposite sides count alike.
    let across = ((x1 - x0 + x2 - x3) / 2.0, (y1 - y0 + y2 - y3) / 2.0);
    let down = ((x3 - x0 + x2 - x1) / 2.0, (y3 - y0 + y2 - y1) / 2.0);
    let (w, h) = (across.0.hypot(across.1), down.0.hypot(down.1));
    let angle = across.1.atan2(across.0);
    // To the right of the upper side, or to its left where the corners run the other way round.
    let side = (across.0 * down.1 - across.1 * down.0).signum() * h / 2.0;
    let (sin, cos) = angle.sin_cos();
    let slack = 1.0 + SLACK * w.max(h);
    let corners = [
        (x0, y0, -1.0, -1.0),
        (x1, y1, 1.0, -1.0),
        (x2, y2, 1.0, 1.0),
        (x3, y3, -1.0, 1.0),
    ];
    let fits = corners.iter().all(|(x, y, right, below)| {
        let (along, aside) = (right * w / 2.0, below * side);
        let (x, y) = (
            x - (cx + along * cos - aside * sin),
            y - (cy + along * sin + aside * cos),
        );
        x.hypot(y) <= slack
    });
    fits.then(|| ([cx - w / 2.0, cy - h / 2.0, w, h], angle.to_degrees().rem_euclid(360.0)))
}
