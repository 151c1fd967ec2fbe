//! Which texts name a track. Trackers write -1 for what they do not track, and table libraries NaN for a missing number.

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BooleanArray};
use arrow_schema::ArrowError;
use arrow_select::nullif::nullif;

/// Whether a text names a track; -1, NaN and an empty text say that there is none.
pub(super) fn is_track(text: &str) -> bool {
    !(text.is_empty() || matches!(text, "-1" | "-1.0") || text.eq_ignore_ascii_case("nan"))
}

/// The column of tracks with null for each text that means no track; nothing where all texts are tracks.
pub(super) fn tracks_only(column: &ArrayRef) -> Result<Option<ArrayRef>, ArrowError> {
    let texts = column.as_string_view();
    if texts.iter().flatten().all(is_track) {
        return Ok(None);
    }
    let none: BooleanArray = texts.iter().map(|text| text.map(|text| !is_track(text))).collect();
    nullif(column, &none).map(Some)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::StringViewArray;

    use super::*;

    #[test]
    fn minus_one_nan_and_nothing_name_no_track() {
        for text in ["", "-1", "-1.0", "NaN", "nan", "NAN"] {
            assert!(!is_track(text), "{text:?}");
        }
        for text in ["0", "1", "-2", "-10", "nano", "a", " "] {
            assert!(is_track(text), "{text:?}");
        }
    }

    #[test]
    fn a_column_keeps_its_tracks() {
        let long = "a track with a long name";
        let texts = |texts: [Option<&str>; 4]| -> ArrayRef { Arc::new(StringViewArray::from_iter(texts)) };
        let only = |given| tracks_only(&texts(given)).ok();
        let kept = only([Some("-1"), None, Some(long), Some("")]);
        assert_eq!(kept, Some(Some(texts([None, None, Some(long), None]))));
        assert_eq!(only([Some("1"), None, Some(long), Some("2")]), Some(None));
    }
}
