//! A mask as run lengths.

use std::marker::PhantomData;

use super::{codec, Order, RleError, Size};

/// A binary mask as canonical run lengths in pixel order `O`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rle<O: Order> {
    size: Size,
    runs: Vec<u32>,
    order: PhantomData<O>,
}

impl<O: Order> Rle<O> {
    /// Wraps runs that the caller knows to be canonical for `size`.
    pub(super) fn from_canonical(size: Size, runs: Vec<u32>) -> Self {
        debug_assert!(codec::is_canonical(&runs, size));
        Self {
            size,
            runs,
            order: PhantomData,
        }
    }

    /// The mask with no pixel set.
    pub fn empty(size: Size) -> Self {
        Self::from_canonical(size, vec![size.pixels()])
    }

    /// Reads run lengths, as COCO's uncompressed `counts`.
    ///
    /// Fails with [`RleError::Negative`] or [`RleError::Sum`].
    pub fn from_counts(counts: &[i64], size: Size) -> Result<Self, RleError> {
        let mut runs = Vec::new();
        codec::check_counts(counts, size, &mut runs)?;
        Ok(Self::from_canonical(size, runs))
    }

    /// Reads a run-length string, as pycocotools' `rleFrString` does, in time and memory of its bytes.
    ///
    /// Fails with [`RleError::Alphabet`], [`RleError::Truncated`], [`RleError::Number`],
    /// [`RleError::Negative`] or [`RleError::Sum`].
    pub fn from_string(string: &[u8], size: Size) -> Result<Self, RleError> {
        let mut runs = Vec::new();
        codec::parse(string, size, &mut runs)?;
        Ok(Self::from_canonical(size, runs))
    }

    /// Appends the run-length string, byte for byte what pycocotools' `rleToString` writes.
    pub fn to_string_into(&self, out: &mut Vec<u8>) {
        codec::write(&self.runs, out);
    }

    /// The run-length string as text.
    pub fn to_rle_string(&self) -> String {
        let mut out = Vec::with_capacity(2 * self.runs.len());
        self.to_string_into(&mut out);
        // The alphabet is ASCII: 48 ..= 111.
        out.into_iter().map(char::from).collect()
    }

    /// Height and width, in px.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The run lengths: background, foreground, background, ...
    pub fn runs(&self) -> &[u32] {
        &self.runs
    }
}

/// The foreground runs as `(from, to)`, in pixels from the start.
pub(super) fn intervals(runs: &[u32]) -> impl Iterator<Item = (u32, u32)> + '_ {
    runs.chunks_exact(2).scan(0, |at, pair| {
        let from = *at + pair[0];
        *at = from + pair[1];
        Some((from, *at))
    })
}
