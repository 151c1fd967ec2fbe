//! Who an object is: stable 128-bit identities, and the eight-character object hashes made of them.
//!
//! An identity is XXH3-128 (seed 0) over an unambiguous byte form. It is stable: the same object gets the same identity
//! in every release, so that an import run again finds what it wrote. The byte form, all integers little-endian:
//!
//! * text: its length in bytes as u64, then its UTF-8 bytes; run-length strings likewise
//! * f64: its IEEE bits, -0.0 as 0.0
//! * tracked: text `ropewalk tracked v1`, then the texts branch, source label, data_hash, feature hash, track
//! * untracked: text `ropewalk untracked v1`, then the texts branch, data_hash, feature hash; frame as u32; score as f64;
//!   a byte for the shape (1 bounding box, 2 rotatable bounding box, 3 polygon, 4 polyline, 5 point, 6 bitmask); a byte
//!   for the unit (0 fractions, 1 px); width and height as u32 (0 where fractions make them meaningless); the geometry:
//!   x y w h [theta], or the number of parts and for each its number of rings and for each its number of coordinates
//!   (u64 each) and the coordinates, or the run-length string
//!
//! File position and annotation id are left out on purpose: a reordered source or a mended reject file names the same
//! objects.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{xxh3_128, xxh3_64};

use crate::batch::{Points, Unit};
use crate::stage::record::Geometry;

/// An object hash as label rows have it: eight characters of base64, as the SDK makes them of six random bytes.
pub type ObjectHash = [u8; 8];

/// Identity of a track of one class on one medium.
pub fn tracked(branch: &str, source_label: &str, data_hash: &str, feature_hash: &str, track: &str) -> u128 {
    let mut form = Form::new("ropewalk tracked v1");
    for part in [branch, source_label, data_hash, feature_hash, track] {
        form.text(part.as_bytes());
    }
    xxh3_128(&form.0)
}

/// What an untracked object is besides the medium and frame that it stands on.
#[derive(Debug, Clone, Copy)]
pub struct Untracked<'a> {
    /// feature_node_hash of its class.
    pub feature_hash: &'a str,
    /// What is drawn.
    pub geometry: Geometry<'a>,
    /// Unit of the coordinates.
    pub unit: Unit,
    /// Width that px coordinates refer to; width of the mask.
    pub width_px: u32,
    /// Height that px coordinates refer to; height of the mask.
    pub height_px: u32,
    /// 0..1.
    pub score: f64,
}

/// Identity of an object that stands on one frame only: everything that is written of it. Exactly equal objects on one
/// frame share it; [`ObjectHashes`] tells them apart by their number.
pub fn untracked(branch: &str, data_hash: &str, frame: u32, object: &Untracked<'_>) -> u128 {
    let mut form = Form::new("ropewalk untracked v1");
    for part in [branch, data_hash, object.feature_hash] {
        form.text(part.as_bytes());
    }
    form.u32(frame);
    form.f64(object.score);
    let shape = match object.geometry {
        Geometry::BoundingBox(_) => 1,
        Geometry::RotatableBoundingBox(..) => 2,
        Geometry::Polygon(_) => 3,
        Geometry::Polyline(_) => 4,
        Geometry::Point(_) => 5,
        Geometry::Bitmask(_) => 6,
    };
    let px = object.unit == Unit::Px;
    form.0.extend_from_slice(&[shape, u8::from(px)]);
    let sized = px || shape == 6;
    form.u32(if sized { object.width_px } else { 0 });
    form.u32(if sized { object.height_px } else { 0 });
    match object.geometry {
        Geometry::BoundingBox(xywh) => xywh.into_iter().for_each(|v| form.f64(v)),
        Geometry::RotatableBoundingBox(xywh, theta) => xywh.into_iter().chain([theta]).for_each(|v| form.f64(v)),
        Geometry::Polygon(points) | Geometry::Polyline(points) | Geometry::Point(points) => form.points(&points),
        Geometry::Bitmask(rle) => form.text(rle),
    }
    xxh3_128(&form.0)
}

/// The byte form under construction.
struct Form(Vec<u8>);

impl Form {
    fn new(domain: &str) -> Self {
        let mut form = Self(Vec::with_capacity(256));
        form.text(domain.as_bytes());
        form
    }

    fn u64(&mut self, value: usize) {
        self.0.extend_from_slice(&(value as u64).to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn f64(&mut self, value: f64) {
        let value = if value == 0.0 { 0.0 } else { value };
        self.0.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    fn text(&mut self, bytes: &[u8]) {
        self.u64(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn points(&mut self, points: &Points<'_>) {
        self.u64(points.parts.len().saturating_sub(1));
        for (part, ends) in points.iter().zip(points.parts.windows(2)) {
            self.u64(ends[1].abs_diff(ends[0]) as usize);
            for ring in part {
                self.u64(ring.len());
                ring.iter().for_each(|&v| self.f64(v));
            }
        }
    }
}

/// Object hashes of one label row, `BITS` wide: narrower ones exist for tests, where collisions must happen.
///
/// Rows must arrive in the stage's order. Each object takes the low bits of its identity; where another object of the
/// row has taken them already, the next value of a fixed sequence, so that equal input gives equal hashes.
#[derive(Debug, Default)]
pub struct ObjectHashes<const BITS: u32 = 48> {
    taken: HashMap<u64, u128, BuildHasherDefault<Spread>>,
    previous: Option<(u32, u128)>,
    repeats: u64,
}

impl<const BITS: u32> ObjectHashes<BITS> {
    /// Hash of a tracked object, and whether this is its first row.
    pub fn tracked(&mut self, identity: u128) -> (ObjectHash, bool) {
        self.take(identity)
    }

    /// Hash of an untracked object on `frame`: the n-th of exactly equal neighbours is an object of its own.
    pub fn untracked(&mut self, frame: u32, identity: u128) -> (ObjectHash, bool) {
        if self.previous == Some((frame, identity)) {
            self.repeats += 1;
            return self.take(derive("repeat", identity, self.repeats, xxh3_128));
        }
        self.previous = Some((frame, identity));
        self.repeats = 0;
        self.take(identity)
    }

    fn take(&mut self, identity: u128) -> (ObjectHash, bool) {
        let mask = u64::MAX >> (64 - BITS);
        let mut candidate = identity as u64 & mask;
        let mut attempt = 0;
        loop {
            match self.taken.get(&candidate) {
                None => {
                    self.taken.insert(candidate, identity);
                    return (base64(candidate), true);
                }
                Some(owner) if *owner == identity => return (base64(candidate), false),
                Some(_) => {
                    attempt += 1;
                    candidate = derive("collision", identity, attempt, xxh3_64) & mask;
                }
            }
        }
    }
}

fn derive<T>(domain: &str, identity: u128, number: u64, hash: fn(&[u8]) -> T) -> T {
    let mut form = Form::new(domain);
    form.0.extend_from_slice(&identity.to_le_bytes());
    form.0.extend_from_slice(&number.to_le_bytes());
    hash(&form.0)
}

/// Base64 of the six low bytes, highest first.
fn base64(value: u64) -> ObjectHash {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::array::from_fn(|at| ALPHABET[(value >> (42 - 6 * at) & 63) as usize])
}

/// Hasher for keys that are hashes already: one multiplication carries their bits to where the table looks.
#[derive(Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}
