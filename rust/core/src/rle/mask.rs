//! Run lengths to and from dense masks, one byte a pixel.

use super::{ops, Order, Rle, RleError, RowMajor, Size};

/// The largest dense mask that is written, in pixels (and bytes).
pub const MAX_DENSE_PIXELS: u64 = 1 << 31;

/// Pixels looked at together: long runs are skipped a block at a time.
const BLOCK: usize = 64;

/// How a dense mask of shape (h, w) lies in memory, without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryOrder {
    /// Row after row (NumPy's C order).
    C,
    /// Column after column (NumPy's Fortran order).
    F,
}

impl<O: Order> Rle<O> {
    /// Encodes a dense mask of one byte a pixel, in which every byte but 0 is foreground.
    ///
    /// Fails with [`RleError::Buffer`] unless `mask` holds `h * w` bytes, and as [`Rle::transpose`]
    /// where the memory order is not `O`'s.
    pub fn from_mask(mask: &[u8], size: Size, memory: MemoryOrder) -> Result<Self, RleError> {
        check_buffer(mask.len(), size)?;
        let runs = find_runs(mask);
        if memory == O::MEMORY {
            Ok(Self::from_canonical(size, runs))
        } else {
            Rle::<O::Other>::from_canonical(size, runs).transpose()
        }
    }

    /// Fails with [`RleError::Dense`] where the mask is beyond [`MAX_DENSE_PIXELS`].
    pub fn check_dense(&self) -> Result<(), RleError> {
        let size = self.size();
        if u64::from(size.pixels()) > MAX_DENSE_PIXELS {
            return Err(RleError::Dense {
                h: size.h(),
                w: size.w(),
            });
        }
        Ok(())
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

fn check_buffer(found: usize, size: Size) -> Result<(), RleError> {
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

/// The run lengths of bytes, zero or not.
fn find_runs(mask: &[u8]) -> Vec<u32> {
    let mut runs = ops::RunBuilder::default();
    let mut colour = false;
    for (block, bytes) in mask.chunks(BLOCK).enumerate() {
        // Both folds become a few vector instructions; early exits would not.
        let uniform = if colour {
            bytes.iter().fold(true, |all, &byte| all & (byte != 0))
        } else {
            bytes.iter().fold(0, |any, &byte| any | byte) == 0
        };
        if uniform {
            continue;
        }
        for (i, &byte) in bytes.iter().enumerate() {
            if (byte != 0) != colour {
                colour = !colour;
                runs.toggle((block * BLOCK + i) as u32);
            }
        }
    }
    runs.finish(mask.len() as u32)
}

fn fill_runs(runs: &[u32], mut out: &mut [u8]) {
    for (i, &run) in runs.iter().enumerate() {
        let (filled, rest) = out.split_at_mut(run as usize);
        filled.fill((i % 2) as u8);
        out = rest;
    }
}
