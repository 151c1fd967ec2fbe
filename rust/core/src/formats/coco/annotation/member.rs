//! The members that an annotation may have.

use crate::formats::coco::rotated::RotatedBox;

/// A member of an annotation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Member {
    Id,
    ImageId,
    FileName,
    CategoryId,
    TrackId,
    InstanceId,
    Bbox,
    RotatedBox(RotatedBox),
    Keypoints,
    Segmentation,
    Rbox,
    Poly,
    IsCrowd,
    Confidence,
    Attributes,
    Other,
}

impl Member {
    /// The member with a name; `confidence` is the name of the one with the score, `boxes` what a box is if not COCO's.
    pub fn of(name: &[u8], confidence: &[u8], boxes: Option<RotatedBox>) -> Self {
        match name {
            b"id" => Self::Id,
            b"image_id" => Self::ImageId,
            b"file_name" => Self::FileName,
            b"category_id" => Self::CategoryId,
            b"track_id" => Self::TrackId,
            b"instance_id" => Self::InstanceId,
            b"bbox" => boxes.map_or(Self::Bbox, Self::RotatedBox),
            b"keypoints" => Self::Keypoints,
            b"segmentation" => Self::Segmentation,
            b"iscrowd" => Self::IsCrowd,
            name if name == confidence => Self::Confidence,
            b"attributes" => Self::Attributes,
            b"rbox" => Self::Rbox,
            b"poly" => Self::Poly,
            _ => Self::Other,
        }
    }
}
