//! Run-length strings: COCO's compressed counts and Encord's rleString.
//!
//! Input: flags (bit 0: along the rows; bit 1: the height follows from the runs), h and w (u32), the string.

use ropewalk_core::rle::{ColumnMajor, Order, Rle, RowMajor, Size, MAX_PIXELS, MAX_SIDE};
use ropewalk_testkit::masks::read_rle_string;

use super::mask::{compare, reading_bytes};
use crate::bytes::Bytes;
use crate::memory::within;

pub(super) const WORDS: &[&str] = &[
    "mask",
    "rle_alphabet",
    "rle_negative",
    "rle_number",
    "rle_size",
    "rle_sum",
    "rle_truncated",
];

/// Reads a string of any declared size.
pub fn rle_string(input: &[u8]) -> &'static str {
    let mut bytes = Bytes(input);
    let (flags, h, w) = (bytes.byte(), bytes.u32(), bytes.u32());
    let string = bytes.rest();
    let expected = read_rle_string(string);
    let Some(size) = size(flags & 2 != 0, (h, w), expected.as_deref().unwrap_or_default()) else {
        return "rle_size";
    };
    if flags & 1 == 0 {
        read::<ColumnMajor>(string, size, &expected)
    } else {
        read::<RowMajor>(string, size, &expected)
    }
}

/// The declared size; none where that is refused. With `fitted` the height is the one that the counts need.
pub(super) fn size(fitted: bool, (h, w): (u32, u32), counts: &[i128]) -> Option<Size> {
    let pixels = counts.iter().sum::<i128>();
    let needed = pixels
        .checked_div(i128::from(w))
        .filter(|h| h * i128::from(w) == pixels);
    let h = needed
        .and_then(|h| u64::try_from(h).ok())
        .filter(|_| fitted)
        .unwrap_or(u64::from(h));
    let w = u64::from(w);
    let large = h > MAX_SIDE || w > MAX_SIDE || u128::from(h) * u128::from(w) > u128::from(MAX_PIXELS);
    let size = within(0, || Size::new(h, w));
    assert_eq!(size.is_err(), large, "{h} x {w}");
    size.ok()
}

fn read<O: Order>(string: &[u8], size: Size, expected: &Result<Vec<i128>, &'static str>) -> &'static str {
    let found = within(reading_bytes(string.len()), || Rle::<O>::from_string(string, size));
    compare(&found, expected, size)
}
