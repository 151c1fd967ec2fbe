//! Dense masks as plain data: run lengths, strings and transposition the slow way.

use proptest::prelude::*;

/// A mask as rows of pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Height, px.
    pub h: usize,
    /// Width, px.
    pub w: usize,
    /// `h * w` pixels, row after row.
    pub rows: Vec<bool>,
}

impl Pixels {
    /// No pixel set.
    pub fn blank(h: usize, w: usize) -> Self {
        Self {
            h,
            w,
            rows: vec![false; h * w],
        }
    }

    /// The mask whose pixel `i`, row after row, is bit `i` of `bits`.
    pub fn from_bits(h: usize, w: usize, bits: u64) -> Self {
        Self {
            h,
            w,
            rows: (0..h * w).map(|i| bits >> i & 1 == 1).collect(),
        }
    }

    /// The pixel in column `x`, row `y`.
    pub fn get(&self, x: usize, y: usize) -> bool {
        self.rows[y * self.w + x]
    }

    /// One byte a pixel, 0 or 1, row after row.
    pub fn row_bytes(&self) -> Vec<u8> {
        self.rows.iter().map(|&set| u8::from(set)).collect()
    }

    /// One byte a pixel, 0 or 1, column after column.
    pub fn column_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for x in 0..self.w {
            for y in 0..self.h {
                out.push(u8::from(self.get(x, y)));
            }
        }
        out
    }
}

/// Run lengths of a sequence of pixels, background first.
pub fn runs(pixels: &[u8]) -> Vec<u32> {
    let mut runs = vec![0];
    let mut colour = 0;
    for &pixel in pixels {
        if pixel != colour {
            runs.push(0);
            colour = pixel;
        }
        *runs.last_mut().unwrap_or(&mut 0) += 1;
    }
    runs
}

/// COCO's string for run lengths, digit by digit in base 32.
pub fn rle_string(runs: &[u32]) -> String {
    let mut out = String::new();
    for (i, &run) in runs.iter().enumerate() {
        let back = if i >= 3 { runs[i - 2] } else { 0 };
        let mut value = i64::from(run) - i64::from(back);
        let mut digits = Vec::new();
        // A value fits in n digits of two's complement if it lies in -16 * 32^(n-1) .. 16 * 32^(n-1).
        let mut limit = 16;
        digits.push(value.rem_euclid(32));
        while !(-limit..limit).contains(&(i64::from(run) - i64::from(back))) {
            value = value.div_euclid(32);
            digits.push(value.rem_euclid(32));
            limit *= 32;
        }
        let last = digits.len() - 1;
        for (k, digit) in digits.into_iter().enumerate() {
            let more = if k < last { 32 } else { 0 };
            out.push((48 + more + digit) as u8 as char);
        }
    }
    out
}

/// Numbers of a COCO string, digit by digit in base 32; the code of what is wrong first.
pub fn read_rle_string(string: &[u8]) -> Result<Vec<i128>, &'static str> {
    let mut runs: Vec<i128> = Vec::new();
    let mut digits: Vec<i128> = Vec::new();
    for &byte in string {
        if !(48..112).contains(&byte) {
            return Err("rle_alphabet");
        }
        if digits.len() == 7 {
            return Err("rle_number");
        }
        digits.push(i128::from(byte - 48));
        if digits.last() >= Some(&32) {
            continue;
        }
        let sign = if digits.last() >= Some(&16) {
            -(1 << (5 * digits.len()))
        } else {
            0
        };
        let place = |(k, digit): (usize, &i128)| (digit % 32) << (5 * k);
        let difference = sign + digits.iter().enumerate().map(place).sum::<i128>();
        let back = if runs.len() >= 3 { runs[runs.len() - 2] } else { 0 };
        if difference + back < 0 {
            return Err("rle_negative");
        }
        runs.push(difference + back);
        digits.clear();
    }
    if digits.is_empty() {
        Ok(runs)
    } else {
        Err("rle_truncated")
    }
}

/// The run lengths that [`runs`] would give for the pixels that `counts` stand for.
pub fn canonical(counts: &[i128]) -> Vec<i128> {
    let mut out: Vec<i128> = vec![0];
    for (i, &count) in counts.iter().enumerate() {
        if count == 0 {
            continue;
        }
        if (out.len() - 1) % 2 != i % 2 {
            out.push(0);
        }
        *out.last_mut().unwrap_or(&mut 0) += count;
    }
    out
}

/// Masks of every kind: empty sides, one colour, stripes, rectangles, discs and noise.
pub fn any_mask(max_side: usize) -> impl Strategy<Value = Pixels> {
    (0..=max_side, 0..=max_side, 0..6u8, any::<u64>()).prop_map(|(h, w, kind, seed)| draw(h, w, kind, seed))
}

/// Draws one mask; equal arguments give equal masks.
pub fn draw(h: usize, w: usize, kind: u8, seed: u64) -> Pixels {
    let mut random = Random(seed | 1);
    let mut mask = Pixels::blank(h, w);
    if h == 0 || w == 0 {
        return mask;
    }
    let (x0, y0) = (random.below(w), random.below(h));
    let (x1, y1) = (x0 + 1 + random.below(w - x0), y0 + 1 + random.below(h - y0));
    let period = 1 + random.below(4);
    for y in 0..h {
        for x in 0..w {
            mask.rows[y * w + x] = match kind {
                0 => seed % 2 == 1,
                1 => (if seed % 2 == 1 { x } else { y }) / period % 2 == 1,
                2 => (x0..x1).contains(&x) && (y0..y1).contains(&y),
                3 => {
                    let (dx, dy) = (x as f64 - x0 as f64, y as f64 - y0 as f64);
                    dx * dx + 2.0 * dy * dy < (x1 * y1) as f64
                }
                4 => random.below(8) == 0,
                _ => random.below(2) == 0,
            };
        }
    }
    mask
}

/// A small xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n.max(1)
    }
}
