//! Objects that move between keyframes: the frames that a tool does not write down.
//!
//! Few bytes may say that an object is on very many frames, so these are made a batch at a time, of what is kept of the two
//! keyframes alone. They end with the longest medium of the project; without a project a gap has a most length.

use std::collections::VecDeque;
use std::sync::Arc;

use super::draft::Draft;
use super::figures::{Drawing, Figure};
use super::{Format, Opening};
use crate::batch::{Annotation, AttributeValue, Unit};
use crate::error::Result;
use crate::reject::Reason;
use crate::source::Frames;

/// Most frames from one keyframe to the next where no project says how long its media are: 9 hours at 30 frames a second.
const MOST_FRAMES: u32 = 1 << 20;

/// What was expected of a gap that is longer.
const EXPECTED: &str = "at most 1,048,576 frames from one keyframe to the next";

/// What holds for an object on all of its frames.
#[derive(Debug)]
pub(super) struct Object {
    pub media: String,
    pub class: String,
    pub track: Option<String>,
    pub score: Option<f64>,
    pub unit: Unit,
    /// Width and height of the image, px.
    pub size_wh: [Option<u32>; 2],
    pub figure: Figure,
    /// Questions with answers.
    pub attributes: Vec<(String, Option<String>)>,
}

impl Object {
    /// Its row, without what it draws.
    pub fn row(&self) -> Annotation<'_> {
        Annotation {
            track: self.track.as_deref(),
            score: self.score,
            unit: self.unit,
            width_px: self.size_wh[0],
            height_px: self.size_wh[1],
            ..Annotation::object("", 0, &self.media, 0, &self.class)
        }
    }

    /// Its answers.
    pub fn answers(&self) -> Vec<AttributeValue<'_>> {
        answers(&self.attributes)
    }
}

/// Answers as a row has them.
pub(super) fn answers(attributes: &[(String, Option<String>)]) -> Vec<AttributeValue<'_>> {
    let answers = attributes.iter();
    let answers = answers.map(|(name, value)| AttributeValue {
        name,
        value: value.as_deref(),
        frame: None,
        frame_last: None,
    });
    answers.collect()
}

/// A keyframe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyframe<'a> {
    pub frame: u32,
    pub numbers: &'a [f64],
}

/// Frames of an object between two keyframes, or behind the last one.
#[derive(Debug, Clone)]
pub(super) struct Gap {
    object: Arc<Object>,
    /// Byte at which the first keyframe begins.
    offset: u64,
    /// The keyframes; the second one has the same numbers where the object stays where it is.
    frames: [u32; 2],
    numbers: [Vec<f64>; 2],
    step: u32,
    /// The field that says so.
    field: &'static str,
    next: u32,
    /// The last frame in the gap.
    last: u32,
}

impl Gap {
    /// The frames between two keyframes, each `step` behind the one before; none where there are none.
    ///
    /// # Errors
    /// Why `field` does not say what is on these frames.
    pub fn between(
        object: &Arc<Object>,
        [from, to]: [Keyframe<'_>; 2],
        step: u32,
        field: &'static str,
    ) -> std::result::Result<Option<Self>, Reason> {
        if from.numbers.len() != to.numbers.len() {
            return Err(Reason::BadField {
                field,
                expected: "as many points on both keyframes, so that the frames between them can be filled",
                found: format!("{} and {} numbers", from.numbers.len(), to.numbers.len()),
            });
        }
        Self::new(object, [from, to], to.frame.saturating_sub(1), step, field)
    }

    /// The frames behind a keyframe up to `last`, on which the object stays where it is; none where there are none.
    ///
    /// # Errors
    /// As [`Self::between`].
    pub fn behind(
        object: &Arc<Object>,
        from: Keyframe<'_>,
        last: u32,
        field: &'static str,
    ) -> std::result::Result<Option<Self>, Reason> {
        let to = Keyframe {
            frame: last.saturating_add(1),
            ..from
        };
        Self::new(object, [from, to], last, 1, field)
    }

    fn new(
        object: &Arc<Object>,
        [from, to]: [Keyframe<'_>; 2],
        last: u32,
        step: u32,
        field: &'static str,
    ) -> std::result::Result<Option<Self>, Reason> {
        let next = from.frame.saturating_add(step.max(1));
        if next > last {
            return Ok(None);
        }
        Ok(Some(Self {
            object: Arc::clone(object),
            offset: 0,
            frames: [from.frame, to.frame],
            numbers: [from.numbers.to_vec(), to.numbers.to_vec()],
            step: step.max(1),
            field,
            next,
            last,
        }))
    }

    /// Leaves out the frames behind the end of a medium of so many frames; gives the first of these and why it is rejected.
    fn cut(&mut self, frames: Frames, longest: u64) -> Option<(u32, Reason)> {
        let longest_i64 = i64::try_from(longest).unwrap_or(i64::MAX);
        // By how many steps of the source its last frame is behind the first one.
        let last = frames.base.saturating_add((longest_i64 - 1).div_euclid(frames.stride));
        if i64::from(self.last) <= last {
            return None;
        }
        let first = last.saturating_add(1).max(i64::from(self.next));
        self.last = u32::try_from(last).unwrap_or(0);
        let reason = Reason::FrameRange {
            frame: frames.in_video(first),
            frames: longest,
        };
        Some((u32::try_from(first).unwrap_or(u32::MAX), reason))
    }

    /// Why it is not filled, where it has too many frames.
    fn too_long(&self) -> Option<Reason> {
        let frames = self.last - self.frames[0];
        (frames > MOST_FRAMES).then(|| Reason::BadField {
            field: self.field,
            expected: EXPECTED,
            found: format!("frame {}, {frames} frames behind the keyframe before it", self.last),
        })
    }

    /// Adds rows until the batch is full; true once all are added.
    fn fill(&mut self, source: &str, draft: &mut Draft) -> bool {
        let [from, to] = self.frames;
        let mut numbers = vec![0.0; self.numbers[0].len()];
        let mut room = Drawing::default();
        let answers = self.object.answers();
        while self.next <= self.last {
            if draft.is_full() {
                return false;
            }
            let share = f64::from(self.next - from) / f64::from(to - from);
            for ((number, from), to) in numbers.iter_mut().zip(&self.numbers[0]).zip(&self.numbers[1]) {
                *number = from + (to - from) * share;
            }
            let row = Annotation {
                source,
                offset: self.offset,
                frame: self.next,
                ..self.object.row()
            };
            let row = self.object.figure.draw(row, &numbers, &mut room);
            draft.rows.push_with_attributes(&row, &answers);
            draft.frameless.push(false);
            draft.numbers += numbers.len();
            draft.warn("interpolated");
            let Some(next) = self.next.checked_add(self.step) else {
                return true;
            };
            self.next = next;
        }
        true
    }
}

/// Gaps that are still to be filled, in order.
#[derive(Debug, Default, Clone)]
pub(super) struct Gaps {
    gaps: VecDeque<Gap>,
    /// How the source counts frames, and how many the longest medium of the project has.
    longest: Option<(Frames, u64)>,
}

impl Gaps {
    /// Gaps of a source of a format, which end with the longest medium of the project that it is imported into.
    ///
    /// # Errors
    /// As [`Format::frames`].
    pub fn of(opening: &Opening<'_>, format: &Format) -> Result<Self> {
        let frames = format.frames(opening.options)?;
        let longest = opening.project.map(|project| project.known_names().most_frames);
        Ok(Self {
            gaps: VecDeque::new(),
            longest: longest.map(|longest| (frames, longest)),
        })
    }

    /// Adds a gap whose first keyframe begins at a byte. Gives a frame and why it is rejected, with those behind it, where they
    /// are behind the end of the longest medium, or too many.
    pub fn add(&mut self, mut gap: Gap, offset: u64) -> Option<(u32, Reason)> {
        gap.offset = offset;
        let refused = match self.longest {
            Some((frames, longest)) => gap.cut(frames, longest),
            None => gap.too_long().map(|reason| (gap.next, reason)),
        };
        if refused.is_none() || self.longest.is_some() && gap.next <= gap.last {
            self.gaps.push_back(gap);
        }
        refused
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.gaps.is_empty()
    }

    /// Fills gaps until the batch is full or none is left.
    pub fn fill(&mut self, source: &str, draft: &mut Draft) {
        while let Some(gap) = self.gaps.front_mut() {
            if !gap.fill(source, draft) {
                return;
            }
            self.gaps.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn object() -> Arc<Object> {
        Arc::new(Object {
            media: "m".to_owned(),
            class: "c".to_owned(),
            track: Some("t".to_owned()),
            score: None,
            unit: Unit::Px,
            size_wh: [None; 2],
            figure: Figure::Point,
            attributes: Vec::new(),
        })
    }

    fn behind(last: u32) -> Gap {
        let from = Keyframe {
            frame: 3,
            numbers: &[1.0, 2.0],
        };
        Gap::behind(&object(), from, last, "framesCount").unwrap().unwrap()
    }

    /// The frames of all gaps, and how many batches they take.
    fn filled(gaps: &mut Gaps) -> (Vec<u32>, usize) {
        let (mut frames, mut batches) = (Vec::new(), 0);
        loop {
            let mut draft = Draft::default();
            gaps.fill("label", &mut draft);
            if draft.is_empty() {
                return (frames, batches);
            }
            let batch = draft.finish().unwrap();
            frames.extend((0..batch.rows.len()).map(|row| batch.rows.row(row).frame));
            batches += 1;
        }
    }

    #[test]
    fn many_frames_are_filled_a_batch_at_a_time() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.add(behind(100_000), 7), None);
        let (frames, batches) = filled(&mut gaps);
        assert!(frames.into_iter().eq(4..=100_000));
        assert!(batches > 10, "{batches}");
    }

    #[test]
    fn without_a_project_a_gap_has_a_most_length() {
        let mut gaps = Gaps::default();
        let (frame, reason) = gaps.add(behind(1_000_000_000), 7).unwrap();
        assert_eq!((frame, reason.code()), (4, "bad_field"));
        assert_eq!(
            reason.to_string(),
            "`framesCount` is frame 1000000000, 999999997 frames behind the keyframe before it; expected at most 1,048,576 \
             frames from one keyframe to the next"
        );
        assert!(filled(&mut gaps).0.is_empty());
    }

    #[test]
    fn a_gap_ends_with_the_longest_medium() {
        for (base, stride, longest, last) in [
            (0, 1, 12, 11),
            (1, 1, 12, 12),
            (0, 5, 41, 8),
            (0, 5, 40, 7),
            (2, 1, 3, 4),
        ] {
            let mut gaps = Gaps {
                longest: Some((Frames { base, stride }, longest)),
                ..Gaps::default()
            };
            assert_eq!(gaps.add(behind(last), 7), None);
            let (frame, reason) = gaps.add(behind(u32::MAX - 1), 7).unwrap();
            assert_eq!((frame, reason.code()), (last + 1, "frame_range"));
            let once: Vec<u32> = (4..=last).collect();
            assert_eq!(filled(&mut gaps).0, [once.clone(), once].concat());
        }
    }
}
