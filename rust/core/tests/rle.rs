//! Run-length kernels against the pixel-by-pixel oracles.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use ropewalk_core::rle::{
    encode_above, encode_mask, polygons_union, read_dense, transpose_string, ColumnMajor, MemoryOrder, Part,
    PolygonError, Rle, RleError, RowMajor, Scratch, Size,
};
use ropewalk_testkit::masks::{any_mask, draw, rle_string, runs, Pixels};
use ropewalk_testkit::polygons::fill_ring;

fn size(mask: &Pixels) -> Size {
    Size::new(mask.h as u64, mask.w as u64).unwrap()
}

fn row_major(mask: &Pixels) -> Rle<RowMajor> {
    Rle::from_mask(&mask.row_bytes(), size(mask), MemoryOrder::C).unwrap()
}

fn column_major(mask: &Pixels) -> Rle<ColumnMajor> {
    Rle::from_mask(&mask.column_bytes(), size(mask), MemoryOrder::F).unwrap()
}

/// Everything that one mask must satisfy.
fn check_mask(mask: &Pixels) {
    let (rows, columns) = (row_major(mask), column_major(mask));
    assert_eq!(rows.runs(), runs(&mask.row_bytes()));
    assert_eq!(columns.runs(), runs(&mask.column_bytes()));

    let string = rows.to_rle_string();
    assert_eq!(string, rle_string(rows.runs()));
    assert_eq!(Rle::from_string(string.as_bytes(), size(mask)).unwrap(), rows);
    let counts: Vec<i64> = rows.runs().iter().map(|&run| i64::from(run)).collect();
    assert_eq!(Rle::from_counts(&counts, size(mask)).unwrap(), rows);

    assert_eq!(columns.transpose().unwrap(), rows);
    assert_eq!(rows.transpose().unwrap(), columns);
    let mut out = b"kept".to_vec();
    transpose_string::<RowMajor>(string.as_bytes(), size(mask), &mut Scratch::default(), &mut out).unwrap();
    assert_eq!(out, format!("kept{}", columns.to_rle_string()).into_bytes());

    assert_eq!(
        Rle::from_mask(&mask.row_bytes(), size(mask), MemoryOrder::C).as_ref(),
        Ok(&columns)
    );
    assert_eq!(
        Rle::from_mask(&mask.column_bytes(), size(mask), MemoryOrder::F).as_ref(),
        Ok(&rows)
    );
    let mut out = b"kept".to_vec();
    let scratch = &mut Scratch::default();
    encode_mask::<RowMajor>(&mask.row_bytes(), size(mask), MemoryOrder::C, scratch, &mut out).unwrap();
    encode_mask::<RowMajor>(&mask.column_bytes(), size(mask), MemoryOrder::F, scratch, &mut out).unwrap();
    assert_eq!(out, format!("kept{string}{string}").into_bytes());
    for (memory, bytes) in [
        (MemoryOrder::C, mask.row_bytes()),
        (MemoryOrder::F, mask.column_bytes()),
    ] {
        let mut out = b"kept".to_vec();
        let scores: Vec<f32> = bytes
            .iter()
            .map(|&set| if set == 0 { 0.5 } else { 0.5000001 })
            .collect();
        encode_above::<RowMajor>(&scores, 0.5, size(mask), memory, scratch, &mut out).unwrap();
        assert_eq!(out, format!("kept{string}").into_bytes());
    }
    assert_eq!(rows.decode().unwrap(), mask.row_bytes());
    for (memory, bytes) in [
        (MemoryOrder::C, mask.row_bytes()),
        (MemoryOrder::F, mask.column_bytes()),
    ] {
        let mut dirty = vec![7; mask.h * mask.w];
        let dense = read_dense::<RowMajor>(string.as_bytes(), size(mask), memory, scratch);
        dense.unwrap().write(&mut dirty).unwrap();
        assert_eq!(dirty, bytes);
    }
    assert_eq!(columns.decode().unwrap(), mask.row_bytes());
    let mut dirty = vec![7; mask.h * mask.w];
    rows.decode_into(&mut dirty, MemoryOrder::F).unwrap();
    assert_eq!(dirty, mask.column_bytes());

    let set = || {
        (0..mask.h * mask.w)
            .filter(|&i| mask.rows[i])
            .map(|i| (i % mask.w, i / mask.w))
    };
    assert_eq!(rows.area(), set().count() as u64);
    assert_eq!(rows.is_empty(), set().next().is_none());
    let bbox = set().next().map(|_| {
        let (x0, x1) = (set().map(|p| p.0).min().unwrap(), set().map(|p| p.0).max().unwrap());
        let (y0, y1) = (set().map(|p| p.1).min().unwrap(), set().map(|p| p.1).max().unwrap());
        [x0, y0, x1 - x0 + 1, y1 - y0 + 1].map(|v| v as u32)
    });
    assert_eq!(rows.bbox(), bbox);
    assert_eq!(columns.bbox(), bbox);

    check_contours(mask, &rows, &columns);
}

/// Rings along pixel edges draw the mask back; parts are connected and no ring meets itself.
fn check_contours(mask: &Pixels, rows: &Rle<RowMajor>, columns: &Rle<ColumnMajor>) {
    let parts = rows.to_polygons();
    let mut drawn = Vec::new();
    for part in &parts {
        for ring in part.holes.iter().chain([&part.outer]) {
            let mut corners = ring.clone();
            corners.sort_unstable();
            corners.dedup();
            assert_eq!(corners.len(), ring.len(), "ring meets itself: {ring:?}");
            for i in 0..ring.len() {
                let (a, b, c) = (ring[i], ring[(i + 1) % ring.len()], ring[(i + 2) % ring.len()]);
                assert!((a[0] == b[0]) != (a[1] == b[1]), "edges are level or upright: {ring:?}");
                assert!((a[0] == b[0]) != (b[0] == c[0]), "each vertex is a corner: {ring:?}");
            }
        }
        assert!(signed_area(&part.outer) > 0);
        assert!(part.holes.iter().all(|hole| signed_area(hole) < 0));
        let holes: Vec<Vec<f64>> = part.holes.iter().map(Part::flat).collect();
        let holes: Vec<&[f64]> = holes.iter().map(Vec::as_slice).collect();
        drawn.push(Rle::from_part(&Part::flat(&part.outer), &holes, size(mask)).unwrap());
    }
    assert_eq!(parts.len(), count_parts(mask));
    assert_eq!(&Rle::union_of(drawn, size(mask)).unwrap(), columns);
}

/// Twice the area; positive where the ring turns clockwise on the screen.
fn signed_area(ring: &[[u32; 2]]) -> i64 {
    let at = |i: usize| ring[i % ring.len()].map(i64::from);
    (0..ring.len())
        .map(|i| at(i)[0] * at(i + 1)[1] - at(i + 1)[0] * at(i)[1])
        .sum()
}

/// Number of 4-connected pieces, by flooding.
fn count_parts(mask: &Pixels) -> usize {
    let mut left = mask.clone();
    let mut parts = 0;
    for seed in 0..mask.rows.len() {
        if !left.rows[seed] {
            continue;
        }
        parts += 1;
        let mut flood = vec![(seed % mask.w, seed / mask.w)];
        while let Some((x, y)) = flood.pop() {
            if x < mask.w && y < mask.h && std::mem::take(&mut left.rows[y * mask.w + x]) {
                flood.extend([(x + 1, y), (x.wrapping_sub(1), y), (x, y + 1), (x, y.wrapping_sub(1))]);
            }
        }
    }
    parts
}

#[test]
fn every_small_mask() {
    for (h, w) in [(3, 4), (4, 3), (2, 6), (6, 2), (1, 9), (9, 1), (2, 3)] {
        for bits in 0..1 << (h * w) {
            check_mask(&Pixels::from_bits(h, w, bits));
        }
    }
}

#[test]
fn every_mask_with_corner_touches_in_five_by_five() {
    // Ring of 5 x 5 around a free 3 x 3 core, with every choice of corner pixels: holes in holes, touches.
    for bits in 0..1u64 << 13 {
        let mut mask = Pixels::blank(5, 5);
        for i in 0..25 {
            let (x, y) = (i % 5, i / 5);
            let core = (1..4).contains(&x) && (1..4).contains(&y);
            mask.rows[i] = match (core, x % 4 == 0 && y % 4 == 0) {
                (true, _) => bits >> (3 * (y - 1) + x - 1) & 1 == 1,
                (_, true) => bits >> (9 + x / 4 + y / 2) & 1 == 1,
                _ => true,
            };
        }
        check_mask(&mask);
    }
}

#[test]
fn masks_across_word_borders_and_algorithms() {
    for (h, w) in [
        (64, 65),
        (130, 63),
        (1, 200),
        (200, 1),
        (67, 129),
        (0, 5),
        (5, 0),
        (0, 0),
    ] {
        for kind in 0..6 {
            for seed in [2, 5, 77, 1234] {
                check_mask(&draw(h, w, kind, seed));
            }
        }
    }
}

#[test]
fn scratch_memory_carries_nothing_over() {
    // From mask to mask shapes and algorithms change: sparse and noisy, large and small, and errors between.
    let mut scratch = Scratch::default();
    let mut out = Vec::new();
    for seed in 0..200 {
        let (h, w) = ((seed * 37 % 210) as usize, (seed * 53 % 190) as usize);
        let mask = draw(h, w, (seed % 6) as u8, seed);
        let (rows, columns) = (row_major(&mask).to_rle_string(), column_major(&mask).to_rle_string());
        out.clear();
        transpose_string::<ColumnMajor>(columns.as_bytes(), size(&mask), &mut scratch, &mut out).unwrap();
        assert_eq!(out, rows.into_bytes());
        assert!(transpose_string::<ColumnMajor>(b"2N3", size(&mask), &mut scratch, &mut out).is_err());
        if seed % 10 == 0 {
            scratch.release_above(1 << (seed % 20));
        }
    }
}

#[test]
fn every_length_of_number_and_run() {
    // Numbers of one to seven characters, and runs from one pixel to more than any block.
    let lengths = [
        1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256, 257, 511, 512, 513, 16_400, 530_000,
    ];
    for &a in &lengths {
        for &b in &lengths {
            let row: Vec<bool> = [(false, a), (true, b), (false, 1), (true, a), (false, b), (true, 3)]
                .iter()
                .flat_map(|&(set, run)| vec![set; run])
                .collect();
            let (h, w) = if row.len().is_multiple_of(2) {
                (2, row.len() / 2)
            } else {
                (1, row.len())
            };
            let mask = Pixels { h, w, rows: row };
            let rle = row_major(&mask);
            assert_eq!(rle.runs(), runs(&mask.row_bytes()));
            let string = rle.to_rle_string();
            assert_eq!(string, rle_string(rle.runs()));
            assert_eq!(
                Rle::<RowMajor>::from_string(string.as_bytes(), rle.size()).unwrap(),
                rle
            );
            assert!(rle.decode().unwrap() == mask.row_bytes());
        }
    }
}

#[test]
fn short_numbers_in_rows_of_eight() {
    // Characters that stand for a number each, and some beyond on either side.
    let alphabet: Vec<u8> = (46..=82).chain([48, 49, 63, 79]).collect();
    let mut state = 1u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut read = 0;
    for case in 0..20_000 {
        let mut string: Vec<u8> = (0..3).map(|_| b"?=1"[draw(3)]).collect();
        // Mostly steps near 0, so that runs stay positive for long enough.
        let few = [b"0012OON".as_slice(), &alphabet][usize::from(case % 4 == 0)];
        string.extend((0..draw(40)).map(|_| few[draw(few.len())]));
        let expected = numbers(&string).map(|numbers| {
            let mut counts: Vec<i64> = Vec::new();
            for (i, number) in numbers.into_iter().enumerate() {
                counts.push(number + if i > 2 { counts[i - 2] } else { 0 });
            }
            counts
        });
        let Some(counts) = expected else {
            assert!(Rle::<RowMajor>::from_string(&string, Size::new(1, 1).unwrap()).is_err());
            continue;
        };
        let total = counts.iter().filter(|&&run| run > 0).sum::<i64>() as u64;
        let Ok(size) = Size::new(1, total) else {
            continue;
        };
        let by_counts = Rle::<RowMajor>::from_counts(&counts, size);
        assert_eq!(Rle::<RowMajor>::from_string(&string, size), by_counts);
        read += usize::from(by_counts.is_ok());
    }
    assert!(read > 1_000, "{read} strings were masks");
}

/// The numbers of a run-length string, character by character; none where it is malformed.
fn numbers(string: &[u8]) -> Option<Vec<i64>> {
    let mut numbers = Vec::new();
    let (mut value, mut shift) = (0, 0);
    for &byte in string {
        let group = i64::from(byte.checked_sub(48).filter(|&group| group < 64)?);
        value |= (group & 31) << shift;
        shift += 5;
        if group & 32 == 0 {
            numbers.push(if group & 16 == 0 { value } else { value - (1 << shift) });
            (value, shift) = (0, 0);
        } else if shift == 35 {
            return None;
        }
    }
    (shift == 0).then_some(numbers)
}

/// Random rings around an image, with repeated vertices, off-image ones and exact halves of sub-pixels.
fn any_ring() -> impl Strategy<Value = Vec<f64>> {
    let coordinate = prop_oneof![
        4 => -20.0..60.0f64,
        2 => (-40..100i32).prop_map(f64::from),
        2 => (-200..600i32).prop_map(|tenths| f64::from(tenths) / 10.0),
        1 => -3e4..3e4f64,
    ];
    prop::collection::vec(coordinate, 3..20).prop_map(|mut halves| {
        halves.extend_from_within(..);
        halves
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_masks(mask in any_mask(90)) {
        check_mask(&mask);
    }

    #[test]
    fn set_operations(h in 0..20usize, w in 0..20usize, kinds in any::<[u8; 2]>(), seed in any::<u64>()) {
        let (a, b) = (draw(h, w, kinds[0] % 6, seed), draw(h, w, kinds[1] % 6, seed / 3));
        let both = |rule: fn(bool, bool) -> bool| {
            let rows = a.rows.iter().zip(&b.rows).map(|(&a, &b)| rule(a, b)).collect();
            row_major(&Pixels { h, w, rows })
        };
        prop_assert_eq!(row_major(&a).union(&row_major(&b)).unwrap(), both(|a, b| a || b));
        prop_assert_eq!(row_major(&a).difference(&row_major(&b)).unwrap(), both(|a, b| a && !b));
    }

    #[test]
    fn rings_are_filled_as_sub_pixels_say(ring in any_ring(), h in 0..50usize, w in 0..50usize) {
        let size = Size::new(h as u64, w as u64).unwrap();
        prop_assert_eq!(Rle::from_polygon(&ring, size).unwrap(), column_major(&fill_ring(&ring, h, w)));
    }

    #[test]
    fn rings_are_united(rings in prop::collection::vec(any_ring(), 0..5), h in 1..40usize, w in 1..40usize) {
        let size = Size::new(h as u64, w as u64).unwrap();
        let mut expected = Pixels::blank(h, w);
        for ring in &rings {
            let drawn = fill_ring(ring, h, w);
            expected.rows.iter_mut().zip(drawn.rows).for_each(|(pixel, set)| *pixel |= set);
        }
        let rings: Vec<&[f64]> = rings.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(polygons_union(&rings, size).unwrap(), column_major(&expected));
    }

    #[test]
    fn any_bytes_are_a_mask_or_an_error(bytes in prop::collection::vec(40..120u8, 0..30), h in 0..2000u64, w in 0..2000u64) {
        let size = Size::new(h, w).unwrap();
        if let Ok(mask) = Rle::<ColumnMajor>::from_string(&bytes, size) {
            prop_assert_eq!(mask.runs().iter().map(|&run| u64::from(run)).sum::<u64>(), h * w);
            prop_assert!(mask.runs()[1..].iter().all(|&run| run > 0));
            prop_assert_eq!(mask.transpose().unwrap().transpose().unwrap(), mask);
        }
    }
}

#[test]
fn bad_input_has_a_kind_each() {
    let size = Size::new(2, 3).unwrap();
    let read = |string: &[u8]| Rle::<RowMajor>::from_string(string, size).unwrap_err();
    assert_eq!(
        read(b"22"),
        RleError::Sum {
            found: 4,
            expected: 6,
            h: 2,
            w: 3
        }
    );
    assert_eq!(read(b"2 1"), RleError::Alphabet { byte: b' ', at: 1 });
    assert_eq!(read(b"23Q"), RleError::Truncated { len: 3 });
    assert_eq!(read(b"2PPPPPPP0"), RleError::Number { at: 1 });
    assert_eq!(read(b"2N3"), RleError::Negative { run: 1, value: -2 });
    assert_eq!(
        Size::new(1 << 40, 1 << 40),
        Err(RleError::Size { h: 1 << 40, w: 1 << 40 })
    );
    let buffer = RleError::Buffer {
        found: 5,
        expected: 6,
        h: 2,
        w: 3,
    };
    assert_eq!(
        Rle::<RowMajor>::from_mask(&[0; 5], size, MemoryOrder::C),
        Err(buffer.clone())
    );
    assert_eq!(
        Rle::<RowMajor>::empty(size).decode_into(&mut [0; 5], MemoryOrder::C),
        Err(buffer.clone())
    );
    let mut out = b"kept".to_vec();
    let wide = Size::new(3, 131).unwrap();
    for at in [0, 255, 256, 392] {
        let mut scores = [f32::NEG_INFINITY; 393];
        scores[at] = f32::NAN;
        let found = encode_above::<RowMajor>(&scores, 0.0, wide, MemoryOrder::C, &mut Scratch::default(), &mut out);
        assert_eq!(found, Err(RleError::NotANumber { at }));
    }
    let found = encode_above::<RowMajor>(&[0.0; 5], 0.0, size, MemoryOrder::C, &mut Scratch::default(), &mut out);
    assert_eq!(found, Err(buffer.clone()));
    assert_eq!(out, b"kept");
    let other = Rle::<RowMajor>::empty(Size::new(3, 2).unwrap());
    let mismatch = RleError::Mismatch {
        left: (2, 3),
        right: (3, 2),
    };
    assert_eq!(Rle::empty(size).union(&other), Err(mismatch));

    let mut out = b"kept".to_vec();
    assert!(transpose_string::<ColumnMajor>(b"23Q", size, &mut Scratch::default(), &mut out).is_err());
    assert_eq!(out, b"kept");

    let draw = |ring: &[f64]| Rle::from_polygon(ring, size).unwrap_err();
    assert_eq!(draw(&[0.0; 7]), PolygonError::Odd { len: 7 });
    assert_eq!(draw(&[0.0; 4]), PolygonError::Few { vertices: 2 });
    assert_eq!(
        draw(&[0.0, 0.0, 1e9, 0.0, 0.0, 1.0]),
        PolygonError::Range { at: 2, value: 1e9 }
    );
    assert_eq!(draw(&[0.0, 0.0, 1.0, 0.0, f64::NAN, 1.0]).code(), "polygon_not_finite");
}

#[test]
fn work_is_bounded_by_the_input_and_not_by_its_size() {
    // A few bytes that stand for billions of pixels: read, measured and followed at once.
    let size = Size::new(1 << 24, 250).unwrap();
    let pixels = i64::from(size.pixels());
    let mask = Rle::<RowMajor>::from_counts(&[300, pixels - 700, 400], size).unwrap();
    assert_eq!(mask.bbox(), Some([0, 1, 250, (1 << 24) - 2]));
    assert_eq!(mask.to_polygons()[0].outer.len(), 8);
    assert_eq!(
        Rle::<RowMajor>::from_counts(&[0, pixels], size)
            .unwrap()
            .transpose()
            .unwrap()
            .runs()
            .len(),
        2
    );
    let stripes = Rle::<ColumnMajor>::from_counts(&[1 << 24; 250], size).unwrap();
    assert_eq!(stripes.transpose(), Err(RleError::Runs { needed: 250 << 24 }));
    // Coordinates that pycocotools would lay out as billions of sub-pixels.
    let ring = [-1e8, -1e8, 1e8, -9e7, 1e8, 1e8, -1e8, 9e7];
    assert_eq!(
        Rle::from_polygon(&ring, Size::new(300, 200).unwrap()).unwrap().runs(),
        [0, 60_000]
    );
}
