//! Label rows of data groups that the server holds: what an import changes in their spaces, and what it leaves alone.
#![allow(clippy::unwrap_used, missing_docs)]

use ropewalk_core::label_row::{compare, reconcile, Joined, OnExisting, Verdict};
use serde_json::{json, Value};

fn car(hash: &str, x: f64) -> Value {
    json!({"objectHash": hash, "featureHash": "car", "shape": "bounding_box", "confidence": 1.0,
        "boundingBox": {"h": 0.25, "w": 0.5, "x": x, "y": 0.125}})
}

/// A row with these spaces: (id, frame, objects).
fn row(spaces: &[(&str, &str, Vec<Value>)]) -> Value {
    let of = |(id, frame, objects): &(&str, &str, Vec<Value>)| {
        let labels = json!({*frame: {"objects": objects, "classifications": []}});
        let space = json!({"space_type": "video", "number_of_frames": 9, "width": 64, "height": 36, "labels": labels});
        ((*id).to_owned(), space)
    };
    let hashes = spaces.iter().flat_map(|(.., objects)| objects);
    let hashes = hashes.map(|object| object["objectHash"].as_str().unwrap().to_owned());
    let answers = hashes.map(|hash| (hash.clone(), json!({"classifications": [], "objectHash": hash})));
    json!({
        "data_type": "group",
        "data_units": {"group": {"data_hash": "group", "data_sequence": 0, "labels": {}}},
        "spaces": spaces.iter().map(of).collect::<serde_json::Map<_, _>>(),
        "object_answers": answers.collect::<serde_json::Map<_, _>>(),
        "classification_answers": {},
        "object_actions": {},
    })
}

fn merged(theirs: &Value, ours: &Value) -> (Verdict, Value) {
    let (theirs, ours) = (theirs.to_string(), ours.to_string());
    let done = reconcile(theirs.as_bytes(), ours.as_bytes(), &Joined::new(), OnExisting::Merge).unwrap();
    (done.verdict, serde_json::from_slice(&done.body.unwrap()).unwrap())
}

#[test]
fn labels_of_other_spaces_and_frames_stay() {
    let theirs = row(&[("left", "2", vec![car("a", 0.1)]), ("right", "3", vec![car("b", 0.2)])]);
    let ours = row(&[("right", "3", vec![car("c", 0.3)])]);
    let (verdict, body) = merged(&theirs, &ours);
    assert_eq!(verdict, Verdict::Save);
    assert_eq!(body["spaces"]["left"], theirs["spaces"]["left"]);
    let objects = &body["spaces"]["right"]["labels"]["3"]["objects"];
    assert_eq!(objects, &json!([car("b", 0.2), car("c", 0.3)]));
    assert_eq!(body["data_units"], theirs["data_units"]);
}

#[test]
fn a_space_that_the_server_left_out_is_put_in() {
    let theirs = row(&[("left", "2", vec![car("a", 0.1)])]);
    let ours = row(&[("right", "3", vec![car("c", 0.3)])]);
    let (_, body) = merged(&theirs, &ours);
    assert_eq!(body["spaces"]["left"], theirs["spaces"]["left"]);
    assert_eq!(body["spaces"]["right"], ours["spaces"]["right"]);
}

#[test]
fn differences_name_the_space() {
    let theirs = row(&[("left", "2", vec![car("a", 0.1)]), ("right", "3", vec![])]);
    let ours = row(&[("left", "2", vec![car("a", 0.4)]), ("right", "3", vec![car("c", 0.3)])]);
    let (theirs, ours) = (theirs.to_string(), ours.to_string());
    let found = compare(theirs.as_bytes(), ours.as_bytes(), &Joined::new()).unwrap();
    let lines = found.differences.iter().map(|difference| {
        let line: Value = serde_json::from_str(&difference.to_json_line("group", "scene")).unwrap();
        json!([
            line["code"],
            line["data_unit"],
            line["frame"],
            line["object_hash"],
            line["fields"]
        ])
    });
    assert_eq!(
        Value::Array(lines.collect()),
        json!([
            ["changed", "left", 2, "a", ["boundingBox"]],
            ["missing", "right", 3, "c", []]
        ])
    );
}

#[test]
fn a_group_is_not_compared_with_a_row_of_another_type() {
    let ours = row(&[("left", "2", vec![car("a", 0.1)])]);
    let theirs = json!({"data_type": "video", "data_units": {"group": {"labels": {}}}});
    assert!(compare(
        theirs.to_string().as_bytes(),
        ours.to_string().as_bytes(),
        &Joined::new()
    )
    .is_err());
}

/// An image with layers has its labels on a space: an import does not write there, and does not take it for empty.
#[test]
fn labels_on_layers_are_foreign_and_stay() {
    let image = |spaces: Value, objects: Value| {
        let labels = json!({"objects": objects, "classifications": []});
        json!({
            "data_type": "image",
            "data_units": {"still": {"data_hash": "still", "data_sequence": 0, "labels": labels}},
            "spaces": spaces,
            "object_answers": {"a": {"classifications": [], "objectHash": "a"}},
            "classification_answers": {},
            "object_actions": {},
        })
    };
    let layer = json!({"0": {"objects": [car("a", 0.1)], "classifications": []}});
    let root = json!({"root": {"space_type": "image", "width": 64, "height": 36, "labels": layer}});
    let (theirs, ours) = (image(root, json!([])), image(json!({}), json!([car("c", 0.3)])));
    let (text, own) = (theirs.to_string(), ours.to_string());
    let decided = |policy| reconcile(text.as_bytes(), own.as_bytes(), &Joined::new(), policy).unwrap();
    assert_eq!(decided(OnExisting::Fail).verdict, Verdict::Refused);
    assert_eq!(decided(OnExisting::Fail).foreign, 1);
    let (_, body) = merged(&theirs, &ours);
    assert_eq!(body["spaces"], theirs["spaces"]);
    assert_eq!(body["data_units"]["still"]["labels"]["objects"], json!([car("c", 0.3)]));
}
