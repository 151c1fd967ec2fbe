//! Bounds on what hostile sizes, strings and polygons can make of time and memory.

/// The largest height or width of a mask, in px.
///
/// Transposing and contouring keep a few words a row, so one side bounds their scratch memory.
pub const MAX_SIDE: u64 = 1 << 24;

/// The largest number of pixels in a mask: a run length must fit in 32 bits, as in pycocotools.
pub const MAX_PIXELS: u64 = u32::MAX as u64;

/// The largest dense mask that is written, in pixels (and bytes).
pub const MAX_DENSE_PIXELS: u64 = 1 << 31;

/// The most runs a transposed mask may have, unless the input is as long as its pixels are many.
///
/// A few bytes of stripes can ask for billions.
pub const MAX_TRANSPOSED_RUNS: u64 = 1 << 27;

/// The largest distance of a coordinate from the origin, in px, along x or y.
///
/// pycocotools computes in 32-bit integers and is undefined from about 2e8 px on.
pub const MAX_COORDINATE: f64 = 1e8;

/// The most times a ring may cross the middles of the image's columns.
pub const MAX_CROSSINGS: usize = 1 << 24;
