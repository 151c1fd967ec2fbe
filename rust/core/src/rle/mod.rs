//! Run-length encoded masks, typed by pixel order.
//!
//! COCO counts pixels down the columns, Encord along the rows; [`Rle<ColumnMajor>`] and
//! [`Rle<RowMajor>`] keep the two apart, and [`Rle::transpose`] is the only way across.
//!
//! **Canonical form.** An [`Rle`] alternates background and foreground run lengths, starting with
//! background. There is at least one run; the first may be 0 (first pixel set), every other is
//! positive; they sum to exactly `h * w`. One mask therefore has one `Rle` and one string. Input
//! that holds empty runs further on is read and brought into this form.

mod bits;
mod codec;
mod contour;
mod error;
mod mask;
mod ops;
mod raster;
mod transpose;

use std::marker::PhantomData;

pub use contour::{Outlines, Part, Ring};
pub use error::{PolygonError, RleError};
pub use mask::{MemoryOrder, MAX_DENSE_PIXELS};
pub use raster::{polygons_union, MAX_COORDINATE, MAX_CROSSINGS};
pub use transpose::MAX_TRANSPOSED_RUNS;

/// The largest height or width of a mask, in px.
///
/// Transposing and contouring keep a few words a row, so one side bounds their scratch memory.
pub const MAX_SIDE: u64 = 1 << 24;

/// The largest number of pixels in a mask: a run length must fit in 32 bits, as in pycocotools.
pub const MAX_PIXELS: u64 = u32::MAX as u64;

/// Height and width of a mask, in px; both may be 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    h: u32,
    w: u32,
}

impl Size {
    /// Checks a declared size against [`MAX_SIDE`] and [`MAX_PIXELS`]; allocates nothing.
    pub fn new(h: u64, w: u64) -> Result<Self, RleError> {
        if h > MAX_SIDE || w > MAX_SIDE || h * w > MAX_PIXELS {
            return Err(RleError::Size { h, w });
        }
        Ok(Self {
            h: h as u32,
            w: w as u32,
        })
    }

    /// Height, in px.
    pub fn h(self) -> u32 {
        self.h
    }

    /// Width, in px.
    pub fn w(self) -> u32 {
        self.w
    }

    /// Number of pixels.
    pub fn pixels(self) -> u32 {
        self.h * self.w
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ColumnMajor {}
    impl Sealed for super::RowMajor {}
}

/// The order in which an [`Rle`] walks its pixels.
pub trait Order: sealed::Sealed + Copy + std::fmt::Debug + Eq + Send + Sync + 'static {
    /// The opposite order.
    type Other: Order<Other = Self>;
    /// The memory order of a dense mask walked in this order.
    const MEMORY: MemoryOrder;
    /// Number of lines (columns or rows) and pixels in a line.
    fn lines(size: Size) -> (u32, u32);
}

/// Down the columns, left to right: COCO's `counts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ColumnMajor;

/// Along the rows, top to bottom: Encord's `rleString`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowMajor;

impl Order for ColumnMajor {
    type Other = RowMajor;
    const MEMORY: MemoryOrder = MemoryOrder::F;
    fn lines(size: Size) -> (u32, u32) {
        (size.w, size.h)
    }
}

impl Order for RowMajor {
    type Other = ColumnMajor;
    const MEMORY: MemoryOrder = MemoryOrder::C;
    fn lines(size: Size) -> (u32, u32) {
        (size.h, size.w)
    }
}

/// A binary mask as canonical run lengths in pixel order `O`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rle<O: Order> {
    size: Size,
    runs: Vec<u32>,
    order: PhantomData<O>,
}

impl<O: Order> Rle<O> {
    /// Wraps runs that the caller knows to be canonical for `size`.
    fn from_canonical(size: Size, runs: Vec<u32>) -> Self {
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

    /// Walks the same mask in the other pixel order, in time of the runs of both (plus one side).
    ///
    /// Fails with [`RleError::Runs`] where the result would hold more than [`MAX_TRANSPOSED_RUNS`].
    pub fn transpose(&self) -> Result<Rle<O::Other>, RleError> {
        let mut scratch = Scratch::default();
        self.transpose_with(&mut scratch)
    }

    /// As [`Rle::transpose`], with scratch memory kept between calls.
    pub fn transpose_with(&self, scratch: &mut Scratch) -> Result<Rle<O::Other>, RleError> {
        let (lines, len) = O::lines(self.size);
        let mut runs = Vec::new();
        transpose::transpose_runs(&self.runs, lines, len, &mut scratch.sweep, &mut runs)?;
        Ok(Rle::from_canonical(self.size, runs))
    }
}

/// Buffers that the hot paths keep between masks.
#[derive(Debug, Default)]
pub struct Scratch {
    source: Vec<u32>,
    target: Vec<u32>,
    sweep: transpose::Sweep,
    tracer: contour::Tracer,
}

impl Scratch {
    /// Gives all memory back where it is more than `len_bytes`.
    pub fn release_above(&mut self, len_bytes: usize) {
        let runs = size_of::<u32>() * (self.source.capacity() + self.target.capacity());
        if runs + self.sweep.len_bytes() + self.tracer.len_bytes() > len_bytes {
            *self = Self::default();
        }
    }
}

/// Rewrites a run-length string from order `O` to the other, appending to `out`.
///
/// With [`ColumnMajor`] this is COCO to Encord, with [`RowMajor`] Encord to COCO. Nothing is
/// allocated once the scratch has grown to the size of the masks at hand. On error `out` is unchanged.
pub fn transpose_string<O: Order>(
    string: &[u8],
    size: Size,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), RleError> {
    let (lines, len) = O::lines(size);
    codec::parse(string, size, &mut scratch.source)?;
    transpose::transpose_runs(&scratch.source, lines, len, &mut scratch.sweep, &mut scratch.target)?;
    codec::write(&scratch.target, out);
    Ok(())
}

/// Encodes a dense mask as the run-length string of order `O`, appending to `out`; errors as [`Rle::from_mask`].
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
        transpose::transpose_runs(&scratch.source, lines, len, &mut scratch.sweep, &mut scratch.target)?;
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
/// Fails as [`Rle::from_string`] and [`Rle::transpose`], and with [`RleError::Dense`] beyond [`MAX_DENSE_PIXELS`].
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
    transpose::transpose_runs(&scratch.source, lines, len, &mut scratch.sweep, &mut scratch.target)?;
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

/// Rewrites COCO's compressed `counts` as Encord's `rleString`, appending to `out`.
pub fn coco_string_to_encord(
    counts: &[u8],
    size: Size,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), RleError> {
    transpose_string::<ColumnMajor>(counts, size, scratch, out)
}
