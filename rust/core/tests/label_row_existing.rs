//! What happens to a row that already holds labels, for each policy.
#![allow(clippy::unwrap_used, missing_docs)]

use ropewalk_core::answers::Answers;
use ropewalk_core::batch::Unit;
use ropewalk_core::error::Error;
use ropewalk_core::geometry::Geometry;
use ropewalk_core::label_row::{
    compare, reconcile, Joined, Merged, OnExisting, Reconciled, RowHeader, RowWriter, Templates, Verdict,
};
use ropewalk_core::plan::OntologyObject;
use ropewalk_core::stage::record::{Key, StagedRow};
use serde_json::{json, Value};

use OnExisting::{Fail, Merge, Replace, Skip};

const ALL: [OnExisting; 4] = [Fail, Skip, Replace, Merge];

fn server_row(data_type: &str) -> Value {
    let unit = |hash: &str, sequence: Value| {
        json!({"data_hash": hash, "data_title": "t", "data_link": "x", "data_type": "image/png", "data_sequence": sequence,
            "width": 210, "height": 90, "labels": {}})
    };
    let units = match data_type {
        "img_group" => json!({"a": unit("a", json!("0")), "b": unit("b", json!("1"))}),
        _ => json!({"a": unit("a", json!(0))}),
    };
    json!({"label_hash": "l", "branch_name": "b", "created_at": null, "last_edited_at": null, "data_hash": "a",
        "dataset_hash": "s", "dataset_title": "t", "data_title": "c", "data_type": data_type, "label_status": "LABELLED",
        "annotation_task_status": "QUEUED", "object_answers": {}, "classification_answers": {}, "object_actions": {},
        "data_units": units, "spaces": {}})
}

/// Writes the import: a track on frames 0 and 1 and, on frame 1, an object of its own.
fn import(data_type: &str, when: &str, tracked_x: f64) -> Vec<u8> {
    let header = RowHeader::from_server(server_row(data_type).to_string().as_bytes()).unwrap();
    let ontology = [OntologyObject {
        feature_hash: "feature".to_owned(),
        name: "Car".to_owned(),
        color: "#123456".to_owned(),
        shape: "bounding_box".to_owned(),
        ..OntologyObject::default()
    }];
    let templates = Templates::new(&ontology, &[], when);
    let mut out = Vec::new();
    let mut writer = RowWriter::new(&templates, &header, |text: &mut Vec<u8>| out.append(text));
    for (frame, object, track, x) in [
        (0, 7, Some("t"), tracked_x),
        (1, 7, Some("t"), 11.0),
        (1, 8, None, 12.0),
    ] {
        let row = StagedRow {
            key: Key {
                label_row: 0,
                frame,
                object,
                source: 0,
                offset: 0,
            },
            feature: 0,
            annotation_id: None,
            track,
            score: 1.0,
            unit: Unit::Px,
            width_px: 210,
            height_px: 90,
            geometry: Geometry::BoundingBox([x, 0.0, 210.0, 4.5]),
            answers: Answers::default(),
        };
        writer.push(&row).unwrap();
    }
    writer.finish().unwrap();
    out
}

fn ours(data_type: &str) -> Vec<u8> {
    import(data_type, "Sat, 21 Nov 2026 23:48:11 UTC", 10.0)
}

fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

/// The row as a server would give it back: other times and authors, whole numbers without `.0`, numbers of its own.
fn stored(data_type: &str) -> Value {
    let mut row = value(&import(data_type, "Mon, 23 Nov 2026 00:00:00 UTC", 10.0));
    for object in objects(&mut row) {
        object["createdBy"] = json!("someone@example.org");
        object["confidence"] = json!(1);
        object["boundingBox"]["w"] = json!(1);
        object["boundingBox"].as_object_mut().unwrap().sort_keys();
    }
    for answer in row["object_answers"].as_object_mut().unwrap().values_mut() {
        answer["objectNumber"] = json!(4);
    }
    row["unknown"] = json!({"é": 1.0e-7});
    row
}

fn objects(row: &mut Value) -> Vec<&mut Value> {
    let video = row["data_type"] == "video";
    let units = row["data_units"].as_object_mut().unwrap().values_mut();
    let frames = units.flat_map(|unit| match video {
        true => unit["labels"].as_object_mut().unwrap().values_mut().collect(),
        false => vec![&mut unit["labels"]],
    });
    frames
        .filter_map(|frame| frame["objects"].as_array_mut())
        .flatten()
        .collect()
}

fn add_foreign(row: &mut Value, data_type: &str) {
    let object = json!({"objectHash": "FOREIGN1", "featureHash": "other", "shape": "point", "interpolate": null,
        "point": {"0": {"x": 0.30000000000000004, "y": 1e-7}}, "name": "Grüße \u{1f34e}"});
    let frame = match data_type {
        "video" => &mut row["data_units"]["a"]["labels"]["1"],
        _ => &mut row["data_units"]["b"]["labels"],
    };
    frame["objects"].as_array_mut().unwrap().insert(0, object);
    row["object_answers"]["FOREIGN1"] =
        json!({"objectHash": "FOREIGN1", "classifications": [{"name": "é"}], "objectNumber": 9});
    row["classification_answers"]["CLASSIFY"] = json!({"classificationHash": "CLASSIFY", "range": [[0, 1]]});
}

fn run(existing: &Value, ours: &[u8], policy: OnExisting) -> Reconciled {
    let outcome = reconcile(existing.to_string().as_bytes(), ours, &Joined::new(), policy).unwrap();
    assert_eq!(outcome.body.is_some(), outcome.verdict == Verdict::Save);
    outcome
}

#[test]
fn an_empty_row_takes_the_import() {
    for data_type in ["video", "img_group"] {
        let ours = ours(data_type);
        for policy in ALL {
            let outcome = run(&server_row(data_type), &ours, policy);
            assert_eq!(
                (outcome.verdict, outcome.ours, outcome.already_there, outcome.foreign),
                (Verdict::Save, 3, 0, 0)
            );
            let body = value(&outcome.body.unwrap());
            for member in ["data_units", "object_answers", "classification_answers"] {
                assert_eq!(body[member], value(&ours)[member]);
            }
        }
    }
}

#[test]
fn a_finished_import_saves_nothing() {
    for data_type in ["video", "img_group"] {
        for policy in ALL {
            let outcome = run(&stored(data_type), &ours(data_type), policy);
            assert_eq!(
                (outcome.verdict, outcome.already_there, outcome.foreign),
                (Verdict::AlreadyThere, 3, 0)
            );
        }
    }
}

#[test]
fn a_merge_counts_what_it_does_to_objects_that_are_there() {
    let counts = |existing: &Value, policy| {
        let Merged {
            objects_extended,
            labels_replaced,
            ..
        } = run(existing, &ours("video"), policy).merged;
        (objects_extended, labels_replaced)
    };
    assert_eq!(counts(&server_row("video"), Merge), (0, 0));
    assert_eq!(counts(&stored("video"), Merge), (0, 0));
    let mut without_first_frame = stored("video");
    without_first_frame["data_units"]["a"]["labels"]
        .as_object_mut()
        .unwrap()
        .remove("0");
    assert_eq!(counts(&without_first_frame, Merge), (1, 0));
    // The other object has no frame there: it is new.
    let mut only_first_frame = stored("video");
    only_first_frame["data_units"]["a"]["labels"]
        .as_object_mut()
        .unwrap()
        .remove("1");
    assert_eq!(counts(&only_first_frame, Merge), (1, 0));
    let moved = value(&import("video", "Mon, 23 Nov 2026 00:00:00 UTC", 99.0));
    assert_eq!(counts(&moved, Merge), (0, 1));
    assert_eq!(counts(&moved, Replace), (0, 0));
}

#[test]
fn a_stored_label_without_confidence_is_sure() {
    let mut existing = stored("video");
    for object in objects(&mut existing) {
        object.as_object_mut().unwrap().remove("confidence");
    }
    assert_eq!(run(&existing, &ours("video"), Fail).verdict, Verdict::AlreadyThere);
}

#[test]
fn an_unfinished_import_is_finished_whatever_the_policy() {
    for policy in ALL {
        let mut existing = stored("video");
        existing["data_units"]["a"]["labels"]
            .as_object_mut()
            .unwrap()
            .remove("0");
        let outcome = run(&existing, &ours("video"), policy);
        assert_eq!(
            (outcome.verdict, outcome.already_there, outcome.foreign),
            (Verdict::Save, 2, 0)
        );
        let body = outcome.body.unwrap();
        assert_eq!(run(&value(&body), &ours("video"), Fail).verdict, Verdict::AlreadyThere);
    }
}

#[test]
fn foreign_labels_stop_skip_or_go() {
    for data_type in ["video", "img_group"] {
        let mut existing = stored(data_type);
        add_foreign(&mut existing, data_type);
        let ours = ours(data_type);
        assert_eq!(run(&existing, &ours, Fail).verdict, Verdict::Refused);
        assert_eq!(run(&existing, &ours, Fail).foreign, 2);
        assert_eq!(run(&existing, &ours, Skip).verdict, Verdict::Skipped);
        assert_eq!(run(&existing, &ours, Replace).body.unwrap(), ours);
        let merged = run(&existing, &ours, Merge);
        assert_eq!((merged.verdict, merged.already_there), (Verdict::AlreadyThere, 3));
    }
}

#[test]
fn merging_leaves_what_is_foreign_as_it_is() {
    for data_type in ["video", "img_group"] {
        let mut existing = stored(data_type);
        add_foreign(&mut existing, data_type);
        // Of ours, the track's first frame is missing and the object on its own has been moved.
        match data_type {
            "video" => drop(
                existing["data_units"]["a"]["labels"]
                    .as_object_mut()
                    .unwrap()
                    .remove("0"),
            ),
            _ => existing["data_units"]["a"]["labels"] = json!({}),
        }
        objects(&mut existing)[2]["boundingBox"]["x"] = json!(0.5);

        let outcome = run(&existing, &ours(data_type), Merge);
        assert_eq!(
            (outcome.verdict, outcome.already_there, outcome.foreign),
            (Verdict::Save, 1, 3)
        );
        let body = outcome.body.unwrap();
        assert!(body.is_ascii());

        let mut expected = stored(data_type);
        add_foreign(&mut expected, data_type);
        let fresh = value(&ours(data_type));
        let (first, own) = match data_type {
            "video" => ("/data_units/a/labels/0", "/data_units/a/labels/1/objects"),
            _ => ("/data_units/a/labels", "/data_units/b/labels/objects"),
        };
        *expected.pointer_mut(first).unwrap() = fresh.pointer(first).unwrap().clone();
        expected.pointer_mut(own).unwrap()[2] = fresh.pointer(own).unwrap()[1].clone();
        assert_eq!(value(&body), expected);
        // To the last digit, also where Python would write it otherwise.
        assert!(String::from_utf8(body.clone())
            .unwrap()
            .contains(r#"{"x":0.30000000000000004,"y":1e-7}"#));

        let again = run(&value(&body), &ours(data_type), Merge);
        assert_eq!(again.verdict, Verdict::AlreadyThere);
    }
}

#[test]
fn what_others_made_of_our_objects_is_foreign() {
    let ours = ours("video");
    let mut edited = stored("video");
    objects(&mut edited)[0]["confidence"] = json!(0.25);
    let mut longer = stored("video");
    let labels = &mut longer["data_units"]["a"]["labels"];
    labels["9"] = labels["0"].clone();
    for existing in [edited, longer] {
        assert_eq!(run(&existing, &ours, Fail).verdict, Verdict::Refused);
        assert_eq!(run(&existing, &ours, Fail).foreign, 1);
        assert_eq!(run(&existing, &ours, Replace).body.unwrap(), ours);
    }
    let changed = import("video", "Sat, 21 Nov 2026 23:48:11 UTC", 99.0);
    let merged = value(&run(&stored("video"), &changed, Merge).body.unwrap());
    assert_eq!(
        merged["data_units"]["a"]["labels"]["0"],
        value(&changed)["data_units"]["a"]["labels"]["0"]
    );
    assert_eq!(
        merged["data_units"]["a"]["labels"]["1"],
        stored("video")["data_units"]["a"]["labels"]["1"]
    );
}

#[test]
fn an_object_that_stands_twice_is_merged_into_one() {
    let mut existing = stored("video");
    let objects = existing["data_units"]["a"]["labels"]["0"]["objects"]
        .as_array_mut()
        .unwrap();
    objects.push(objects[0].clone());
    objects[1]["boundingBox"]["y"] = json!(0.75);
    let outcome = run(&existing, &ours("video"), Merge);
    let body = value(&outcome.body.unwrap());
    assert_eq!(
        body["data_units"]["a"]["labels"]["0"],
        value(&ours("video"))["data_units"]["a"]["labels"]["0"]
    );
}

#[test]
fn an_object_without_an_entry_has_no_attributes() {
    let ours = ours("video");
    let mut existing = stored("video");
    existing["object_answers"].as_object_mut().unwrap().clear();
    assert_eq!(run(&existing, &ours, Fail).verdict, Verdict::AlreadyThere);

    // Others gave the track an answer that changes.
    let hash = objects(&mut existing)[0]["objectHash"].as_str().unwrap().to_owned();
    existing["object_actions"][&hash] = json!({"objectHash": hash, "actions": [{"featureHash": "f", "answers": "x"}]});
    assert_eq!(run(&existing, &ours, Fail).verdict, Verdict::Refused);
    let merged = value(&run(&existing, &ours, Merge).body.unwrap());
    assert_eq!(merged["object_actions"], json!({}));
    assert_eq!(run(&merged, &ours, Merge).verdict, Verdict::AlreadyThere);
}

#[test]
fn classifications_on_frames_count_as_foreign() {
    let mut existing = stored("video");
    existing["data_units"]["a"]["labels"]["1"]["classifications"] = json!([{"classificationHash": "c"}]);
    assert_eq!(run(&existing, &ours("video"), Fail).verdict, Verdict::Refused);
}

/// (equal, [code, data unit, frame, hash, class, fields]) of a comparison.
fn differences(existing: &Value, ours: &[u8]) -> (usize, Vec<Value>) {
    let compared = compare(existing.to_string().as_bytes(), ours, &Joined::new()).unwrap();
    let told = compared.differences.iter().map(|difference| {
        let line: Value = serde_json::from_str(&difference.to_json_line("d", "Ü \"x\".mp4")).unwrap();
        assert_eq!(
            (&line["data_hash"], &line["title"]),
            (&json!("d"), &json!("Ü \"x\".mp4"))
        );
        assert_eq!(line.as_object().unwrap().len(), 8);
        let hash = line.get("object_hash").or(line.get("classification_hash")).unwrap();
        json!([
            line["code"],
            line["data_unit"],
            line["frame"],
            hash,
            line["class"],
            line["fields"]
        ])
    });
    (compared.equal, told.collect())
}

#[test]
fn a_finished_import_has_no_differences() {
    for data_type in ["video", "img_group"] {
        assert_eq!(differences(&stored(data_type), &ours(data_type)), (3, vec![]));
    }
}

#[test]
fn each_difference_is_told_once_with_its_place() {
    for data_type in ["video", "img_group"] {
        let ours = ours(data_type);
        let mut existing = stored(data_type);
        let hashes: Vec<Value> = objects(&mut existing).iter().map(|o| o["objectHash"].clone()).collect();
        add_foreign(&mut existing, data_type);
        let second = if data_type == "video" { "a" } else { "b" };
        let foreign = [
            json!(["extra", second, 1, "FOREIGN1", "Grüße \u{1f34e}", []]),
            json!(["extra", null, null, "CLASSIFY", null, []]),
        ];
        assert_eq!(differences(&existing, &ours), (3, foreign.to_vec()));

        // An object on its own is changed in two ways, the track's first frame is lost, and a class stands on a frame.
        let changed = objects(&mut existing).pop().unwrap();
        changed["boundingBox"]["x"] = json!(0.5);
        changed["featureHash"] = json!("other");
        changed["lastEditedBy"] = json!("someone@example.org");
        let unit = |row: &mut Value, name: &str, frame: &str| match data_type {
            "video" => row["data_units"]["a"]["labels"][frame].take(),
            _ => row["data_units"][name]["labels"].take(),
        };
        unit(&mut existing, "a", "0");
        if data_type == "video" {
            existing["data_units"]["a"]["labels"]["0"] = json!({"objects": [], "classifications": []});
        }
        let frame = match data_type {
            "video" => &mut existing["data_units"]["a"]["labels"]["1"],
            _ => &mut existing["data_units"]["b"]["labels"],
        };
        frame["classifications"] = json!([{"classificationHash": "CLASSIFY", "name": "weather"}]);
        let expected = vec![
            json!(["missing", "a", 0, hashes[0], "Car", []]),
            json!(["changed", second, 1, hashes[2], "Car", ["featureHash", "boundingBox"]]),
            foreign[0].clone(),
            json!(["extra", second, 1, "CLASSIFY", "weather", []]),
        ];
        assert_eq!(differences(&existing, &ours), (1, expected));
    }
}

#[test]
fn differences_and_policies_agree_on_objects_that_stand_twice() {
    let mut existing = stored("video");
    let list = existing["data_units"]["a"]["labels"]["0"]["objects"]
        .as_array_mut()
        .unwrap();
    let hash = list[0]["objectHash"].clone();
    list.push(list[0].clone());
    assert_eq!(differences(&existing, &ours("video")), (3, vec![]));
    existing["data_units"]["a"]["labels"]["0"]["objects"][1]["confidence"] = json!(0.5);
    let changed = json!(["changed", "a", 0, hash, "Car", ["confidence"]]);
    assert_eq!(differences(&existing, &ours("video")), (2, vec![changed]));
}

#[test]
fn odd_rows_are_refused_without_a_panic() {
    let good = stored("video").to_string();
    let hash = value(good.as_bytes())["object_answers"]
        .as_object()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let cases = [
        (String::new(), "EOF"),
        ("[]".to_owned(), "expected a JSON object"),
        (good.replace("\"video\"", "\"scene\""), "\"scene\" is not a type"),
        (good.replace("\"video\"", "7"), "expected a string"),
        (good.replace("\"video\"", "\"image\""), "as another type"),
        (
            good.replace("\"labels\":{\"0\":", "\"labels\":{\"00\":"),
            "expected a frame number",
        ),
        (
            good.replace("\"labels\":{\"0\":", "\"labels\":{\"1\":"),
            "appears twice",
        ),
        (
            good.replace("\"labels\":{\"0\":", "\"labels\":{\"-1\":"),
            "expected a frame number",
        ),
        (good.replace("\"objects\":[", "\"objects\":[5,"), "`objects` of frame"),
        (
            good.replace("\"objects\":[", "\"objects\":[{},"),
            "missing field `objectHash`",
        ),
        (
            good.replace(&format!("\"objectHash\":\"{hash}\""), "\"objectHash\":null"),
            "expected a string",
        ),
        (
            good.replace("\"boundingBox\":{", &format!("\"boundingBox\":{{\"z\":{deep},")),
            "recursion limit",
        ),
        (
            good.replace("\"data_units\":{\"a\":", "\"data_units\":{\"z\":"),
            "no data unit \"a\"",
        ),
        (good[..good.len() - 1].to_owned(), "EOF"),
    ];
    for (json, expected) in cases {
        assert!(matches!(
            compare(json.as_bytes(), &ours("video"), &Joined::new()),
            Err(Error::LabelRow { .. })
        ));
        for policy in ALL {
            let error = reconcile(json.as_bytes(), &ours("video"), &Joined::new(), policy).unwrap_err();
            assert!(matches!(error, Error::LabelRow { .. }));
            assert!(error.to_string().contains(expected), "{expected}: {error}");
        }
    }
    assert!(reconcile(b"{\"a\":\"\xff\"}", b"{}", &Joined::new(), Fail).is_err());
}
