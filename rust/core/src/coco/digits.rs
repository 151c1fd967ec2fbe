//! Numbers of few digits, eight digits at a time: how many there are decides nothing but the width of a shift.

use super::json::{Number, EXACT, TENS};

/// Bytes that are looked at. Most numbers and the byte behind them fit, and every access is known to be inside.
pub(super) const CHUNK_BYTES: usize = 32;

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
    // Together at most 18 digits, which fit.
    if digits == 0 || whole_digits + digits > 18 || !ends_at(chunk, at) {
        return None;
    }
    let mantissa = whole * WHOLE_TENS[digits] + fraction;
    if mantissa > EXACT {
        return None;
    }
    // Both are exact, so that the division rounds once: correctly.
    let value = mantissa as f64 / TENS[digits];
    Some((Number::Float(if negative { -value } else { value }), at))
}

/// Whether a number whose digits end at `at` ends there.
#[inline]
fn ends_at(chunk: &[u8; CHUNK_BYTES], at: usize) -> bool {
    chunk.get(at).is_some_and(|byte| byte | 0x20 != b'e')
}

/// Value and number of the digits at `at`, of which there may be 16.
#[inline]
fn run(chunk: &[u8; CHUNK_BYTES], at: usize) -> Option<(u64, usize)> {
    let (first, digits) = word(chunk, at)?;
    if digits < 8 {
        return Some((value(first, digits), digits));
    }
    let (second, more) = word(chunk, at + 8)?;
    let ends = more < 8 || !chunk.get(at + 16)?.is_ascii_digit();
    ends.then(|| (value(first, 8) * WHOLE_TENS[more] + value(second, more), 8 + more))
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
const WHOLE_TENS: [u64; 17] = {
    let mut tens = [1; 17];
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
    use super::super::json::Scanner;
    use super::*;
    use proptest::prelude::*;

    fn quickly(text: &str) -> Option<(Number, usize)> {
        let mut chunk = [b' '; CHUNK_BYTES];
        chunk.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        short(&chunk)
    }

    fn check(text: &str) {
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
            ("12345678901234567", None),
            ("1.5]", float(1.5)),
            ("1.2.3", float(1.2)),
            ("01.5", None),
            ("1.", None),
            (".5", None),
            ("-", None),
            ("1e5", None),
            ("1.5E5", None),
            ("9007199254740993.5", None),
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
        fn is_correctly_rounded(value in -1e6..1e6_f64, decimals in 0_usize..10) {
            let text = format!("{value:.decimals$}");
            let (number, len) = quickly(&text).unwrap();
            prop_assert_eq!(len, text.len());
            prop_assert_eq!(number.as_f64(), text.parse::<f64>().unwrap());
        }
    }
}
