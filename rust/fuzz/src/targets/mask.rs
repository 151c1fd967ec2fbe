//! What every mask that was read must satisfy.

use ropewalk_core::rle::{
    transpose_string, ColumnMajor, MemoryOrder, Order, Part, Rle, RleError, RowMajor, Scratch, Size,
};
use ropewalk_testkit::masks::{canonical, read_rle_string, rle_string, Pixels};

use crate::memory::within;

/// Pixels up to which a mask is drawn, and compared pixel by pixel.
const DRAWN_PIXELS: u64 = 1 << 14;

/// Runs up to which a mask is walked in the other order: a few bytes of stripes can ask for 2^27.
const WALKED_RUNS: u64 = 1 << 20;

/// Bytes that reading a run-length string of so many bytes may hold: four for each number.
pub(super) fn reading_bytes(len: usize) -> usize {
    4 * len + 64
}

/// Bytes that walking a mask in the other order may hold: ranges and packed words for each run of either, and an offset
/// for each line.
fn transposing_bytes(runs: usize, size: Size) -> usize {
    160 * runs + 16 * (size.h() as usize + size.w() as usize) + 4096
}

/// Bytes that following a mask's edges may hold: corners, sides and links of up to three bands a run.
fn tracing_bytes(runs: usize) -> usize {
    1024 * runs + 1024
}

/// Compares what was read with the counts that the oracle read; the code of what is wrong, or of the mask.
pub(super) fn compare<O: Order>(
    found: &Result<Rle<O>, RleError>,
    expected: &Result<Vec<i128>, &'static str>,
    size: Size,
) -> &'static str {
    let pixels = i128::from(size.h()) * i128::from(size.w());
    let expected = match expected {
        Ok(counts) if counts.iter().sum::<i128>() == pixels => Ok(canonical(counts)),
        Ok(_) => Err("rle_sum"),
        Err(code) => Err(*code),
    };
    match (found, expected) {
        (Ok(mask), Ok(runs)) => {
            let found: Vec<i128> = mask.runs().iter().map(|&run| i128::from(run)).collect();
            assert_eq!(found, runs);
            check(mask);
            "mask"
        }
        (Err(error), Err(code)) => {
            assert_eq!(error.code(), code, "{error}");
            code
        }
        (found, expected) => panic!("read as {found:?}, expected {expected:?}"),
    }
}

/// Writes, measures, walks and draws a mask.
pub(super) fn check<O: Order>(mask: &Rle<O>) {
    let (size, runs) = (mask.size(), mask.runs());
    let string = mask.to_rle_string();
    assert_eq!(string, rle_string(runs));
    let read = read_rle_string(string.as_bytes());
    assert!(read.is_ok_and(|read| read.iter().copied().eq(runs.iter().map(|&run| i128::from(run)))));
    let area: u64 = runs.iter().skip(1).step_by(2).map(|&run| u64::from(run)).sum();
    assert_eq!((mask.area(), mask.is_empty()), (area, area == 0));
    if let Some([x, y, w, h]) = mask.bbox() {
        assert!(w > 0 && h > 0 && x + w <= size.w() && y + h <= size.h());
        assert!(u64::from(w) * u64::from(h) >= area);
    }
    // Each line that a run ends in toggles at most a line's worth of places.
    let (_, len) = O::lines(size);
    if (2 * runs.len() as u64 + 2) * u64::from(len) <= WALKED_RUNS {
        walk(mask, string.as_bytes());
    }
    if u64::from(size.pixels()) <= DRAWN_PIXELS {
        draw(mask);
    }
}

fn walk<O: Order>(mask: &Rle<O>, string: &[u8]) {
    let (size, runs) = (mask.size(), mask.runs().len());
    let other = match mask.transpose() {
        Ok(other) => other,
        Err(error) => panic!("{error}"),
    };
    let most = transposing_bytes(runs + other.runs().len(), size);
    assert_eq!(within(most, || mask.transpose()).as_ref(), Ok(&other));
    let back = within(most, || other.transpose());
    assert_eq!(back.as_ref(), Ok(mask));
    assert_eq!((other.area(), other.bbox()), (mask.area(), mask.bbox()));
    let mut out = b"kept".to_vec();
    let written = transpose_string::<O>(string, size, &mut Scratch::default(), &mut out);
    assert_eq!(written, Ok(()));
    assert_eq!(out, [b"kept", other.to_rle_string().as_bytes()].concat());
}

fn draw<O: Order>(mask: &Rle<O>) {
    let (size, mut colour) = (mask.size(), true);
    let (h, w) = (size.h() as usize, size.w() as usize);
    let line: Vec<bool> = mask
        .runs()
        .iter()
        .flat_map(|&run| {
            colour = !colour;
            std::iter::repeat_n(colour, run as usize)
        })
        .collect();
    let at = |x: usize, y: usize| {
        if O::MEMORY == MemoryOrder::C {
            y * w + x
        } else {
            x * h + y
        }
    };
    let rows = (0..h * w).map(|i| line[at(i % w, i / w)]).collect();
    let pixels = Pixels { h, w, rows };
    assert_eq!(mask.decode().as_ref(), Ok(&pixels.row_bytes()));
    assert_eq!(
        Rle::<O>::from_mask(&pixels.column_bytes(), size, MemoryOrder::F).as_ref(),
        Ok(mask)
    );
    let rows = Rle::<RowMajor>::from_mask(&pixels.row_bytes(), size, MemoryOrder::C);
    let columns = Rle::<ColumnMajor>::from_mask(&pixels.row_bytes(), size, MemoryOrder::C);
    let (Ok(rows), Ok(columns)) = (rows, columns) else {
        panic!("a mask was not encoded")
    };
    let parts = within(tracing_bytes(rows.runs().len()), || rows.to_polygons());
    let drawn: Vec<_> = parts.iter().map(|part| fill(part, size)).collect();
    assert_eq!(Rle::union_of(drawn, size).as_ref(), Ok(&columns));
}

fn fill(part: &Part, size: Size) -> Rle<ColumnMajor> {
    let holes: Vec<Vec<f64>> = part.holes.iter().map(Part::flat).collect();
    let holes: Vec<&[f64]> = holes.iter().map(Vec::as_slice).collect();
    match Rle::from_part(&Part::flat(&part.outer), &holes, size) {
        Ok(mask) => mask,
        Err(error) => panic!("{error}"),
    }
}
