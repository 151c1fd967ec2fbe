//! How much a source may claim to hold before it is decoded.

/// How many times its own size a source may decode to, beyond [`FREE_BYTES`]: predictions are some 10 times as long, what is
/// made to exhaust its reader is 1,000 times and more.
pub(super) const MOST_GROWTH: u64 = 250;

/// Bytes that any source may decode to.
const FREE_BYTES: u64 = 1 << 26;

/// Most bytes that `stored` bytes may decode to. A table of so many bytes may also have so many rows.
pub(crate) fn most_from(stored: u64) -> u64 {
    stored.saturating_mul(MOST_GROWTH).saturating_add(FREE_BYTES)
}
