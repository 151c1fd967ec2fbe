//! Label Studio's masks: a bit stream of run lengths of the values of an RGBA image, row by row.
//!
//! 32 bits with the number of values, 5 with the bits of a value less one, four times 4 with the bits of a length less one. Then
//! blocks: a bit that says whether one value is repeated, two that say which of the lengths follows, the length less one, and
//! the value or values. A pixel is in the mask where its last value, the opacity, is not 0.
//!
//! Source: label-studio-sdk 2.1.2, `converter/brush.py`.

use crate::reject::Reason;
use crate::rle::{Regions, Rle, RowMajor, Size};

/// Values of a pixel.
const CHANNELS: u64 = 4;

/// The number by which the mask goes in [`Regions`].
const MASK: u32 = 1;

/// Reads a mask of a size, in time of its bits.
///
/// # Errors
/// [`Reason::BadRle`] for a stream that ends too early, or has another number of values than the size.
pub(super) fn decode(bytes: &[u8], size: Size) -> Result<Rle<RowMajor>, Reason> {
    let mut bits = Bits { bytes, at: 0 };
    let values = u64::from(bits.take(32)?);
    let expected = u64::from(size.pixels()) * CHANNELS;
    if values != expected {
        return Err(Reason::BadRle {
            code: "rle_sum",
            message: format!(
                "the brush's `rle` has {values} values, but {} x {} px (h x w) of four values need {expected}",
                size.h(),
                size.w()
            ),
        });
    }
    let value_bits = bits.take(5)? + 1;
    let mut length_bits = [0; 4];
    for length in &mut length_bits {
        *length = bits.take(4)? + 1;
    }
    let mut mask = Mask {
        regions: Regions::new(size),
        at: 0,
    };
    while mask.at < values {
        let is_repeated = bits.take(1)? == 1;
        let which = bits.take(2)? as usize;
        let length = u64::from(bits.take(length_bits[which])?) + 1;
        let length = length.min(values - mask.at);
        if is_repeated {
            mask.add(bits.take(value_bits)?, length)?;
        } else {
            for _ in 0..length {
                mask.add(bits.take(value_bits)?, 1)?;
            }
        }
    }
    let found = mask.regions.finish().next();
    Ok(found.map_or_else(|| Rle::empty(size), |(_, mask)| mask))
}

/// A mask in the making.
struct Mask {
    regions: Regions,
    /// Values seen.
    at: u64,
}

impl Mask {
    /// Adds the next `length` values, which are all the same.
    fn add(&mut self, value: u32, length: u64) -> Result<(), Reason> {
        // Of each pixel the last value counts.
        let pixels = (self.at + length) / CHANNELS - self.at / CHANNELS;
        self.at += length;
        if value == 0 || pixels == 0 {
            self.regions.skip(pixels as u32);
            return Ok(());
        }
        let added = self.regions.add(MASK, pixels as u32);
        added.map_err(|cause| Reason::BadRle {
            code: "rle_runs",
            message: format!("the brush's `rle`: {cause}"),
        })
    }
}

/// Bits, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next bits as a number, 32 of them at most.
    fn take(&mut self, count: u32) -> Result<u32, Reason> {
        let mut value = 0u64;
        let end = self.at + count as usize;
        if end > self.bytes.len() * 8 {
            return Err(Reason::BadRle {
                code: "rle_truncated",
                message: format!(
                    "the brush's `rle` of {} bytes ends inside a block; it was cut, write it again",
                    self.bytes.len()
                ),
            });
        }
        while self.at < end {
            let left = 8 - self.at % 8;
            let taken = left.min(end - self.at);
            let byte = u64::from(self.bytes[self.at / 8]) & ((1 << left) - 1);
            value = value << taken | byte >> (left - taken);
            self.at += taken;
        }
        Ok(value as u32)
    }
}
