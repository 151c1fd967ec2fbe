//! PNG pictures whose pixels are numbers: indices of a palette, levels of grey, or colours that stand for ids.
//!
//! Pixels are given as runs of equal ones, row by row, so that no picture is held whole. The index of a palette is the value,
//! never its colour. A picture is refused before it is decoded if it claims more pixels than a frame has.

use std::io::{BufReader, ErrorKind};

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Reader};

use super::input::Stored;
use super::SourceFile;
use crate::error::Error;
use crate::rle::Size;

/// Largest width and height, in px: bounds the memory of a row.
const MOST_SIDE: u32 = 1 << 16;

/// Most pixels of a picture: bounds the time that a few compressed bytes can ask for.
const MOST_PIXELS: u64 = 1 << 28;

/// Bytes that the decoder may take for what is not pixels.
const DECODER_BYTES: usize = 1 << 22;

/// Bytes of a file that are read at a time.
const BUFFER_BYTES: usize = 1 << 15;

/// Byte of a PNG file that says what its pixels are.
pub(crate) const COLOUR_TYPE_AT: u64 = 25;

/// Bytes that are compared together.
const BLOCK: usize = 64;

/// What a pixel of a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pixels {
    /// One number of up to 16 bits: grey, or the index of a palette.
    Index,
    /// Red, green, blue, of 8 bits each: R + 256 G + 65536 B.
    Rgb,
    /// As [`Self::Rgb`], with 2^24 A.
    Rgba,
    /// Anything else: grey with alpha, colours of 16 bits.
    Other,
}

impl Pixels {
    /// What they are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Index => "one channel (grey or a palette)",
            Self::Rgb => "RGB of 8 bits",
            Self::Rgba => "RGBA of 8 bits",
            Self::Other => "grey with alpha, or colours of 16 bits",
        }
    }
}

/// Why a picture cannot be read.
#[derive(Debug)]
pub(crate) enum PictureError {
    /// The file cannot be read.
    File(Error),
    /// What it holds is not a picture that is read here.
    Content(String),
}

/// A picture whose header was read.
pub(crate) struct Picture {
    reader: Reader<BufReader<Box<dyn Stored>>>,
    file: SourceFile,
    size: Size,
    pixels: Pixels,
    depth_bits: u8,
}

impl Picture {
    /// Opens a PNG file, which is read `chunk_bytes` at a time.
    ///
    /// # Errors
    /// [`PictureError`], also for a picture that is too large or interlaced.
    pub fn open(file: &SourceFile, chunk_bytes: Option<usize>) -> Result<Self, PictureError> {
        let stored = file.open_stored().map_err(PictureError::File)?;
        let stored = BufReader::with_capacity(chunk_bytes.unwrap_or(BUFFER_BYTES).clamp(1, BUFFER_BYTES), stored);
        let mut decoder = Decoder::new_with_limits(stored, Limits { bytes: DECODER_BYTES });
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let failed = |cause| failed(file, cause);
        let header = decoder.read_header_info().map_err(failed)?;
        let (w, h) = (header.width, header.height);
        let size = Size::new(h.into(), w.into())
            .ok()
            .filter(|size| w <= MOST_SIDE && h <= MOST_SIDE && u64::from(size.pixels()) <= MOST_PIXELS);
        let Some(size) = size else {
            return Err(PictureError::Content(format!(
                "it claims {w} x {h} px (w x h); expected at most {MOST_SIDE} px a side and {MOST_PIXELS} px in all"
            )));
        };
        if header.interlaced {
            let message = "it is interlaced; write it without interlacing, which is the default of most programs";
            return Err(PictureError::Content(message.to_owned()));
        }
        let pixels = match (header.color_type, header.bit_depth) {
            (ColorType::Grayscale | ColorType::Indexed, _) => Pixels::Index,
            (ColorType::Rgb, BitDepth::Eight) => Pixels::Rgb,
            (ColorType::Rgba, BitDepth::Eight) => Pixels::Rgba,
            _ => Pixels::Other,
        };
        let depth_bits = header.bit_depth as u8;
        Ok(Self {
            reader: decoder.read_info().map_err(failed)?,
            file: file.clone(),
            size,
            pixels,
            depth_bits,
        })
    }

    /// Height and width, in px.
    pub fn size(&self) -> Size {
        self.size
    }

    /// What its pixels are.
    pub fn pixels(&self) -> Pixels {
        self.pixels
    }

    /// Gives runs of equal pixels in the order of the rows, as value and length; a run ends with its row.
    ///
    /// # Errors
    /// [`PictureError`], and what `take` says about a run that it refuses.
    ///
    /// # Panics
    /// Never; pictures of [`Pixels::Other`] have no values, and give 0 for each pixel.
    pub fn runs(mut self, mut take: impl FnMut(u32, u32) -> Result<(), String>) -> Result<(), PictureError> {
        let width = self.size.w() as usize;
        let mut unpacked = Vec::new();
        loop {
            let row = self.reader.next_row().map_err(|cause| failed(&self.file, cause))?;
            let Some(row) = row else {
                return Ok(());
            };
            let (row, bytes) = match (self.pixels, self.depth_bits) {
                (Pixels::Index, 16) => (row.data(), 2),
                (Pixels::Index, 8) => (row.data(), 1),
                (Pixels::Index, depth_bits) => {
                    unpack(row.data(), depth_bits, width, &mut unpacked);
                    (unpacked.as_slice(), 1)
                }
                (Pixels::Rgb, _) => (row.data(), 3),
                (Pixels::Rgba, _) => (row.data(), 4),
                (Pixels::Other, _) => return Ok(()),
            };
            let mut at = 0;
            while at < row.len() {
                let end = run_end(row, at, bytes);
                take(value(&row[at..at + bytes]), ((end - at) / bytes) as u32).map_err(PictureError::Content)?;
                at = end;
            }
        }
    }
}

fn failed(file: &SourceFile, cause: DecodingError) -> PictureError {
    match cause {
        DecodingError::IoError(cause) if cause.kind() != ErrorKind::UnexpectedEof => {
            PictureError::File(Error::io(file.name())(cause))
        }
        DecodingError::IoError(_) => PictureError::Content("it ends too early; write it again".to_owned()),
        cause => PictureError::Content(format!("not a valid PNG: {cause}; write it again")),
    }
}

/// Gives each of the `width` numbers of 1, 2 or 4 bits a byte of its own. The first one has the highest bits.
fn unpack(packed: &[u8], depth_bits: u8, width: usize, unpacked: &mut Vec<u8>) {
    let a_byte = usize::from(8 / depth_bits);
    unpacked.clear();
    unpacked.extend((0..width).map(|x| {
        let shift = 8 - depth_bits - depth_bits * (x % a_byte) as u8;
        packed[x / a_byte] >> shift & ((1 << depth_bits) - 1)
    }));
}

/// The value of a pixel: 16 bits are stored with the higher byte first, colours count from red.
fn value(pixel: &[u8]) -> u32 {
    match *pixel {
        [index] => index.into(),
        [high, low] => u16::from_be_bytes([high, low]).into(),
        [r, g, b] => u32::from_le_bytes([r, g, b, 0]),
        [r, g, b, a] => u32::from_le_bytes([r, g, b, a]),
        _ => 0,
    }
}

/// Where the run of equal pixels ends that begins at byte `at` of a row whose pixels have `bytes` bytes.
fn run_end(row: &[u8], at: usize, bytes: usize) -> usize {
    // A run goes on as long as each byte is the one a pixel before it.
    let after = &row[at + bytes..];
    let before = &row[at..row.len() - bytes];
    let mut equal = 0;
    for (after, before) in after.chunks(BLOCK).zip(before.chunks(BLOCK)) {
        if after != before {
            let differing = after.iter().zip(before).position(|(after, before)| after != before);
            equal += differing.unwrap_or(after.len());
            break;
        }
        equal += after.len();
    }
    at + bytes + equal / bytes * bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_unpacked_from_the_highest_bits() {
        let mut found = Vec::new();
        unpack(&[0b1011_0001, 0b0100_0000], 1, 10, &mut found);
        assert_eq!(found, [1, 0, 1, 1, 0, 0, 0, 1, 0, 1]);
        unpack(&[0b1011_0001, 0b0100_0000], 2, 5, &mut found);
        assert_eq!(found, [2, 3, 0, 1, 1]);
        unpack(&[0xA3, 0x50], 4, 3, &mut found);
        assert_eq!(found, [10, 3, 5]);
    }

    #[test]
    fn runs_end_where_pixels_differ() {
        for bytes in 1..=4 {
            for len in [1, 2, 63, 64, 65, 200] {
                for change in 1..=len {
                    // Pixels that differ in one byte alone, which is not always the first.
                    let mut row = vec![7; len * bytes];
                    for pixel in row.chunks_mut(bytes).skip(change) {
                        pixel[bytes - 1] = 8;
                    }
                    assert_eq!(run_end(&row, 0, bytes), change * bytes, "{bytes} {len}");
                    if change < len {
                        assert_eq!(run_end(&row, change * bytes, bytes), len * bytes, "{bytes} {len}");
                    }
                }
            }
        }
    }
}
