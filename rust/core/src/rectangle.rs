//! Rectangles that are turned, by their corners.

/// A corner may be off the rectangle by a pixel, and by this part of its longer side: models and rounding are not exact.
const SLACK: f64 = 0.05;

/// Degrees by which a side may lean the wrong way and still count as level: corners are often 32-bit floats.
const LEVEL: f64 = 0.01;

/// x, y, width, height of a box before it is turned, and degrees clockwise about its centre.
pub(crate) type Turned = ([f64; 4], f64);

/// The rectangle with four corners in px, one after the other, from the one that is the top left one before it is turned.
/// None where they are not those of a rectangle.
pub(crate) fn with_corners([x0, y0, x1, y1, x2, y2, x3, y3]: [f64; 8]) -> Option<Turned> {
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

/// The four corners of a ring in px that has no others, whether or not it comes back to its first one.
pub(crate) fn corners_of(ring: &[f64]) -> Option<[f64; 8]> {
    let (corners, rest) = ring.split_first_chunk()?;
    (rest.is_empty() || (rest.len() == 2 && rest == &corners[..2])).then_some(*corners)
}

/// The rectangle with four corners in px of which any may come first, either way round: turned by less than a quarter.
/// None where they are not those of a rectangle, or where it has no area.
pub(crate) fn from_any_corner(corners: [f64; 8]) -> Option<Turned> {
    let ([x, y, w, h], angle) = with_corners(corners)?;
    let quarters = ((angle + LEVEL) / 90.0).floor();
    let angle = angle - 90.0 * quarters;
    if w <= 0.0 || h <= 0.0 {
        return None;
    }
    if quarters % 2.0 == 0.0 {
        return Some(([x, y, w, h], angle));
    }
    let (cx, cy) = (x + w / 2.0, y + h / 2.0);
    Some(([cx - h / 2.0, cy - w / 2.0, h, w], angle))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// 8 wide and 4 high around (10, 20), turned by 30 degrees.
    fn corners() -> [f64; 8] {
        let (sin, cos) = 30.0f64.to_radians().sin_cos();
        let corner = |x: f64, y: f64| [10.0 + x * cos - y * sin, 20.0 + x * sin + y * cos];
        let of = [
            corner(-4.0, -2.0),
            corner(4.0, -2.0),
            corner(4.0, 2.0),
            corner(-4.0, 2.0),
        ];
        of.as_flattened().try_into().unwrap()
    }

    fn near(found: Turned, expected: Turned) {
        let far = found.0.iter().zip(&expected.0).any(|(a, b)| (a - b).abs() > 1e-9);
        assert!(!far && (found.1 - expected.1).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn any_corner_may_come_first_either_way_round() {
        for turn in 0..4 {
            let mut ring = corners();
            ring.rotate_left(2 * turn);
            near(from_any_corner(ring).unwrap(), ([6.0, 18.0, 8.0, 4.0], 30.0));
            let [a, b, c, d, e, f, g, h] = ring;
            near(
                from_any_corner([g, h, e, f, c, d, a, b]).unwrap(),
                ([6.0, 18.0, 8.0, 4.0], 30.0),
            );
        }
    }

    #[test]
    fn a_level_rectangle_is_not_turned() {
        for ring in [
            [6.0, 18.0, 14.0, 18.0, 14.0, 22.0, 6.0, 22.0],
            [14.0, 22.0, 14.0, 18.0, 6.0, 18.0, 6.0, 22.0],
        ] {
            assert_eq!(from_any_corner(ring), Some(([6.0, 18.0, 8.0, 4.0], 0.0)));
        }
        // As 32-bit floats put it: the right end of the upper side lies a hair higher than the left one.
        let (bbox, angle) = from_any_corner([6.0, 18.0, 14.0, 17.9999, 14.0001, 22.0, 6.0, 22.0001]).unwrap();
        assert!(
            (bbox[2] - 8.0).abs() < 1e-3 && (-0.01..0.0).contains(&angle),
            "{bbox:?} {angle}"
        );
    }

    #[test]
    fn what_is_not_a_rectangle_has_none() {
        assert_eq!(from_any_corner([20.0, 20.0, 60.0, 20.0, 50.0, 50.0, 20.0, 40.0]), None);
        assert_eq!(from_any_corner([5.0, 6.0, 5.0, 6.0, 5.0, 6.0, 5.0, 6.0]), None);
    }

    #[test]
    fn a_ring_of_four_corners_may_be_closed() {
        let ring = corners();
        assert_eq!(corners_of(&ring), Some(ring));
        let closed = [&ring[..], &ring[..2]].concat();
        assert_eq!(corners_of(&closed), Some(ring));
        let fifth = [&ring[..], &[1.0, 2.0]].concat();
        assert_eq!((corners_of(&fifth), corners_of(&ring[..6])), (None, None));
    }
}
