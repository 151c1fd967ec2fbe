//! Numbers as the scanner gives them, and what their readers share.

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// No fraction, no exponent, within `i64`.
    Int(i64),
    /// No fraction, no exponent, beyond `i64`.
    Big(f64),
    /// Any other number, NaN and the infinities included.
    Float(f64),
}

impl Number {
    /// The number as `f64`, correctly rounded.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Big(value) | Self::Float(value) => value,
        }
    }

    /// The integer that the number is, also when it is written as 3.0.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(value),
            // Beyond 2^53 a float names several integers.
            Self::Float(value) if value.fract() == 0.0 && value.abs() <= EXACT as f64 => Some(value as i64),
            _ => None,
        }
    }
}

/// Largest integer up to which every integer is an `f64`.
pub(super) const EXACT: u64 = 1 << 53;

/// Powers of ten that are exact in `f64`: a mantissa up to 2^53 divided by one of them is correctly rounded.
pub(super) const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
