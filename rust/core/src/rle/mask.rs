//! Run lengths to and from dense masks, one byte a pixel.

use super::{MemoryOrder, Order, Rle, RleError, RowMajor, Size, MAX_DENSE_PIXELS};

/// Pixels looked at together: long runs are skipped a block at a time.
const BLOCK: usize = 256;

/// Pixels a word of bits.
const WORD: usize = 64;

/// Runs up to this length are written whole, over what follows, which is written next.
const SHORT: usize = 32;

impl<O: Order> Rle<O> {
    /// Encodes a dense mask of one byte a pixel, in which every byte but 0 is foreground.
    ///
    /// Fails with [`RleError::Buffer`] unless `mask` holds `h * w` bytes, and as [`Rle::transpose`]
    /// where the memory order is not `O`'s.
    pub fn from_mask(mask: &[u8], size: Size, memory: MemoryOrder) -> Result<Self, RleError> {
        let mut runs = Vec::new();
        find_runs(mask, size, &mut runs)?;
        if memory == O::MEMORY {
            Ok(Self::from_canonical(size, runs))
        } else {
            Rle::<O::Other>::from_canonical(size, runs).transpose()
        }
    }

    /// Fails with [`RleError::Dense`] where the mask is beyond [`MAX_DENSE_PIXELS`].
    pub fn check_dense(&self) -> Result<(), RleError> {
        check_dense(self.size())
    }

    /// Writes the mask, 0 or 1 a byte, over all of `out`.
    ///
    /// Fails with [`RleError::Dense`] beyond [`MAX_DENSE_PIXELS`], with [`RleError::Buffer`] unless
    /// `out` holds `h * w` bytes, and as [`Rle::transpose`] where the memory order is not `O`'s.
    pub fn decode_into(&self, out: &mut [u8], memory: MemoryOrder) -> Result<(), RleError> {
        self.check_dense()?;
        check_buffer(out.len(), self.size())?;
        if memory == O::MEMORY {
            fill_runs(self.runs(), out);
        } else {
            fill_runs(self.transpose()?.runs(), out);
        }
        Ok(())
    }

    /// The mask as rows of 0 and 1, one byte a pixel.
    pub fn decode(&self) -> Result<Vec<u8>, RleError> {
        self.check_dense()?;
        let mut out = vec![0; self.size().pixels() as usize];
        self.decode_into(&mut out, RowMajor::MEMORY)?;
        Ok(out)
    }
}

pub(super) fn check_dense(size: Size) -> Result<(), RleError> {
    if u64::from(size.pixels()) > MAX_DENSE_PIXELS {
        return Err(RleError::Dense {
            h: size.h(),
            w: size.w(),
        });
    }
    Ok(())
}

pub(super) fn check_buffer(found: usize, size: Size) -> Result<(), RleError> {
    let expected = size.pixels() as usize;
    if found != expected {
        return Err(RleError::Buffer {
            found,
            expected,
            h: size.h(),
            w: size.w(),
        });
    }
    Ok(())
}

/// Replaces `runs` by the canonical runs of bytes, zero or not. Fails with [`RleError::Buffer`].
pub(super) fn find_runs(mask: &[u8], size: Size, runs: &mut Vec<u32>) -> Result<(), RleError> {
    check_buffer(mask.len(), size)?;
    let mut finder = RunFinder::new(runs);
    for block in mask.chunks(BLOCK) {
        finder.add(block);
    }
    finder.finish();
    Ok(())
}

/// Replaces `runs` by the canonical runs of scores, above the threshold or not. Fails with [`RleError::Buffer`] and
/// [`RleError::NotANumber`].
pub(super) fn find_runs_above(scores: &[f32], threshold: f32, size: Size, runs: &mut Vec<u32>) -> Result<(), RleError> {
    check_buffer(scores.len(), size)?;
    let mut finder = RunFinder::new(runs);
    // A block at a time: the mask itself is never in memory.
    let mut mask = [0; BLOCK];
    for (block, scores) in scores.chunks(BLOCK).enumerate() {
        for (pixel, &score) in mask.iter_mut().zip(scores) {
            *pixel = u8::from(score > threshold);
        }
        if scores.iter().fold(false, |any, score| any | score.is_nan()) {
            let at = scores.iter().take_while(|score| !score.is_nan()).count();
            return Err(RleError::NotANumber { at: block * BLOCK + at });
        }
        finder.add(&mask[..scores.len()]);
    }
    finder.finish();
    Ok(())
}

/// Finds runs in a mask of which it is given one block after the other.
struct RunFinder<'a> {
    runs: &'a mut Vec<u32>,
    /// All ones where the pixel before is set.
    colour: u64,
    /// Where the last run ended.
    last: u32,
    /// Pixels seen.
    seen: u32,
}

impl<'a> RunFinder<'a> {
    fn new(runs: &'a mut Vec<u32>) -> Self {
        runs.clear();
        Self {
            runs,
            colour: 0,
            last: 0,
            seen: 0,
        }
    }

    /// Goes on with up to [`BLOCK`] pixels, fewer only at the end.
    // Inlined, what it knows stays in registers: kept in memory it takes a fifth more instructions.
    #[inline(always)]
    fn add(&mut self, block: &[u8]) {
        let start = self.seen;
        self.seen += block.len() as u32;
        if block.first_chunk().is_some_and(|block| is_uniform(block, self.colour)) {
            return;
        }
        for (word, bytes) in block.chunks(WORD).enumerate() {
            let pixels = bits_of(bytes, self.colour);
            let mut changes = pixels ^ ((pixels << 1) | (self.colour & 1));
            self.colour = 0u64.wrapping_sub(pixels >> 63);
            let start = start + (word * WORD) as u32;
            while changes != 0 {
                let at = start + changes.trailing_zeros();
                self.runs.push(at - self.last);
                self.last = at;
                changes &= changes - 1;
            }
        }
    }

    fn finish(self) {
        self.runs.push(self.seen - self.last);
    }
}

/// Whether all bytes are background, or all foreground where `colour` is not 0.
fn is_uniform(block: &[u8; BLOCK], colour: u64) -> bool {
    // Both folds become a few vector instructions; early exits would not.
    if colour == 0 {
        block.iter().fold(0, |any, &byte| any | byte) == 0
    } else {
        block.iter().fold(u8::MAX, |least, &byte| least.min(byte)) != 0
    }
}

/// A bit for each of up to 64 bytes that is not 0; past the last byte its colour goes on.
fn bits_of(bytes: &[u8], colour: u64) -> u64 {
    if let Some(word) = bytes.first_chunk::<WORD>() {
        return bits_of_word(word);
    }
    let last = bytes.last().map_or(colour as u8, |&byte| byte);
    let mut padded = [last; WORD];
    padded[..bytes.len()].copy_from_slice(bytes);
    bits_of_word(&padded)
}

/// A bit for each byte that is not 0.
fn bits_of_word(bytes: &[u8; WORD]) -> u64 {
    let mut bits = 0;
    for (i, eight) in bytes.chunks_exact(8).enumerate() {
        let mut word = [0; 8];
        word.copy_from_slice(eight);
        let word = u64::from_le_bytes(word);
        // The high bit of each byte that is not 0 ...
        let set = (((word & LOW_BITS) + LOW_BITS) | word) & !LOW_BITS;
        // ... and the product gathers them in the highest byte.
        bits |= ((set >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    bits
}

/// All but the high bit of each byte.
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// Writes runs over all of `out`.
pub(super) fn fill_runs(runs: &[u32], out: &mut [u8]) {
    let mut at = 0;
    for (i, &run) in runs.iter().enumerate() {
        let colour = (i % 2) as u8;
        let end = at + run as usize;
        match out[at..].first_chunk_mut::<SHORT>() {
            Some(short) if run as usize <= SHORT => *short = [colour; SHORT],
            _ => out[at..end].fill(colour),
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_all_bytes_in_all_places() {
        let mut bytes = [0; WORD];
        for seed in 0..4096u32 {
            for (i, byte) in bytes.iter_mut().enumerate() {
                // Every value in every place, among zeros and others.
                let value = (seed as usize + 37 * i) as u8;
                *byte = if (seed >> (8 + i % 4)) & 1 == 1 { value } else { 0 };
            }
            let expected = (0..WORD).fold(0, |bits, i| bits | (u64::from(bytes[i] != 0) << i));
            assert_eq!(bits_of_word(&bytes), expected);
        }
    }
}
