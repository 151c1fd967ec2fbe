//! How keypoints are seen, of formats that have a third number for each.

/// Flags of keypoints: 0 not labelled, 1 hidden, 2 visible. Models put confidences where labels have flags: then a point
/// with one above 0 is visible.
pub(super) fn flags(third: impl Iterator<Item = f64> + Clone) -> impl Iterator<Item = u8> {
    let are_flags = third.clone().all(|value| [0.0, 1.0, 2.0].contains(&value));
    third.map(move |value| match value {
        flag if are_flags => flag as u8,
        confidence if confidence > 0.0 => 2,
        _ => 0,
    })
}
