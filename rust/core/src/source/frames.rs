//! How a source counts the frames of a video.

/// Numbers of a source's frames. Encord counts every frame of the video from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// The source's number of the first frame.
    pub base: i64,
    /// Frames of the video from one frame of the source to the next, at least 1.
    pub stride: i64,
}

impl Frames {
    /// Counts every frame from 0 on.
    pub const FROM_0: Self = Self { base: 0, stride: 1 };

    /// Counts every frame from 1 on.
    pub const FROM_1: Self = Self { base: 1, stride: 1 };

    /// The frame in Encord's counting; saturating, since a frame that overflows is out of range anyway.
    pub fn in_video(self, source_frame: i64) -> i64 {
        source_frame.saturating_sub(self.base).saturating_mul(self.stride)
    }
}
