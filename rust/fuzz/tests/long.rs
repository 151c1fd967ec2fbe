//! Long inputs: the bounds on memory hold where a short seed cannot tell linear from more.

use ropewalk_fuzz::targets::coco_json;

/// Replays a list of many items, `#` in each replaced by a number of its own, in a file of so many rows a batch.
fn replay(start: &str, item: &str, between: &str, end: &str) -> &'static str {
    let items: Vec<String> = (0..10_000)
        .map(|i| item.replace('#', &(i * 7919 % 10_007).to_string()))
        .collect();
    let text = format!("{start}{}{end}", items.join(between));
    coco_json(&[&[0, 4, 255], text.as_bytes()].concat())
}

#[test]
fn annotations() {
    assert_eq!(replay("[", "1", ",", "]"), "results");
    let boxes = r#"{"id":#,"image_id":"a#","category_id":#,"bbox":[0,0,0,0]}"#;
    assert_eq!(replay("[", boxes, ",", "]"), "results");
    assert_eq!(replay(r#"[{"segmentation":[["#, "0", ",", "]]}]"), "results");
    assert_eq!(replay(r#"[{"segmentation":{"counts":["#, "0", ",", "]}}]"), "results");
}

#[test]
fn tables() {
    assert_eq!(replay(r#"{"images":["#, "{}", ",", "]}"), "dataset");
    assert_eq!(
        replay(r#"{"images":["#, r##"{"id":#,"video_id":"#"}"##, ",", "]}"),
        "dataset"
    );
    assert_eq!(replay(r#"{"categories":["#, r##"{"id":"a#"}"##, ",", "]}"), "dataset");
}

#[test]
fn reject_lines() {
    assert_eq!(replay("", r#"{"annotation":1}"#, "\n", ""), "rejects");
    let row = r#"{"annotation":null,"code":"row_too_large","annotations":1}"#;
    assert_eq!(replay("", row, "\n", ""), "rejects");
}
