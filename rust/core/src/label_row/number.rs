//! Numbers as Python's `json.dumps` writes them: the shortest text that reads back to the same f64, in `repr`'s form.

use super::fraction::push_shortest;

/// Longest text of an f64, such as `-2.2250738585072014e-308`.
pub(super) const TEXT_BYTES: usize = 24;

/// Appends a finite f64 as Python's `repr` writes it: `1.0`, `1e-05`, `1e+16`, `5e-324`.
///
/// NaN and the infinities are not JSON; callers refuse them before.
#[inline]
pub fn push_f64(out: &mut Vec<u8>, value: f64) {
    if !push_shortest(out, value) {
        push_any_f64(out, value);
    }
}

fn push_any_f64(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    // Below 1e-4 Python switches to an exponent of at least two digits; zmij does so a decade later, with one digit.
    // Everywhere else the two agree.
    let magnitude = value.abs();
    if magnitude >= 1e-4 || magnitude == 0.0 || magnitude < 1e-9 {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_small(out, text);
    }
}

/// Appends the first `len` of a few bytes.
#[inline]
pub(super) fn push_start<const N: usize>(out: &mut Vec<u8>, bytes: &[u8; N], len: usize) {
    let end = out.len() + len;
    out.extend_from_slice(bytes);
    out.truncate(end);
}

/// Rounds a finite number to so many decimals, exact ties to an even last digit; what would be -0.0 is 0.0.
///
/// All digits of the f64 decide: 2.675 is a little less than that, and becomes 2.67. The result is the f64 nearest to the
/// rounded decimal.
pub fn round_to(value: f64, decimals: u8) -> f64 {
    let scale = 10_f64.powi(decimals.into());
    let scaled = value * scale;
    let from_tie = (scaled.fract().abs() - 0.5).abs();
    // Powers of ten are exact up to 1e22, whole numbers up to 2^53, and a division rounds once: only where the product's
    // own rounding might have crossed a tie are the decimals to be looked at.
    let rounded = if scaled.abs() < (1_u64 << 52) as f64 && from_tie > scaled.abs() * f64::EPSILON {
        scaled.round() / scale
    } else {
        by_decimals(value, decimals)
    };
    rounded + 0.0
}

fn by_decimals(value: f64, decimals: u8) -> f64 {
    let text = format!("{value:.*}", usize::from(decimals));
    text.parse().unwrap_or(value)
}

/// Rewrites zmij's text of a magnitude in 1e-9..1e-4.
fn push_small(out: &mut Vec<u8>, text: &str) {
    let digits = match text.strip_prefix('-') {
        Some(rest) => {
            out.push(b'-');
            rest
        }
        None => text,
    };
    if let Some((mantissa, exponent)) = digits.split_once("e-") {
        out.extend_from_slice(mantissa.as_bytes());
        out.extend_from_slice(if exponent.len() < 2 { b"e-0" } else { b"e-" });
        out.extend_from_slice(exponent.as_bytes());
        return;
    }
    let (first, rest) = digits.trim_start_matches(['0', '.']).split_at(1);
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest.as_bytes());
    }
    out.extend_from_slice(b"e-05");
}

/// Appends an integer in decimal.
pub fn push_u64(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends a JSON number: integers as they are, all others as [`push_f64`] writes them.
pub fn push_number(out: &mut Vec<u8>, value: &serde_json::Number) {
    match value.as_f64() {
        Some(float) if value.is_f64() => push_f64(out, float),
        _ => out.extend_from_slice(value.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: f64) -> String {
        let mut out = Vec::new();
        push_f64(&mut out, value);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn takes_reprs_form_on_both_sides_of_each_switch() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.0001, "0.0001"),
            (0.00009999999999999999, "9.999999999999999e-05"),
            (-0.00001, "-1e-05"),
            (0.000015, "1.5e-05"),
            (9.5e-6, "9.5e-06"),
            (-1e-9, "-1e-09"),
            (9.99e-10, "9.99e-10"),
            (9999999999999998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (0.1 + 0.2, "0.30000000000000004"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn rounds_by_the_decimal_value() {
        let cases = [
            (0.125, 2, "0.12"),
            (0.375, 2, "0.38"),
            (-0.125, 2, "-0.12"),
            (0.5, 0, "0.0"),
            (1.5, 0, "2.0"),
            (2.5, 0, "2.0"),
            (0.15, 1, "0.1"),
            (0.35, 1, "0.3"),
            (2.675, 2, "2.67"),
            (1.005, 2, "1.0"),
            (0.1 + 0.2, 6, "0.3"),
            (1.0 / 3.0, 4, "0.3333"),
            (2.0 / 3.0, 4, "0.6667"),
            (0.999_999, 3, "1.0"),
            (0.000_014, 5, "1e-05"),
            (0.000_004, 5, "0.0"),
            (-0.000_004, 5, "0.0"),
            (-0.0, 3, "0.0"),
            (0.1, 17, "0.1"),
            (1.0 / 3.0, 17, "0.3333333333333333"),
            (1e22, 17, "1e+22"),
            (f64::MAX, 0, "1.7976931348623157e+308"),
            (5e-324, 17, "0.0"),
        ];
        for (value, decimals, expected) in cases {
            assert_eq!(text(round_to(value, decimals)), expected, "{value} to {decimals}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn the_short_way_rounds_as_the_decimals_say(whole in 0_u64..20_000, value in -2.0..2.0_f64, decimals in 0_u8..=17) {
            let near_a_tie = (whole as f64 + 0.5) / 10_f64.powi(decimals.min(5).into());
            for value in [value, near_a_tie, near_a_tie.next_up(), near_a_tie.next_down(), -near_a_tie] {
                let expected = by_decimals(value, decimals) + 0.0;
                prop_assert_eq!(round_to(value, decimals).to_bits(), expected.to_bits(), "{} to {}", value, decimals);
                prop_assert_eq!(round_to(expected, decimals).to_bits(), expected.to_bits(), "rounding again");
            }
        }
    }

    #[test]
    fn writes_integers_of_every_length() {
        for value in [0, 7, 10, 1920, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            push_u64(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
        }
    }
}
