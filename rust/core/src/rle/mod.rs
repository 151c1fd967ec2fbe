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
mod dense;
mod error;
mod limits;
mod mask;
mod ops;
mod order;
mod raster;
mod regions;
mod runs;
mod scratch;
mod size;
mod sweep;
mod trace;
mod transpose;

pub use codec::is_empty_string;
pub use contour::{Part, Ring};
pub use dense::{encode_above, encode_mask, read_dense, Dense};
pub use error::{PolygonError, RleError};
pub use limits::{MAX_COORDINATE, MAX_CROSSINGS, MAX_DENSE_PIXELS, MAX_PIXELS, MAX_SIDE, MAX_TRANSPOSED_RUNS};
pub use order::{ColumnMajor, MemoryOrder, Order, RowMajor};
pub use raster::polygons_union;
pub use regions::{Regions, TooMany};
pub use runs::Rle;
pub use scratch::Scratch;
pub use size::Size;
pub use trace::Outlines;
pub use transpose::transpose_string;
