//! The shortest text of fractions from 1e-4 to 1, which coordinates and confidences are.
//!
//! Between these bounds no table of rounded powers is needed: a fraction is c * 2^q with 2^52 <= c < 2^53 and
//! -66 <= q <= -53, and c * 5^n, where n is the number of decimals that tell neighbours apart, is exact in 128 bits.

/// Binary exponent of the first fractions, those from 2^-14.
const FIRST_EXPONENT: i32 = -14;

/// Fewest decimals that tell neighbours apart, and digits that are written at once.
const DIGITS: usize = 16;

/// Longest text, and some more.
const MOST_BYTES: usize = 24;

const MANTISSA_BITS: u32 = 52;

/// Bits that c lacks of a word.
const ABOVE_MANTISSA: u32 = 63 - MANTISSA_BITS;

/// Bits of a unit of the last decimal in what is compared: ten units fit a word.
const UNIT_BITS: u32 = 57;

/// What fractions of one binary exponent have in common. Their neighbours are one to ten units of the last decimal apart.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// 5 to the power of the number of decimals, so far to the left that of its product with c, which is as far to the left
    /// as it goes, the high word is the units.
    fives: u64,
    /// Half the way to a neighbour, which no decimal is at: it has one more binary place than they.
    half_way: u64,
    /// Decimals beyond [`DIGITS`].
    more_decimals: usize,
}

const SCALES: [Scale; 14] = {
    let none = Scale {
        fives: 0,
        half_way: 0,
        more_decimals: 0,
    };
    let mut scales = [none; 14];
    let mut at = 0;
    while at < scales.len() {
        let exponent = FIRST_EXPONENT + at as i32 - MANTISSA_BITS as i32;
        // 10^-decimals <= 2^exponent < 10^(1 - decimals)
        let mut decimals = DIGITS as u32;
        while 10_u128.pow(decimals) < 1 << -exponent {
            decimals += 1;
        }
        // Bits of c * 5^n that are less than a unit.
        let below_unit = (-exponent) as u32 - decimals;
        scales[at] = Scale {
            fives: 5_u64.pow(decimals) << (u64::BITS - ABOVE_MANTISSA - below_unit),
            half_way: 5_u64.pow(decimals) << (UNIT_BITS - 1 - below_unit),
            more_decimals: decimals as usize - DIGITS,
        };
        at += 1;
    }
    scales
};

/// Appends the shortest decimal that reads back as `value`, of these the nearest. False, with nothing appended, for a number
/// outside the bounds, and for a power of two, whose neighbours are not equally far.
#[inline]
pub(super) fn push_shortest(out: &mut Vec<u8>, value: f64) -> bool {
    let bits = value.to_bits();
    let first = (f64::MAX_EXP - 1 + FIRST_EXPONENT) as u64;
    let scale = SCALES.get((bits >> MANTISSA_BITS).wrapping_sub(first) as usize);
    let stored = bits & ((1 << MANTISSA_BITS) - 1);
    match scale {
        Some(scale) if stored != 0 && value >= 1e-4 => {
            let decimal = nearest(stored | 1 << MANTISSA_BITS, scale);
            push_decimal(out, decimal, scale.more_decimals);
            true
        }
        _ => false,
    }
}

/// The decimal of `c`, in units of its scale's last decimal.
#[inline(always)]
fn nearest(c: u64, scale: &Scale) -> u64 {
    const TEN: u64 = 10 << UNIT_BITS;
    let exact = u128::from(c << ABOVE_MANTISSA) * u128::from(scale.fives);
    let (units, rest) = ((exact >> 64) as u64, exact as u64);
    let last_digit = units % 10;
    let above_tens = (last_digit << UNIT_BITS) + (rest >> (u64::BITS - UNIT_BITS));
    let (down, up) = (above_tens < scale.half_way, TEN - above_tens < scale.half_way);
    let tens = units - last_digit + if up { 10 } else { 0 };
    // Where no shorter one is near enough; between two equally near ones the even one.
    let rounded = units + u64::from(rest + (units & 1) > 1 << 63);
    // Which of them is chance, that no branch foresees.
    let short = u64::from(down | up).wrapping_neg();
    (tens & short) | (rounded & !short)
}

/// Appends `decimal`, of at most 17 digits, behind `0.`, less the zeros at its end.
#[inline(always)]
fn push_decimal(out: &mut Vec<u8>, decimal: u64, more_decimals: usize) {
    const HALF: u64 = 10_u64.pow(8);
    let (high, low) = (decimal / HALF, decimal % HALF);
    let first = high / HALF;
    let digits = u128::from(eight_digits(high - first * HALF)) | u128::from(eight_digits(low)) << 64;
    let ascii = digits | u128::from_ne_bytes([b'0'; DIGITS]);
    let (start, places) = (out.len(), 2 + more_decimals);
    // In place: text that is put together elsewhere is read back before it has been stored.
    out.extend_from_slice(&[b'0'; MOST_BYTES]);
    if let Some(text) = out[start..].first_chunk_mut::<MOST_BYTES>() {
        // Without more decimals there is no first digit, and the point takes its place.
        text[places - 1] = b'0' + first as u8;
        text[1] = b'.';
        text[places..places + DIGITS].copy_from_slice(&ascii.to_le_bytes());
    }
    out.truncate(start + places + DIGITS - digits.leading_zeros() as usize / 8);
}

/// The eight digits of a number, the first one in the lowest byte.
#[inline(always)]
fn eight_digits(value: u64) -> u64 {
    // Each step divides several numbers at once, exactly for as many digits as they have, and puts the quotients in front of
    // the rests: (value << bits) + quotient * (1 - (divisor << bits)).
    const fn apart(divisor: u64, bits: u32) -> u64 {
        1_u64.wrapping_sub(divisor << bits)
    }
    let quotient = (value * 109_951_163) >> 40;
    let fours = (value << 32).wrapping_add(quotient.wrapping_mul(const { apart(10_000, 32) }));
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = (fours << 16).wrapping_add(hundreds.wrapping_mul(const { apart(100, 16) }));
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    (pairs << 8).wrapping_add(tens.wrapping_mul(const { apart(10, 8) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(value: f64) {
        let expected = zmij::Buffer::new().format_finite(value).to_owned();
        let is_ours = (1e-4..1.0).contains(&value) && value.to_bits() << 12 != 0;
        let mut found = b"before ".to_vec();
        assert_eq!(push_shortest(&mut found, value), is_ours, "{value:e}");
        let expected = format!("before {}", if is_ours { &expected } else { "" });
        assert_eq!(String::from_utf8_lossy(&found), expected, "{value:e}");
    }

    #[test]
    fn writes_fractions_at_all_edges() {
        for exponent in -16..2 {
            let power = 2_f64.powi(exponent);
            for value in [power, power.next_up(), power.next_down(), 1.5 * power, -power.next_up()] {
                check(value);
            }
        }
        for value in [
            1e-4,
            1e-4_f64.next_up(),
            1e-4_f64.next_down(),
            0.1,
            0.3,
            0.1 + 0.2,
            0.05,
            1.0 / 3.0,
            0.0,
            -0.0,
            5e-324,
            f64::MAX,
            f64::INFINITY,
        ] {
            check(value);
        }
    }

    #[test]
    fn writes_every_short_decimal() {
        for decimal in 0..100_000 {
            check(f64::from(decimal) / 1e5);
            check(f64::from(decimal) / 100.0 / 1919.0);
        }
    }

    #[test]
    fn writes_eight_digits() {
        for value in (0..100_000_000_u64).step_by(9_973).chain(0..10_000) {
            let bytes = (eight_digits(value) | u64::from_ne_bytes([b'0'; 8])).to_le_bytes();
            assert_eq!(String::from_utf8_lossy(&bytes), format!("{value:08}"));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn agrees_with_a_writer_of_all_numbers(bits in 0x3f00_0000_0000_0000_u64..0x3ff0_0000_0000_0010) {
            check(f64::from_bits(bits));
        }
    }
}
