//! A row whose names were found: what it draws or answers, on which frames, and who it is.

use super::answers::{self, Packed};
use super::aspect::{aspect, Aspect};
use super::became::Became;
use super::canvas::{Angle, Drawn};
use super::classes::{self, Candidates, Class};
use super::geometry;
use super::keypoints::KeypointOrder;
use super::media::past_end;
use super::places::Place;
use super::resolved::Resolved;
use super::scratch::Scratch;
use crate::answers::Answers;
use crate::batch::{Annotation, AttributeValue, Shape, Unit};
use crate::formats::{Fault, Piece};
use crate::geometry::Geometry;
use crate::identity::{self, Untracked};
use crate::ontology::{Attribute, OntologyObject};
use crate::plan::{DataType, EmptyMasks, Medium, OffImage, Plan, SwappedSides};
use crate::polygon;
use crate::reject::Reason;
use crate::rle::is_empty_string;
use crate::source::TextSpan;
use crate::stage::record::{Key, StagedRow};

/// A row, and where it goes.
pub(super) struct FoundRow<'a, 'r> {
    pub plan: &'r Plan,
    /// Number of the source.
    pub source: u32,
    /// Frames of the video from one frame of the source to the next.
    pub stride: i64,
    pub row: &'r Annotation<'a>,
    pub attributes: &'r [AttributeValue<'a>],
    /// What the row lacks since it cannot be used.
    pub faults: &'r [Fault],
    pub place: &'r Place,
    pub score: f64,
    pub text: TextSpan,
}

impl<'a> FoundRow<'a, '_> {
    fn medium(&self) -> &Medium {
        &self.plan.media[self.place.medium as usize]
    }

    fn key(&self) -> Key {
        Key {
            label_row: self.place.medium,
            frame: self.place.frame.unwrap_or(0),
            object: 0,
            source: self.source,
            offset: self.row.offset,
        }
    }

    /// Last frame, or millisecond, of the row's range. One that sounds past the end of its medium ends there, unless the plan
    /// says otherwise.
    fn last(&self, out: &mut Resolved) -> Result<u32, Reason> {
        let first = self.place.frame.unwrap_or(0);
        let span = i64::from(self.row.frame_last.unwrap_or(self.row.frame)) - i64::from(self.row.frame);
        let stride = if self.medium().data_type.is_by_range() {
            1
        } else {
            self.stride
        };
        let last = i64::from(first).saturating_add(span.saturating_mul(stride));
        let end = self.medium().places().saturating_sub(1);
        let off_image = (self.medium().data_type == DataType::Audio).then_some(self.plan.off_image);
        match (u32::try_from(last), off_image) {
            (Ok(last), _) if last >= first && u64::from(last) <= end => Ok(last),
            (Ok(last), Some(OffImage::Keep)) if last >= first => Ok(last),
            (Ok(last), Some(OffImage::Clip)) if last >= first => {
                out.warn("clipped");
                Ok(end as u32)
            }
            (Ok(last), _) if last >= first => Err(past_end(self.medium(), last.into())),
            _ => Err(Reason::BackwardRange {
                first: first.into(),
                last,
            }),
        }
    }

    fn pack(&self, attributes: &[Attribute], out: &mut Resolved) -> Result<(), Reason> {
        if self.attributes.is_empty() {
            out.packer.clear();
            return Ok(());
        }
        let frames = (self.row.frame, self.row.frame_last.unwrap_or(self.row.frame));
        let Packed { nested } = answers::pack(self.row.class, attributes, self.attributes, frames, &mut out.packer)?;
        if nested {
            out.warn("nested_answer");
        }
        Ok(())
    }

    /// Stages an answer to a classification.
    pub fn answer(&self, candidates: &Candidates, out: &mut Resolved) -> Result<(), Reason> {
        let plan = self.plan;
        let Some(&feature) = candidates.first() else {
            unreachable!("a class that was found has candidates")
        };
        let classification = &plan.classifications[feature as usize];
        let mut key = self.key();
        let (medium, frame) = (self.medium(), self.place.frame);
        // Encord has no ranges for them there: two of one question would be one answer too many.
        let on_whole_space = medium.space.is_some() && medium.data_type.is_by_range();
        let last = match frame {
            // The SDK writes frame 0 for one that was put on any frames.
            _ if classification.is_global => 0,
            _ if on_whole_space => (medium.places() - 1) as u32,
            Some(_) => self.last(out)?,
            None => medium.last_place().ok_or_else(|| Reason::NoEnd {
                media: medium.shown_title().to_owned(),
            })?,
        };
        let is_part = frame.is_some() && (key.frame, self.row.frame_last.unwrap_or(key.frame)) != (0, last);
        if classification.is_global || on_whole_space {
            key.frame = 0;
        }
        self.pack(&classification.attributes, out)?;
        if out.packer.answers().is_empty() {
            return Err(Reason::NoAnswer {
                class: self.row.class.to_owned(),
            });
        }
        let parts = [
            plan.branch.as_str(),
            &self.medium().data_hash,
            &classification.feature_hash,
        ];
        key.object = identity::question_in(&mut out.form, parts);
        let staged = StagedRow {
            key,
            feature,
            annotation_id: self.row.annotation_id,
            track: None,
            score: self.score,
            unit: Unit::Frac,
            width_px: 0,
            height_px: 0,
            geometry: Geometry::Answer(last),
            answers: out.packer.answers(),
        };
        out.rows.push_named(&staged, self.text, self.place.name);
        if classification.is_global {
            if frame.is_some() && medium.places() > 1 {
                out.warn("global_answer");
            }
        } else if frame.is_none() {
            out.warn("whole_medium");
        } else if on_whole_space && is_part {
            out.warn("answer_on_whole_space");
        }
        let became = Became {
            is_answer: true,
            feature,
            made_from: "answer",
        };
        out.count(self.row.class, became);
        Ok(())
    }

    /// Stages an object; false for one whose mask is empty, which the plan leaves out.
    pub fn object(&self, class: &Class, scratch: &mut Scratch, out: &mut Resolved) -> Result<bool, Reason> {
        let (plan, row) = (self.plan, self.row);
        let candidates = &class.candidates;
        let Some(feature) = classes::settle(&plan.ontology, candidates, row.shape, geometry::possible(row)) else {
            let hash = |&index: &u32| plan.ontology[index as usize].feature_hash.clone();
            return Err(Reason::AmbiguousClass {
                class: row.class.to_owned(),
                candidates: candidates.iter().map(hash).collect(),
            });
        };
        let object = &plan.ontology[feature as usize];
        let mut staged = StagedRow {
            key: self.key(),
            feature,
            annotation_id: row.annotation_id,
            track: row.track,
            score: self.score,
            unit: Unit::Frac,
            width_px: 0,
            height_px: 0,
            geometry: Geometry::Interval(0),
            answers: Answers::default(),
        };
        self.pack(&object.attributes, out)?;
        let made_from = if let Some(wanted) = object.on_ranges_of() {
            staged.geometry = Geometry::Interval(self.interval(wanted, out)?);
            // Objects on ranges have no place for it.
            if row.score.is_some_and(|score| score < 1.0) {
                out.warn("confidence_not_written");
            }
            "range"
        } else {
            let order = class.order_of(feature)?;
            let Some(made_from) = self.draw(object, order, &mut staged, scratch, out)? else {
                return Ok(false);
            };
            out.without_score += u64::from(row.score.is_none());
            made_from
        };
        let Resolved { rows, form, packer, .. } = out;
        staged.answers = packer.answers();
        staged.key.object = self.identity(object, &staged, form);
        rows.push_named(&staged, self.text, self.place.name);
        let became = Became {
            is_answer: false,
            feature,
            made_from,
        };
        out.count(row.class, became);
        Ok(true)
    }

    /// Up to where an object lies on a medium of the `wanted` type: to which millisecond, or character.
    fn interval(&self, wanted: DataType, out: &mut Resolved) -> Result<u32, Reason> {
        if self.medium().data_type != wanted {
            return Err(self.unsupported());
        }
        self.last(out)
    }

    fn unsupported(&self) -> Reason {
        Reason::UnsupportedMedia {
            media: self.medium().shown_title().to_owned(),
            data_type: self.medium().data_type.name().to_owned(),
        }
    }

    /// Draws an object, and gives what of the row it is made from; none for an empty mask that the plan leaves out.
    fn draw<'s>(
        &self,
        object: &OntologyObject,
        order: Option<&KeypointOrder>,
        staged: &mut StagedRow<'s>,
        scratch: &'s mut Scratch,
        out: &mut Resolved,
    ) -> Result<Option<&'static str>, Reason>
    where
        'a: 's,
    {
        let row = self.row;
        // Pages have no size that a mask could be of.
        let is_mask_on_pdf = self.medium().data_type == DataType::Pdf && object.ir_shape() == Some(Shape::Bitmask);
        if self.medium().data_type.is_by_range() || is_mask_on_pdf {
            return Err(self.unsupported());
        }
        if self.medium().data_type == DataType::Pdf && row.unit == Unit::Px && self.place.source_width_px.is_none() {
            return Err(Reason::NoSize {
                media: row.media.to_owned(),
            });
        }
        if let Some(last) = row.frame_last.filter(|&last| last != row.frame) {
            return Err(Reason::BadField {
                field: "frame_last",
                expected: "nothing: what is drawn is on one frame, with a row for each",
                found: last.to_string(),
            });
        }
        let is_mask = row.rle.is_some() || object.ir_shape() == Some(Shape::Bitmask);
        let drops = is_mask && self.plan.empty_masks == EmptyMasks::Drop;
        let drawn = match geometry::draw(row, object, order, self.place, self.plan, scratch) {
            Err(Reason::EmptyGeometry) if drops => return Ok(None),
            drawn => drawn.map_err(|reason| self.why(reason, object))?,
        };
        if drops && matches!(drawn.geometry, Geometry::Bitmask(rle) if is_empty_string(rle)) {
            return Ok(None);
        }
        match aspect(self.place) {
            Aspect::Same => {}
            Aspect::Swapped { image, medium } if self.plan.swapped_sides == SwappedSides::Reject => {
                return Err(Reason::SidesSwapped { image, medium });
            }
            Aspect::Swapped { .. } | Aspect::Other if row.unit == Unit::Px => out.warn("aspect_differs"),
            _ => {}
        }
        self.judge_angle(drawn.angle, out)?;
        match drawn.geometry {
            Geometry::Skeleton(..) if drawn.clipped => out.warn("keypoints_off_image"),
            Geometry::RotatableBoundingBox(_, theta) if drawn.clipped && theta != 0.0 => out.warn("over_edge"),
            Geometry::Circle(..) | Geometry::Ellipse(..) | Geometry::Cuboid2d(_) if drawn.clipped => {
                out.warn("over_edge")
            }
            _ if drawn.clipped => out.warn("clipped"),
            _ => {}
        }
        if is_flat(&drawn.geometry) {
            out.warn("zero_area");
        }
        for fault in self.faults {
            fault.tell(|warning| out.warn(warning));
        }
        if drawn.angle != Angle::OfCorners && is_less(row, &drawn.geometry) {
            out.warn("drawn_as_box");
        }
        if order.is_some_and(KeypointOrder::lacks) {
            out.warn("keypoints_missing");
        }
        if object.ir_shape().is_some_and(without_metrics) {
            out.warn("no_metrics");
        }
        staged.unit = drawn.unit;
        (staged.width_px, staged.height_px) = (drawn.width_px, drawn.height_px);
        staged.geometry = drawn.geometry;
        Ok(Some(made_from(row, &drawn)))
    }

    /// Why the object's shape cannot be made: what is wrong with the piece that it is made of, where that is known.
    #[cold]
    fn why(&self, reason: Reason, object: &OntologyObject) -> Reason {
        let lacks = matches!(
            reason,
            Reason::ShapeMismatch { .. } | Reason::NoGeometry | Reason::NoKeypoints
        );
        let piece = match object.ir_shape() {
            Some(Shape::BoundingBox | Shape::RotatableBoundingBox) => Piece::Box,
            Some(Shape::Skeleton | Shape::Point) => Piece::Keypoints,
            _ => Piece::Area,
        };
        let fault = self.faults.iter().find(|fault| lacks && fault.piece == piece);
        fault.map_or(reason, |fault| fault.reason.clone())
    }

    /// Says what a rotatable box is turned by, unless the source gives it.
    fn judge_angle(&self, angle: Angle, out: &mut Resolved) -> Result<(), Reason> {
        if matches!(angle, Angle::Given | Angle::OfCorners) {
            return Ok(());
        }
        if let Some(fault) = self.faults.iter().find(|fault| fault.piece == Piece::Angle) {
            return Err(fault.reason.clone());
        }
        match angle {
            Angle::NotOfRectangle => out.warn("not_a_rectangle"),
            _ => out.warn("no_angle"),
        }
        Ok(())
    }

    fn identity(&self, object: &OntologyObject, staged: &StagedRow<'_>, form: &mut identity::Form) -> u128 {
        let (plan, data_hash) = (self.plan, &self.medium().data_hash);
        let feature_hash = object.feature_hash.as_str();
        if let Some(track) = staged.track {
            return identity::tracked_in(form, [&plan.branch, self.row.source, data_hash, feature_hash, track]);
        }
        let drawn = Untracked {
            feature_hash,
            geometry: staged.geometry,
            unit: staged.unit,
            width_px: staged.width_px,
            height_px: staged.height_px,
            score: staged.score,
            answers: staged.answers,
        };
        identity::untracked_in(form, [&plan.branch, data_hash], staged.key.frame, &drawn)
    }
}

/// What of a row its object is made from.
fn made_from(row: &Annotation<'_>, drawn: &Drawn<'_>) -> &'static str {
    let is_box = matches!(
        drawn.geometry,
        Geometry::BoundingBox(_) | Geometry::RotatableBoundingBox(..)
    );
    let has_box = row.bbox.is_some_and(|[_, _, w, h]| w > 0.0 && h > 0.0);
    match row.shape {
        _ if is_box && has_box && drawn.angle != Angle::OfCorners => "box",
        _ if row.rle.is_some() => "mask",
        Some(Shape::Skeleton) => "keypoints",
        Some(shape) if row.points.is_some() => shape.as_str(),
        _ => "box",
    }
}

/// Whether Encord computes no metrics for predictions of a shape.
fn without_metrics(shape: Shape) -> bool {
    matches!(
        shape,
        Shape::Point | Shape::Polyline | Shape::Skeleton | Shape::Circle | Shape::Ellipse
    )
}

/// Whether a geometry that should enclose something does not.
fn is_flat(geometry: &Geometry<'_>) -> bool {
    match geometry {
        Geometry::BoundingBox([_, _, w, h]) | Geometry::RotatableBoundingBox([_, _, w, h], _) => *w == 0.0 || *h == 0.0,
        Geometry::Circle([_, _, first, second], _) | Geometry::Ellipse([_, _, first, second], _) => {
            *first == 0.0 || *second == 0.0
        }
        Geometry::Polygon(points) => points.iter().filter_map(|mut part| part.next()).all(polygon::is_flat),
        _ => false,
    }
}

/// Whether only a box is drawn of a row that has more.
fn is_less(row: &Annotation<'_>, geometry: &Geometry<'_>) -> bool {
    match geometry {
        Geometry::BoundingBox(_) if row.shape == Some(Shape::RotatableBoundingBox) => {
            row.theta.is_some_and(|theta| theta != 0.0)
        }
        Geometry::BoundingBox(_) | Geometry::RotatableBoundingBox(..) => {
            !matches!(row.shape, None | Some(Shape::BoundingBox | Shape::RotatableBoundingBox))
        }
        _ => false,
    }
}
