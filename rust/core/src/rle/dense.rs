//! Dense masks to run-length strings and back, without an [`super::Rle`] in between.

use super::sweep::transpose_runs;
use super::{codec, mask, MemoryOrder, Order, RleError, Scratch, Size};

/// Encodes a dense mask as the run-length string of order `O`, appending to `out`; errors as [`super::Rle::from_mask`].
pub fn encode_mask<O: Order>(
    mask: &[u8],
    size: Size,
    memory: MemoryOrder,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), RleError> {
    mask::find_runs(mask, size, &mut scratch.source)?;
    write_found::<O>(size, memory, scratch, out)
}

/// Encodes the mask of the scores above a threshold, as [`encode_mask`]; fails with [`RleError::NotANumber`] as well.
pub fn encode_above<O: Order>(
    scores: &[f32],
    threshold: f32,
    size: Size,
    memory: MemoryOrder,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), RleError> {
    mask::find_runs_above(scores, threshold, size, &mut scratch.source)?;
    write_found::<O>(size, memory, scratch, out)
}

/// Writes the runs that were found in memory of that order.
fn write_found<O: Order>(
    size: Size,
    memory: MemoryOrder,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), RleError> {
    if memory == O::MEMORY {
        codec::write(&scratch.source, out);
    } else {
        let (lines, len) = O::Other::lines(size);
        transpose_runs(&scratch.source, lines, len, &mut scratch.sweep, &mut scratch.target)?;
        codec::write(&scratch.target, out);
    }
    Ok(())
}

/// The runs of a mask in the order of the memory that it is to be written to.
#[derive(Clone, Copy, Debug)]
pub struct Dense<'a> {
    size: Size,
    runs: &'a [u32],
}

/// Reads a run-length string of order `O`, to be written to memory of either order.
///
/// Fails as [`super::Rle::from_string`] and [`super::Rle::transpose`], and with [`RleError::Dense`] beyond [`super::MAX_DENSE_PIXELS`].
pub fn read_dense<'a, O: Order>(
    string: &[u8],
    size: Size,
    memory: MemoryOrder,
    scratch: &'a mut Scratch,
) -> Result<Dense<'a>, RleError> {
    codec::parse(string, size, &mut scratch.source)?;
    mask::check_dense(size)?;
    if memory == O::MEMORY {
        let runs = &scratch.source;
        return Ok(Dense { size, runs });
    }
    let (lines, len) = O::lines(size);
    transpose_runs(&scratch.source, lines, len, &mut scratch.sweep, &mut scratch.target)?;
    let runs = &scratch.target;
    Ok(Dense { size, runs })
}

impl Dense<'_> {
    /// Writes the mask, 0 or 1 a byte, over all of `out`; fails with [`RleError::Buffer`] unless that is `h * w` bytes.
    pub fn write(&self, out: &mut [u8]) -> Result<(), RleError> {
        mask::check_buffer(out.len(), self.size)?;
        mask::fill_runs(self.runs, out);
        Ok(())
    }
}
