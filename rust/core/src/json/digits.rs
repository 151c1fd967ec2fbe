//! Numbers of few digits, eight digits at a time: how many there are decides nothing but the width of a shift.

use super::number::{Number, EXACT, TENS};

/// Bytes that are looked at. Most numbers and the byte behind them fit, and every access is known to be inside.
pub(super) const CHUNK_BYTES: usize = 32;

/// Most digits that are read: their value is below 2^60.
const MOST_DIGITS: usize = 18;

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

/// Reads the number that `chunk` starts with, and its length. None for what takes more care: a number that may be longer
/// than the chunk, has an exponent, has more digits than are exact, or is none.
#[inline(always)]
pub(super) fn short(chunk: &[u8; CHUNK_BYTES]) -> Option<(Number, usize)> {
    tiny(chunk).or_else(|| longer(chunk))
}

/// Reads a number without a sign that ends, point included, within seven bytes: where it ends is found in one word,
/// so that the next number need not wait for its value.
#[inline(always)]
pub(super) fn tiny(chunk: &[u8; CHUNK_BYTES]) -> Option<(Number, usize)> {
    let word = u64::from_le_bytes(*chunk.first_chunk()?);
    let others = other_bytes(word);
    let whole = byte_of(others);
    if whole == 0 || others == 0 || (whole > 1 && word as u8 == b'0') {
        return None;
    }
    let ends = |at: usize| (word >> (8 * at)) as u8 | 0x20 != b'e';
    let digits = word ^ (ONES * u64::from(b'0'));
    if (word >> (8 * whole)) as u8 != b'.' {
        return ends(whole).then(|| (Number::Int(value(digits, whole) as i64), whole));
    }
    let behind_point = others & (others - 1);
    let end = byte_of(behind_point);
    if behind_point == 0 || end == whole + 1 || !ends(end) {
        return None;
    }
    // The fraction moves over the point.
    let below_point = (1 << (8 * whole)) - 1;
    let joined = (digits & below_point) | ((digits >> 8) & !below_point);
    Some((
        Number::Float(value(joined, end - 1) as f64 / TENS[(end - whole - 1) & 7]),
        end,
    ))
}

/// Length of the number that `chunk` starts with; none where [`short`] has none, and for a negative one.
#[inline]
pub(super) fn len(chunk: &[u8; CHUNK_BYTES]) -> Option<usize> {
    let whole = digits(chunk, 0)?;
    if whole == 0 || (whole > 1 && chunk[0] == b'0') {
        return None;
    }
    let mut end = whole;
    if *chunk.get(whole)? == b'.' {
        end += 1 + digits(chunk, whole + 1)?;
        if end == whole + 1 {
            return None;
        }
    }
    ends_at(chunk, end).then_some(end)
}

/// Number of the digits at `at`.
#[inline]
fn digits(chunk: &[u8; CHUNK_BYTES], at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        let (_, more) = word(chunk, end)?;
        end += more;
        if more < 8 {
            return Some(end - at);
        }
    }
}

#[inline(never)]
fn longer(chunk: &[u8; CHUNK_BYTES]) -> Option<(Number, usize)> {
    let negative = chunk[0] == b'-';
    let start = usize::from(negative);
    let (whole, whole_digits) = run(chunk, start)?;
    let leading_zero = chunk[start] == b'0' && whole_digits > 1;
    if whole_digits == 0 || leading_zero {
        return None;
    }
    let mut at = start + whole_digits;
    if *chunk.get(at)? != b'.' {
        let value = whole as i64;
        let number = Number::Int(if negative { -value } else { value });
        return ends_at(chunk, at).then_some((number, at));
    }
    let (fraction, digits) = run(chunk, at + 1)?;
    at += 1 + digits;
    if digits == 0 || whole_digits + digits > MOST_DIGITS || !ends_at(chunk, at) {
        return None;
    }
    let value = quotient(whole * WHOLE_TENS[digits] + fraction, digits);
    Some((Number::Float(if negative { -value } else { value }), at))
}

/// `mantissa` divided by a power of ten, correctly rounded.
#[inline]
fn quotient(mantissa: u64, digits: usize) -> f64 {
    if mantissa <= EXACT {
        // Both are exact, so that the division rounds once.
        return mantissa as f64 / TENS[digits];
    }
    let divisor = WHOLE_TENS[digits];
    // The quotient of whole numbers gets 63 or 64 bits, of which the lowest says whether there is a rest: far below those
    // that count, it decides where the rounding stands between two.
    let shift = 63 + divisor.ilog2() - mantissa.ilog2();
    let (dividend, divisor) = (u128::from(mantissa) << shift, u128::from(divisor));
    let rest = u64::from(dividend % divisor != 0);
    let rounded = ((dividend / divisor) as u64 | rest) as f64;
    rounded * f64::from_bits(u64::from(1023 - shift) << 52)
}

/// Whether a number whose digits end at `at` ends there.
#[inline]
fn ends_at(chunk: &[u8; CHUNK_BYTES], at: usize) -> bool {
    chunk.get(at).is_some_and(|byte| byte | 0x20 != b'e')
}

/// Value and number of the digits at `at`.
#[inline]
fn run(chunk: &[u8; CHUNK_BYTES], at: usize) -> Option<(u64, usize)> {
    let (mut total, mut count) = (0u64, 0);
    loop {
        let (digits, more) = word(chunk, at + count)?;
        total = total.wrapping_mul(WHOLE_TENS[more]).wrapping_add(value(digits, more));
        count += more;
        if count > MOST_DIGITS {
            return None;
        }
        if more < 8 {
            return Some((total, count));
        }
    }
}

/// The eight bytes at `at` less `0`, and how many of the first ones are digits.
#[inline]
fn word(chunk: &[u8; CHUNK_BYTES], at: usize) -> Option<(u64, usize)> {
    let word = chunk.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)?;
    Some((word ^ (ONES * u64::from(b'0')), byte_of(other_bytes(word))))
}

/// Marks the high bit of each byte that is no digit.
#[inline(always)]
fn other_bytes(word: u64) -> u64 {
    let digits = word ^ (ONES * u64::from(b'0'));
    // 10 and more reach the high bit, and none carries into the next byte.
    (((digits & !HIGH) + ONES * (0x80 - 10)) | digits) & HIGH
}

/// Number of the first byte that is marked; 8 if none is.
#[inline(always)]
fn byte_of(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// Value of the first `count` of eight digits: neighbours are joined to pairs, pairs to fours, those to eight.
#[inline(always)]
fn value(digits: u64, count: usize) -> u64 {
    if count == 0 {
        return 0;
    }
    // Bytes that are shifted in are leading zeros.
    let ones = digits << (64 - 8 * count);
    let tens = (ones.wrapping_mul((10 << 8) + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let hundreds = (tens.wrapping_mul((100 << 16) + 1) >> 16) & 0x0000_ffff_0000_ffff;
    hundreds.wrapping_mul((10_000 << 32) + 1) >> 32
}

/// Powers of ten for as many digits as follow.
const WHOLE_TENS: [u64; MOST_DIGITS + 1] = {
    let mut tens = [1; MOST_DIGITS + 1];
    let mut at = 1;
    while at < tens.len() {
        tens[at] = 10 * tens[at - 1];
        at += 1;
    }
    tens
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::scanner::Scanner;
    use super::*;
    use proptest::prelude::*;

    fn chunk(text: &str) -> [u8; CHUNK_BYTES] {
        let mut chunk = [b' '; CHUNK_BYTES];
        chunk.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        chunk
    }

    fn quickly(text: &str) -> Option<(Number, usize)> {
        short(&chunk(text))
    }

    fn check(text: &str) {
        if !text.starts_with('-') && quickly(text).is_some() {
            assert_eq!(len(&chunk(text)), quickly(text).map(|(_, len)| len), "{text}");
        }
        if let Some(len) = len(&chunk(text)) {
            let mut scanner = Scanner::new(text.as_bytes(), 0, true);
            assert!(scanner.any_number().is_ok() && scanner.at == len, "{text}");
        }
        if let Some((number, len)) = quickly(text) {
            let mut scanner = Scanner::new(text.as_bytes(), 0, true);
            let slow = scanner.any_number().unwrap();
            assert_eq!((number, len), (slow, scanner.at), "{text}");
            assert_eq!(number.as_f64().to_bits(), slow.as_f64().to_bits(), "{text}");
        }
    }

    #[test]
    fn takes_the_numbers_that_files_hold() {
        let float = |value| Some(Number::Float(value));
        for (text, number) in [
            ("0", Some(Number::Int(0))),
            ("-0", Some(Number::Int(0))),
            ("-0.0", float(-0.0)),
            ("1234.56", float(1234.56)),
            ("-12345678.90123", float(-12345678.90123)),
            ("0.8412345647811889", float(0.8412345647811889)),
            ("1234567890123456", Some(Number::Int(1_234_567_890_123_456))),
            ("123456789012345678", Some(Number::Int(123_456_789_012_345_678))),
            ("1234567890123456789", None),
            ("1.5]", float(1.5)),
            ("1.2.3", float(1.2)),
            ("01.5", None),
            ("1.", None),
            (".5", None),
            ("-", None),
            ("1e5", None),
            ("1.5E5", None),
            ("229.25465257908633", float(229.25465257908633)),
            ("0.05444123456789012", float(0.05444123456789012)),
            // Half way between two, and just above.
            ("9007199254740993.0", float(9007199254740992.0)),
            ("9007199254740993.5", float(9007199254740994.0)),
            ("900719925474099.350", float(900719925474099.4)),
            ("0.1234567890123456789", None),
            ("NaN", None),
        ] {
            assert_eq!(quickly(text).map(|(number, _)| number), number, "{text}");
            check(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn agrees_with_the_way_byte_by_byte(text in "-?[0-9]{0,18}(\\.[0-9]{0,12})?[e,.\\]: x]?") {
            check(&text);
        }

        #[test]
        fn reads_what_is_written_shortest(value in prop_oneof![0.0..1.0_f64, 0.0..1e4_f64, -1e9..1e9_f64]) {
            let text = format!("{value}");
            if let Some((number, len)) = quickly(&text) {
                prop_assert_eq!(len, text.len());
                prop_assert_eq!(number.as_f64(), value);
            } else {
                prop_assert!(text.len() > 19, "{}", text);
            }
        }

        #[test]
        fn rounds_what_lies_between_two(bits in 54..59_u32, digits in 0..19_usize, odd in 0..2_u64, step in 0..3_u64) {
            // Just below, on and just above the middle between two floats, where nothing is divided.
            let last = 1 << (bits - 52);
            let middle = (1u64 << bits) + odd * last + last / 2 - 1 + step;
            let text = format!("{middle}e-{digits}");
            prop_assert_eq!(quotient(middle, digits), text.parse::<f64>().unwrap());
        }

        #[test]
        fn is_correctly_rounded(value in -1e6..1e6_f64, decimals in 0_usize..10) {
            let text = format!("{value:.decimals$}");
            let (number, len) = quickly(&text).unwrap();
            prop_assert_eq!(len, text.len());
            prop_assert_eq!(number.as_f64(), text.parse::<f64>().unwrap());
        }
    }
}
