//! `points` as it is parsed: parts of rings of coordinates in three flat lists, whatever the nesting is.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use crate::batch::Points;

/// Coordinates with the ends of rings and parts.
#[derive(Debug)]
pub(super) struct FlatPoints {
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
}

impl FlatPoints {
    pub fn points(&self) -> Points<'_> {
        Points {
            coords: &self.coords,
            rings: &self.rings,
            parts: &self.parts,
        }
    }

    /// Whether each ring has x y pairs.
    pub fn are_pairs(&self) -> bool {
        self.rings.iter().all(|end| end % 2 == 0)
    }
}

impl<'de> Deserialize<'de> for FlatPoints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut points = Self {
            coords: Vec::new(),
            rings: vec![0],
            parts: vec![0],
        };
        let level = Level {
            points: &mut points,
            depth: 0,
        };
        level.deserialize(deserializer)?;
        Ok(points)
    }
}

/// A list of parts, of rings or of coordinates.
struct Level<'a> {
    points: &'a mut FlatPoints,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parts of rings of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { points, depth } = self;
        let end = |len: usize| i32::try_from(len).map_err(|_| A::Error::custom("too many coordinates"));
        if depth == 2 {
            // Writers of JSON put null for NaN, which a point that is not in the picture may have.
            while let Some(coordinate) = items.next_element::<Option<f64>>()? {
                points.coords.push(coordinate.unwrap_or(f64::NAN));
            }
            points.rings.push(end(points.coords.len())?);
            return Ok(());
        }
        let below = depth + 1;
        while items
            .next_element_seed(Level {
                points: &mut *points,
                depth: below,
            })?
            .is_some()
        {}
        if depth == 1 {
            points.parts.push(end(points.rings.len() - 1)?);
        }
        Ok(())
    }
}
