//! What an annotation is, once all its fields are read.

use super::draft::Draft;
use crate::batch::Shape;
use crate::formats::Piece;
use crate::reject::Reason;

/// What an annotation turned out to be.
pub enum Verdict {
    /// A row for the IR.
    Row(Shape),
    /// `iscrowd` is set.
    Crowd,
    /// It cannot be written.
    Reject(Reason),
}

/// What becomes of annotations with `iscrowd` and no score. What has a score is a prediction, not a region that somebody
/// drew to be ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowds {
    /// They are left out.
    LeftOut,
    /// They are kept; the flag must be one.
    Kept,
    /// They are kept, whatever the flag is.
    Ignored,
}

impl Draft {
    /// What to do with the annotation; `wants_keypoints` if its class can be drawn from nothing else.
    pub fn verdict(&mut self, crowds: Crowds, wants_keypoints: bool) -> Verdict {
        if crowds != Crowds::Ignored && self.score.is_none() && self.attribute_score.is_none() {
            if self.crowd && crowds == Crowds::LeftOut {
                return Verdict::Crowd;
            }
            if self.extras.present {
                self.problem = self.problem.take().or(self.extras.flag_problem.take());
            }
        }
        let field = |field| Some(Reason::MissingField { field });
        let found = self
            .problem
            .take()
            .or_else(|| {
                if self.image_id.is_none() {
                    field("image_id")
                } else {
                    None
                }
            })
            .or_else(|| {
                if self.category_id.is_none() {
                    field("category_id")
                } else {
                    None
                }
            })
            .or_else(|| wrong(&self.score, &self.attribute_score));
        if let Some(reason) = found {
            return Verdict::Reject(reason);
        }
        if self.extras.present {
            if let Some(shape) = self.shape_of_extras(wants_keypoints) {
                return Verdict::Row(shape);
            }
        }
        if self.area.is_mask() {
            Verdict::Row(Shape::Bitmask)
        } else if !self.area.is_empty() {
            Verdict::Row(Shape::Polygon)
        } else if self.bbox.is_some() {
            Verdict::Row(Shape::BoundingBox)
        } else {
            Verdict::Reject(self.why_nothing())
        }
    }

    /// Why nothing can be drawn: what is wrong with the first piece, and last that nobody labelled keypoints.
    #[cold]
    fn why_nothing(&mut self) -> Reason {
        self.forget_faults(Piece::Angle);
        let told = |(_, reason): &(Piece, Reason)| *reason != Reason::NoKeypoints;
        let at = self.faults.iter().position(told).unwrap_or(0);
        if self.faults.is_empty() {
            Reason::NoGeometry
        } else {
            self.faults.swap_remove(at).1
        }
    }

    /// The shape where keypoints or an angle decide it. A segmentation comes before keypoints, unless the class is drawn
    /// from them; both come before the box, which stays beside them.
    #[cold]
    fn shape_of_extras(&mut self, wants_keypoints: bool) -> Option<Shape> {
        self.take_turned();
        self.extras.find_theta(&mut self.angles);
        let has_keypoints = self.extras.points().is_some();
        let has_area = !self.area.is_empty();
        if has_keypoints {
            // Encord's exporter writes a ring of one point beside a point's keypoint.
            let is_point = |(_, reason): &(Piece, Reason)| matches!(reason, Reason::BadPolygon { coordinates: 2 });
            self.faults.retain(|fault| !is_point(fault));
        }
        if has_keypoints && (wants_keypoints || !has_area) {
            return Some(Shape::Skeleton);
        }
        let is_turned = !has_area && self.bbox.is_some() && self.theta().is_some();
        is_turned.then_some(Shape::RotatableBoundingBox)
    }

    /// Takes Ultralytics' turned box where the segmentation is missing: its corners, which are more exact
    /// than its angle, else the box and the angle.
    fn take_turned(&mut self) {
        if !self.area.is_empty() {
            return;
        }
        if let Some(corners) = self.extras.poly {
            self.area.set_ring(&corners);
        } else if let Some((corner_and_size, turn)) = self.extras.rbox {
            (self.bbox, self.extras.turn) = (Some(corner_and_size), turn);
        }
    }
}

/// Why the value that counts is wrong, if it is.
fn wrong<T>(top: &Option<Result<T, Reason>>, attribute: &Option<Result<T, Reason>>) -> Option<Reason> {
    match top.as_ref().or(attribute.as_ref())? {
        Ok(_) => None,
        Err(reason) => Some(reason.clone()),
    }
}
