//! What few annotations have: keypoints, and what turned boxes are written with. Apart from the other fields, so that
//! annotations without it pay one look.

use super::rotated::Turn;
use crate::batch::Points;
use crate::formats::json_values::{number, Value, Wrong};
use crate::formats::visibility::flags;
use crate::formats::AngleFormat;
use crate::json::Scanner;
use crate::reject::Reason;

const KEYPOINTS: &str = "numbers in threes: x, y, visibility of each keypoint";

/// The rare fields of one annotation.
#[derive(Default)]
pub(super) struct Extras {
    /// Whether any was found; without it the others are not looked at.
    pub present: bool,
    /// What is wrong with the flag `iscrowd`, which matters where it decides.
    pub flag_problem: Option<Reason>,
    /// How the box itself is turned, before `attributes.rotation`.
    pub turn: Option<Turn>,
    /// Angle of `attributes.rotation`, as it is written.
    pub rotation: Option<f64>,
    /// Ultralytics' turned box.
    pub rbox: Option<([f64; 4], Option<Turn>)>,
    /// Ultralytics' corners of it.
    pub poly: Option<[f64; 8]>,
    /// Degrees clockwise by which the box is turned.
    pub theta: Option<f64>,
    numbers: Vec<f64>,
    coords: Vec<f64>,
    visibility: Vec<u8>,
    rings: [i32; 2],
}

impl Extras {
    /// Forgets all fields.
    pub fn clear(&mut self) {
        self.present = false;
        self.flag_problem = None;
        (self.turn, self.rotation, self.rbox, self.poly, self.theta) = (None, None, None, None, None);
        self.forget_keypoints();
    }

    /// Forgets keypoints, good or bad.
    pub fn forget_keypoints(&mut self) {
        self.coords.clear();
        self.visibility.clear();
    }

    /// Reads x, y, v, x, y, v, ...; zeros alone are none, as COCO writes what nobody labelled. Where a point that is not in
    /// the picture lies does not matter.
    pub fn keypoints(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        self.forget_keypoints();
        if scanner.peek()? != b'[' {
            return Ok(Err(Wrong::Expected(KEYPOINTS)));
        }
        scanner.at += 1;
        self.numbers.clear();
        let (mut first, mut nulls) = (true, false);
        while scanner.next_item(&mut first)? {
            let value = if scanner.null()? {
                nulls = true;
                Some(f64::NAN)
            } else {
                number(scanner)?
            };
            let Some(value) = value else {
                return Ok(Err(Wrong::Expected(KEYPOINTS)));
            };
            self.numbers.push(value);
        }
        if !self.numbers.len().is_multiple_of(3) {
            return Ok(Err(Wrong::Expected(KEYPOINTS)));
        }
        self.numbers.chunks_exact_mut(3).for_each(place_absent);
        if !self.numbers.iter().all(|value| value.is_finite()) {
            let expected = Wrong::Expected(KEYPOINTS);
            return Ok(Err(if nulls { expected } else { Wrong::NotFinite }));
        }
        if self.numbers.iter().all(|value| *value == 0.0) {
            return Ok(Err(Reason::NoKeypoints.into()));
        }
        for point in self.numbers.chunks_exact(3) {
            self.coords.extend_from_slice(&point[..2]);
        }
        self.visibility
            .extend(flags(self.numbers.iter().skip(2).step_by(3).copied()));
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

    /// Finds by which angle the box is turned, and notes it in `angles`.
    pub fn find_theta(&mut self, angles: &mut Angles) {
        self.theta = match (self.turn, self.rotation) {
            (Some(Turn::Degrees(degrees)), _) => Some(degrees),
            (Some(Turn::Written(angle)), _) | (None, Some(angle)) => Some(angles.read(angle)),
            (None, None) => None,
        };
    }
}

/// Puts a point that is not in the picture at 0, 0 where its place is not a number.
fn place_absent(point: &mut [f64]) {
    let [x, y, v] = point else { return };
    let nowhere = !x.is_finite() || !y.is_finite();
    if nowhere && (*v <= 0.0 || (v.is_nan() && !x.is_finite() && !y.is_finite())) {
        (*x, *y, *v) = (0.0, 0.0, 0.0);
    }
}

/// The angles of a file: what they mean, and whether that is likely.
#[derive(Debug, Clone, Copy, Default)]
pub struct Angles {
    /// Unit and sense, where they are given.
    pub format: Option<AngleFormat>,
    /// Angles other than 0 that were taken for degrees.
    taken_for_degrees: u64,
    /// Whether one of these cannot be radians within half a turn.
    beyond_half_turn: bool,
}

impl Angles {
    /// None so far, of a file whose angles are such.
    pub fn of(format: Option<AngleFormat>) -> Self {
        Self {
            format,
            ..Self::default()
        }
    }

    /// An angle in degrees clockwise.
    fn read(&mut self, angle: f64) -> f64 {
        if self.format.is_none() && angle != 0.0 {
            self.taken_for_degrees += 1;
            self.beyond_half_turn |= angle.abs() > std::f64::consts::PI;
        }
        self.format.unwrap_or(AngleFormat::Degrees).clockwise_degrees(angle)
    }

    /// How many were taken for degrees, and look like radians.
    pub fn small(&self) -> u64 {
        if self.beyond_half_turn {
            0
        } else {
            self.taken_for_degrees
        }
    }
}
