//! From one pixel order to the other without drawing the mask.
//!
//! A run of the target order starts wherever a pixel differs from the one before it in that order:
//! the neighbour in the previous line of the source, at the same place. So each source line is
//! compared, as a list of the places where its colour toggles, with the line before it; what comes out
//! are ranges of places that toggle. Sorting those by place (counting sort) gives the target's runs.
//! Where runs are many for the part of the image that they are in, [`super::bits`] is faster.

use super::{bits, RleError, MAX_TRANSPOSED_RUNS};

/// Words to draw for each run of the source up to which the bit-packed way is taken: there both cost the same.
const WORDS_A_RUN: u64 = 8;

/// As [`WORDS_A_RUN`] for a run of the target, once the sweep has compared all lines.
const WORDS_A_TOGGLE: u64 = 1;

/// Ends each list of toggles, so that merging two needs no bounds.
const END: u32 = u32::MAX;

/// Buffers of the sweep, kept between masks.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    ranges: Vec<Range>,
    offsets: Vec<u32>,
    previous: Vec<u32>,
    current: Vec<u32>,
    packed: bits::Packed,
}

/// Places `from .. to` at which source line `line` differs from the line before.
#[derive(Clone, Copy, Debug)]
struct Range {
    from: u32,
    to: u32,
    line: u32,
}

/// Transposes canonical runs over `lines` lines of `len` pixels into runs over `len` lines of `lines`.
pub(super) fn transpose_runs(
    runs: &[u32],
    lines: u32,
    len: u32,
    sweep: &mut Sweep,
    out: &mut Vec<u32>,
) -> Result<(), RleError> {
    // One line, or one colour: both orders read the same.
    if lines <= 1 || len <= 1 || runs.len() == 1 || (runs.len() == 2 && runs[0] == 0) {
        out.clear();
        out.extend_from_slice(runs);
        return Ok(());
    }
    let words = bits::words_to_draw(runs, lines, len);
    // So few words cannot hold too many runs.
    if words <= WORDS_A_RUN * runs.len() as u64 && (words <= MAX_TRANSPOSED_RUNS / 64 || words < runs.len() as u64) {
        sweep.packed.transpose(runs, lines, len, out);
        return Ok(());
    }
    let toggles = sweep.compare_lines(runs, lines, len);
    if toggles >= MAX_TRANSPOSED_RUNS {
        return Err(RleError::Runs { needed: toggles + 1 });
    }
    if words <= WORDS_A_TOGGLE * toggles {
        sweep.packed.transpose(runs, lines, len, out);
    } else {
        sweep.sort_by_place(toggles as usize, lines, len, out);
    }
    Ok(())
}

impl Sweep {
    /// Memory held.
    pub(super) fn len_bytes(&self) -> usize {
        size_of::<Range>() * self.ranges.capacity()
            + size_of::<u32>() * (self.offsets.capacity() + self.previous.capacity() + self.current.capacity())
            + self.packed.len_bytes()
    }

    /// Fills `ranges` in line order; returns the number of places they cover.
    fn compare_lines(&mut self, runs: &[u32], lines: u32, len: u32) -> u64 {
        self.ranges.clear();
        self.start_with_last_line(runs, lines, len);
        let mut toggles = 0;
        let mut line = 0;
        let (mut run, mut run_end) = (0, runs[0]);
        loop {
            let line_start = line * len;
            let line_end = line_start + len;
            while run_end <= line_start {
                run += 1;
                run_end += runs[run];
            }
            self.current.clear();
            if run % 2 == 1 {
                self.current.push(0);
            }
            let one_colour = run_end >= line_end;
            while run_end < line_end {
                self.current.push(run_end - line_start);
                run += 1;
                run_end += runs[run];
            }
            self.current.push(END);
            toggles += self.compare_line(line, len);
            std::mem::swap(&mut self.previous, &mut self.current);
            line += 1;
            if one_colour {
                // The lines up to the one in which this run ends are the same as this one.
                line = line.max(run_end / len);
            }
            if line >= lines {
                return toggles;
            }
        }
    }

    /// Sets `previous` to what precedes line 0: the last line, one place on, after a blank pixel.
    ///
    /// In the target order the pixel before the first of a line is the last of the line above it.
    fn start_with_last_line(&mut self, runs: &[u32], lines: u32, len: u32) {
        let line_start = (lines - 1) * len;
        self.previous.clear();
        self.previous.push(END);
        let mut run = runs.len() - 1;
        let mut run_start = lines * len - runs[run];
        while run_start > line_start {
            self.previous.push(run_start - line_start + 1);
            run -= 1;
            run_start -= runs[run];
        }
        if run % 2 == 1 {
            self.previous.push(1);
        }
        self.previous.reverse();
        // The last place has moved past the line's end.
        self.previous.retain(|&place| place == END || place < len);
    }

    /// Adds the ranges in which `current` differs from `previous`; returns the places covered.
    fn compare_line(&mut self, line: u32, len: u32) -> u64 {
        let (mut i, mut j) = (0, 0);
        let (previous, current) = (&self.previous[..], &self.current[..]);
        let mut from = END;
        let mut places = 0;
        loop {
            let (a, b) = (previous[i], current[j]);
            if a == b {
                if a == END {
                    break;
                }
                i += 1;
                j += 1;
                continue;
            }
            let place = a.min(b);
            i += usize::from(a < b);
            j += usize::from(b < a);
            if from == END {
                from = place;
            } else {
                self.ranges.push(Range { from, to: place, line });
                places += u64::from(place - from);
                from = END;
            }
        }
        if from != END {
            self.ranges.push(Range { from, to: len, line });
            places += u64::from(len - from);
        }
        places
    }

    /// Counting sort of the toggles by place, then by line; their distances are the runs.
    fn sort_by_place(&mut self, toggles: usize, lines: u32, len: u32, out: &mut Vec<u32>) {
        let offsets = &mut self.offsets;
        offsets.clear();
        offsets.resize(len as usize + 1, 0);
        // First the change in the number of ranges over each place, then where its toggles begin.
        for range in &self.ranges {
            offsets[range.from as usize] = offsets[range.from as usize].wrapping_add(1);
            offsets[range.to as usize] = offsets[range.to as usize].wrapping_sub(1);
        }
        let (mut over, mut begin) = (0u32, 0u32);
        for offset in offsets.iter_mut() {
            over = over.wrapping_add(*offset);
            *offset = begin;
            begin += over;
        }
        // What is in it is overwritten.
        out.resize(toggles + 1, 0);
        for range in &self.ranges {
            for offset in &mut offsets[range.from as usize..range.to as usize] {
                out[*offset as usize] = range.line;
                *offset += 1;
            }
        }
        let (mut first, mut last) = (0usize, 0u32);
        for (place, &end) in offsets[..len as usize].iter().enumerate() {
            let place_start = place as u32 * lines;
            for toggle in &mut out[first..end as usize] {
                let at = place_start + *toggle;
                *toggle = at - last;
                last = at;
            }
            first = end as usize;
        }
        out[toggles] = lines * len - last;
    }
}
