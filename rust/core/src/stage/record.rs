//! One staged annotation: resolved, validated, in the shape that is going to be written.
//!
//! Rows are stored as length-prefixed bytes rather than Arrow: merging moves each row whole, and the encoder wants
//! rows one after another, so columns would only be taken apart and put together again.

use xxhash_rust::xxh3::Xxh3;

use crate::answers::Answers;
use crate::batch::{Points, Unit};
use crate::error::{Error, Result};
use crate::geometry::Geometry;
use crate::source::TextSpan;

/// Sort key of a staged row. `source` and `offset` make the order total and independent of how the input was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Index of the medium in the plan; of a label row with spaces that of the space.
    pub label_row: u32,
    /// Encord frame; index of the image in an image group.
    pub frame: u32,
    /// Identity of the object (see `label_row::identity`), equal for all rows of a track.
    pub object: u128,
    /// Index of the source, in the order in which sources were given.
    pub source: u32,
    /// Byte or record number in the source.
    pub offset: u64,
}

/// One staged annotation, borrowed from the stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StagedRow<'a> {
    /// Place in the order.
    pub key: Key,
    /// Index of the ontology object in the plan; of the classification for an answer.
    pub feature: u32,
    /// The source's own id.
    pub annotation_id: Option<&'a str>,
    /// The track, where it has one.
    pub track: Option<&'a str>,
    /// 0..1.
    pub score: f64,
    /// Unit of the coordinates.
    pub unit: Unit,
    /// Width that px coordinates refer to; width of the mask. 0 where only the label row itself will tell.
    pub width_px: u32,
    /// Height that px coordinates refer to; height of the mask. 0 where only the label row itself will tell.
    pub height_px: u32,
    /// What is drawn.
    pub geometry: Geometry<'a>,
    /// What is answered: of an object its attributes.
    pub answers: Answers<'a>,
}

impl<'a> Geometry<'a> {
    const BOUNDING_BOX: u8 = 0;
    const ROTATABLE_BOUNDING_BOX: u8 = 1;
    const POLYGON: u8 = 2;
    const POLYLINE: u8 = 3;
    const POINT: u8 = 4;
    const BITMASK: u8 = 5;
    const SKELETON: u8 = 6;
    const CIRCLE: u8 = 7;
    const ELLIPSE: u8 = 8;
    const ANSWER: u8 = 9;
    const INTERVAL: u8 = 10;
    const CUBOID_2D: u8 = 11;

    fn tag(&self) -> u8 {
        match self {
            Self::BoundingBox(_) => Self::BOUNDING_BOX,
            Self::RotatableBoundingBox(..) => Self::ROTATABLE_BOUNDING_BOX,
            Self::Polygon(_) => Self::POLYGON,
            Self::Polyline(_) => Self::POLYLINE,
            Self::Point(_) => Self::POINT,
            Self::Bitmask(_) => Self::BITMASK,
            Self::Skeleton(..) => Self::SKELETON,
            Self::Circle(..) => Self::CIRCLE,
            Self::Ellipse(..) => Self::ELLIPSE,
            Self::Answer(_) => Self::ANSWER,
            Self::Interval(_) => Self::INTERVAL,
            Self::Cuboid2d(_) => Self::CUBOID_2D,
        }
    }
}

/// Bytes of an encoded [`Key`].
const KEY_BYTES: usize = 36;

/// Bytes of a record up to its first text: key, feature, score, width, height, geometry, unit, name.
const FIXED_BYTES: usize = KEY_BYTES + 26;

/// The `N` bytes at `at`.
#[inline]
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

impl Key {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.label_row.to_le_bytes());
        out.extend_from_slice(&self.frame.to_le_bytes());
        out.extend_from_slice(&self.object.to_le_bytes());
        out.extend_from_slice(&self.source.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        Bytes(bytes).take().map(|bytes| Self::of(&bytes))
    }

    fn of(bytes: &[u8; KEY_BYTES]) -> Self {
        Self {
            label_row: u32::from_le_bytes(part(bytes, 0)),
            frame: u32::from_le_bytes(part(bytes, 4)),
            object: u128::from_le_bytes(part(bytes, 8)),
            source: u32::from_le_bytes(part(bytes, 24)),
            offset: u64::from_le_bytes(part(bytes, 28)),
        }
    }
}

/// Appends `row` to `out`, key first. `name` is the number of the name that led it to its medium.
pub(super) fn write(row: &StagedRow<'_>, text: TextSpan, name: u32, out: &mut Vec<u8>) {
    row.key.write(out);
    out.extend_from_slice(&row.feature.to_le_bytes());
    out.extend_from_slice(&row.score.to_le_bytes());
    out.extend_from_slice(&row.width_px.to_le_bytes());
    out.extend_from_slice(&row.height_px.to_le_bytes());
    out.extend_from_slice(&[row.geometry.tag(), u8::from(row.unit == Unit::Frac)]);
    out.extend_from_slice(&name.to_le_bytes());
    write_text(row.annotation_id, out);
    write_text(row.track, out);
    out.extend_from_slice(&text.at.to_le_bytes());
    out.extend_from_slice(&text.len.to_le_bytes());
    write_bytes(row.answers.packed(), out);
    match row.geometry {
        Geometry::BoundingBox(corner_and_size) => write_floats(&corner_and_size, out),
        Geometry::RotatableBoundingBox(numbers, theta)
        | Geometry::Circle(numbers, theta)
        | Geometry::Ellipse(numbers, theta) => {
            write_floats(&numbers, out);
            write_floats(&[theta], out);
        }
        Geometry::Skeleton(points, visibility) => {
            write_bytes(visibility, out);
            write_points(&points, out);
        }
        Geometry::Answer(last) | Geometry::Interval(last) => out.extend_from_slice(&last.to_le_bytes()),
        Geometry::Polygon(points)
        | Geometry::Polyline(points)
        | Geometry::Point(points)
        | Geometry::Cuboid2d(points) => write_points(&points, out),
        Geometry::Bitmask(rle) => out.extend_from_slice(rle),
    }
}

fn write_text(text: Option<&str>, out: &mut Vec<u8>) {
    let len = text.map_or(u32::MAX, |t| t.len() as u32);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(text.unwrap_or_default().as_bytes());
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn write_floats(values: &[f64], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 8 * values.len(), 0);
    for (bytes, value) in out[start..].chunks_exact_mut(8).zip(values) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
}

/// Parts, then rings of each part, then coordinates of each ring, each list behind its length.
fn write_points(points: &Points<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&(points.parts.len() as u32 - 1).to_le_bytes());
    for part in points.iter() {
        let rings = out.len();
        out.extend_from_slice(&0u32.to_le_bytes());
        let mut count = 0u32;
        for ring in part {
            count += 1;
            out.extend_from_slice(&(ring.len() as u32).to_le_bytes());
            write_floats(ring, out);
        }
        out[rings..rings + 4].copy_from_slice(&count.to_le_bytes());
    }
}

/// A record up to its geometry, which is left as bytes: enough to tell rows of one track apart.
pub(super) struct Head<'a> {
    key: Key,
    pub feature: u32,
    pub score: f64,
    width_px: u32,
    height_px: u32,
    tag: u8,
    unit: Unit,
    /// Number of the name that led it to its medium; 0 where that cannot be refused.
    pub name: u32,
    /// Text, not checked yet.
    pub annotation_id: Option<&'a [u8]>,
    pub track: Option<&'a [u8]>,
    pub text: TextSpan,
    pub answers: &'a [u8],
    drawn: &'a [u8],
}

impl<'a> Head<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut from = Bytes(bytes);
        // Taken at once: a record is checked for its length but a few times.
        let fixed: [u8; FIXED_BYTES] = from.take()?;
        let key = Key::of(&part(&fixed, 0));
        let feature = u32::from_le_bytes(part(&fixed, KEY_BYTES));
        let score = f64::from_le_bytes(part(&fixed, KEY_BYTES + 4));
        let width_px = u32::from_le_bytes(part(&fixed, KEY_BYTES + 12));
        let height_px = u32::from_le_bytes(part(&fixed, KEY_BYTES + 16));
        let [tag, frac] = part(&fixed, KEY_BYTES + 20);
        let unit = if frac == 1 { Unit::Frac } else { Unit::Px };
        let name = u32::from_le_bytes(part(&fixed, KEY_BYTES + 22));
        let (annotation_id, track) = (from.text()?, from.text()?);
        let text = TextSpan {
            at: u64::from_le_bytes(from.take()?),
            len: u32::from_le_bytes(from.take()?),
        };
        let answers = from.bytes()?;
        let drawn = from.0;
        Ok(Self {
            key,
            feature,
            score,
            width_px,
            height_px,
            tag,
            unit,
            name,
            annotation_id,
            track,
            text,
            answers,
            drawn,
        })
    }
}

impl Head<'_> {
    /// The last frame of an answer; none for objects.
    pub(super) fn answered_to(&self) -> Option<u32> {
        let last = *self.drawn.first_chunk()?;
        (self.tag == Geometry::ANSWER).then(|| u32::from_le_bytes(last))
    }

    /// Hash of what the row says of its object on its frame; rows of one object that say the same have one content.
    pub(super) fn content(&self) -> u128 {
        let mut hash = Xxh3::new();
        hash.update(&self.score.to_le_bytes());
        hash.update(&self.width_px.to_le_bytes());
        hash.update(&self.height_px.to_le_bytes());
        hash.update(&[self.tag, u8::from(self.unit == Unit::Frac)]);
        hash.update(&(self.answers.len() as u64).to_le_bytes());
        hash.update(self.answers);
        hash.update(self.drawn);
        hash.digest128()
    }

    /// Whether several rows may be one label, as with a track.
    pub(super) fn stands_on_range(&self) -> bool {
        matches!(self.tag, Geometry::ANSWER | Geometry::INTERVAL)
    }
}

/// Decodes rows, reusing its buffers from one to the next.
#[derive(Debug, Default)]
pub(super) struct RecordReader {
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
}

impl RecordReader {
    /// Reads one record, without its length prefix.
    pub(super) fn read<'a>(&'a mut self, bytes: &'a [u8]) -> Result<(StagedRow<'a>, TextSpan)> {
        let head = Head::read(bytes)?;
        let mut from = Bytes(head.drawn);
        let geometry = match head.tag {
            Geometry::BOUNDING_BOX => Geometry::BoundingBox(from.floats()?),
            Geometry::ROTATABLE_BOUNDING_BOX => {
                let corner_and_size = from.floats()?;
                let [theta] = from.floats()?;
                Geometry::RotatableBoundingBox(corner_and_size, theta)
            }
            Geometry::CIRCLE => Geometry::Circle(from.floats()?, from.floats().map(|[theta]| theta)?),
            Geometry::ELLIPSE => Geometry::Ellipse(from.floats()?, from.floats().map(|[theta]| theta)?),
            Geometry::SKELETON => {
                let visibility = from.bytes()?;
                Geometry::Skeleton(self.points(&mut from)?, visibility)
            }
            Geometry::ANSWER => Geometry::Answer(u32::from_le_bytes(from.take()?)),
            Geometry::INTERVAL => Geometry::Interval(u32::from_le_bytes(from.take()?)),
            Geometry::POLYGON => Geometry::Polygon(self.points(&mut from)?),
            Geometry::POLYLINE => Geometry::Polyline(self.points(&mut from)?),
            Geometry::POINT => Geometry::Point(self.points(&mut from)?),
            Geometry::CUBOID_2D => Geometry::Cuboid2d(self.points(&mut from)?),
            Geometry::BITMASK => Geometry::Bitmask(head.drawn),
            other => return Err(Error::Stage(format!("unknown geometry {other}"))),
        };
        let row = StagedRow {
            key: head.key,
            feature: head.feature,
            annotation_id: head.annotation_id.map(checked).transpose()?,
            track: head.track.map(checked).transpose()?,
            score: head.score,
            unit: head.unit,
            width_px: head.width_px,
            height_px: head.height_px,
            geometry,
            answers: Answers::from_packed(head.answers),
        };
        Ok((row, head.text))
    }

    fn points<'a>(&'a mut self, from: &mut Bytes<'_>) -> Result<Points<'a>> {
        self.coords.clear();
        self.rings.clear();
        self.parts.clear();
        self.rings.push(0);
        self.parts.push(0);
        for _ in 0..u32::from_le_bytes(from.take()?) {
            for _ in 0..u32::from_le_bytes(from.take()?) {
                let len = u32::from_le_bytes(from.take()?) as usize;
                let ring = from.slice(len.saturating_mul(8))?;
                let values = ring.chunks_exact(8).map(|value| f64::from_le_bytes(part(value, 0)));
                self.coords.extend(values);
                self.rings.push(self.coords.len() as i32);
            }
            self.parts.push(self.rings.len() as i32 - 1);
        }
        Ok(Points {
            coords: &self.coords,
            rings: &self.rings,
            parts: &self.parts,
        })
    }
}

/// What is left of a record; every step checks that enough is left.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn slice(&mut self, len: usize) -> Result<&'a [u8]> {
        let (head, tail) = self
            .0
            .split_at_checked(len)
            .ok_or_else(|| Error::Stage("a record is cut short".into()))?;
        self.0 = tail;
        Ok(head)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.slice(N).map(|bytes| part(bytes, 0))
    }

    fn floats<const N: usize>(&mut self) -> Result<[f64; N]> {
        let bytes = self.slice(8 * N)?;
        Ok(std::array::from_fn(|at| f64::from_le_bytes(part(bytes, 8 * at))))
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = u32::from_le_bytes(self.take()?);
        self.slice(len as usize)
    }

    fn text(&mut self) -> Result<Option<&'a [u8]>> {
        let len = u32::from_le_bytes(self.take()?);
        if len == u32::MAX {
            return Ok(None);
        }
        self.slice(len as usize).map(Some)
    }
}

fn checked(text: &[u8]) -> Result<&str> {
    std::str::from_utf8(text).map_err(|_| Error::Stage("a record's text is not UTF-8".into()))
}
