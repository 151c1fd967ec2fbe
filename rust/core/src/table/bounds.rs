//! How much a table may claim of itself before memory is taken for it.

/// How many times its own size a table may decode to, beyond [`FREE_BYTES`].
const MOST_GROWTH: u64 = 250;

/// Bytes that any table may decode to, and rows that it may have.
const FREE_BYTES: u64 = 1 << 26;

/// Most bytes that `stored` bytes may say they decode to; a table of so many bytes may also have so many rows.
///
/// Predictions decode to some 10 times as much. What is made to exhaust its reader decodes to 1,000 times and more.
pub(super) fn most_from(stored: u64) -> u64 {
    stored.saturating_mul(MOST_GROWTH).saturating_add(FREE_BYTES)
}
