//! What is counted of each medium.

use serde::Serialize;

use super::frames::{FrameSet, Pages, SurveyedFrames};
use super::names::Names;
use crate::batch::{Annotation, Kind, Unit};

/// Media that are told apart.
const MOST_MEDIA: usize = 100_000;

/// The media of a source by name.
#[derive(Default)]
pub(super) struct Media(Names<Medium>);

/// A medium of a source.
#[derive(Default)]
pub(super) struct Medium {
    annotations: u64,
    pub tracks: u64,
    frames: FrameSet,
    /// The last size that the source gives, width and height in px.
    size_px: Option<(u32, u32)>,
    /// Of boxes in px, and not turned: the largest right and lower edge, the largest width and height.
    reach: Option<[f64; 4]>,
}

/// What became of a medium's rows.
#[derive(Serialize)]
pub(super) struct Surveyed<'a> {
    name: &'a str,
    annotations: u64,
    tracks: u64,
    frames: Option<SurveyedFrames>,
    size_px: Option<(u32, u32)>,
    reach: Option<[f64; 4]>,
}

impl Media {
    /// The number of a medium, and its counts; none for one beyond those that are told apart.
    pub fn of(&mut self, name: &str) -> Option<(usize, &mut Medium)> {
        self.0.numbered(name, MOST_MEDIA)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Medium)> {
        self.0.iter()
    }

    /// Rows on media that are not told apart.
    pub fn others(&self) -> u64 {
        self.0.others
    }
}

impl Medium {
    pub fn add(&mut self, row: &Annotation<'_>, pages: &mut Pages) {
        self.annotations += 1;
        // An answer may hold for more frames than a source has objects on.
        let last = row.frame_last.filter(|_| row.kind == Kind::Object);
        self.frames.add(row.frame, last, pages);
        if let (Some(width), Some(height)) = (row.width_px, row.height_px) {
            self.size_px = Some((width, height));
        }
        if let (Some([x, y, w, h]), Unit::Px, None) = (row.bbox, row.unit, row.theta) {
            let own = [x + w, y + h, w, h];
            let reach = self.reach.get_or_insert(own);
            for (most, value) in reach.iter_mut().zip(own) {
                *most = most.max(value);
            }
        }
    }

    pub fn surveyed<'a>(&self, name: &'a str) -> Surveyed<'a> {
        Surveyed {
            name,
            annotations: self.annotations,
            tracks: self.tracks,
            frames: self.frames.surveyed(),
            size_px: self.size_px,
            reach: self.reach,
        }
    }
}
