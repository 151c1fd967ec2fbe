//! Which format a source is of.

use super::registry::FORMATS;
use super::{coco, table, Format, Head, Sure};
use crate::source::Source;

/// Asks all formats whether a source is of them. One that none claims, or that cannot be read, is left to the reader of
/// COCO, which says what is wrong with it.
pub fn detect(source: &Source) -> (&'static Format, Sure) {
    let Source::File(file) = source else {
        return (&table::IN_MEMORY, Sure::Yes);
    };
    let Ok(head) = Head::of(file) else {
        return (&coco::FORMAT, Sure::Yes);
    };
    let claims = |sure: Sure| FORMATS.iter().copied().find(|format| (format.detect)(&head) == sure);
    let surest = [Sure::Yes, Sure::Maybe].into_iter();
    surest
        .filter_map(|sure| claims(sure).map(|format| (format, sure)))
        .next()
        .unwrap_or((&coco::FORMAT, Sure::Yes))
}
