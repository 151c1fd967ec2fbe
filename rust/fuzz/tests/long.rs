//! Long inputs: the bounds on memory hold where a short seed cannot tell linear from more.

use ropewalk_fuzz::targets::{file_formats, formats, label_rows};

/// A list of many items, `#` in each replaced by a number of its own.
fn list(start: &str, item: &str, between: &str, end: &str) -> String {
    let items: Vec<String> = (0..10_000)
        .map(|i| item.replace('#', &(i * 7919 % 10_007).to_string()))
        .collect();
    format!("{start}{}{end}", items.join(between))
}

/// Replays a file of many items as a format: in chunks of 1024 bytes, COCO with 255 rows a batch.
fn replay_as(name: &str, text: &str) -> &'static str {
    let number = file_formats()
        .position(|format| format.name == name)
        .expect("a format of this name");
    formats(&[&[number as u8, 0, 4, 255], text.as_bytes()].concat())
}

/// Replays a COCO file.
fn replay(start: &str, item: &str, between: &str, end: &str) -> &'static str {
    replay_as("coco", &list(start, item, between, end))
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

#[test]
fn pickles() {
    for item in ["I#\na", "]0", "}0", "V#\n0", "(I#\nNt0", "V#\nF#\nN\u{0}"] {
        let read = replay_as("active-pkl", &list("(lp0\n", item, "", "."));
        assert_eq!(read, if item.contains('\u{0}') { "blocked" } else { "no rows" });
    }
}

#[test]
fn rows_of_the_table() {
    let row = r#"{"media":"m","class":"c","box":[#,0,0,0],"unit":"px"}"#;
    assert_eq!(replay_as("ndjson", &list("", row, "\n", "")), "rows");
    assert_eq!(replay_as("ndjson", &list("", "1", "\n", "")), "no rows");
    let points = list(
        r#"{"media":"m","class":"c","shape":"polygon","unit":"px","points":[[["#,
        "0",
        ",",
        "]]]}",
    );
    assert_eq!(replay_as("ndjson", &points), "rows");
    let attributes = list(
        r#"{"media":"m","class":"c","attributes":["#,
        r##"{"name":"#"}"##,
        ",",
        "]}",
    );
    assert_eq!(replay_as("ndjson", &attributes), "rows");
}

/// A label row with `labels` in its one unit.
fn label_row(labels: &str) -> String {
    format!(
        r#"{{"label_hash":"l","branch_name":"b","data_hash":"a","dataset_hash":"s","dataset_title":"t","data_title":"c",
            "data_type":"video","label_status":"LABELLED","object_answers":{{}},"classification_answers":{{}},
            "data_units":{{"a":{{"data_hash":"a","data_title":"t","data_sequence":0,"labels":{labels}}}}}}}"#
    )
}

#[test]
fn rows_of_labels() {
    assert_eq!(replay_as("encord", &list("[", "1", ",", "]")), "no rows");
    let objects = list(r#"{"1":{"objects":["#, r##"{"objectHash":"#"}"##, ",", "]}}");
    let frames = list("{", r##""#":{}"##, ",", "}");
    for labels in [objects, frames] {
        assert_eq!(replay_as("encord", &label_row(&labels)), "no rows");
        assert_ne!(label_rows(label_row(&labels).as_bytes()), "no label row");
    }
}
