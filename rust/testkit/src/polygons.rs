//! The rasteriser's rule the slow way: every sub-pixel of every edge, in lists.

use crate::masks::Pixels;

/// Fills a ring (x y x y ..., px) as COCO's rule says, by laying out all sub-pixels of its edges.
pub fn fill_ring(ring: &[f64], h: usize, w: usize) -> Pixels {
    let vertices: Vec<(i64, i64)> = ring
        .chunks(2)
        .map(|v| ((5.0 * v[0] + 0.5) as i64, (5.0 * v[1] + 0.5) as i64))
        .collect();
    let mut chain: Vec<(i64, i64)> = Vec::new();
    for (i, &a) in vertices.iter().enumerate() {
        chain.extend(edge(a, vertices[(i + 1) % vertices.len()]));
    }
    // toggles[x][y]: how often the colour changes on entering row y of column x from above.
    let mut toggles = vec![vec![0usize; h + 1]; w];
    for pair in chain.windows(2) {
        let ((u0, v0), (u1, v1)) = (pair[0], pair[1]);
        if u0 == u1 {
            continue;
        }
        let left = if u1 < u0 { u1 } else { u1 - 1 };
        if left < 0 || left % 5 != 2 || left / 5 >= w as i64 {
            continue;
        }
        let y = ((v0.min(v1) as f64 + 0.5) / 5.0 - 0.5).clamp(0.0, h as f64).ceil();
        toggles[(left / 5) as usize][y as usize] += 1;
    }
    let mut mask = Pixels::blank(h, w);
    for (x, column) in toggles.iter().enumerate() {
        let mut colour = false;
        for (y, times) in column[..h].iter().enumerate() {
            colour ^= times % 2 == 1;
            mask.rows[y * w + x] = colour;
        }
    }
    mask
}

/// All sub-pixels of an edge, in walking order.
fn edge(a: (i64, i64), b: (i64, i64)) -> Vec<(i64, i64)> {
    let (dx, dy) = ((a.0 - b.0).abs(), (a.1 - b.1).abs());
    if dx == 0 && dy == 0 {
        return vec![a];
    }
    let wide = dx >= dy;
    let flip = if wide { a.0 > b.0 } else { a.1 > b.1 };
    let (start, end) = if flip { (b, a) } else { (a, b) };
    let mut points: Vec<(i64, i64)> = (0..=dx.max(dy))
        .map(|t| {
            if wide {
                let slope = (end.1 - start.1) as f64 / dx as f64;
                (start.0 + t, (start.1 as f64 + slope * t as f64 + 0.5) as i64)
            } else {
                let slope = (end.0 - start.0) as f64 / dy as f64;
                ((start.0 as f64 + slope * t as f64 + 0.5) as i64, start.1 + t)
            }
        })
        .collect();
    if flip {
        points.reverse();
    }
    points
}
