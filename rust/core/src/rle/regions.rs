//! The masks of a picture in which each pixel says which mask it is of.

use hashbrown::HashMap;

use super::{Rle, RowMajor, Size};

/// Most masks of one picture.
const MOST_MASKS: usize = 1 << 16;

/// Most runs of all masks of a picture: noise has one for two pixels.
const MOST_RUNS: usize = 1 << 22;

/// A picture that is not one of masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// It has too many values.
    #[error("it has more than {MOST_MASKS} different values; expected one for each mask")]
    Masks,
    /// Its values change too often.
    #[error("its values change more than {} times along the rows; expected areas, not noise", MOST_RUNS / 2)]
    Runs,
}

/// Collects the masks of a picture from runs of equal values along its rows. It holds their run lengths alone.
#[derive(Debug)]
pub struct Regions {
    size: Size,
    /// Pixels seen.
    seen: u32,
    /// Number of each value's region.
    numbers: HashMap<u32, usize>,
    regions: Vec<Region>,
    /// Number of the region that was added to last.
    last: usize,
    runs: usize,
}

#[derive(Debug)]
struct Region {
    value: u32,
    runs: Vec<u32>,
    /// Where its last run ends.
    end: u32,
}

impl Regions {
    /// Begins a picture of which no pixel was seen.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            seen: 0,
            numbers: HashMap::new(),
            regions: Vec::new(),
            last: 0,
            runs: 0,
        }
    }

    /// Goes past `pixels` that are in no mask; what is beyond the picture's end is passed over.
    pub fn skip(&mut self, pixels: u32) {
        self.seen += pixels.min(self.size.pixels() - self.seen);
    }

    /// Adds the next `pixels` to the mask of `value`; what is beyond the picture's end is passed over.
    ///
    /// # Errors
    /// [`TooMany`] values, or runs of them.
    pub fn add(&mut self, value: u32, pixels: u32) -> Result<(), TooMany> {
        let from = self.seen;
        self.skip(pixels);
        if self.seen == from {
            return Ok(());
        }
        self.last = self.number_of(value)?;
        let region = &mut self.regions[self.last];
        match region.runs.last_mut() {
            Some(last) if region.end == from => *last += self.seen - from,
            _ => {
                self.runs += 2;
                if self.runs > MOST_RUNS {
                    return Err(TooMany::Runs);
                }
                region.runs.extend([from - region.end, self.seen - from]);
            }
        }
        region.end = self.seen;
        Ok(())
    }

    fn number_of(&mut self, value: u32) -> Result<usize, TooMany> {
        if self.regions.get(self.last).is_some_and(|region| region.value == value) {
            return Ok(self.last);
        }
        let next = self.regions.len();
        let number = *self.numbers.entry(value).or_insert(next);
        if number == next {
            if next == MOST_MASKS {
                return Err(TooMany::Masks);
            }
            self.regions.push(Region {
                value,
                runs: Vec::new(),
                end: 0,
            });
        }
        Ok(number)
    }

    /// The masks with their values, in the order of the values. Pixels that were not seen are background.
    pub fn finish(mut self) -> impl Iterator<Item = (u32, Rle<RowMajor>)> {
        self.regions.sort_unstable_by_key(|region| region.value);
        self.regions.into_iter().map(move |mut region| {
            let rest = self.size.pixels() - region.end;
            region.runs.extend((rest > 0).then_some(rest));
            (region.value, Rle::from_canonical(self.size, region.runs))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::MemoryOrder;
    use super::*;

    fn regions_of(picture: &[u32], width: usize) -> Vec<(u32, Rle<RowMajor>)> {
        let size = Size::new((picture.len() / width) as u64, width as u64).unwrap();
        let mut regions = Regions::new(size);
        for row in picture.chunks(width) {
            for run in row.chunk_by(|one, other| one == other) {
                match run[0] {
                    0 => regions.skip(run.len() as u32),
                    value => regions.add(value, run.len() as u32).unwrap(),
                }
            }
        }
        regions.finish().collect()
    }

    #[test]
    fn masks_are_those_of_dense_pictures() {
        let mut state = 1u32;
        for width in [1, 3, 7] {
            for values in [1, 2, 5, 70_000] {
                let mut draw = || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) % (values + 1)
                };
                let picture: Vec<u32> = (0..width * 5).map(|_| draw()).collect();
                let found = regions_of(&picture, width);
                let mut expected: Vec<u32> = picture.iter().copied().filter(|&value| value != 0).collect();
                expected.sort_unstable();
                expected.dedup();
                assert_eq!(found.iter().map(|(value, _)| *value).collect::<Vec<_>>(), expected);
                for (value, mask) in found {
                    let dense: Vec<u8> = picture.iter().map(|&other| u8::from(other == value)).collect();
                    let size = mask.size();
                    assert_eq!(mask, Rle::from_mask(&dense, size, MemoryOrder::C).unwrap());
                }
            }
        }
    }

    #[test]
    fn noise_and_too_many_values_are_refused() {
        let mut regions = Regions::new(Size::new(1 << 12, 1 << 12).unwrap());
        let refused = (0..=MOST_MASKS as u32).find_map(|value| regions.add(value, 1).err());
        assert_eq!(refused, Some(TooMany::Masks));
        let mut regions = Regions::new(Size::new(1 << 12, 1 << 12).unwrap());
        let refused = (0..=MOST_RUNS as u32 / 2).find_map(|at| regions.add(at % 2, 1).err());
        // Neighbours of the same value are one run.
        assert_eq!(refused, Some(TooMany::Runs));
    }
}
