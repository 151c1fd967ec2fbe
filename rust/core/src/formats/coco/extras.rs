//! What few annotations have: keypoints, and the angle of a turned box. Apart from the other fields, so that annotations
//! without it pay one look.

use super::values::{Value, Wrong};
use crate::batch::Points;
use crate::json::{starts_number, Scanner};
use crate::reject::Reason;

const KEYPOINTS: &str = "numbers in threes: x, y, visibility of each keypoint";

/// The rare fields of one annotation.
#[derive(Default)]
pub(super) struct Extras {
    /// Whether any was found; without it the others are not looked at.
    pub present: bool,
    /// Degrees clockwise, of the box itself before that of `attributes.rotation`.
    pub theta: Option<f64>,
    pub rotation: Option<f64>,
    /// What is wrong with the keypoints, which matters where they are wanted.
    pub problem: Option<Reason>,
    /// Whether the segmentation is a ring of one point, as Encord's exporter writes beside a point's keypoint.
    pub lone_point: bool,
    numbers: Vec<f64>,
    coords: Vec<f64>,
    visibility: Vec<u8>,
    rings: [i32; 2],
}

impl Extras {
    /// Forgets all fields.
    pub fn clear(&mut self) {
        self.present = false;
        (self.theta, self.rotation, self.lone_point) = (None, None, false);
        self.forget_keypoints();
    }

    /// Forgets keypoints, good or bad.
    pub fn forget_keypoints(&mut self) {
        self.problem = None;
        self.coords.clear();
        self.visibility.clear();
    }

    /// Reads x, y, v, x, y, v, ...; zeros alone are none, as COCO writes what nobody labelled.
    pub fn keypoints(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        self.forget_keypoints();
        if scanner.peek()? != b'[' {
            return Ok(Err(Wrong::Expected(KEYPOINTS)));
        }
        scanner.at += 1;
        self.numbers.clear();
        let mut first = true;
        while scanner.next_item(&mut first)? {
            if !starts_number(scanner.peek()?) {
                return Ok(Err(Wrong::Expected(KEYPOINTS)));
            }
            self.numbers.push(scanner.number()?.as_f64());
        }
        if !self.numbers.len().is_multiple_of(3) {
            return Ok(Err(Wrong::Expected(KEYPOINTS)));
        }
        if !self.numbers.iter().all(|value| value.is_finite()) {
            return Ok(Err(Wrong::NotFinite));
        }
        if self.numbers.iter().all(|value| *value == 0.0) {
            return Ok(Ok(()));
        }
        // Models put their scores where COCO has 0, 1 or 2.
        let flags = self
            .numbers
            .iter()
            .skip(2)
            .step_by(3)
            .all(|v| [0.0, 1.0, 2.0].contains(v));
        for point in self.numbers.chunks_exact(3) {
            self.coords.extend_from_slice(&point[..2]);
            self.visibility.push(match point[2] {
                v if flags => v as u8,
                score if score > 0.0 => 2,
                _ => 0,
            });
        }
        self.rings = [0, self.coords.len() as i32];
        Ok(Ok(()))
    }

    /// The keypoints, and how each is seen.
    pub fn points(&self) -> Option<(Points<'_>, &[u8])> {
        let points = Points {
            coords: &self.coords,
            rings: &self.rings,
            parts: &[0, 1],
        };
        (!self.coords.is_empty()).then_some((points, self.visibility.as_slice()))
    }
}
