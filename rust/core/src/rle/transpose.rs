//! Masks and run-length strings from one pixel order to the other.

use super::sweep::transpose_runs;
use super::{codec, Order, Rle, RleError, Scratch, Size};

impl<O: Order> Rle<O> {
    /// Walks the same mask in the other pixel order, in time of the runs of both (plus one side).
    ///
    /// Fails with [`RleError::Runs`] where the result would hold more than [`super::MAX_TRANSPOSED_RUNS`].
    pub fn transpose(&self) -> Result<Rle<O::Other>, RleError> {
        let mut scratch = Scratch::default();
        self.transpose_with(&mut scratch)
    }

    /// As [`Rle::transpose`], with scratch memory kept between calls.
    pub fn transpose_with(&self, scratch: &mut Scratch) -> Result<Rle<O::Other>, RleError> {
        let (lines, len) = O::lines(self.size());
        let mut runs = Vec::new();
        transpose_runs(self.runs(), lines, len, &mut scratch.sweep, &mut runs)?;
        Ok(Rle::from_canonical(self.size(), runs))
    }
}

/// Rewrites a run-length string from order `O` to the other, appending to `out`.
///
/// With [`super::ColumnMajor`] this is COCO to Encord, with [`super::RowMajor`] Encord to COCO. Nothing is
/// allocated once the scratch has grown to the size of the masks at hand. On error `out` is unchanged.
pub fn transpose_string<O: Order>(
    string: &[u8],
    size: Size,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), RleError> {
    let (lines, len) = O::lines(size);
    codec::parse(string, size, &mut scratch.source)?;
    transpose_runs(&scratch.source, lines, len, &mut scratch.sweep, &mut scratch.target)?;
    codec::write(&scratch.target, out);
    Ok(())
}
