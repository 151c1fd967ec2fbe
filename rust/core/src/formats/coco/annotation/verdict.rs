//! What an annotation is, once all its fields are read.

use super::draft::Draft;
use crate::batch::Shape;
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

impl Draft {
    /// What to do with the annotation; `wants_keypoints` if its class can be drawn from nothing else.
    pub fn verdict(&mut self, include_crowd: bool, wants_keypoints: bool) -> Verdict {
        if self.crowd && !include_crowd {
            return Verdict::Crowd;
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
            .or_else(|| wrong(&self.score, &self.attribute_score))
            .or_else(|| wrong(&self.track, &self.attribute_track));
        if let Some(reason) = found {
            return Verdict::Reject(reason);
        }
        if self.extras.present {
            if let Some(verdict) = self.verdict_of_extras(wants_keypoints) {
                return verdict;
            }
        }
        if self.counts.is_some() {
            Verdict::Row(Shape::Bitmask)
        } else if !self.rings.is_empty() {
            Verdict::Row(Shape::Polygon)
        } else if self.bbox.is_some() {
            Verdict::Row(Shape::BoundingBox)
        } else {
            Verdict::Reject(Reason::NoGeometry)
        }
    }
}

impl Draft {
    /// The verdict where keypoints, a lone point or an angle decide it. A segmentation comes before keypoints, unless the
    /// class is drawn from them; both come before the box, which stays beside them.
    #[cold]
    fn verdict_of_extras(&mut self, wants_keypoints: bool) -> Option<Verdict> {
        let lone_point = self.extras.lone_point;
        let area = self.counts.is_some() || (!self.rings.is_empty() && !lone_point);
        let wanted = wants_keypoints || !area;
        let problem = self.extras.problem.take();
        if let Some(reason) = problem.filter(|_| wants_keypoints || !(area || self.bbox.is_some())) {
            return Some(Verdict::Reject(reason));
        }
        if wanted && self.extras.points().is_some() {
            return Some(Verdict::Row(Shape::Skeleton));
        }
        if lone_point {
            return Some(Verdict::Reject(Reason::BadPolygon { coordinates: 2 }));
        }
        let turned = !area && self.bbox.is_some() && self.theta().is_some();
        turned.then_some(Verdict::Row(Shape::RotatableBoundingBox))
    }
}

/// Why the value that counts is wrong, if it is.
fn wrong<T>(top: &Option<Result<T, Reason>>, attribute: &Option<Result<T, Reason>>) -> Option<Reason> {
    match top.as_ref().or(attribute.as_ref())? {
        Ok(_) => None,
        Err(reason) => Some(reason.clone()),
    }
}
