//! Transposition of noisy masks: one bit a pixel, turned in blocks of 64 x 64.
//!
//! Only the source lines and places between the first and the last foreground pixel are drawn. A block
//! holds where its lines differ from the lines before, which is where the target's runs begin: most
//! blocks of a mask are empty and cost a look.

/// Pixels a word, and lines a block.
const SIDE: usize = 64;

/// Words of the part of a mask that is drawn, and one band of 64 target lines.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// For each 64 places, a word for each line: first where the line changes colour, then its pixels.
    /// All 0 between two masks, so that what is not drawn need not be cleared.
    words: Vec<u64>,
    /// For each line all ones where the pixel before the next word is set.
    carries: Vec<u64>,
    /// The blocks of 64 target lines that hold changes, and the place at which each begins.
    band: Vec<(u32, [u64; SIDE])>,
}

/// Where a mask is drawn: source lines, and words of places.
struct Window {
    first_line: usize,
    lines: usize,
    first_word: usize,
    end_word: usize,
}

/// Words that [`Packed::transpose`] may have to draw for canonical runs with foreground.
pub(super) fn words_to_draw(runs: &[u32], lines: u32, len: u32) -> u64 {
    let (first_line, end_line) = lines_to_draw(runs, lines, len);
    u64::from(end_line - first_line) * u64::from(len.div_ceil(SIDE as u32))
}

/// The lines with foreground and the one after them; from the first line on where the last one may have
/// foreground, because its end is followed by the beginning of the first.
fn lines_to_draw(runs: &[u32], lines: u32, len: u32) -> (u32, u32) {
    let background_at_end = if runs.len() % 2 == 1 { runs[runs.len() - 1] } else { 0 };
    let end_line = (lines * len - background_at_end - 1) / len + 2;
    if end_line > lines {
        (0, lines)
    } else {
        (runs[0] / len, end_line)
    }
}

impl Packed {
    /// Memory held.
    pub(super) fn len_bytes(&self) -> usize {
        size_of::<u64>() * (self.words.capacity() + self.carries.capacity() + (SIDE + 1) * self.band.capacity())
    }

    /// Replaces `out` by the runs over `len` lines of `lines` pixels of the mask that `runs` is over
    /// `lines` lines of `len`.
    pub(super) fn transpose(&mut self, runs: &[u32], lines: u32, len: u32, out: &mut Vec<u32>) {
        let window = self.draw_changes(runs, lines, len);
        let mut writer = RunWriter { count: 0, out, last: 0 };
        let places = len as usize;
        // The pixel before the first one of a target line is the last one of the target line before.
        let (wraps, mut last_pixel) = (window.first_line + window.lines == lines as usize, 0);
        for word in window.first_word..window.end_word {
            let line_words = &mut self.words[word * window.lines..(word + 1) * window.lines];
            fill_between_changes(line_words, &mut self.carries);
            let inside = u64::MAX >> (SIDE - SIDE.min(places - SIDE * word));
            let mut before = 0;
            if wraps {
                let last = line_words[window.lines - 1];
                before = (last << 1) | last_pixel;
                last_pixel = last >> 63;
            }
            self.band.clear();
            for (block, source) in line_words.chunks(SIDE).enumerate() {
                let mut square = [0; SIDE];
                let mut any = 0;
                for (row, &pixels) in square.iter_mut().zip(source) {
                    *row = (pixels ^ before) & inside;
                    any |= *row;
                    before = pixels;
                }
                if any != 0 {
                    transpose_square(&mut square);
                    self.band.push(((window.first_line + SIDE * block) as u32, square));
                }
            }
            line_words.fill(0);
            let first_row = SIDE * word;
            for row in 0..SIDE.min(places - first_row) {
                writer.line(&self.band, row, (first_row + row) as u32 * lines);
            }
        }
        writer.finish(lines * len);
    }

    /// Marks where lines change colour, and which begin with foreground.
    fn draw_changes(&mut self, runs: &[u32], lines: u32, len: u32) -> Window {
        let (first_line, end_line) = lines_to_draw(runs, lines, len);
        let (first, width) = (first_line as usize, (end_line - first_line) as usize);
        let all_words = (len as usize).div_ceil(SIDE);
        if self.words.len() < all_words * width {
            self.words.resize(all_words * width, 0);
        }
        self.carries.clear();
        self.carries.resize(width, 0);
        let (mut first_word, mut last_word) = (all_words, 0);
        let mut changes = Changes::new(&mut self.words);
        let mut at = 0;
        for pair in runs.chunks_exact(2) {
            let (from, run) = (at + pair[0], pair[1]);
            at = from + run;
            let line = from / len;
            let begin = from - line * len;
            let end = begin + run;
            let column = line as usize - first;
            let word = begin as usize / SIDE;
            changes.add(word * width + column, begin);
            first_word = first_word.min(word);
            if end < len {
                let end_word = end as usize / SIDE;
                last_word = last_word.max(end_word);
                changes.add(end_word * width + column, end);
            } else {
                let end_line = at / len;
                let columns = column + 1..(end_line as usize - first + 1).min(width);
                self.carries[columns].fill(u64::MAX);
                if end_line < lines {
                    let end = at - end_line * len;
                    changes.add(end as usize / SIDE * width + end_line as usize - first, end);
                }
                (first_word, last_word) = (0, all_words - 1);
            }
        }
        changes.write();
        Window {
            first_line: first,
            lines: width,
            first_word,
            end_word: last_word + 1,
        }
    }
}

/// Collects the changes in a word before they are written: in noise, one has dozens, and each
/// would wait for the one before it to come back from memory.
struct Changes<'a> {
    words: &'a mut [u64],
    /// The word that `bits` belong to.
    at: usize,
    bits: u64,
}

impl<'a> Changes<'a> {
    fn new(words: &'a mut [u64]) -> Self {
        Self { words, at: 0, bits: 0 }
    }

    /// Adds a change at a place in word `at`.
    fn add(&mut self, at: usize, place: u32) {
        if at != self.at {
            self.words[self.at] ^= self.bits;
            (self.at, self.bits) = (at, 0);
        }
        self.bits ^= 1 << (place % SIDE as u32);
    }

    fn write(self) {
        self.words[self.at] ^= self.bits;
    }
}

/// Sets the pixels between changes of colour, line by line.
fn fill_between_changes(words: &mut [u64], carries: &mut [u64]) {
    for (word, carry) in words.iter_mut().zip(carries) {
        // Each bit becomes the parity of the changes up to it.
        let mut pixels = *word;
        for width in [1, 2, 4, 8, 16, 32] {
            pixels ^= pixels << width;
        }
        *word = pixels ^ *carry;
        *carry = 0u64.wrapping_sub(*word >> 63);
    }
}

/// Swaps bit `j` of word `i` with bit `i` of word `j`: halves, quarters, ... down to single bits.
fn transpose_square(square: &mut [u64; SIDE]) {
    swap_parts::<32>(square, 0x0000_0000_ffff_ffff);
    swap_parts::<16>(square, 0x0000_ffff_0000_ffff);
    swap_parts::<8>(square, 0x00ff_00ff_00ff_00ff);
    swap_parts::<4>(square, 0x0f0f_0f0f_0f0f_0f0f);
    swap_parts::<2>(square, 0x3333_3333_3333_3333);
    swap_parts::<1>(square, 0x5555_5555_5555_5555);
}

/// Swaps the upper right and lower left of each square of 2 `WIDTH`; `low` has the left bits of each row.
fn swap_parts<const WIDTH: usize>(square: &mut [u64; SIDE], low: u64) {
    for rows in square.chunks_exact_mut(2 * WIDTH) {
        let (upper, lower) = rows.split_at_mut(WIDTH);
        for (a, b) in upper.iter_mut().zip(lower) {
            let swap = ((*a >> WIDTH) ^ *b) & low;
            *a ^= swap << WIDTH;
            *b ^= swap;
        }
    }
}

/// Turns changes of colour into runs.
struct RunWriter<'a> {
    out: &'a mut Vec<u32>,
    /// Runs in `out`, which is longer.
    count: usize,
    /// Where the current run began.
    last: u32,
}

impl RunWriter<'_> {
    /// Adds the runs that end at the changes in one row of a band, whose target line begins at pixel `start`.
    fn line(&mut self, band: &[(u32, [u64; SIDE])], row: usize, start: u32) {
        let needed = self.count + SIDE * band.len();
        if self.out.len() < needed {
            self.out.resize(needed + needed / 2, 0);
        }
        let mut last = self.last;
        let mut written = 0;
        let out = &mut self.out[self.count..needed];
        for (place, square) in band {
            let mut changes = square[row];
            let start = start + place;
            while changes != 0 {
                let at = start + changes.trailing_zeros();
                out[written] = at - last;
                written += 1;
                last = at;
                changes &= changes - 1;
            }
        }
        self.count += written;
        self.last = last;
    }

    /// Closes the last run at `total` pixels.
    fn finish(self, total: u32) {
        self.out.truncate(self.count);
        self.out.push(total - self.last);
    }
}
