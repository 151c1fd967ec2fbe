//! What a row leaves unsaid where the rest of it tells: its kind and its shape.

use super::{Kind, Shape};
use crate::reject::Reason;

/// What a row has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Has {
    pub bbox: bool,
    pub theta: bool,
    pub points: bool,
    pub rle: bool,
    pub attributes: bool,
}

/// Tells kind and shape of a row that need not say them.
///
/// What draws nothing and answers something is an answer. A box is a bounding box, with an angle a rotatable one, and run
/// lengths are a mask; points may be many things, so that their shape has to be said.
///
/// # Errors
/// [`Reason::MissingField`] where points have no shape.
pub(crate) fn tell(kind: Option<Kind>, shape: Option<Shape>, has: Has) -> Result<(Kind, Option<Shape>), Reason> {
    let draws = shape.is_some() || has.bbox || has.points || has.rle;
    let kind = kind.unwrap_or(if has.attributes && !draws {
        Kind::Answer
    } else {
        Kind::Object
    });
    let shape = match shape {
        None if kind == Kind::Answer => None,
        None if has.rle => Some(Shape::Bitmask),
        None if has.points => return Err(Reason::MissingField { field: "shape" }),
        None if has.bbox && has.theta => Some(Shape::RotatableBoundingBox),
        None if has.bbox => Some(Shape::BoundingBox),
        shape => shape,
    };
    Ok((kind, shape))
}
