//! What annotation tools draw: a shape by a few numbers, which are linear between keyframes.

use crate::batch::{Annotation, Points, Shape};

/// A shape, and what its numbers are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure {
    /// x, y, width, height, and degrees clockwise about the centre.
    Rectangle,
    /// x, y, width, height in fractions, and degrees clockwise about the top left corner, of an image whose width in px is
    /// this many times its height.
    TurnedAboutCorner(f64),
    /// x and y of the centre, the radii along x and y, and degrees clockwise.
    Ellipse,
    /// x and y of each point of a polygon.
    Polygon,
    /// x and y of each point of a line.
    Polyline,
    /// x and y of a point.
    Point,
}

/// Numbers as a row has them.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    coords: Vec<f64>,
    rings: [i32; 2],
}

impl Figure {
    /// The row with this figure drawn on it. `room` holds what the row borrows. Too few numbers draw nothing.
    pub fn draw<'a>(self, row: Annotation<'a>, numbers: &[f64], room: &'a mut Drawing) -> Annotation<'a> {
        match (self, numbers) {
            (Self::Rectangle, &[x, y, w, h, theta]) => boxed(row, [x, y, w, h], theta),
            (Self::TurnedAboutCorner(_), &[x, y, w, h, 0.0]) => boxed(row, [x, y, w, h], 0.0),
            (Self::TurnedAboutCorner(aspect), &[x, y, w, h, theta]) => {
                let (sin, cos) = theta.to_radians().sin_cos();
                // The centre, from the corner: half of the box, turned in px.
                let across = w / 2.0 * cos - h / 2.0 / aspect * sin;
                let down = w / 2.0 * aspect * sin + h / 2.0 * cos;
                let corner = [x + across - w / 2.0, y + down - h / 2.0];
                boxed(row, [corner[0], corner[1], w, h], theta)
            }
            (Self::Ellipse, &[x, y, rx, ry, theta]) => {
                let around = [x - rx, y - ry, 2.0 * rx, 2.0 * ry];
                Annotation {
                    shape: Some(Shape::Ellipse),
                    bbox: Some(around),
                    theta: Some(theta),
                    ..row
                }
            }
            (Self::Polygon, _) => pointed(row, Shape::Polygon, numbers, room),
            (Self::Polyline, _) => pointed(row, Shape::Polyline, numbers, room),
            (Self::Point, _) => pointed(row, Shape::Point, numbers, room),
            _ => row,
        }
    }
}

/// A box; one that is not turned says so, for classes whose boxes may be.
fn boxed<'a>(row: Annotation<'a>, bbox: [f64; 4], theta: f64) -> Annotation<'a> {
    Annotation {
        shape: Some(if theta == 0.0 {
            Shape::BoundingBox
        } else {
            Shape::RotatableBoundingBox
        }),
        bbox: Some(bbox),
        theta: Some(theta),
        ..row
    }
}

fn pointed<'a>(row: Annotation<'a>, shape: Shape, numbers: &[f64], room: &'a mut Drawing) -> Annotation<'a> {
    room.coords.clear();
    room.coords.extend_from_slice(numbers);
    room.rings = [0, numbers.len() as i32];
    Annotation {
        shape: Some(shape),
        points: Some(Points {
            coords: &room.coords,
            rings: &room.rings,
            parts: &[0, 1],
        }),
        ..row
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The corner that a box is said to be turned about is still its corner once the box is turned about its centre.
    #[test]
    fn a_box_turned_about_its_corner_keeps_that_corner() {
        let (w_px, h_px) = (97.0, 61.0);
        let [x, y, w, h, theta] = [0.4, 0.3, 0.25, 0.5, 33.0_f64];
        let row = Annotation::object("", 0, "m", 0, "c");
        let mut room = Drawing::default();
        let row = Figure::TurnedAboutCorner(w_px / h_px).draw(row, &[x, y, w, h, theta], &mut room);
        assert_eq!((row.shape, row.theta), (Some(Shape::RotatableBoundingBox), Some(theta)));
        let [left, top, w, h] = row.bbox.unwrap();
        let centre = [(left + w / 2.0) * w_px, (top + h / 2.0) * h_px];
        let half = [w / 2.0 * w_px, h / 2.0 * h_px];
        let (sin, cos) = theta.to_radians().sin_cos();
        let corner = [
            centre[0] - half[0] * cos + half[1] * sin,
            centre[1] - half[0] * sin - half[1] * cos,
        ];
        assert!((corner[0] - x * w_px).abs() < 1e-9 && (corner[1] - y * h_px).abs() < 1e-9);
    }
}
