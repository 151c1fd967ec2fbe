//! What can be wrong with a run-length string, a size or a polygon: kinds with fields.

use super::{MAX_COORDINATE, MAX_CROSSINGS, MAX_DENSE_PIXELS, MAX_PIXELS, MAX_SIDE, MAX_TRANSPOSED_RUNS};

/// Why run lengths are not a mask of the declared size.
#[derive(Clone, Debug, PartialEq, serde::Serialize, thiserror::Error)]
#[non_exhaustive]
pub enum RleError {
    /// The declared size is beyond [`MAX_SIDE`] or [`MAX_PIXELS`].
    #[error("size {h} x {w} is too large: at most {MAX_SIDE} px a side and {MAX_PIXELS} px in all; check that size is (h, w)")]
    Size {
        /// Declared height, px.
        h: u64,
        /// Declared width, px.
        w: u64,
    },
    /// A dense mask of this size is beyond [`MAX_DENSE_PIXELS`].
    #[error("a dense mask of {h} x {w} px is too large: at most {MAX_DENSE_PIXELS} px; stay with run lengths")]
    Dense {
        /// Height, px.
        h: u32,
        /// Width, px.
        w: u32,
    },
    /// A dense buffer does not hold one byte a pixel.
    #[error("the mask buffer holds {found} bytes, but {h} x {w} px need {expected}")]
    Buffer {
        /// Bytes in the buffer.
        found: usize,
        /// Bytes needed.
        expected: usize,
        /// Height, px.
        h: u32,
        /// Width, px.
        w: u32,
    },
    /// The runs do not add up to the number of pixels.
    #[error("run lengths add up to {found} px, but {h} x {w} px need {expected}; check that size is (h, w)")]
    Sum {
        /// Sum of the runs.
        found: u64,
        /// `h * w`.
        expected: u64,
        /// Height, px.
        h: u32,
        /// Width, px.
        w: u32,
    },
    /// A score that is neither above a threshold nor not.
    #[error("the score of pixel {at} is NaN; scores must be numbers to be compared with a threshold")]
    NotANumber {
        /// Index of the score in memory.
        at: usize,
    },
    /// A byte outside the alphabet.
    #[error(
        "byte {byte:#04x} at offset {at} of the run-length string is outside its alphabet, '0' (0x30) to 'o' (0x6f)"
    )]
    Alphabet {
        /// The byte found.
        byte: u8,
        /// Its offset in the string.
        at: usize,
    },
    /// The string ends inside a number.
    #[error("the run-length string of {len} bytes ends inside a number; it has been cut off")]
    Truncated {
        /// Length of the string, bytes.
        len: usize,
    },
    /// A number of more characters than any run length takes.
    #[error("the number at offset {at} of the run-length string is longer than any run length")]
    Number {
        /// Offset of the number's first byte.
        at: usize,
    },
    /// A run length below zero.
    #[error("run {run} is {value}; run lengths are never negative")]
    Negative {
        /// Index of the run.
        run: usize,
        /// Its value.
        value: i64,
    },
    /// A run length that is not a whole number.
    #[error("run {run} is {value}; run lengths are whole numbers")]
    Fraction {
        /// Index of the run.
        run: usize,
        /// Its value.
        value: f64,
    },
    /// The transposed mask would have too many runs.
    #[error("walked in the other pixel order the mask has {needed} runs; at most {MAX_TRANSPOSED_RUNS} are written")]
    Runs {
        /// Runs needed.
        needed: u64,
    },
    /// Two masks of different sizes were to be combined.
    #[error("masks of {} x {} and {} x {} px cannot be combined", .left.0, .left.1, .right.0, .right.1)]
    Mismatch {
        /// (h, w) of the first, px.
        left: (u32, u32),
        /// (h, w) of the other, px.
        right: (u32, u32),
    },
}

impl RleError {
    /// A stable name for the kind, for reports and for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Size { .. } => "rle_size",
            Self::Dense { .. } => "rle_dense",
            Self::Buffer { .. } => "rle_buffer",
            Self::Sum { .. } => "rle_sum",
            Self::NotANumber { .. } => "rle_not_a_number",
            Self::Alphabet { .. } => "rle_alphabet",
            Self::Truncated { .. } => "rle_truncated",
            Self::Number { .. } => "rle_number",
            Self::Negative { .. } => "rle_negative",
            Self::Fraction { .. } => "rle_fraction",
            Self::Runs { .. } => "rle_runs",
            Self::Mismatch { .. } => "rle_mismatch",
        }
    }
}

/// Why a ring of vertices cannot be drawn.
#[derive(Clone, Debug, PartialEq, serde::Serialize, thiserror::Error)]
#[non_exhaustive]
pub enum PolygonError {
    /// An odd number of coordinates.
    #[error("a ring is x y x y ...; {len} coordinates are an odd number")]
    Odd {
        /// Number of coordinates.
        len: usize,
    },
    /// Fewer than three vertices.
    #[error("a ring needs at least 3 vertices, found {vertices}")]
    Few {
        /// Number of vertices.
        vertices: usize,
    },
    /// NaN or infinite.
    #[error("coordinate {at} of the ring is {value}; coordinates must be finite")]
    NotFinite {
        /// Index of the coordinate.
        at: usize,
        /// Its value.
        value: f64,
    },
    /// Further from the origin than [`MAX_COORDINATE`].
    #[error("coordinate {at} of the ring is {value} px; at most {MAX_COORDINATE} px from the origin are drawn")]
    Range {
        /// Index of the coordinate.
        at: usize,
        /// Its value, px.
        value: f64,
    },
    /// The ring runs to and fro across the image too often.
    #[error("the ring crosses the image's columns more than {MAX_CROSSINGS} times; simplify it")]
    Crossings,
}

impl PolygonError {
    /// A stable name for the kind, for reports and for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Odd { .. } => "polygon_odd",
            Self::Few { .. } => "polygon_few",
            Self::NotFinite { .. } => "polygon_not_finite",
            Self::Range { .. } => "polygon_range",
            Self::Crossings => "polygon_crossings",
        }
    }
}
