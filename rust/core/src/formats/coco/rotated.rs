//! Boxes that are turned, in the ways in which models write them.

use crate::formats::json_values::{numbers, Value, Wrong};
use crate::json::Scanner;
use crate::rectangle;
use crate::reject::Reason;

/// What the numbers of a `bbox` are, where they are not COCO's x, y, width, height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotatedBox {
    /// Centre, width, height, angle about the centre.
    Cxcywha,
    /// x and y of four corners one after the other, from the one that is the top left one before the box is turned.
    Corners,
}

/// How a box is turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Turn {
    /// Degrees clockwise, found by its corners.
    Degrees(f64),
    /// As it is written, in the unit and sense of the source's angles.
    Written(f64),
}

/// A box before it is turned, and how it is turned.
pub(super) type TurnedBox = ([f64; 4], Turn);

impl RotatedBox {
    fn expected(self) -> &'static str {
        match self {
            Self::Cxcywha => "five numbers, as --box-format cxcywha says: x and y of the centre, width, height, angle",
            Self::Corners => {
                "eight numbers, as --box-format corners says: x and y of a rectangle's corners in their order"
            }
        }
    }

    /// Reads a box; none for null and an empty list.
    pub(super) fn read(self, scanner: &mut Scanner<'_>) -> Value<Option<TurnedBox>> {
        if scanner.null()? {
            return Ok(Ok(None));
        }
        let Some((values, found)) = numbers::<8>(scanner)? else {
            return Ok(Err(Wrong::Expected(self.expected())));
        };
        Ok(match (self, found) {
            (_, 0) => Ok(None),
            (Self::Cxcywha, 5) => {
                let [cx, cy, w, h, angle, ..] = values;
                around_centre([cx, cy, w, h], angle).map(Some)
            }
            (Self::Corners, 8) if !values.iter().all(|value| value.is_finite()) => Err(Wrong::NotFinite),
            (Self::Corners, 8) => match rectangle::with_corners(values) {
                Some((corner_and_size, degrees)) => Ok(Some((corner_and_size, Turn::Degrees(degrees)))),
                None => Err(Wrong::Expected(self.expected())),
            },
            _ => Err(Wrong::Expected(self.expected())),
        })
    }
}

/// Reads Ultralytics' `rbox`: centre, width, height and angle. None for what is not five numbers.
pub(super) fn rbox(scanner: &mut Scanner<'_>) -> Value<Option<TurnedBox>> {
    Ok(match numbers::<5>(scanner)? {
        Some(([cx, cy, w, h, angle], 5)) => around_centre([cx, cy, w, h], angle).map(Some),
        _ => Ok(None),
    })
}

/// Reads Ultralytics' `poly`: x and y of four corners. None for what is not eight numbers.
pub(super) fn poly(scanner: &mut Scanner<'_>) -> Value<Option<[f64; 8]>> {
    Ok(match numbers::<8>(scanner)? {
        Some((values, 8)) if values.iter().all(|value| value.is_finite()) => Ok(Some(values)),
        Some((_, 8)) => Err(Wrong::NotFinite),
        _ => Ok(None),
    })
}

/// A box by its centre and size. Its angle may be anything: not every class needs it.
fn around_centre([cx, cy, w, h]: [f64; 4], angle: f64) -> Result<TurnedBox, Wrong> {
    if ![cx, cy, w, h].iter().all(|value| value.is_finite()) {
        return Err(Wrong::NotFinite);
    }
    if w < 0.0 || h < 0.0 {
        return Err(Reason::NegativeBox { w, h }.into());
    }
    Ok(([cx - w / 2.0, cy - h / 2.0, w, h], Turn::Written(angle)))
}
