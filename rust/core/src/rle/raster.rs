//! Polygons to masks by exactly pycocotools' rule (`rleFrPoly`).
//!
//! The rule: vertices are scaled by 5 and rounded (`trunc(5 v + 0.5)`), edges become dense chains of
//! sub-pixels, and a column's colour toggles at each place where the chain steps across the middle of
//! the column, sub-pixels `5 x + 2` to `5 x + 3`; the row is that of the upper of the two sub-pixels,
//! rounded. A ring is therefore filled by parity. pycocotools lays out every sub-pixel; here each
//! edge's steps across the middles are computed directly, with the same floating-point operations, so
//! that the work is bounded by vertices times columns whatever the coordinates are.
//!
//! Rings along pixel edges (whole coordinates) come out exactly: `5 x` is no rounding, `x0 .. x1` are the
//! columns whose middles lie between, and row `y` is the first below the edge `y`.

use super::{ColumnMajor, Part, PolygonError, Ring, Rle, RleError, Size, MAX_COORDINATE, MAX_CROSSINGS};

/// Sub-pixels a pixel.
const SCALE: f64 = 5.0;

impl Rle<ColumnMajor> {
    /// Draws one ring, given as x y x y ... in px, closed by itself, clipped to the image.
    ///
    /// Equal to pycocotools' `rleFrPoly` run for run wherever that is defined. Fails with
    /// [`PolygonError`] on fewer than three vertices, an odd number of coordinates, and coordinates that
    /// are not finite or beyond [`MAX_COORDINATE`].
    pub fn from_polygon(ring: &[f64], size: Size) -> Result<Self, PolygonError> {
        check_ring(ring)?;
        if size.pixels() == 0 {
            return Ok(Self::empty(size));
        }
        let mut crossings = Vec::new();
        let vertices: Vec<(i64, i64)> = ring.chunks_exact(2).map(|v| (upsample(v[0]), upsample(v[1]))).collect();
        let mut from = vertices[0];
        for &to in vertices[1..].iter().chain(&vertices[..1]) {
            cross_columns(from, to, size, &mut crossings)?;
            from = to;
        }
        Ok(Self::from_canonical(
            size,
            fill_by_parity(&sort_by_column(&crossings), size),
        ))
    }

    /// Draws a part: its outer ring minus its holes.
    ///
    /// With parts from [`Rle::to_polygons`](super::Rle::to_polygons) the union is the mask they came from.
    pub fn from_part(outer: &[f64], holes: &[&[f64]], size: Size) -> Result<Self, PolygonError> {
        let mut mask = Self::from_polygon(outer, size)?;
        if !holes.is_empty() {
            let holes = polygons_union(holes, size)?;
            mask = same_size(mask.difference(&holes), size);
        }
        Ok(mask)
    }

    /// The union of masks of one size; the empty mask for none.
    pub fn union_of(mut masks: Vec<Self>, size: Size) -> Result<Self, RleError> {
        // In pairs, so that n masks are walked log n times and not n times.
        while masks.len() > 1 {
            masks = masks
                .chunks(2)
                .map(|pair| match pair {
                    [a, b] => a.union(b),
                    _ => Ok(pair[0].clone()),
                })
                .collect::<Result<_, _>>()?;
        }
        masks.pop().map_or_else(|| Ok(Self::empty(size)), Ok)
    }
}

/// Draws the union of rings, as pycocotools' `merge(frPyObjects(rings))`; the empty mask for none.
pub fn polygons_union(rings: &[&[f64]], size: Size) -> Result<Rle<ColumnMajor>, PolygonError> {
    let masks = rings
        .iter()
        .map(|ring| Rle::from_polygon(ring, size))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(same_size(Rle::union_of(masks, size), size))
}

/// Masks drawn on one size combine: there is no error to hand on.
fn same_size(mask: Result<Rle<ColumnMajor>, RleError>, size: Size) -> Rle<ColumnMajor> {
    debug_assert!(mask.is_ok());
    mask.unwrap_or_else(|_| Rle::empty(size))
}

impl Part {
    /// The ring's vertices as x y x y ..., px.
    pub fn flat(ring: &Ring) -> Vec<f64> {
        ring.iter().flatten().map(|&v| f64::from(v)).collect()
    }
}

/// Refuses what cannot be drawn, naming the first coordinate at fault.
fn check_ring(ring: &[f64]) -> Result<(), PolygonError> {
    if ring.len() % 2 == 1 {
        return Err(PolygonError::Odd { len: ring.len() });
    }
    if ring.len() < 6 {
        return Err(PolygonError::Few {
            vertices: ring.len() / 2,
        });
    }
    for (at, &value) in ring.iter().enumerate() {
        if !value.is_finite() {
            return Err(PolygonError::NotFinite { at, value });
        }
        if value.abs() > MAX_COORDINATE {
            return Err(PolygonError::Range { at, value });
        }
    }
    Ok(())
}

/// A pixel at which the ring's edge toggles a column.
#[derive(Clone, Copy)]
struct Crossing {
    column: u32,
    /// In column-major order.
    offset: u32,
}

/// Scales to sub-pixels; truncation (not floor) is what C's conversion does to negative values.
fn upsample(v: f64) -> i64 {
    (SCALE * v + 0.5) as i64
}

/// Adds the pixels at which the edge toggles a column.
///
/// An offset `x * h + y` with `y = h` is the first pixel of the next column, or the end: what is cut
/// off below the image toggles there and cancels out with what comes back up.
fn cross_columns(from: (i64, i64), to: (i64, i64), size: Size, out: &mut Vec<Crossing>) -> Result<(), PolygonError> {
    let (dx, dy) = ((to.0 - from.0).abs(), (to.1 - from.1).abs());
    let wide = dx >= dy;
    // The chain is computed from the end with the smaller major coordinate, and walked from `from`.
    let flip = if wide { from.0 > to.0 } else { from.1 > to.1 };
    let (start, end) = if flip { (to, from) } else { (from, to) };
    let (left, right) = (from.0.min(to.0), from.0.max(to.0));
    // Columns with left <= 5 x + 2 and 5 x + 3 <= right.
    let first = ((left - 2 + 4).div_euclid(5)).max(0);
    let last = ((right - 3).div_euclid(5)).min(i64::from(size.w()) - 1);
    if first > last {
        return Ok(());
    }
    if out.len() + (last - first + 1) as usize > MAX_CROSSINGS {
        return Err(PolygonError::Crossings);
    }
    let mut toggle = |x: i64, v: i64| {
        let y = (v + 2).div_euclid(5).clamp(0, i64::from(size.h()));
        out.push(Crossing {
            column: x as u32,
            offset: x as u32 * size.h() + y as u32,
        });
    };
    if wide {
        let slope = (end.1 - start.1) as f64 / dx as f64;
        let v = |t: i64| (start.1 as f64 + slope * t as f64 + 0.5) as i64;
        // The smaller one of both ends of the step: v never turns round, also after rounding.
        let lower_end = i64::from(slope < 0.0);
        for x in first..=last {
            toggle(x, v(5 * x + 2 - start.0 + lower_end));
        }
    } else {
        let slope = (end.0 - start.0) as f64 / dy as f64;
        let u = |t: i64| (start.0 as f64 + slope * t as f64 + 0.5) as i64;
        for x in first..=last {
            let low = 5 * x + 2;
            let crossed = |t: i64| if slope > 0.0 { u(t) > low } else { u(t) <= low };
            // Solve for t, then correct by the rule's own arithmetic: u is monotonic in t.
            let middle = (low as f64 + 0.5 - start.0 as f64) / slope;
            let mut t = (middle as i64).clamp(1, dy);
            while t < dy && !crossed(t) {
                t += 1;
            }
            while t > 1 && crossed(t - 1) {
                t -= 1;
            }
            // On edges of more than a million px u may skip a sub-pixel in floating point; the rule
            // then looks at the sub-pixel beside the one it steps to or from.
            let (before, after) = if flip { (u(t), u(t - 1)) } else { (u(t - 1), u(t)) };
            let stepped = if after < before { after } else { after - 1 };
            if before != after && stepped == low {
                toggle(x, start.1 + t - 1);
            }
        }
    }
    Ok(())
}

/// The offsets in rising order. Columns are met a few times each, so counting them leaves little to sort.
fn sort_by_column(crossings: &[Crossing]) -> Vec<u32> {
    let columns = crossings.iter().map(|crossing| crossing.column);
    let (Some(first), Some(last)) = (columns.clone().min(), columns.clone().max()) else {
        return Vec::new();
    };
    // A closed ring meets every column between, so these are fewer than the crossings.
    let mut ends = vec![0; (last - first + 1) as usize];
    for column in columns {
        ends[(column - first) as usize] += 1;
    }
    let mut end = 0;
    for place in &mut ends {
        // Where the column begins; filling it moves this to its end.
        (*place, end) = (end, end + *place);
    }
    let mut sorted = vec![0; crossings.len()];
    for crossing in crossings {
        let place = &mut ends[(crossing.column - first) as usize];
        sorted[*place] = crossing.offset;
        *place += 1;
    }
    let mut begin = 0;
    for end in ends {
        match &mut sorted[begin..end] {
            [a, b] => (*a, *b) = ((*a).min(*b), (*a).max(*b)),
            column => column.sort_unstable(),
        }
        begin = end;
    }
    sorted
}

/// Runs that change colour at offsets named an odd number of times. `offsets` is sorted.
fn fill_by_parity(offsets: &[u32], size: Size) -> Vec<u32> {
    let mut toggles: Vec<u32> = Vec::with_capacity(offsets.len() + 1);
    for &offset in offsets {
        if toggles.last() == Some(&offset) {
            toggles.pop();
        } else {
            toggles.push(offset);
        }
    }
    if toggles.last() == Some(&size.pixels()) {
        toggles.pop();
    }
    let mut last = 0;
    for toggle in &mut toggles {
        (*toggle, last) = (*toggle - last, *toggle);
    }
    toggles.push(size.pixels() - last);
    toggles
}
