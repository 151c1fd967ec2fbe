//! Area, bounding box and set operations, on runs.

use super::runs::intervals;
use super::{MemoryOrder, Order, Rle, RleError, Size};

impl<O: Order> Rle<O> {
    /// Number of foreground pixels.
    pub fn area(&self) -> u64 {
        self.runs().iter().skip(1).step_by(2).map(|&run| u64::from(run)).sum()
    }

    /// Whether no pixel is set.
    pub fn is_empty(&self) -> bool {
        self.runs().len() == 1
    }

    /// The smallest box around the foreground as `[x, y, w, h]`, px; none where no pixel is set.
    ///
    /// As pycocotools' `rleToBbox`, which gives all zeros for an empty mask.
    pub fn bbox(&self) -> Option<[u32; 4]> {
        if self.is_empty() {
            return None;
        }
        let (_, len) = O::lines(self.size());
        let (mut line_min, mut line_max, mut place_min, mut place_max) = (u32::MAX, 0, u32::MAX, 0);
        for (from, to) in intervals(self.runs()) {
            let (first, last) = (from / len, (to - 1) / len);
            line_min = line_min.min(first);
            line_max = line_max.max(last);
            // A run that goes on into the next line touches both ends of a line.
            let (low, high) = if first == last {
                (from % len, (to - 1) % len)
            } else {
                (0, len - 1)
            };
            place_min = place_min.min(low);
            place_max = place_max.max(high);
        }
        let (lines, places) = (line_max - line_min + 1, place_max - place_min + 1);
        Some(match O::MEMORY {
            MemoryOrder::F => [line_min, place_min, lines, places],
            MemoryOrder::C => [place_min, line_min, places, lines],
        })
    }

    /// The pixels set in either mask. Fails with [`RleError::Mismatch`] on different sizes.
    pub fn union(&self, other: &Self) -> Result<Self, RleError> {
        self.combine(other, |a, b| a || b)
    }

    /// The pixels set here but not in `other`. Fails with [`RleError::Mismatch`] on different sizes.
    pub fn difference(&self, other: &Self) -> Result<Self, RleError> {
        self.combine(other, |a, b| a && !b)
    }

    fn combine(&self, other: &Self, rule: impl Fn(bool, bool) -> bool) -> Result<Self, RleError> {
        let pair = |size: Size| (size.h(), size.w());
        if self.size() != other.size() {
            return Err(RleError::Mismatch {
                left: pair(self.size()),
                right: pair(other.size()),
            });
        }
        let total = self.size().pixels();
        let (a, b) = (self.runs(), other.runs());
        let (mut i, mut j, mut a_end, mut b_end) = (0, 0, a[0], b[0]);
        let mut colour = false;
        let mut runs = RunBuilder::default();
        let mut at = 0;
        while at < total {
            while a_end <= at {
                i += 1;
                a_end += a[i];
            }
            while b_end <= at {
                j += 1;
                b_end += b[j];
            }
            if rule(i % 2 == 1, j % 2 == 1) != colour {
                colour = !colour;
                runs.toggle(at);
            }
            at = a_end.min(b_end);
        }
        Ok(Self::from_canonical(self.size(), runs.finish(total)))
    }
}

/// Collects canonical runs from the places, in rising order, at which the colour changes.
#[derive(Default)]
pub(super) struct RunBuilder {
    runs: Vec<u32>,
    last: u32,
}

impl RunBuilder {
    /// The colour changes at pixel `at`.
    pub(super) fn toggle(&mut self, at: u32) {
        self.runs.push(at - self.last);
        self.last = at;
    }

    /// Closes the last run at `total` pixels.
    pub(super) fn finish(mut self, total: u32) -> Vec<u32> {
        self.runs.push(total - self.last);
        self.runs
    }
}
