//! Transposition of noisy masks: one bit a pixel, turned in blocks of 64 x 64.

/// A mask packed line by line, 64 pixels a word, and one band of 64 target lines.
#[derive(Debug, Default)]
pub(super) struct Packed {
    words: Vec<u64>,
    band: Vec<u64>,
}

impl Packed {
    /// Appends to `out` the runs over `len` lines of `lines` pixels of the mask that `runs` is over
    /// `lines` lines of `len`.
    pub(super) fn transpose(&mut self, runs: &[u32], lines: u32, len: u32, out: &mut Vec<u32>) {
        let (lines, len) = (lines as usize, len as usize);
        self.pack(runs, lines, len);
        let line_words = len.div_ceil(64);
        let target_words = lines.div_ceil(64);
        self.band.clear();
        self.band.resize(64 * target_words, 0);
        let mut writer = RunWriter {
            out,
            previous: 0,
            last: 0,
        };
        for word in 0..line_words {
            for block in 0..target_words {
                let mut square = [0u64; 64];
                for (row, line) in square.iter_mut().zip(64 * block..lines) {
                    *row = self.words[line * line_words + word];
                }
                transpose_square(&mut square);
                for (row, bits) in square.iter().enumerate() {
                    self.band[row * target_words + block] = *bits;
                }
            }
            for row in 0..64.min(len - 64 * word) {
                let start = (64 * word + row) * lines;
                let bits = &self.band[row * target_words..(row + 1) * target_words];
                writer.line(bits, start, lines);
            }
        }
        let last = writer.last;
        out.push((lines * len) as u32 - last);
    }

    /// Packs runs into words, each line beginning with a new word.
    fn pack(&mut self, runs: &[u32], lines: usize, len: usize) {
        let line_words = len.div_ceil(64);
        self.words.clear();
        self.words.resize(lines * line_words, 0);
        let (mut line, mut line_start) = (0, 0);
        let mut at = 0;
        for pair in runs.chunks(2) {
            at += pair[0] as usize;
            let end = at + pair.get(1).map_or(0, |&run| run as usize);
            while at < end {
                if at >= line_start + len {
                    line = at / len;
                    line_start = line * len;
                }
                let stop = end.min(line_start + len);
                let first_word = line * line_words;
                set_bits(
                    &mut self.words[first_word..first_word + line_words],
                    at - line_start,
                    stop - line_start,
                );
                at = stop;
            }
        }
    }
}

/// Sets bits `from .. to`, `from < to`.
fn set_bits(words: &mut [u64], from: usize, to: usize) {
    let (first, last) = (from / 64, (to - 1) / 64);
    let head = u64::MAX << (from % 64);
    let tail = u64::MAX >> (63 - (to - 1) % 64);
    if first == last {
        words[first] |= head & tail;
    } else {
        words[first] |= head;
        words[first + 1..last].fill(u64::MAX);
        words[last] |= tail;
    }
}

/// Swaps bit `j` of word `i` with bit `i` of word `j`: halves, quarters, ... down to single bits.
fn transpose_square(square: &mut [u64; 64]) {
    let mut width = 32;
    let mut mask = u64::MAX >> 32;
    while width > 0 {
        let mut i = 0;
        while i < 64 {
            let swap = ((square[i] >> width) ^ square[i + width]) & mask;
            square[i] ^= swap << width;
            square[i + width] ^= swap;
            i = (i + width + 1) & !width;
        }
        width /= 2;
        mask ^= mask << width;
    }
}

/// Turns packed lines into runs, where the colour changes.
struct RunWriter<'a> {
    out: &'a mut Vec<u32>,
    /// Colour of the pixel before, 0 or 1.
    previous: u64,
    /// Where the current run began.
    last: u32,
}

impl RunWriter<'_> {
    /// Adds the runs that end in a line of `len` pixels whose first pixel is number `start`.
    fn line(&mut self, words: &[u64], start: usize, len: usize) {
        for (i, &word) in words.iter().enumerate() {
            let mut changes = word ^ ((word << 1) | self.previous);
            let used = 64.min(len - 64 * i);
            if used < 64 {
                changes &= (1 << used) - 1;
            }
            self.previous = (word >> (used - 1)) & 1;
            let word_start = (start + 64 * i) as u32;
            while changes != 0 {
                let at = word_start + changes.trailing_zeros();
                self.out.push(at - self.last);
                self.last = at;
                changes &= changes - 1;
            }
        }
    }
}
