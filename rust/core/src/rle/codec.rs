//! Run lengths to and from COCO's character code.
//!
//! A number is written in groups of 5 bits, least significant first, each as the character 48 + group,
//! with bit 5 set while more groups follow; bit 4 of the last group is the sign. From the fourth run on,
//! the number is the difference to the run two before, which has the same colour.

use super::{RleError, Size};

/// Groups that the difference of two 32-bit run lengths can take: 33 bits and a sign.
const MAX_GROUPS: u32 = 7;

/// Numbers written between two looks at the space left.
const BLOCK: usize = 64;

/// Reads a run-length string into canonical runs.
pub(super) fn parse(string: &[u8], size: Size, runs: &mut Vec<u32>) -> Result<(), RleError> {
    runs.clear();
    // A number takes a byte at least, so this is bounded by the input; most strings need about half.
    runs.reserve(string.len());
    let (mut before_last, mut last) = (0i64, 0i64);
    let mut total = 0u64;
    let mut empty_runs = 0usize;
    let mut at = 0;
    while at < string.len() {
        if runs.len() > 2 {
            if let Some((eight, sum)) = short_runs(&string[at..], before_last, last) {
                (before_last, last) = (i64::from(eight[6]), i64::from(eight[7]));
                total += sum;
                runs.extend_from_slice(&eight);
                at += eight.len();
                continue;
            }
        }
        let start = at;
        let mut value = 0i64;
        let mut shift = 0;
        loop {
            let Some(&byte) = string.get(at) else {
                return Err(RleError::Truncated { len: string.len() });
            };
            let group = byte.wrapping_sub(48);
            if group > 63 {
                return Err(RleError::Alphabet { byte, at });
            }
            if shift == 5 * MAX_GROUPS {
                return Err(RleError::Number { at: start });
            }
            at += 1;
            value |= i64::from(group & 31) << shift;
            shift += 5;
            if group & 32 == 0 {
                if group & 16 != 0 {
                    value |= -1 << shift;
                }
                break;
            }
        }
        if runs.len() > 2 {
            // 35-bit steps: the sum cannot leave 64 bits for any string that fits in memory.
            value += before_last;
        }
        if value < 0 {
            return Err(RleError::Negative { run: runs.len(), value });
        }
        (before_last, last) = (last, value);
        total += value as u64;
        empty_runs += usize::from(value == 0);
        // A value beyond 32 bits is cut here, and reported by its sum below.
        runs.push(value as u32);
    }
    finish(runs, total, empty_runs, size)
}

/// Whether a string in canonical form is that of a mask without a pixel: one run of background.
pub fn is_empty_string(string: &[u8]) -> bool {
    // Bit 5 of a character says that its number goes on.
    let first_end = string.iter().position(|byte| byte.wrapping_sub(48) & 32 == 0);
    first_end.is_some_and(|end| end + 1 == string.len())
}

/// Reads eight runs of one character each, none of them empty, and their sum; noise has hardly any others.
fn short_runs(string: &[u8], mut before_last: i64, mut last: i64) -> Option<([u32; 8], u64)> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // A character below 48 borrows, and shows as well in the bits that no group of 5 has.
    let groups = u64::from_le_bytes(*string.first_chunk()?).wrapping_sub(48 * EACH);
    if groups & (0xe0 * EACH) != 0 {
        return None;
    }
    let mut runs = [0; 8];
    let (mut least, mut sum) = (i64::MAX, 0);
    for (run, group) in runs.iter_mut().zip(groups.to_le_bytes()) {
        let value = before_last + i64::from(group ^ 16) - 16;
        (before_last, last) = (last, value);
        least = least.min(value);
        sum += value;
        *run = value as u32;
    }
    // Empty and negative runs are left to who counts and reports them, and so are those beyond 32 bits.
    (least > 0 && sum <= i64::from(u32::MAX)).then_some((runs, sum as u64))
}

/// Checks run lengths and copies them as canonical runs.
pub(super) fn check_counts(counts: &[i64], size: Size, runs: &mut Vec<u32>) -> Result<(), RleError> {
    runs.clear();
    runs.reserve(counts.len());
    let mut total = 0u64;
    let mut empty_runs = 0;
    for (run, &value) in counts.iter().enumerate() {
        if value < 0 {
            return Err(RleError::Negative { run, value });
        }
        total = total.saturating_add(value as u64);
        empty_runs += usize::from(value == 0);
        runs.push(value as u32);
    }
    finish(runs, total, empty_runs, size)
}

/// Compares the sum with the size and brings the runs into canonical form.
fn finish(runs: &mut Vec<u32>, total: u64, empty_runs: usize, size: Size) -> Result<(), RleError> {
    let expected = u64::from(size.pixels());
    if total != expected {
        return Err(RleError::Sum {
            found: total,
            expected,
            h: size.h(),
            w: size.w(),
        });
    }
    let leading = usize::from(runs.first() == Some(&0));
    if empty_runs > leading || runs.is_empty() || total == 0 {
        canonicalise(runs);
    }
    Ok(())
}

/// Removes empty runs but the first, joining their neighbours, in place.
fn canonicalise(runs: &mut Vec<u32>) {
    let mut kept = 0;
    for i in 0..runs.len() {
        let run = runs[i];
        if run == 0 {
            continue;
        }
        if kept == 0 && i % 2 == 1 {
            // Only a run at an odd index comes here, so there is room for the empty first run.
            runs[0] = 0;
            kept = 1;
        }
        if kept > 0 && (kept - 1) % 2 == i % 2 {
            runs[kept - 1] += run;
        } else {
            runs[kept] = run;
            kept += 1;
        }
    }
    runs.truncate(kept);
    if runs.is_empty() {
        runs.push(0);
    }
}

/// Appends the run-length string of `runs`.
pub(super) fn write(runs: &[u32], out: &mut Vec<u8>) {
    out.reserve(2 * runs.len() + MAX_GROUPS as usize * BLOCK);
    let (first, rest) = runs.split_at(runs.len().min(3));
    write_numbers(first.iter().map(|&run| i64::from(run)), out);
    let before = runs.get(1..).unwrap_or_default();
    for (block, before) in rest.chunks(BLOCK).zip(before.chunks(BLOCK)) {
        let pairs = block.iter().zip(before);
        write_numbers(pairs.map(|(&run, &before)| i64::from(run) - i64::from(before)), out);
    }
}

/// Appends at most [`BLOCK`] numbers.
fn write_numbers(numbers: impl Iterator<Item = i64>, out: &mut Vec<u8>) {
    let mut at = out.len();
    out.resize(at + MAX_GROUPS as usize * BLOCK, 0);
    for number in numbers {
        let place = number + SHORT_NUMBERS as i64 / 2;
        if (0..SHORT_NUMBERS as i64).contains(&place) {
            // Whether it takes one character or two cannot be predicted, so there is no branch on it.
            out[at..at + 2].copy_from_slice(&SHORT[place as usize]);
            at += 1 + usize::from(!(-16..16).contains(&number));
        } else {
            at += write_long(number, &mut out[at..]);
        }
    }
    out.truncate(at);
}

/// Writes a number group by group; returns the number of groups.
fn write_long(mut number: i64, out: &mut [u8]) -> usize {
    for (groups, character) in out.iter_mut().enumerate() {
        let group = (number & 31) as u8;
        number >>= 5;
        // Done when what is left is nothing but copies of the sign bit just written.
        if number == if group & 16 != 0 { -1 } else { 0 } {
            *character = 48 + group;
            return groups + 1;
        }
        *character = 48 + (group | 32);
    }
    out.len()
}

/// How many numbers around 0 take two characters at most.
const SHORT_NUMBERS: usize = 1 << 10;

/// The characters of the numbers from -512 on; the second one counts only beyond -16 .. 16.
static SHORT: [[u8; 2]; SHORT_NUMBERS] = {
    let mut table = [[0; 2]; SHORT_NUMBERS];
    let mut place = 0;
    while place < SHORT_NUMBERS {
        let number = place as i64 - SHORT_NUMBERS as i64 / 2;
        let more = if number >= -16 && number < 16 { 0 } else { 32 };
        table[place] = [48 + (number & 31 | more) as u8, 48 + (number >> 5 & 31) as u8];
        place += 1;
    }
    table
};

/// Whether `runs` is the canonical form that [`super`] describes.
pub(super) fn is_canonical(runs: &[u32], size: Size) -> bool {
    !runs.is_empty()
        && runs.iter().skip(1).all(|&run| run > 0)
        && runs.iter().map(|&run| u64::from(run)).sum::<u64>() == u64::from(size.pixels())
}
