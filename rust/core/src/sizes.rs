//! Sizes of images, each kept once: most sources have one or a few for all their images.

/// Pixels across and down, where they are known.
pub(crate) type SizePx = (Option<u32>, Option<u32>);

/// How many of the sizes added last are looked through for one that is the same.
const COMPARED: usize = 8;

/// Sizes by number. One that was seen long ago may be kept twice.
#[derive(Debug, Default)]
pub(crate) struct Sizes(Vec<SizePx>);

impl Sizes {
    /// The number of a size.
    pub fn number(&mut self, size: SizePx) -> u32 {
        let from_end = self.0.iter().rev().take(COMPARED).position(|&known| known == size);
        let at = from_end.map(|from_end| self.0.len() - 1 - from_end).unwrap_or_else(|| {
            self.0.push(size);
            self.0.len() - 1
        });
        at as u32
    }

    /// The size with a number that [`Self::number`] gave.
    pub fn get(&self, number: u32) -> SizePx {
        self.0[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_come_back_by_number() {
        let mut sizes = Sizes::default();
        let given: Vec<SizePx> = (0..40).map(|n| (Some(n % 13), (n % 3 > 0).then_some(n))).collect();
        let numbers: Vec<u32> = given.iter().map(|&size| sizes.number(size)).collect();
        assert!(numbers
            .iter()
            .zip(&given)
            .all(|(&number, &size)| sizes.get(number) == size));
        let (again, before) = (sizes.number(given[39]), sizes.0.len());
        assert_eq!((again, sizes.0.len()), (numbers[39], before));
    }
}
