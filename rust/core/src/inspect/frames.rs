//! The frames of a medium that have annotations: as bits, so that their order and number of rows cost nothing.

use std::collections::BTreeMap;

use serde::Serialize;

/// Frames of a page.
const PAGE: u32 = 512;

/// Pages that all media may have together: 64 MB of bits.
const MOST_PAGES: usize = 1 << 20;

/// Gaps that are listed.
const GAPS_LISTED: usize = 100;

/// How many pages there are; media share the limit.
#[derive(Default)]
pub(super) struct Pages(usize);

/// The frames of a medium.
#[derive(Default)]
pub(super) struct FrameSet {
    /// First and last frame.
    ends: Option<(u32, u32)>,
    /// Bits of the frames, once there are two.
    pages: BTreeMap<u32, [u64; PAGE as usize / 64]>,
    /// Whether frames between the ends are not known, since there were too many pages.
    is_cut: bool,
}

/// What the frames of a medium are.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct SurveyedFrames {
    first: u32,
    last: u32,
    /// Different frames; none where they are too many to be kept.
    count: Option<u64>,
    /// All frames are so many apart, or a multiple of it; 1 for a single frame.
    step: u32,
    /// Runs of frames between the first and the last, `step` apart, that have no annotation: how many, and the first ones.
    gaps: u64,
    first_gaps: Vec<(u32, u32)>,
}

impl FrameSet {
    pub fn add(&mut self, first: u32, last: Option<u32>, pages: &mut Pages) {
        let last = last.unwrap_or(first).max(first);
        match &mut self.ends {
            None => self.ends = Some((first, last)),
            Some(ends) if *ends == (first, last) && first == last && self.pages.is_empty() => {}
            Some(ends) => {
                let before = *ends;
                *ends = (ends.0.min(first), ends.1.max(last));
                if self.pages.is_empty() {
                    self.mark(before.0, before.1, pages);
                }
                self.mark(first, last, pages);
            }
        }
    }

    fn mark(&mut self, first: u32, last: u32, pages: &mut Pages) {
        for page in first / PAGE..=last / PAGE {
            if !self.pages.contains_key(&page) {
                if pages.0 >= MOST_PAGES {
                    self.is_cut = true;
                    return;
                }
                pages.0 += 1;
            }
            let bits = self.pages.entry(page).or_default();
            let from = first.max(page * PAGE) - page * PAGE;
            let to = last.min(page * PAGE + (PAGE - 1)) - page * PAGE;
            for at in from..=to {
                bits[at as usize / 64] |= 1 << (at % 64);
            }
        }
    }

    /// Runs of frames that follow each other, in order.
    fn runs(&self) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for (page, bits) in &self.pages {
            for (at, word) in (0..).zip(bits) {
                let mut left = *word;
                while left != 0 {
                    let start = left.trailing_zeros();
                    let len = (left >> start).trailing_ones();
                    let first = page * PAGE + at * 64 + start;
                    let last = first + (len - 1);
                    match runs.last_mut() {
                        Some(run) if run.1 + 1 == first => run.1 = last,
                        _ => runs.push((first, last)),
                    }
                    left &= u64::MAX.checked_shl(start + len).unwrap_or(0);
                }
            }
        }
        runs
    }

    pub fn surveyed(&self) -> Option<SurveyedFrames> {
        let (first, last) = self.ends?;
        let mut runs = self.runs();
        if runs.is_empty() {
            runs.push((first, last));
        }
        let has_pair = runs.iter().any(|run| run.1 > run.0);
        let apart = |two: &[(u32, u32)]| two[1].0 - two[0].1;
        let step = match has_pair {
            true => 1,
            false => runs.windows(2).map(apart).fold(0, greatest_divisor).max(1),
        };
        let mut gaps = runs.windows(2).filter(|two| apart(two) > step && !self.is_cut);
        let first_gaps: Vec<_> = gaps
            .by_ref()
            .take(GAPS_LISTED)
            .map(|two| (two[0].1 + step, two[1].0 - step))
            .collect();
        let count = || runs.iter().map(|run| u64::from(run.1 - run.0) + 1).sum();
        Some(SurveyedFrames {
            first,
            last,
            count: (!self.is_cut).then(count),
            step,
            gaps: first_gaps.len() as u64 + gaps.count() as u64,
            first_gaps,
        })
    }
}

fn greatest_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        greatest_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(frames: impl IntoIterator<Item = (u32, Option<u32>)>) -> Option<SurveyedFrames> {
        let (mut set, mut pages) = (FrameSet::default(), Pages::default());
        for (first, last) in frames {
            set.add(first, last, &mut pages);
        }
        set.surveyed()
    }

    fn expected(first: u32, last: u32, count: u64, step: u32, gaps: &[(u32, u32)]) -> Option<SurveyedFrames> {
        Some(SurveyedFrames {
            first,
            last,
            count: Some(count),
            step,
            gaps: gaps.len() as u64,
            first_gaps: gaps.to_vec(),
        })
    }

    #[test]
    fn gaps_are_what_is_missing_in_any_order() {
        let single = |frame| (frame, None);
        assert_eq!(of([]), None);
        assert_eq!(of([7, 7].map(single)), expected(7, 7, 1, 1, &[]));
        assert_eq!(of([600, 3, 4, 601, 3].map(single)), expected(3, 601, 4, 1, &[(5, 599)]));
        assert_eq!(
            of([30, 0, 10, 15].map(single)),
            expected(0, 30, 4, 5, &[(5, 5), (20, 25)])
        );
        assert_eq!(
            of([(0, Some(127)), (130, Some(1100))]),
            expected(0, 1100, 1099, 1, &[(128, 129)])
        );
        assert_eq!(
            of([single(u32::MAX), single(0)]),
            expected(0, u32::MAX, 2, u32::MAX, &[])
        );
    }

    #[test]
    fn the_frames_of_all_media_are_limited() {
        let (mut set, mut pages) = (FrameSet::default(), Pages(MOST_PAGES));
        set.add(3, None, &mut pages);
        set.add(9, None, &mut pages);
        let found = set.surveyed();
        assert_eq!(
            found.map(|found| (found.first, found.last, found.count, found.gaps)),
            Some((3, 9, None, 0))
        );
    }
}
