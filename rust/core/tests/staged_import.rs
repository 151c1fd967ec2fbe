//! A staged import asked row by row: sizes and digests before anything is sent.

#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use ropewalk_core::formats::registry::named;
use ropewalk_core::formats::ReadOptions;
use ropewalk_core::intake::{Finished, Intake, Tally};
use ropewalk_core::plan::Plan;
use ropewalk_core::source::SourceFile;
use ropewalk_core::stage::StageBuilder;
use ropewalk_core::staged_import::{LabelRows, Measure};
use serde_json::{json, Value};
use xxhash_rust::xxh3::xxh3_128;

const WHEN: &str = "Sat, 21 Nov 2026 23:48:11 UTC";

fn plan() -> Value {
    let medium = |hash: &str, title: &str, kind: &str, frames: u64, size: Value| {
        json!({"data_hash": hash, "title": title, "data_type": kind, "dataset_hash": "d", "dataset_title": "set",
            "width": size[0], "height": size[1], "frames": frames})
    };
    json!({
        "branch": "b",
        "ontology": [
            {"feature_hash": "car00000", "name": "Car", "color": "#111111", "shape": "bounding_box"},
            {"feature_hash": "road0000", "name": "road", "color": "#222222", "shape": "polygon"},
            {"feature_hash": "tree0000", "name": "tree", "color": "#333333", "shape": "bitmask"}
        ],
        "media": [
            medium("v", "drive.mp4", "video", 5000, json!([7, 5])),
            medium("u", "unsized.mp4", "video", 20, json!([null, null])),
            medium("i", "still.jpg", "image", 1, json!([7, 5]))
        ]
    })
}

fn annotation(image: u64, category: u64, x: f64) -> Value {
    json!({"id": 1, "image_id": image, "category_id": category, "bbox": [x, 1.1, 2.3, 0.7], "score": 0.3,
        "segmentation": [[x, 1.0, x + 2.0, 1.0, x, 3.0]]})
}

/// The frames 0.. of `medium` are the images 0.., and `annotations` stand on them.
fn document(medium: &str, annotations: &[Value]) -> Value {
    let images = annotations.iter().map(|a| a["image_id"].as_u64().unwrap());
    let images: std::collections::BTreeSet<_> = images.collect();
    let image = |id| json!({"id": id, "file_name": medium, "frame_index": id});
    json!({
        "images": images.into_iter().map(image).collect::<Vec<_>>(),
        "categories": [{"id": 0, "name": "Car"}, {"id": 1, "name": "road"}, {"id": 2, "name": "tree"}],
        "annotations": annotations,
    })
}

fn staged_under(plan: &Value, documents: &[Value]) -> LabelRows {
    taken(plan, documents.iter().map(ToString::to_string)).0
}

/// Takes files in; gives their rows, what was counted, and the reject file.
fn taken(plan: &Value, documents: impl IntoIterator<Item = String>) -> (LabelRows, Tally, String) {
    let inputs = documents
        .into_iter()
        .map(|document| SourceFile::bytes("p.json", document.into_bytes()));
    taken_from(plan, inputs, || {})
}

/// Takes inputs in; `meanwhile` happens when all are read and nothing is sorted.
fn taken_from(
    plan: &Value,
    inputs: impl IntoIterator<Item = SourceFile>,
    meanwhile: impl FnOnce(),
) -> (LabelRows, Tally, String) {
    let plan = Arc::new(Plan::from_json(&plan.to_string()).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut intake = Intake::new(&plan, StageBuilder::new(None, 0), file.path(), 1).unwrap();
    for input in inputs {
        let options = ReadOptions::default();
        let coco = Some(named("coco").unwrap());
        intake.add(input, "p.json", coco, &options, |_| Ok(())).unwrap();
    }
    meanwhile();
    let Finished {
        staged, tally, sources, ..
    } = intake.finish().unwrap();
    assert_eq!(tally.read, tally.staged + tally.rejected() + tally.filtered_total());
    let rejects = std::fs::read_to_string(file.path()).unwrap();
    (LabelRows::new(plan, staged, sources), tally, rejects)
}

fn staged(documents: &[Value]) -> LabelRows {
    staged_under(&plan(), documents)
}

/// The only row of one document, measured.
fn measured(document: &Value) -> Measure {
    let [measure] = staged(std::slice::from_ref(document)).measure(1).unwrap()[..] else {
        panic!("one row was expected")
    };
    measure
}

#[test]
fn rows_are_as_long_as_they_are_written_and_digests_are_those_of_the_text() {
    // Several hundred kB: more than is held before it is hashed.
    let long: Vec<Value> = (0..1500).map(|n| annotation(n, n % 2, 0.1 + n as f64 * 1e-4)).collect();
    let rows = staged(&[
        document("drive.mp4", &long),
        document("still.jpg", &[annotation(0, 0, 1.0)]),
    ]);
    let measures = rows.measure(1).unwrap();
    assert_eq!(measures, rows.measure(3).unwrap());
    assert_eq!(measures.len(), 2);
    for (span, measure) in rows.spans().iter().zip(&measures) {
        assert_eq!(measure.len_bytes, rows.encode(span, None, WHEN).unwrap().len() as u64);
        let constant = rows.encode(span, None, "Thu, 01 Jan 1970 00:00:00 UTC").unwrap();
        assert_eq!(measure.digest, xxh3_128(&constant));
    }
    assert!(measures[0].len_bytes > 300_000);
}

#[test]
fn a_digest_changes_with_what_is_written_and_with_nothing_else() {
    for medium in ["drive.mp4", "unsized.mp4"] {
        let base = [annotation(3, 0, 1.0), annotation(4, 1, 0.5)];
        let of = |annotations: &[Value]| measured(&document(medium, annotations)).digest;
        let changed = |field: &str, value: Value| {
            let mut annotations = base.clone();
            annotations[1][field] = value;
            of(&annotations)
        };
        let mut seen = vec![of(&base)];
        seen.push(changed("score", json!(0.31)));
        seen.push(changed("category_id", json!(0)));
        seen.push(changed("image_id", json!(3)));
        seen.push(changed("track_id", json!(7)));
        seen.push(changed("track_id", json!(8)));
        seen.push(changed("segmentation", json!([[0.5, 1.0, 2.5, 1.0, 0.5, 3.0001]])));
        seen.push(of(&base[..1]));
        seen.push(of(&[base[0].clone(), base[1].clone(), base[1].clone()]));
        let distinct: std::collections::HashSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{medium}");
        assert_eq!(changed("id", json!(99)), seen[0], "the id is not written");
        let [one, two] = base.clone();
        assert_eq!(of(&[two, one]), seen[0], "the order of the source is not written");
    }
}

#[test]
fn media_and_classes_that_are_new_leave_digests_alone() {
    for medium in ["drive.mp4", "unsized.mp4"] {
        let documents = [document(medium, &[annotation(3, 1, 1.0)])];
        let before = staged(&documents).measure(1).unwrap();
        let mut plan = plan();
        for list in ["media", "ontology"] {
            let mut other = plan[list][0].clone();
            for name in ["data_hash", "title", "feature_hash", "name"] {
                if other.get(name).is_some() {
                    other[name] = json!("new");
                }
            }
            plan[list].as_array_mut().unwrap().insert(0, other);
        }
        assert_eq!(staged_under(&plan, &documents).measure(1).unwrap(), before);
    }
}

#[test]
fn a_row_of_unknown_size_is_estimated() {
    let annotations: Vec<Value> = (0..20).map(|n| annotation(n, n % 2, 0.1 + n as f64 * 0.01)).collect();
    let rows = staged(&[document("unsized.mp4", &annotations)]);
    let span = &rows.spans()[0];
    let offline = rows.encode(span, None, WHEN).unwrap();
    let mut server: Value = serde_json::from_slice(&offline).unwrap();
    server["data_units"]["u"]["width"] = json!(7);
    server["data_units"]["u"]["height"] = json!(5);
    let written = rows
        .encode(span, Some(server.to_string().as_bytes()), WHEN)
        .unwrap()
        .len() as f64;
    let estimate = rows.measure(1).unwrap()[0].len_bytes as f64;
    assert!(
        offline.len() as f64 * 2.0 < written,
        "without a size nothing is written"
    );
    assert!(
        written <= estimate && estimate < 1.2 * written,
        "{estimate} for {written}"
    );

    let mut kept = plan();
    kept["off_image"] = json!("keep");
    let documents = [document("unsized.mp4", &annotations)];
    let kept = staged_under(&kept, &documents).measure(1).unwrap()[0];
    assert_ne!(
        kept.digest,
        rows.measure(1).unwrap()[0].digest,
        "the policy may change what fits"
    );
}

#[test]
fn a_row_is_refused_as_a_whole_and_stays_one_line() {
    let rows = staged(&[document("drive.mp4", &[annotation(3, 0, 1.0), annotation(4, 1, 0.5)])]);
    let line = rows.refuse_row(&rows.spans()[0], "row_too_large", "too \"large\"", 1234);
    let fields: Value = serde_json::from_str(line.strip_suffix('\n').unwrap()).unwrap();
    let expected = json!({"code": "row_too_large", "message": "too \"large\"", "annotation": null, "data_hash": "v",
        "title": "drive.mp4", "annotations": 2, "len_bytes": 1234});
    assert_eq!(fields, expected);

    let (again, tally, rejects) = taken(&plan(), [line.clone()]);
    assert_eq!(
        (tally.read, tally.rejected(), tally.rejects["row_too_large"]),
        (2, 2, 2)
    );
    assert!(again.spans().is_empty());
    assert_eq!(rejects, line);
}

/// The objects of a row's frames.
fn objects(body: &[u8]) -> Vec<Value> {
    let row: Value = serde_json::from_slice(body).unwrap();
    let frames = row["data_units"]["v"]["labels"].as_object().unwrap().values();
    frames
        .flat_map(|frame| frame["objects"].as_array().unwrap().clone())
        .collect()
}

#[test]
fn decimals_shorten_coordinates_and_nothing_else() {
    let mut annotations: Vec<Value> = (0..3).map(|n| annotation(n, n, 1.234_567)).collect();
    annotations[0]["score"] = json!(0.123_456_789);
    annotations[2] = json!({"image_id": 2, "category_id": 2, "score": 0.5,
        "segmentation": {"size": [5, 7], "counts": [3, 4, 2, 26]}});
    let documents = [document("drive.mp4", &annotations)];
    let exact = staged(&documents);
    let mut plan = plan();
    plan["decimals"] = json!(3);
    plan["ontology"][1]["shape"] = json!("rotatable_bounding_box");
    let turned = staged_under(&plan, &documents);
    plan["ontology"][1]["shape"] = json!("polygon");
    let short = staged_under(&plan, &documents);

    let body = |rows: &LabelRows| rows.encode(&rows.spans()[0], None, WHEN).unwrap();
    let (before, after) = (objects(&body(&exact)), objects(&body(&short)));
    assert_eq!(
        after[0]["boundingBox"],
        json!({"h": 0.14, "w": 0.329, "x": 0.176, "y": 0.22})
    );
    let ring = json!([0.176, 0.2, 0.462, 0.2, 0.176, 0.6]);
    assert_eq!(after[1]["polygons"], json!([[ring]]));
    assert_eq!(after[1]["polygon"]["1"], json!({"x": 0.462, "y": 0.2}));
    assert_eq!(objects(&body(&turned))[1]["rotatableBoundingBox"]["theta"], json!(0.0));
    assert_eq!(after[2], before[2], "a mask has no fractions");
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before["objectHash"], after["objectHash"]);
        assert_eq!(before["confidence"], after["confidence"]);
    }
    let [exact, short] = [exact, short].map(|rows| rows.measure(1).unwrap()[0]);
    assert!(short.len_bytes < exact.len_bytes && short.digest != exact.digest);
}

#[test]
fn frames_and_annotations_can_be_thinned_out() {
    let scores = [0.2, 0.9, 0.5, 0.9];
    let mut annotations = Vec::new();
    for frame in 0..7 {
        for (n, score) in scores.into_iter().enumerate() {
            let mut one = annotation(frame, 0, n as f64 * 0.1);
            one["score"] = json!(score);
            annotations.push(one);
        }
    }
    // No score is a sure one; the weaker row of a track on a frame is a reject, and takes no place.
    annotations[0].as_object_mut().unwrap().remove("score");
    let mut tracked = annotation(0, 0, 2.0);
    tracked["track_id"] = json!(1);
    tracked["score"] = json!(0.95);
    let mut weaker = tracked.clone();
    weaker["score"] = json!(0.9);
    annotations.extend([weaker, tracked]);

    let mut plan = plan();
    plan["every"] = json!(3);
    plan["max_per_frame"] = json!(3);
    let still = document("still.jpg", &annotations[4..8]);
    let mut turned = annotations.clone();
    turned[..28].reverse();
    let bodies = [annotations, turned].map(|annotations| {
        let documents = [document("drive.mp4", &annotations), still.clone()];
        let (rows, tally, rejects) = taken(&plan, documents.iter().map(ToString::to_string));
        let filtered: Vec<_> = tally.filtered.iter().map(|(reason, n)| (*reason, *n)).collect();
        // Of frames 0, 3 and 6 with 4, 4 and 4 annotations and a track on the first; the image is no video.
        assert_eq!(filtered, [("every", 16), ("max_per_frame", 5)]);
        assert_eq!((tally.staged, tally.rejects["duplicate_track_frame"]), (12, 1));
        assert_eq!(rejects.lines().count(), 1);
        let video = rows.spans().iter().find(|span| span.annotations == 9).unwrap();
        rows.encode(video, None, WHEN).unwrap()
    });
    assert_eq!(bodies[0], bodies[1]);
    let mut scores: Vec<f64> = objects(&bodies[0])[..3]
        .iter()
        .map(|o| o["confidence"].as_f64().unwrap())
        .collect();
    scores.sort_by(f64::total_cmp);
    assert_eq!(scores, [0.9, 0.95, 1.0]);
}

#[test]
fn the_text_of_a_file_that_changed_is_not_quoted() {
    let mut track = annotation(3, 0, 1.0);
    track["track_id"] = json!(1);
    let mut weaker = track.clone();
    weaker["score"] = json!(0.2);
    let text = document("drive.mp4", &[weaker.clone(), track.clone(), annotation(4, 0, 0.5)]).to_string();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.json");
    let write = |text: &str, seconds: u64| {
        std::fs::write(&path, text).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
            .unwrap();
    };
    let garbage = "x".repeat(text.len());
    let changes: [(&str, bool, &dyn Fn()); 5] = [
        ("nothing", true, &|| {}),
        ("the same length at another time", false, &|| write(&garbage, 2000)),
        ("another length at the same time", false, &|| {
            write(&format!("{text} "), 1000)
        }),
        ("cut short", false, &|| write(&text[..9], 1000)),
        ("removed", false, &|| std::fs::remove_file(&path).unwrap()),
    ];
    for (what, whole, change) in changes {
        for before_sorting in [true, false] {
            write(&text, 1000);
            let meanwhile = || {
                if before_sorting {
                    change()
                }
            };
            let (rows, tally, rejects) = taken_from(&plan(), [SourceFile::path(&path)], meanwhile);
            assert_eq!((tally.read, tally.staged, tally.rejected()), (3, 2, 1), "{what}");
            if !before_sorting {
                change();
            }
            let refused = rows.refuse(&rows.spans()[0], "server_refused", "no").unwrap();
            assert_eq!(refused.len(), 2);
            let at_sorting = (rejects.as_str(), &weaker, whole || !before_sorting);
            let later = [
                (refused[0].as_str(), &track, whole),
                (&refused[1], &annotation(4, 0, 0.5), whole),
            ];
            for (line, annotation, quoted) in [at_sorting].into_iter().chain(later) {
                let line: Value = serde_json::from_str(line).unwrap();
                let expected = if quoted { annotation } else { &Value::Null };
                assert_eq!(&line["annotation"], expected, "{what}");
                assert_eq!(
                    line["message"].as_str().unwrap().contains("its text is not here"),
                    !quoted
                );
                assert_eq!(
                    (&line["annotation_id"], &line["source"]),
                    (&json!("1"), &json!("p.json"))
                );
            }
            // Imported by themselves these lines are rejects again, one each.
            let (_, tally, _) = taken(&plan(), [refused.concat()]);
            assert_eq!(tally.read, 2);
            assert_eq!(tally.rejects.get("bad_field").copied(), (!whole).then_some(2));
        }
    }
}
