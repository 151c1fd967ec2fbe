//! Who an object is: stable 128-bit identities, and the eight-character object hashes made of them.
//!
//! An identity is XXH3-128 (seed 0) over an unambiguous byte form. It is stable: the same object gets the same identity
//! in every release, so that an import run again finds what it wrote. The byte form, all integers little-endian:
//!
//! * text: its length in bytes as u64, then its UTF-8 bytes; run-length strings likewise
//! * f64: its IEEE bits, -0.0 as 0.0
//! * tracked: text `ropewalk tracked v1`, then the texts branch, source label, data_hash, feature hash, track
//! * untracked: text `ropewalk untracked v1`, then the texts branch, data_hash, feature hash; frame as u32; score as f64;
//!   a byte for the shape (1 bounding box, 2 rotatable bounding box, 3 polygon, 4 polyline, 5 point, 6 bitmask, 7
//!   skeleton, 8 circle, 9 ellipse, 10 answer, 11 interval); a byte
//!   for the unit (1 px, 0 fractions and bitmasks); width and height as u32 (0 where fractions make them meaningless); the
//!   geometry: x y w h (theta), or the number of parts and for each its number of rings and for each its number of coordinates
//!   (u64 each) and the coordinates, or the run-length string, or (x y r r theta) of circles and ellipses, or the last
//!   frame as u32; of skeletons the flags behind it; the packed answers, where there are any
//! * question: text `ropewalk question v1`, then the texts branch, data_hash, feature hash
//! * answer: text `ropewalk answer v1`, the question's identity, the confidence as f64, the packed answers
//!
//! File position and annotation id are left out on purpose: a reordered source or a mended reject file names the same
//! objects.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{xxh3_128, xxh3_64};

use crate::answers::Answers;
use crate::batch::{Points, Unit};
use crate::geometry::Geometry;

/// An object hash as label rows have it: eight characters of base64, as the SDK makes them of six random bytes.
pub type ObjectHash = [u8; 8];

/// Identity of a track of one class on one medium: `parts` are branch, source label, data_hash, feature hash and track. The
/// byte form is put together in `form`, which is used again.
pub(crate) fn tracked_in(form: &mut Form, parts: [&str; 5]) -> u128 {
    form.begin("ropewalk tracked v1");
    for part in parts {
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
    /// What is answered about it.
    pub answers: Answers<'a>,
}

/// Identity of a classification on one medium: what all answers to it share.
pub(crate) fn question_in(form: &mut Form, parts: [&str; 3]) -> u128 {
    form.begin("ropewalk question v1");
    for part in parts {
        form.text(part.as_bytes());
    }
    xxh3_128(&form.0)
}

/// Identity of an answer, which stands on any number of frames.
pub(crate) fn answer(question: u128, score: f64, answers: Answers<'_>) -> u128 {
    let mut form = Form::default();
    form.begin("ropewalk answer v1");
    form.0.extend_from_slice(&question.to_le_bytes());
    form.f64(score);
    form.text(answers.packed());
    xxh3_128(&form.0)
}

/// Identity of an object that stands on one frame only: everything that is written of it. Exactly equal objects on one
/// frame share it; [`ObjectHashes`] tells them apart by their number.
pub fn untracked(branch: &str, data_hash: &str, frame: u32, object: &Untracked<'_>) -> u128 {
    untracked_in(&mut Form::default(), [branch, data_hash], frame, object)
}

/// [`untracked`], its byte form in a buffer that is used again.
pub(crate) fn untracked_in(
    form: &mut Form,
    [branch, data_hash]: [&str; 2],
    frame: u32,
    object: &Untracked<'_>,
) -> u128 {
    form.begin("ropewalk untracked v1");
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
        Geometry::Skeleton(..) => 7,
        Geometry::Circle(..) => 8,
        Geometry::Ellipse(..) => 9,
        Geometry::Answer(_) => 10,
        Geometry::Interval(_) => 11,
        Geometry::Cuboid2d(_) => 12,
    };
    let mask = matches!(object.geometry, Geometry::Bitmask(_));
    let px = object.unit == Unit::Px && !mask;
    form.0.extend_from_slice(&[shape, u8::from(px)]);
    let sized = px || mask;
    form.u32(if sized { object.width_px } else { 0 });
    form.u32(if sized { object.height_px } else { 0 });
    match object.geometry {
        Geometry::BoundingBox(xywh) => form.f64s(&xywh),
        Geometry::RotatableBoundingBox(numbers, theta)
        | Geometry::Circle(numbers, theta)
        | Geometry::Ellipse(numbers, theta) => numbers.into_iter().chain([theta]).for_each(|v| form.f64(v)),
        Geometry::Skeleton(points, visibility) => {
            form.points(&points);
            form.text(visibility);
        }
        Geometry::Answer(last) | Geometry::Interval(last) => form.u32(last),
        Geometry::Polygon(points)
        | Geometry::Polyline(points)
        | Geometry::Point(points)
        | Geometry::Cuboid2d(points) => form.points(&points),
        Geometry::Bitmask(rle) => form.text(rle),
    }
    if !object.answers.is_empty() {
        form.text(object.answers.packed());
    }
    xxh3_128(&form.0)
}

/// The byte form under construction.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    fn begin(&mut self, domain: &str) {
        self.0.clear();
        self.text(domain.as_bytes());
    }

    fn u64(&mut self, value: usize) {
        self.0.extend_from_slice(&(value as u64).to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn f64(&mut self, value: f64) {
        self.f64s(&[value]);
    }

    fn f64s(&mut self, values: &[f64]) {
        let start = self.0.len();
        self.0.resize(start + 8 * values.len(), 0);
        for (bytes, &value) in self.0[start..].chunks_exact_mut(8).zip(values) {
            let value = if value == 0.0 { 0.0 } else { value };
            bytes.copy_from_slice(&value.to_le_bytes());
        }
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
                self.f64s(ring);
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
    /// Whether all rows are known to be objects of their own whose hashes differ.
    distinct: bool,
    taken: HashMap<u64, u128, BuildHasherDefault<Spread>>,
    previous: Option<(u32, u128)>,
    repeats: u64,
}

impl<const BITS: u32> ObjectHashes<BITS> {
    /// None yet. `distinct` is what [`Distinct`] told of the rows that will come.
    pub fn new(distinct: bool) -> Self {
        Self {
            distinct,
            ..Self::default()
        }
    }

    /// Hash of a tracked object, and whether this is its first row.
    pub fn tracked(&mut self, identity: u128) -> (ObjectHash, bool) {
        self.take(identity)
    }

    /// Hash of an untracked object on `frame`: the n-th of exactly equal neighbours is an object of its own.
    pub fn untracked(&mut self, frame: u32, identity: u128) -> (ObjectHash, bool) {
        if self.distinct {
            return (base64(low_bits::<BITS>(identity)), true);
        }
        if self.previous == Some((frame, identity)) {
            self.repeats += 1;
            return self.take(derive("repeat", identity, self.repeats, xxh3_128));
        }
        self.previous = Some((frame, identity));
        self.repeats = 0;
        self.take(identity)
    }

    fn take(&mut self, identity: u128) -> (ObjectHash, bool) {
        let mut candidate = low_bits::<BITS>(identity);
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
                    candidate = low_bits::<BITS>(derive("collision", identity, attempt, xxh3_64).into());
                }
            }
        }
    }
}

/// The hash that an object of this identity has, unless another object of its row took it before.
pub(crate) fn usual_hash(identity: u128) -> ObjectHash {
    base64(low_bits::<48>(identity))
}

/// Finds out whether the rows of a label row are objects of their own whose hashes differ by themselves, as they all but
/// always do: sorting numbers shows it in less time than looking each up in a table that exceeds the cache.
#[derive(Debug, Default)]
pub struct Distinct<const BITS: u32 = 48> {
    taken: Vec<u64>,
    tracked: bool,
}

impl<const BITS: u32> Distinct<BITS> {
    /// Adds a row.
    pub fn push(&mut self, identity: u128, tracked: bool) {
        self.tracked |= tracked;
        if self.tracked {
            self.taken.clear();
        } else {
            self.taken.push(low_bits::<BITS>(identity));
        }
    }

    /// Tells of the rows since the last time; false where one belongs to a track.
    pub fn tell(&mut self) -> bool {
        self.taken.sort_unstable();
        let distinct = !self.tracked && self.taken.windows(2).all(|two| two[0] != two[1]);
        self.taken.clear();
        self.tracked = false;
        distinct
    }
}

fn low_bits<const BITS: u32>(identity: u128) -> u64 {
    identity as u64 & u64::MAX >> (64 - BITS)
}

fn derive<T>(domain: &str, identity: u128, number: u64, hash: fn(&[u8]) -> T) -> T {
    let mut form = Form::default();
    form.begin(domain);
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn tracked(branch: &str, source_label: &str, data_hash: &str, feature_hash: &str, track: &str) -> u128 {
        let parts = [branch, source_label, data_hash, feature_hash, track];
        tracked_in(&mut Form::default(), parts)
    }

    fn object(geometry: Geometry<'_>) -> Untracked<'_> {
        Untracked {
            feature_hash: "feature",
            geometry,
            unit: Unit::Px,
            width_px: 210,
            height_px: 90,
            score: 1.0,
            answers: Answers::default(),
        }
    }

    fn untracked_at(frame: u32, object: Untracked<'_>) -> u128 {
        untracked("model-1", "data", frame, &object)
    }

    /// Computed from the documented byte form by an XXH3 other than this crate's. They never change.
    #[test]
    fn identities_are_the_documented_ones() {
        let track = tracked("model-1", "a.json", "data", "feature", "7");
        assert_eq!(track, 0xb159_6ef0_17c5_93a6_e9a2_63aa_5239_4a38);
        assert_eq!(&ObjectHashes::<48>::default().tracked(track).0, b"Y6pSOUo4");

        let boxed = object(Geometry::BoundingBox([1.0, 2.0, 30.0, 4.5]));
        let px = untracked_at(3, Untracked { score: 0.5, ..boxed });
        assert_eq!(px, 0x116e_ef0b_ad6b_8bc2_dcc2_526f_2aa6_95e9);

        for zero in [0.0, -0.0] {
            let boxed = object(Geometry::BoundingBox([zero, 0.25, 0.5, 0.125]));
            let unit = Unit::Frac;
            let frac = untracked_at(
                3,
                Untracked {
                    unit,
                    score: 0.5,
                    ..boxed
                },
            );
            assert_eq!(frac, 0x96bc_6d57_9b28_3b14_a59e_3725_0bc7_eafd);
        }

        let points = Points {
            coords: &[
                0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.5, 2.0, 2.0, 3.0, 3.0, 4.0, 2.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0,
            ],
            rings: &[0, 2, 8, 14, 20],
            parts: &[1, 3, 4],
        };
        let polygon = untracked_at(0, object(Geometry::Polygon(points)));
        assert_eq!(polygon, 0xe7b6_9936_5f40_43b8_715c_fd81_b9a3_1846);
        assert_ne!(polygon, untracked_at(0, object(Geometry::Polyline(points))));

        let mask = untracked_at(0, object(Geometry::Bitmask(b"P5\\o")));
        assert_eq!(mask, 0xf4b7_b949_f91b_d6ca_3128_6e8e_e733_ccae);
    }

    #[test]
    fn text_cannot_move_from_one_field_to_the_next() {
        let one = tracked("ab", "c", "data", "feature", "7");
        assert_ne!(one, tracked("a", "bc", "data", "feature", "7"));
        assert_ne!(one, tracked("ab", "c", "data", "featur", "e7"));
    }

    #[test]
    fn everything_written_of_an_untracked_object_names_it() {
        let boxed = object(Geometry::BoundingBox([1.0, 2.0, 30.0, 4.5]));
        let all = [
            untracked_at(3, boxed),
            untracked_at(4, boxed),
            untracked_at(3, Untracked { score: 0.9, ..boxed }),
            untracked_at(3, Untracked { width_px: 211, ..boxed }),
            untracked_at(3, Untracked { height_px: 91, ..boxed }),
            untracked_at(
                3,
                Untracked {
                    unit: Unit::Frac,
                    ..boxed
                },
            ),
            untracked_at(
                3,
                Untracked {
                    feature_hash: "other",
                    ..boxed
                },
            ),
            untracked_at(3, object(Geometry::BoundingBox([2.0, 1.0, 30.0, 4.5]))),
            untracked_at(3, object(Geometry::RotatableBoundingBox([1.0, 2.0, 30.0, 4.5], 0.0))),
            untracked("model-2", "data", 3, &boxed),
            untracked("model-1", "other", 3, &boxed),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        let frac = |width_px| {
            untracked_at(
                3,
                Untracked {
                    unit: Unit::Frac,
                    width_px,
                    ..boxed
                },
            )
        };
        assert_eq!(frac(0), frac(210));
    }

    #[test]
    fn equal_neighbours_are_objects_of_their_own() {
        let hashes_of = |rows: &[(u32, u128)]| {
            let mut hashes = ObjectHashes::<48>::default();
            rows.iter()
                .map(|&(frame, identity)| hashes.untracked(frame, identity))
                .collect::<Vec<_>>()
        };
        let three = hashes_of(&[(4, 77), (4, 77), (4, 77)]);
        assert!(three.iter().all(|(_, new)| *new));
        assert_eq!(three.iter().collect::<HashSet<_>>().len(), 3);
        assert_eq!(hashes_of(&[(4, 77), (4, 77)]), three[..2]);
        assert_eq!(hashes_of(&[(3, 5), (4, 77), (4, 77), (4, 99)])[1..3], three[..2]);
    }

    proptest! {
        #[test]
        fn distinct_rows_have_the_hashes_that_looking_them_up_gives(
            identities in prop::collection::vec(0_u128..1 << 14, 0..24),
            track in prop::option::weighted(0.1, 0_usize..24),
        ) {
            let mut distinct = Distinct::<9>::default();
            distinct.push(3, false);
            distinct.push(3, false);
            prop_assert!(!distinct.tell());
            identities.iter().enumerate().for_each(|(at, &identity)| distinct.push(identity, track == Some(at)));
            let low: HashSet<_> = identities.iter().map(|identity| identity % 512).collect();
            let told = distinct.tell();
            prop_assert_eq!(told, low.len() == identities.len() && track.is_none_or(|at| at >= identities.len()));
            if told {
                let hashes = |mut hashes: ObjectHashes<9>| {
                    identities.iter().map(|&identity| hashes.untracked(4, identity)).collect::<Vec<_>>()
                };
                prop_assert_eq!(hashes(ObjectHashes::new(true)), hashes(ObjectHashes::default()));
            }
        }

        #[test]
        fn collisions_are_resolved_the_same_way_each_time(identities in prop::collection::vec(0u128..400, 0..300)) {
            let distinct: HashSet<_> = identities.iter().collect();
            let run = || {
                let mut hashes = ObjectHashes::<9>::default();
                identities.iter().map(|&identity| hashes.tracked(identity << 7)).collect::<Vec<_>>()
            };
            let hashes = run();
            prop_assert_eq!(&hashes, &run());
            let pairs: HashSet<_> = identities.iter().zip(&hashes).map(|(identity, (hash, _))| (identity, hash)).collect();
            prop_assert_eq!(pairs.len(), distinct.len());
            prop_assert_eq!(hashes.iter().map(|(hash, _)| hash).collect::<HashSet<_>>().len(), distinct.len());
            prop_assert_eq!(hashes.iter().filter(|(_, new)| *new).count(), distinct.len());
        }
    }
}
