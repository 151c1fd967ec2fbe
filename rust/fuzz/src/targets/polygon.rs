//! Polygons: drawing rings, cutting them at the image's edge, leaving points out.
//!
//! Input: flags (bit 0: only whole coordinates count), h and w (u16), and coordinates, each after a tag: up to 200 it is
//! the coordinate, up to 230 tenths follow (i16), up to 253 an f64; 254 and 255 end a ring.

use ropewalk_core::polygon::{clip, doubled_area, extent, simplify};
use ropewalk_core::rle::{polygons_union, ColumnMajor, MemoryOrder, Rle, Size, MAX_COORDINATE};
use ropewalk_testkit::polygons::fill_ring;

use super::mask;
use crate::bytes::Bytes;
use crate::memory::within;

pub(super) const WORDS: &[&str] = &[
    "drawn",
    "large",
    "none",
    "polygon_few",
    "polygon_not_finite",
    "polygon_odd",
    "polygon_range",
];

/// Most sub-pixels along a ring that the oracle lays out.
const LAID_OUT: f64 = 1e5;

/// Cuts, simplifies and draws rings.
pub fn polygon(input: &[u8]) -> &'static str {
    let mut bytes = Bytes(input);
    let (h, w) = (bytes.u16() % 513, bytes.u16() % 513);
    let Ok(size) = Size::new(u64::from(h), u64::from(w)) else {
        panic!("{h} x {w} was refused")
    };
    let mut rings: Vec<Vec<f64>> = vec![vec![]];
    while !bytes.is_empty() {
        let value = match bytes.byte() {
            254.. => {
                rings.push(vec![]);
                continue;
            }
            small @ ..200 => f64::from(small) - 50.0,
            200..230 => f64::from(bytes.u16() as i16) / 10.0,
            _ => bytes.f64(),
        };
        if let Some(ring) = rings.last_mut() {
            ring.push(value);
        }
    }
    rings.retain(|ring| !ring.is_empty());
    let words: Vec<&'static str> = rings.iter().map(|ring| draw(ring, size)).collect();
    unite(&rings, size, &words);
    for ring in &rings {
        cut(ring, f64::from(w), f64::from(h));
        leave_out(ring);
    }
    words.into_iter().max().unwrap_or("none")
}

/// Bytes that drawing may hold: scaled vertices, and a place for each column that an edge crosses.
fn drawing_bytes(coordinates: usize, size: Size) -> usize {
    16 * coordinates + 16 * coordinates * (size.w() as usize) + 1024
}

/// Draws one ring as the oracle does.
fn draw(ring: &[f64], size: Size) -> &'static str {
    let expected = if ring.len() % 2 == 1 {
        Err("polygon_odd")
    } else if ring.len() < 6 {
        Err("polygon_few")
    } else {
        let bad = ring
            .iter()
            .find(|value| !(value.is_finite() && value.abs() <= MAX_COORDINATE));
        match bad {
            Some(value) if value.is_finite() => Err("polygon_range"),
            Some(_) => Err("polygon_not_finite"),
            None => Ok(()),
        }
    };
    let found = within(drawing_bytes(ring.len(), size), || Rle::from_polygon(ring, size));
    match (&found, expected) {
        (Ok(drawn), Ok(())) => {
            mask::check(drawn);
            let steps = ring.chunks_exact(2).zip(ring.chunks_exact(2).cycle().skip(1));
            let around: f64 = steps.map(|(a, b)| (a[0] - b[0]).abs().max((a[1] - b[1]).abs())).sum();
            if 5.0 * around > LAID_OUT {
                return "large";
            }
            let (h, w) = (size.h() as usize, size.w() as usize);
            let pixels = fill_ring(ring, h, w).column_bytes();
            assert_eq!(
                Rle::<ColumnMajor>::from_mask(&pixels, size, MemoryOrder::F).as_ref(),
                Ok(drawn)
            );
            "drawn"
        }
        (Err(error), Err(code)) => {
            assert_eq!(error.code(), code, "{error}");
            code
        }
        (found, expected) => panic!("{ring:?} was drawn as {found:?}, expected {expected:?}"),
    }
}

/// The union of rings is each of them united with the rest, and fails as the first that fails.
fn unite(rings: &[Vec<f64>], size: Size, words: &[&'static str]) {
    let rings: Vec<&[f64]> = rings.iter().map(Vec::as_slice).collect();
    let coordinates = rings.iter().map(|ring| ring.len()).sum();
    let most = 4 * drawing_bytes(coordinates, size);
    let united = within(most, || polygons_union(&rings, size));
    let fault = words.iter().find(|word| word.starts_with("polygon_"));
    let Ok(mut expected) = united.as_ref().map(|_| Rle::empty(size)).map_err(|error| {
        assert_eq!(Some(&error.code()), fault, "{error}");
    }) else {
        return;
    };
    assert_eq!(fault, None);
    for ring in rings {
        let drawn = Rle::from_polygon(ring, size).ok();
        let Some(Ok(more)) = drawn.map(|drawn| expected.union(&drawn)) else {
            panic!("{ring:?} was drawn once and not again")
        };
        expected = more;
    }
    assert_eq!(united.as_ref(), Ok(&expected));
}

/// What is cut lies inside, and what lies inside stays.
fn cut(ring: &[f64], w: f64, h: f64) {
    if !ring.iter().all(|value| value.is_finite()) || ring.len() % 2 == 1 {
        return;
    }
    let inside = within(64 * 16 * (ring.len() + 16), || clip(ring, w, h));
    let fits = |p: &[f64]| (0.0..=w).contains(&p[0]) && (0.0..=h).contains(&p[1]);
    assert!(inside.chunks_exact(2).all(fits), "{ring:?} was cut to {inside:?}");
    if ring.chunks_exact(2).all(fits) {
        assert_eq!(inside, ring);
    }
    assert!(doubled_area(&inside).abs() <= 2.0 * w * h * (ring.len() as f64) * (1.0 + 1e-9));
    match extent([inside.as_slice()].into_iter()) {
        Some([x, y, wide, high]) => assert!(x >= 0.0 && y >= 0.0 && x + wide <= w && y + high <= h + 1e-9),
        None => assert!(inside.is_empty()),
    }
}

/// What stays are points of the ring in their order, three at least.
fn leave_out(ring: &[f64]) {
    if !ring.iter().all(|value| value.is_finite()) || ring.len() % 2 == 1 {
        return;
    }
    let kept = within(64 * ring.len() + 1024, || simplify(ring, 1.5));
    let mut left = ring.chunks_exact(2);
    assert!(kept.chunks_exact(2).all(|point| left.any(|found| found == point)));
    assert!(kept.len() >= ring.len().min(6));
}
