//! The fields of one annotation, and the values that they stand for.

use super::member::Member;
use crate::batch::Points;
use crate::formats::coco::extras::{Angles, Extras};
use crate::formats::coco::layout::Layout;
use crate::formats::coco::names::Id;
use crate::formats::coco::rotated::RotatedBox;
use crate::formats::json_values::Span;
use crate::formats::segmentation::Segmentation;
use crate::formats::{AngleFormat, Piece};
use crate::reject::Reason;

/// An id as it was read: as text, and as the number that it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawId {
    pub number: Option<i64>,
    pub text: Span,
}

impl RawId {
    pub fn int(value: i64, text: Span) -> Self {
        Self {
            number: Some(value),
            text,
        }
    }
}

/// The fields of one annotation. One draft is used for a whole file, so that no annotation allocates.
#[derive(Default)]
pub struct Draft {
    pub(super) id: Option<RawId>,
    pub(super) image_id: Option<RawId>,
    pub(super) file_name: Option<Span>,
    pub(super) category_id: Option<RawId>,
    pub(super) track: Option<Result<RawId, Reason>>,
    pub(super) attribute_track: Option<Result<RawId, Reason>>,
    pub(super) instance: Option<Result<RawId, Reason>>,
    pub(super) score: Option<Result<f64, Reason>>,
    pub(super) attribute_score: Option<Result<f64, Reason>>,
    pub(super) crowd: bool,
    pub(super) bbox: Option<[f64; 4]>,
    pub(super) area: Segmentation,
    /// Why it cannot be written, whatever it draws.
    pub(super) problem: Option<Reason>,
    /// What it draws that cannot be used, which matters where it is needed.
    pub(super) faults: Vec<(Piece, Reason)>,
    /// The angles so far.
    pub(super) angles: Angles,
    pub(super) own: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) layout: Layout<Member>,
    pub(super) boxes: Option<RotatedBox>,
    pub(super) extras: Extras,
}

impl Draft {
    /// A draft for annotations whose boxes are such, or COCO's, and whose angles are such, or degrees.
    pub fn new(boxes: Option<RotatedBox>, angle: Option<AngleFormat>) -> Self {
        Self {
            boxes,
            angles: Angles::of(angle),
            ..Self::default()
        }
    }

    /// Makes the draft one that cannot be written.
    pub fn refuse(&mut self, reason: Reason) {
        self.problem.get_or_insert(reason);
    }

    /// Notes that a piece of what it draws cannot be used.
    pub(super) fn note(&mut self, piece: Piece, reason: Reason) {
        self.forget_faults(piece);
        self.faults.push((piece, reason));
    }

    /// Forgets what was wrong with a piece.
    pub(super) fn forget_faults(&mut self, piece: Piece) {
        self.faults.retain(|(of, _)| *of != piece);
    }

    /// Forgets all fields.
    pub fn clear(&mut self) {
        (self.id, self.image_id, self.category_id) = (None, None, None);
        self.file_name = None;
        (self.track, self.attribute_track, self.instance) = (None, None, None);
        (self.score, self.attribute_score) = (None, None);
        self.crowd = false;
        self.bbox = None;
        self.area.clear();
        self.problem = None;
        self.faults.clear();
        self.own.clear();
        if self.extras.present {
            self.extras.clear();
        }
    }
}

/// The draft's values, for the text that it was read from.
impl Draft {
    fn text<'a>(&'a self, span: Span, text: &'a [u8]) -> &'a [u8] {
        span.slice(text, &self.own)
    }

    fn string<'a>(&'a self, span: Span, text: &'a [u8]) -> &'a str {
        // The scanner has checked every string; escapes resolve to whole characters.
        std::str::from_utf8(self.text(span, text)).unwrap_or_default()
    }

    fn key<'a>(&'a self, id: RawId, text: &'a [u8]) -> Id<'a> {
        match id.number {
            Some(value) => Id::Int(value),
            None => Id::parse(self.string(id.text, text)),
        }
    }

    /// The annotation's id as text.
    pub fn annotation_id<'a>(&'a self, text: &'a [u8]) -> Option<&'a str> {
        self.id.map(|id| self.string(id.text, text))
    }

    /// The bytes of [`Self::annotation_id`].
    pub fn annotation_id_text<'a>(&'a self, text: &'a [u8]) -> Option<&'a [u8]> {
        self.id.map(|id| self.text(id.text, text))
    }

    /// The annotation's id to compare.
    pub fn annotation_key<'a>(&'a self, text: &'a [u8]) -> Option<Id<'a>> {
        self.id.map(|id| self.key(id, text))
    }

    /// `image_id`.
    pub fn image<'a>(&'a self, text: &'a [u8]) -> Option<Id<'a>> {
        self.image_id.map(|id| self.key(id, text))
    }

    /// The name that the annotation itself gives its image.
    pub fn file_name<'a>(&'a self, text: &'a [u8]) -> Option<&'a str> {
        let name = self.file_name.map(|name| self.string(name, text));
        name.filter(|name| !name.is_empty())
    }

    /// `category_id`.
    pub fn category<'a>(&'a self, text: &'a [u8]) -> Option<Id<'a>> {
        self.category_id.map(|id| self.key(id, text))
    }

    /// `track_id`, at the top before the one under `attributes`; on a frame of a video else `instance_id`, which numbers
    /// the tracks of a CocoVid file, but elsewhere may number the annotations of one image.
    pub fn track<'a>(&'a self, text: &'a [u8], in_video: bool) -> Result<Option<&'a str>, Reason> {
        let instance = self.instance.as_ref().filter(|_| in_video);
        match self.track.as_ref().or(self.attribute_track.as_ref()).or(instance) {
            Some(Ok(id)) => Ok(Some(self.string(id.text, text))),
            Some(Err(reason)) => Err(reason.clone()),
            None => Ok(None),
        }
    }

    /// The score, at the top before the one under `attributes`.
    pub fn score(&self) -> Option<f64> {
        let found = self.score.as_ref().or(self.attribute_score.as_ref())?;
        found.as_ref().ok().copied()
    }

    /// x, y, width, height.
    pub fn bbox(&self) -> Option<[f64; 4]> {
        self.bbox
    }

    /// Polygons, one ring a part.
    pub fn points(&self) -> Option<Points<'_>> {
        self.area.points()
    }

    /// Compressed counts with (h, w).
    pub fn rle<'a>(&'a self, text: &'a [u8]) -> Option<(&'a [u8], [u32; 2])> {
        self.area.rle(text)
    }

    /// Whether there are fields that few annotations have.
    pub fn has_extras(&self) -> bool {
        self.extras.present
    }

    /// Keypoints, and how each is seen.
    pub fn keypoints(&self) -> Option<(Points<'_>, &[u8])> {
        self.extras.points()
    }

    /// Degrees by which the box is turned clockwise.
    pub fn theta(&self) -> Option<f64> {
        self.extras.theta
    }

    /// What it draws that cannot be used.
    pub fn faults(&self) -> &[(Piece, Reason)] {
        &self.faults
    }

    /// Annotations so far whose polygons lost a ring.
    pub fn rings_dropped(&self) -> u64 {
        self.area.rings_dropped()
    }

    /// Angles so far that were taken for degrees and look like radians.
    pub fn small_angles(&self) -> u64 {
        self.angles.small()
    }
}
