//! Pixel orders, as types for runs and as a value for dense masks.

use super::Size;

/// How a dense mask of shape (h, w) lies in memory, without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryOrder {
    /// Row after row (NumPy's C order).
    C,
    /// Column after column (NumPy's Fortran order).
    F,
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ColumnMajor {}
    impl Sealed for super::RowMajor {}
}

/// The order in which an [`super::Rle`] walks its pixels.
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
        (size.w(), size.h())
    }
}

impl Order for RowMajor {
    type Other = ColumnMajor;
    const MEMORY: MemoryOrder = MemoryOrder::C;
    fn lines(size: Size) -> (u32, u32) {
        (size.h(), size.w())
    }
}
