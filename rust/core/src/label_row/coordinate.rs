//! Numbers that staged rows hold, checked and written; and what to say of rows that are not what staging makes.

use super::number::{push_f64, round_to};
use crate::error::{Error, Result};

/// Writes a coordinate or angle, rounded to `decimals` where there are any.
#[inline]
pub(super) fn push_coordinate(out: &mut Vec<u8>, value: f64, decimals: Option<u8>) -> Result<()> {
    match decimals {
        Some(decimals) if value.is_finite() => push_finite(out, round_to(value, decimals)),
        _ => push_finite(out, value),
    }
}

/// Writes a number.
#[inline]
pub(super) fn push_finite(out: &mut Vec<u8>, value: f64) -> Result<()> {
    if !value.is_finite() {
        return Err(damaged(format!("the number {value}")));
    }
    push_f64(out, value);
    Ok(())
}

/// The error for a staged row that holds `found`.
pub(super) fn damaged(found: String) -> Error {
    Error::Stage(format!("found {found}; stage the sources again"))
}
