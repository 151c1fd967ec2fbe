//! Writes a label row's JSON from staged rows that arrive one after another, and hands it over block by block; nothing is
//! kept of them but object hashes.
//!
//! Members stand in the SDK's order, except that `object_answers` and its neighbours follow `data_units`: which
//! objects there are is known only at the end.

use super::answers::{AnswerBook, Joined, Space};
use super::coordinate::{damaged, push_coordinate, push_finite};
use super::header::RowHeader;
use super::number::push_u64;
use super::object_numbers::ObjectNumbers;
use super::ring::RingText;
use super::shapes;
use super::templates::{Template, Templates};
use super::text::push_string;
use super::unit::{Layout, UnitHeader};
use crate::batch::{Points, Shape, Unit};
use crate::error::{Error, Result};
use crate::geometry::Geometry;
use crate::identity::{self, ObjectHash, ObjectHashes};
use crate::stage::record::StagedRow;

/// Text that is handed over at once: small enough for the cache and for memory that was used before.
const BLOCK_BYTES: usize = 1 << 16;

/// Room for the label that fills a block.
const SPARE_BYTES: usize = 1 << 14;

/// What was written into a label row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Objects: entries of `object_answers`.
    pub objects: usize,
    /// Classifications: entries of `classification_answers`.
    pub classifications: usize,
    /// Labels on frames, sounds and answers.
    pub annotations: usize,
    /// What is behind labels that may be of several annotations.
    pub joined: Joined,
}

/// Streams staged rows into one label row's JSON.
///
/// Rows come sorted by their key. After an error the output is incomplete and to be thrown away.
pub struct RowWriter<'a, T> {
    templates: &'a Templates,
    header: &'a RowHeader,
    out: Vec<u8>,
    take: T,
    hashes: ObjectHashes,
    objects: Vec<ObjectHash>,
    numbers: ObjectNumbers,
    annotations: usize,
    /// Units whose text has been begun.
    units_begun: usize,
    /// Whether labels may still be written on the last of them.
    is_open: bool,
    /// The frame of that unit that is being written.
    frame: Option<u32>,
    ring: RingText,
    book: AnswerBook<'a>,
}

impl<'a, T: FnMut(&mut Vec<u8>)> RowWriter<'a, T> {
    /// Begins a label row. Its text goes to `take`, block by block: of about 64 KB but where a label is longer. What `take`
    /// leaves is used again for the next block.
    pub fn new(templates: &'a Templates, header: &'a RowHeader, take: T) -> Self {
        let mut writer = Self {
            templates,
            header,
            out: Vec::with_capacity(BLOCK_BYTES + SPARE_BYTES),
            take,
            hashes: ObjectHashes::default(),
            objects: Vec::new(),
            numbers: ObjectNumbers::default(),
            annotations: 0,
            units_begun: 0,
            is_open: false,
            frame: None,
            ring: RingText::default(),
            book: AnswerBook::default(),
        };
        writer.out.extend_from_slice(&header.before);
        writer
    }

    /// Says that all rows are objects of their own, whose hashes are known to differ: none is looked up then.
    #[must_use]
    pub fn with_distinct(mut self, distinct: bool) -> Self {
        self.hashes = ObjectHashes::new(distinct);
        self
    }

    /// Writes the next label.
    ///
    /// # Errors
    /// [`Error::LabelRow`] where the row has no such frame or another size than the mask; [`Error::Stage`] where the
    /// staged row is not what staging makes: out of order, a shape other than the ontology's, numbers that are not finite.
    pub fn push(&mut self, row: &StagedRow<'_>) -> Result<()> {
        let frame = row.key.frame;
        match row.geometry {
            Geometry::Answer(last) => return self.answer(row, last),
            Geometry::Interval(last) => return self.sound(row, last),
            _ => {}
        }
        let unit = self.unit_at(row)?;
        if self.is_on(unit) && self.frame == Some(frame) {
            self.out.push(b',');
        } else {
            self.begin_frame(unit, frame)?;
        }
        let template = self.templates.object(row.feature)?;
        let hash = self.object_hash(row);
        if !row.answers.is_empty() {
            self.book.about_object(hash, row.feature, frame, row.answers)?;
        }
        self.out.extend_from_slice(&template.before_confidence);
        push_finite(&mut self.out, row.score)?;
        self.out.extend_from_slice(br#","objectHash":""#);
        self.out.extend_from_slice(&hash);
        self.out.extend_from_slice(&template.before_geometry);
        self.geometry(row, template)?;
        self.out.push(b'}');
        self.annotations += 1;
        self.hand_over_block();
        Ok(())
    }

    fn object_hash(&mut self, row: &StagedRow<'_>) -> ObjectHash {
        let (hash, new) = label_hash_of(&mut self.hashes, row);
        if new {
            self.objects.push(hash);
            if let Some(track) = row.track {
                self.numbers.give(hash, row.feature, track);
            }
        }
        hash
    }

    fn answer(&mut self, row: &StagedRow<'_>, last: u32) -> Result<()> {
        self.templates.classification(row.feature)?;
        let (hash, _) = label_hash_of(&mut self.hashes, row);
        let (_, space) = self.space_at(row)?;
        let range = (row.key.frame, last);
        self.book
            .classify(hash, row.feature, row.score, row.answers, range, space);
        self.annotations += 1;
        Ok(())
    }

    fn sound(&mut self, row: &StagedRow<'_>, last: u32) -> Result<()> {
        let template = self.templates.object(row.feature)?;
        let (layout, space) = self.space_at(row)?;
        if !template.on_ranges || layout != Layout::InAnswers {
            return Err(damaged("a range of an object that is drawn".to_owned()));
        }
        let hash = self.object_hash(row);
        self.book.lies_on(hash, row.feature, (row.key.frame, last), space);
        self.book.about_object(hash, row.feature, row.key.frame, row.answers)?;
        self.annotations += 1;
        Ok(())
    }

    /// Ends the label row.
    ///
    /// # Errors
    /// [`Error::Stage`] where answers are not what staging makes.
    pub fn finish(mut self) -> Result<Written> {
        self.leave_unit();
        self.empty_units(self.header.units().len());
        self.out.extend_from_slice(br#"},"object_answers":{"#);
        let objects = std::mem::take(&mut self.objects);
        for (at, hash) in objects.iter().enumerate() {
            let number = self.numbers.of(hash);
            self.book.push_object(at, hash, number, self.templates, &mut self.out)?;
            self.hand_over_block();
        }
        self.out.extend_from_slice(br#"},"classification_answers":{"#);
        for at in 0..self.book.classifications() {
            self.book.push_classification(at, self.templates, &mut self.out)?;
            self.hand_over_block();
        }
        self.out.extend_from_slice(br#"},"object_actions":{"#);
        self.book.push_actions(&objects, self.templates, &mut self.out)?;
        // Those of a data group are written already.
        let rest: &[u8] = if self.header.has_spaces() {
            b"}}"
        } else {
            br#"},"spaces":{}}"#
        };
        self.out.extend_from_slice(rest);
        self.out.shrink_to_fit();
        (self.take)(&mut self.out);
        Ok(Written {
            objects: objects.len(),
            classifications: self.book.classifications(),
            annotations: self.annotations,
            joined: self.book.joined(self.templates),
        })
    }

    fn hand_over_block(&mut self) {
        if self.out.len() >= BLOCK_BYTES {
            (self.take)(&mut self.out);
            self.out.reserve(BLOCK_BYTES + SPARE_BYTES);
        }
    }

    fn wrong(&self, message: String) -> Error {
        Error::LabelRow {
            label_row: self.header.data_hash().to_owned(),
            message,
        }
    }

    /// Number of the unit that a row is on.
    fn unit_at(&self, row: &StagedRow<'_>) -> Result<usize> {
        self.header.unit_at(&row.key).ok_or_else(|| {
            let (frame, images) = (row.key.frame, self.header.units().len());
            self.wrong(format!(
                "has no image at {frame}, only {images} in all; see the frame rule"
            ))
        })
    }

    /// How the unit that a row is on holds labels, and its id where it is a space.
    fn space_at(&self, row: &StagedRow<'_>) -> Result<(Layout, Option<Space<'a>>)> {
        if !self.header.has_spaces() {
            return Ok((
                self.header.units().first().map_or(Layout::ByFrame, |unit| unit.layout),
                None,
            ));
        }
        let unit = &self.header.units()[self.unit_at(row)?];
        let space = Space {
            id: unit.data_hash(),
            has_frames: unit.layout == Layout::ByFrame,
        };
        Ok((unit.layout, Some(space)))
    }

    /// The unit that was begun last.
    fn unit(&self) -> Option<&'a UnitHeader> {
        self.header.units().get(self.units_begun.checked_sub(1)?)
    }

    /// Whether that is unit number `unit`, and open.
    fn is_on(&self, unit: usize) -> bool {
        self.is_open && self.units_begun == unit + 1
    }

    fn begin_unit(&mut self) {
        if self.units_begun > 0 {
            self.out.push(b',');
        }
        self.units_begun += 1;
        if let Some(unit) = self.unit() {
            self.out.extend_from_slice(&unit.before);
        }
    }

    /// Writes the units before number `end` that were not begun, without labels.
    fn empty_units(&mut self, end: usize) {
        while self.units_begun < end {
            self.begin_unit();
            if let Some(unit) = self.unit() {
                self.out.extend_from_slice(unit.layout.empty());
                self.out.extend_from_slice(&unit.after);
            }
        }
    }

    fn leave_unit(&mut self) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        self.end_frame();
        let Some(unit) = self.unit() else { return };
        if unit.layout == Layout::ByFrame {
            self.out.push(b'}');
        }
        self.out.extend_from_slice(&unit.after);
    }

    fn begin_frame(&mut self, unit: usize, frame: u32) -> Result<()> {
        if !self.is_on(unit) {
            self.leave_unit();
            if unit < self.units_begun {
                return Err(damaged(format!("frame {frame} after a later one")));
            }
            self.empty_units(unit);
            self.begin_unit();
            self.is_open = true;
            if self.header.units()[unit].layout == Layout::ByFrame {
                self.out.push(b'{');
            }
        }
        if self.frame.is_some_and(|last| last > frame) {
            return Err(damaged(format!("frame {frame} after a later one")));
        }
        let first = self.frame.is_none();
        self.end_frame();
        self.frame = Some(frame);
        match self.header.units()[unit].layout {
            Layout::ByFrame => {
                self.out.extend_from_slice(if first { b"\"" } else { b",\"" });
                push_u64(&mut self.out, frame.into());
                self.out.extend_from_slice(br#"":{"objects":["#);
            }
            Layout::Whole => self.out.extend_from_slice(br#"{"objects":["#),
            Layout::InAnswers => return Err(damaged("a geometry on what has no frames".to_owned())),
        }
        Ok(())
    }

    fn end_frame(&mut self) {
        if self.frame.take().is_some() {
            self.out.extend_from_slice(br#"],"classifications":[]}"#);
        }
    }

    fn coordinate(&mut self, value: f64) -> Result<()> {
        push_coordinate(&mut self.out, value, self.templates.decimals)
    }

    fn geometry(&mut self, row: &StagedRow<'_>, template: &Template) -> Result<()> {
        let wanted = match row.geometry {
            Geometry::BoundingBox(_) => Shape::BoundingBox,
            Geometry::RotatableBoundingBox(..) => Shape::RotatableBoundingBox,
            Geometry::Polygon(_) => Shape::Polygon,
            Geometry::Polyline(_) => Shape::Polyline,
            Geometry::Point(_) => Shape::Point,
            Geometry::Bitmask(_) => Shape::Bitmask,
            Geometry::Skeleton(..) => Shape::Skeleton,
            Geometry::Circle(..) => Shape::Circle,
            Geometry::Ellipse(..) => Shape::Ellipse,
            Geometry::Cuboid2d(_) => Shape::Cuboid2d,
            Geometry::Answer(_) | Geometry::Interval(_) => return Err(damaged("a label without geometry".to_owned())),
        };
        if template.shape != Some(wanted) {
            let found = wanted.as_str();
            return Err(damaged(format!("a {found} for an ontology object of another shape")));
        }
        let size = size_of(row)?;
        match row.geometry {
            Geometry::BoundingBox(xywh) => {
                self.out.extend_from_slice(br#","boundingBox":"#);
                self.bounding_box(xywh, size)?;
                self.out.push(b'}');
            }
            Geometry::RotatableBoundingBox(xywh, theta) => {
                self.out.extend_from_slice(br#","rotatableBoundingBox":"#);
                self.bounding_box(xywh, size)?;
                self.out.extend_from_slice(br#","theta":"#);
                self.coordinate(theta)?;
                self.out.push(b'}');
            }
            Geometry::Polygon(points) => self.polygon(points, size)?,
            Geometry::Polyline(points) => {
                self.out.extend_from_slice(br#","polyline":"#);
                self.numbered_ring(first_ring(points)?, size)?;
            }
            Geometry::Point(points) => {
                let ring = first_ring(points)?;
                if ring.len() != 2 {
                    return Err(damaged("a point of several points".to_owned()));
                }
                self.out.extend_from_slice(br#","point":"#);
                self.numbered_ring(ring, size)?;
            }
            Geometry::Bitmask(rle) => self.bitmask(rle, row.width_px, row.height_px)?,
            Geometry::Skeleton(points, visibility) => {
                let ring = first_ring(points)?;
                let decimals = self.templates.decimals;
                // Of several templates only one has that many points, or the row would have been rejected.
                let points = template.skeletons.iter().find(|points| 2 * points.len() == ring.len());
                let points = points.map_or(&[][..], Vec::as_slice);
                shapes::push_skeleton(&mut self.out, ring, visibility, points, size, decimals)?;
            }
            Geometry::Circle(numbers, theta) => {
                shapes::push_circle(&mut self.out, numbers, theta, size, self.templates.decimals)?;
            }
            Geometry::Ellipse(numbers, theta) => {
                shapes::push_ellipse(&mut self.out, numbers, theta, size, self.templates.decimals)?;
            }
            Geometry::Cuboid2d(points) => shapes::push_cuboid(&mut self.out, points, size, self.templates.decimals)?,
            Geometry::Answer(_) | Geometry::Interval(_) => {}
        }
        Ok(())
    }

    /// Writes a box without its closing brace, in the SDK's order: h, w, x, y.
    fn bounding_box(&mut self, [x, y, w, h]: [f64; 4], (width, height): (f64, f64)) -> Result<()> {
        self.out.extend_from_slice(br#"{"h":"#);
        self.coordinate(h / height)?;
        self.out.extend_from_slice(br#","w":"#);
        self.coordinate(w / width)?;
        self.out.extend_from_slice(br#","x":"#);
        self.coordinate(x / width)?;
        self.out.extend_from_slice(br#","y":"#);
        self.coordinate(y / height)
    }

    fn numbered_ring(&mut self, ring: &[f64], size: (f64, f64)) -> Result<()> {
        self.ring.render(ring, size, self.templates.decimals)?;
        self.ring.push_numbered(&mut self.out);
        Ok(())
    }

    /// Writes `polygon`, the outer ring of the first part for older readers, and `polygons`, all parts. The numbers of
    /// that ring are made once and copied.
    fn polygon(&mut self, points: Points<'_>, size: (f64, f64)) -> Result<()> {
        self.out.extend_from_slice(br#","polygon":"#);
        self.numbered_ring(first_ring(points)?, size)?;
        self.out.extend_from_slice(br#","polygons":["#);
        for (part_at, part) in points.iter().enumerate() {
            self.out.extend_from_slice(if part_at == 0 { b"[" } else { b",[" });
            for (ring_at, ring) in part.enumerate() {
                if (part_at, ring_at) != (0, 0) {
                    self.ring.render(ring, size, self.templates.decimals)?;
                }
                self.out.extend_from_slice(if ring_at == 0 { b"[" } else { b",[" });
                self.out.extend_from_slice(self.ring.flat());
                self.out.push(b']');
            }
            self.out.push(b']');
        }
        self.out.push(b']');
        Ok(())
    }

    fn bitmask(&mut self, rle: &[u8], width: u32, height: u32) -> Result<()> {
        if let Some(UnitHeader {
            width: Some(unit_width),
            height: Some(unit_height),
            ..
        }) = self.unit()
        {
            if (width, height) != (*unit_width, *unit_height) {
                return Err(self.wrong(format!(
                    "is {unit_height}x{unit_width} (h x w) for the server, a mask on it {height}x{width}; masks are not scaled"
                )));
            }
        }
        let Ok(rle) = std::str::from_utf8(rle) else {
            return Err(damaged("a run-length string that is not text".to_owned()));
        };
        self.out.extend_from_slice(br#","bitmask":{"top":0,"left":0,"height":"#);
        push_u64(&mut self.out, height.into());
        self.out.extend_from_slice(br#","width":"#);
        push_u64(&mut self.out, width.into());
        self.out.extend_from_slice(br#","rleString":"#);
        push_string(&mut self.out, rle);
        self.out.push(b'}');
        Ok(())
    }
}

/// Hash of the object that a row draws, or of the answer that it gives, and whether this is its first row. All rows of a
/// label row must come, in their order.
pub(crate) fn label_hash_of(hashes: &mut ObjectHashes, row: &StagedRow<'_>) -> (ObjectHash, bool) {
    match (row.geometry, row.track) {
        (Geometry::Answer(_), _) => hashes.tracked(identity::answer(row.key.object, row.score, row.answers)),
        (_, Some(_)) => hashes.tracked(row.key.object),
        (_, None) => hashes.untracked(row.key.frame, row.key.object),
    }
}

/// The first ring of the first part.
fn first_ring(points: Points<'_>) -> Result<&[f64]> {
    let mut rings = points.iter().flatten();
    match rings.next() {
        Some(ring) if !ring.is_empty() => Ok(ring),
        _ => Err(damaged("a geometry without points".to_owned())),
    }
}

/// Width and height that coordinates are divided by; a division by 1 changes no bit.
fn size_of(row: &StagedRow<'_>) -> Result<(f64, f64)> {
    match row.unit {
        Unit::Frac => Ok((1.0, 1.0)),
        Unit::Px if row.width_px > 0 && row.height_px > 0 => Ok((row.width_px.into(), row.height_px.into())),
        Unit::Px => Err(damaged("px coordinates without a size".to_owned())),
    }
}
