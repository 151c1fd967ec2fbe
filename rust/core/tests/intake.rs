//! From COCO text to staged rows: names resolved, geometry in the ontology's shape, every annotation counted once.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use ropewalk_core::formats::ReadOptions;
use ropewalk_core::geometry::Geometry;
use ropewalk_core::intake::{Finished, Intake, Tally};
use ropewalk_core::plan::Plan;
use ropewalk_core::source::SourceFile;
use ropewalk_core::stage::{StageBuilder, Staged};
use serde_json::{json, Value};

const PLAN: &str = r##"{
  "branch": "b",
  "ontology": [
    {"feature_hash": "car00000", "name": "Car", "color": "#111111", "shape": "bounding_box"},
    {"feature_hash": "road0000", "name": "road", "color": "#222222", "shape": "polygon"},
    {"feature_hash": "tree0000", "name": "tree", "color": "#333333", "shape": "bitmask"},
    {"feature_hash": "twinbox0", "name": "twin", "color": "#444444", "shape": "bounding_box"},
    {"feature_hash": "twinpoly", "name": "twin", "color": "#555555", "shape": "polygon"},
    {"feature_hash": "pole0000", "name": "pole", "color": "#666666", "shape": "polyline"}
  ],
  "media": [
    {"data_hash": "v", "title": "city/drive.mp4", "data_type": "video", "dataset_hash": "d", "dataset_title": "",
     "width": 7, "height": 5, "frames": 20},
    {"data_hash": "i", "title": "still.jpg", "data_type": "image", "dataset_hash": "d", "dataset_title": "",
     "width": 7, "height": 5, "frames": 1},
    {"data_hash": "g", "title": "walk", "data_type": "img_group", "dataset_hash": "d", "dataset_title": "", "frames": 2,
     "units": [{"data_hash": "g0", "title": "w0.png", "width": 7, "height": 5},
               {"data_hash": "g1", "title": "w1.png", "width": 14, "height": 10}]},
    {"data_hash": "x", "title": "twice.jpg", "data_type": "image", "dataset_hash": "d", "dataset_title": "", "frames": 1},
    {"data_hash": "y", "title": "a/twice.png", "data_type": "image", "dataset_hash": "d", "dataset_title": "", "frames": 1},
    {"data_hash": "s", "title": "song.mp3", "data_type": "audio", "dataset_hash": "d", "dataset_title": "", "frames": 9}
  ]
}"##;

struct Outcome {
    rows: Vec<(String, u32, String, String)>,
    tally: Tally,
    rejects: Vec<Value>,
}

/// Takes a document in under `PLAN` with some of its fields replaced.
fn take(document: &Value, changes: &Value) -> Outcome {
    take_named(document, changes, "preds.json")
}

fn take_named(document: &Value, changes: &Value, label: &str) -> Outcome {
    let mut plan: Value = serde_json::from_str(PLAN).unwrap();
    let mut changes = changes.as_object().unwrap().clone();
    let options = ReadOptions {
        frame_base: changes.remove("frame_base").and_then(|base| base.as_i64()),
        frame_stride: changes.remove("frame_stride").and_then(|stride| stride.as_i64()),
        ..ReadOptions::default()
    };
    plan.as_object_mut().unwrap().extend(changes);
    let plan = Arc::new(Plan::from_json(&plan.to_string()).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut intake = Intake::new(&plan, StageBuilder::new(None, 0), file.path(), 2).unwrap();
    let input = SourceFile::bytes("preds.json", document.to_string().into_bytes());
    intake.add(input, label, None, &options, |_| Ok(())).unwrap();
    let Finished { staged, tally, .. } = intake.finish().unwrap();
    assert_eq!(tally.read, tally.staged + tally.rejected() + tally.filtered_total());
    let text = std::fs::read_to_string(file.path()).unwrap();
    let rejects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejects.len() as u64, tally.rejected());
    Outcome {
        rows: rows(&plan, &staged),
        tally,
        rejects,
    }
}

/// (data_hash, frame, feature hash, geometry) of each staged row.
fn rows(plan: &Plan, staged: &Staged) -> Vec<(String, u32, String, String)> {
    let mut out = Vec::new();
    for label_row in staged.label_rows() {
        let add = |row: &ropewalk_core::stage::record::StagedRow<'_>, _| {
            let drawn = match row.geometry {
                Geometry::BoundingBox(b) => format!("box {b:?} of {}x{}", row.width_px, row.height_px),
                Geometry::Polygon(p) => {
                    format!("polygon {:?}", p.iter().map(Iterator::collect).collect::<Vec<Vec<_>>>())
                }
                Geometry::Bitmask(rle) => format!("bitmask {}", String::from_utf8_lossy(rle)),
                other => format!("{other:?}"),
            };
            let data_hash = plan.media[row.key.label_row as usize].data_hash.to_string();
            out.push((
                data_hash,
                row.key.frame,
                plan.ontology[row.feature as usize].feature_hash.clone(),
                drawn,
            ));
            Ok(())
        };
        staged.for_each(label_row, add).unwrap();
    }
    out
}

/// One image, one category, one annotation.
fn document(image: Value, category: &str, annotation: Value) -> Value {
    let mut image = image;
    image["id"] = json!(1);
    let mut annotation = annotation;
    annotation["image_id"] = json!(1);
    annotation["category_id"] = json!(2);
    json!({"images": [image], "categories": [{"id": 2, "name": category}], "annotations": [annotation]})
}

fn still(category: &str, annotation: Value) -> Value {
    document(
        json!({"file_name": "still.jpg", "width": 7, "height": 5}),
        category,
        annotation,
    )
}

fn codes(outcome: &Outcome) -> BTreeMap<&str, u64> {
    outcome.tally.rejects.iter().map(|(code, n)| (*code, *n)).collect()
}

/// The one staged row, of which `(data_hash, frame)` is wanted.
fn place(image: Value, changes: Value) -> Result<(String, u32), String> {
    let outcome = take(&document(image, "Car", json!({"bbox": [1, 2, 3, 1]})), &changes);
    match outcome.rows.first() {
        Some((data_hash, frame, ..)) => Ok((data_hash.clone(), *frame)),
        None => Err(outcome
            .rejects
            .first()
            .map_or("filtered".to_owned(), |r| r["code"].as_str().unwrap().to_owned())),
    }
}

#[test]
fn media_by_title_and_frame_rules() {
    let found = |hash: &str, frame| Ok((hash.to_owned(), frame));
    let missing = |code: &str| Err(code.to_owned());
    let none = json!({});
    let at = |file_name: &str, frame: i64| json!({"file_name": file_name, "frame_index": frame});
    for (image, changes, expected) in [
        (at("city/drive.mp4", 3), none.clone(), found("v", 3)),
        (at("elsewhere\\drive.mp4", 3), none.clone(), found("v", 3)),
        (at("drive", 19), none.clone(), found("v", 19)),
        (at("drive.mp4", 20), none.clone(), missing("frame_range")),
        (at("drive.mp4", -1), none.clone(), missing("frame_range")),
        (json!({"file_name": "drive.mp4"}), none.clone(), missing("no_frame")),
        (
            at("drive.mp4", 4),
            json!({"frame_base": 1, "frame_stride": 5}),
            found("v", 15),
        ),
        (json!({"file_name": "w1.png"}), none.clone(), found("g", 1)),
        (at("walk", 1), none.clone(), found("g", 1)),
        (at("walk", 2), none.clone(), missing("frame_range")),
        (json!({"file_name": "STILL.jpg"}), none.clone(), found("i", 0)),
        (json!({"file_name": "still.png"}), none.clone(), found("i", 0)),
        (
            json!({"file_name": "twice.bmp"}),
            none.clone(),
            missing("ambiguous_media"),
        ),
        (json!({"file_name": "twice.png"}), none.clone(), found("y", 0)),
        (at("song.mp3", 1), none.clone(), missing("unsupported_media")),
        (
            json!({"file_name": "drive.mp4"}),
            json!({"frame_from": "image_id"}),
            found("v", 1),
        ),
        (
            json!({"file_name": "drive/000007.png"}),
            json!({"frame_pattern": "(?P<media>[^/]+)/0*(?P<frame>\\d+)", "frame_base": 1}),
            found("v", 6),
        ),
        (
            json!({"file_name": "nothing"}),
            json!({"frame_pattern": "(?P<frame>\\d+)"}),
            missing("pattern_mismatch"),
        ),
        (
            json!({"file_name": "any.png"}),
            json!({"media_map": {"1": "i"}}),
            found("i", 0),
        ),
        (
            json!({"file_name": "f/any.png"}),
            json!({"media_map": {"any.png": "g1"}}),
            found("g", 1),
        ),
        (
            json!({"file_name": "any.png"}),
            json!({"media_map": {"1": {"data_hash": "v", "frame": 9}}}),
            found("v", 9),
        ),
        (
            json!({"file_name": "still.jpg"}),
            json!({"media_map": {"2": "i"}}),
            missing("unmapped_media"),
        ),
        (
            json!({"file_name": "still.jpg"}),
            json!({"only_media": ["*.mp4"]}),
            missing("filtered"),
        ),
        (
            json!({"file_name": "gone.jpg"}),
            json!({"only_media": ["*.mp4"]}),
            missing("filtered"),
        ),
        (at("drive.mp4", 2), json!({"only_media": ["drive*"]}), found("v", 2)),
    ] {
        assert_eq!(place(image.clone(), changes.clone()), expected, "{image} {changes}");
    }
    let by_stem = take_named(
        &document(
            json!({"file_name": "frame 8.png"}),
            "Car",
            json!({"bbox": [1, 2, 3, 1]}),
        ),
        &json!({"media_from": "stem", "frame_from": "image_id"}),
        "drive.json",
    );
    assert_eq!((by_stem.rows[0].0.as_str(), by_stem.rows[0].1), ("v", 1));
}

#[test]
fn classes_by_name_map_and_shape() {
    let hit = |category: &str, annotation: &Value, changes: Value| {
        let outcome = take(&still(category, annotation.clone()), &changes);
        let hash = outcome.rows.first().map(|row| row.2.clone());
        hash.or_else(|| outcome.rejects.first().map(|r| r["code"].as_str().unwrap().to_owned()))
            .unwrap_or_else(|| outcome.tally.filtered.keys().next().unwrap().to_string())
    };
    let bbox = json!({"bbox": [1, 2, 3, 1]});
    let ring = json!({"segmentation": [[1, 1, 6, 1, 3, 4]]});
    let mask = json!({"segmentation": {"size": [5, 7], "counts": [3, 4, 28]}});
    assert_eq!(hit("Car", &bbox, json!({})), "car00000");
    assert_eq!(hit("cAR", &bbox, json!({})), "car00000");
    assert_eq!(hit("bus", &bbox, json!({})), "unknown_class");
    assert_eq!(hit("twin", &bbox, json!({})), "twinbox0");
    assert_eq!(hit("twin", &ring, json!({})), "twinpoly");
    assert_eq!(hit("twin", &mask, json!({})), "ambiguous_class");
    assert_eq!(hit("bus", &bbox, json!({"class_map": {"2": "car00000"}})), "car00000");
    assert_eq!(hit("bus", &bbox, json!({"class_map": {"bus": "car00000"}})), "car00000");
    assert_eq!(hit("bus", &bbox, json!({"class_map": {"bus": null}})), "dropped_class");
    assert_eq!(hit("Car", &bbox, json!({"class_map": {"bus": null}})), "unmapped_class");
    let both = json!({"class_map": {"2": "car00000", "Car": "road0000"}});
    assert_eq!(hit("Car", &bbox, both), "car00000", "the id before the name");
    assert_eq!(hit("Car", &bbox, json!({"only_classes": ["tree"]})), "only_classes");
    assert_eq!(hit("bus", &bbox, json!({"only_classes": ["tree"]})), "only_classes");
    assert_eq!(hit("car", &bbox, json!({"only_classes": ["car00000"]})), "car00000");
    assert_eq!(hit("pole", &ring, json!({})), "shape_mismatch");
    assert_eq!(hit("road", &bbox, json!({})), "shape_mismatch");
    assert_eq!(hit("tree", &bbox, json!({})), "shape_mismatch");
    let object = |hash: &str, name: &str| json!({"feature_hash": hash, "name": name, "color": "#111111", "shape": "bounding_box"});
    let cases = || json!({"ontology": [object("capital0", "Car"), object("small000", "car")]});
    assert_eq!(
        hit("car", &bbox, cases()),
        "small000",
        "the name as it is before the name in any case"
    );
    assert_eq!(hit("CAR", &bbox, cases()), "ambiguous_class");
    let accents = || json!({"ontology": [object("cafe0000", "Caf\u{e9}"), object("bus00000", "\u{dc}ber Bus")]});
    for (name, hash) in [
        ("Cafe\u{301}", "cafe0000"),
        ("CAF%C3%A9", "cafe0000"),
        ("u\u{308}ber_bus", "bus00000"),
        ("Cafe", "unknown_class"),
    ] {
        assert_eq!(hit(name, &bbox, accents()), hash, "{name}");
    }
    let map = json!({"class_map": {"Cafe\u{301}": "car00000"}});
    assert_eq!(hit("Caf\u{e9}", &bbox, map), "car00000", "a map in another form");
}

#[test]
fn media_maps_go_by_id_then_file_name_then_base_name() {
    let image = || json!({"file_name": "dir/a.png"});
    let hash = |map: Value| place(image(), json!({"media_map": map})).unwrap().0;
    assert_eq!(hash(json!({"1": "i", "dir/a.png": "x", "a.png": "y"})), "i");
    assert_eq!(hash(json!({"dir/a.png": "x", "a.png": "y"})), "x");
    assert_eq!(hash(json!({"a.png": "y"})), "y");
    // A frame that a map names is Encord's own: base and stride are for the source's.
    let frame = json!({"media_map": {"1": {"data_hash": "v", "frame": 3}}, "frame_base": 1, "frame_stride": 2});
    assert_eq!(place(image(), frame), Ok(("v".to_owned(), 3)));
}

#[test]
fn an_image_of_a_group_stands_where_the_group_has_it() {
    let image = json!({"file_name": "w1.png", "frame_index": 0});
    assert_eq!(place(image, json!({"frame_base": -5})), Ok(("g".to_owned(), 1)));
}

#[test]
fn geometry_takes_the_ontologys_shape() {
    let drawn = |category: &str, annotation: Value, changes: Value| {
        let outcome = take(&still(category, annotation), &changes);
        outcome
            .rows
            .first()
            .map_or_else(|| outcome.rejects[0]["code"].to_string(), |row| row.3.clone())
    };
    let none = || json!({});
    // Columns of 5: an F-like mask of 2 wide and 3 high at x 1, y 1.
    let mask = json!({"segmentation": {"size": [5, 7], "counts": [6, 3, 2, 1, 23]}});
    let ring = json!({"segmentation": [[1, 1, 6, 1, 3, 4], [0, 0, 1, 0, 0, 1]]});
    assert_eq!(
        drawn("Car", json!({"bbox": [1, 2, 3.5, 1]}), none()),
        "box [1.0, 2.0, 3.5, 1.0] of 7x5"
    );
    assert_eq!(drawn("Car", mask.clone(), none()), "box [1.0, 1.0, 2.0, 3.0] of 7x5");
    assert_eq!(drawn("Car", ring.clone(), none()), "box [0.0, 0.0, 6.0, 4.0] of 7x5");
    assert_eq!(
        drawn("road", ring.clone(), none()),
        "polygon [[[1.0, 1.0, 6.0, 1.0, 3.0, 4.0]], [[0.0, 0.0, 1.0, 0.0, 0.0, 1.0]]]"
    );
    assert_eq!(
        drawn("road", mask.clone(), none()),
        "polygon [[[1.0, 1.0, 3.0, 1.0, 3.0, 2.0, 2.0, 2.0, 2.0, 4.0, 1.0, 4.0]]]"
    );
    // Row-major: 8 off, 2 on, 5 off, 1 on, 6 off, 1 on, 12 off.
    assert_eq!(drawn("tree", mask, none()), "bitmask 825O106");
    assert!(drawn("tree", ring, none()).starts_with("bitmask "));
    let empty = json!({"segmentation": {"size": [5, 7], "counts": [35]}});
    let keep = || json!({"empty_masks": "keep"});
    assert_eq!(drawn("Car", empty.clone(), keep()), "\"empty_geometry\"");
    assert_eq!(drawn("road", empty, keep()), "\"empty_geometry\"");
    let other_size = json!({"segmentation": {"size": [7, 5], "counts": [6, 3, 26]}});
    assert_eq!(drawn("tree", other_size, none()), "\"mask_size\"");
}

#[test]
fn the_images_edge() {
    let over = json!({"bbox": [-1, 3, 4, 4]});
    let outcome = take(&still("Car", over.clone()), &json!({}));
    assert_eq!(
        (outcome.rows[0].3.as_str(), outcome.tally.warnings["clipped"]),
        ("box [0.0, 3.0, 3.0, 2.0] of 7x5", 1)
    );
    let kept = take(&still("Car", over.clone()), &json!({"off_image": "keep"}));
    assert_eq!(kept.rows[0].3, "box [-1.0, 3.0, 4.0, 4.0] of 7x5");
    assert!(kept.tally.warnings.is_empty());
    assert_eq!(
        codes(&take(&still("Car", over), &json!({"off_image": "reject"}))),
        BTreeMap::from([("off_image", 1)])
    );
    let outside = json!({"bbox": [7, 0, 2, 2]});
    assert_eq!(
        codes(&take(&still("Car", outside), &json!({}))),
        BTreeMap::from([("off_image", 1)])
    );
    let ring = json!({"segmentation": [[5, 1, 9, 1, 9, 3, 5, 3], [8, 1, 9, 1, 9, 3]]});
    let outcome = take(&still("road", ring), &json!({}));
    let cut: Vec<f64> = vec![7.0, 1.0, 7.0, 3.0, 5.0, 3.0, 5.0, 1.0];
    let polygon = &outcome.rows[0].3;
    assert!(
        cut.iter().all(|v| polygon.contains(&format!("{v:?}"))) && !polygon.contains("9.0"),
        "{polygon}"
    );
    let touching = json!({"segmentation": [[7, 1, 9, 1, 9, 3]]});
    assert_eq!(
        codes(&take(&still("road", touching), &json!({}))),
        BTreeMap::from([("off_image", 1)])
    );
    // Two parts, one cut on the right and one below: both stay.
    let parts = json!({"segmentation": [[5, 1, 9, 1, 9, 3, 5, 3], [1, 3, 4, 3, 4, 8, 1, 8]]});
    let outcome = take(&still("road", parts), &json!({}));
    let polygon = &outcome.rows[0].3;
    assert_eq!(polygon.matches("]], [[").count(), 1, "{polygon}");
    assert!(!polygon.contains("9.0") && !polygon.contains("8.0"), "{polygon}");
}

#[test]
fn sizes_and_aspects() {
    let image = json!({"file_name": "still.jpg", "width": 14, "height": 10});
    let half = take(
        &document(image.clone(), "Car", json!({"bbox": [2, 4, 6, 2]})),
        &json!({}),
    );
    assert_eq!(half.rows[0].3, "box [2.0, 4.0, 6.0, 2.0] of 14x10");
    assert!(half.tally.warnings.is_empty());
    let stretched = json!({"file_name": "still.jpg", "width": 50, "height": 10});
    let warned = take(&document(stretched, "Car", json!({"bbox": [2, 4, 6, 2]})), &json!({}));
    assert_eq!(warned.tally.warnings["aspect_differs"], 1);
    let none = take(
        &document(json!({"file_name": "still.jpg"}), "Car", json!({"bbox": [2, 3, 4, 2]})),
        &json!({}),
    );
    assert_eq!(none.rows[0].3, "box [2.0, 3.0, 4.0, 2.0] of 7x5");
    // A polygon of an image twice the medium's size is drawn at the medium's size.
    let ring = |scale: f64| json!({"segmentation": [[scale, scale, 6.0 * scale, scale, 3.0 * scale, 4.0 * scale]]});
    let large = take(&document(image, "tree", ring(2.0)), &json!({}));
    assert_eq!(large.rows[0].3, take(&still("tree", ring(1.0)), &json!({})).rows[0].3);
    // One that is twice as wide only is scaled along x only.
    let wide = json!({"file_name": "still.jpg", "width": 14, "height": 5});
    let ring_of_wide = json!({"segmentation": [[2, 1, 12, 1, 6, 4]]});
    let wide = take(&document(wide, "tree", ring_of_wide), &json!({}));
    assert_eq!(wide.rows[0].3, large.rows[0].3);
    // Nobody knows the size: it is left to the label row.
    let unsized_medium = document(json!({"file_name": "twice.jpg"}), "Car", json!({"bbox": [2, 4, 6, 2]}));
    assert_eq!(
        take(&unsized_medium, &json!({})).rows[0].3,
        "box [2.0, 4.0, 6.0, 2.0] of 0x0"
    );
}

#[test]
fn filters_limits_and_duplicates() {
    let annotation = |id: u64, image: u64, score: f64, track: Option<u64>| json!({"id": id, "image_id": image, "category_id": 2, "bbox": [1, 1, 2, 1], "score": score, "track_id": track});
    let document = json!({
        "images": [
            {"id": 1, "file_name": "drive.mp4", "frame_index": 0},
            {"id": 2, "file_name": "still.jpg"},
            {"id": 3, "file_name": "drive.mp4", "frame_index": 1}
        ],
        "categories": [{"id": 2, "name": "Car"}],
        "annotations": [
            annotation(5, 1, 0.9, Some(1)), annotation(6, 1, 0.8, Some(1)), annotation(7, 3, 0.7, Some(1)),
            annotation(8, 2, 0.2, None), annotation(8, 2, 0.6, None)
        ]
    });
    let outcome = take(&document, &json!({"min_confidence": 0.5}));
    assert_eq!(outcome.rows.len(), 3);
    assert_eq!(outcome.tally.filtered["min_confidence"], 1);
    assert_eq!(outcome.tally.warnings["duplicate_annotation_id"], 1);
    let at_the_limit = take(&document, &json!({"min_confidence": 0.6}));
    assert_eq!(
        (at_the_limit.rows.len(), at_the_limit.tally.filtered["min_confidence"]),
        (3, 1)
    );
    let duplicate = &outcome.rejects[0];
    assert_eq!(
        (&duplicate["code"], &duplicate["annotation_id"]),
        (&json!("duplicate_track_frame"), &json!("6"))
    );
    assert_eq!(duplicate["annotation"], annotation(6, 1, 0.8, Some(1)), "its own text");
    assert_eq!(
        take(&document, &json!({"limit_rows": 1})).tally.filtered["limit_rows"],
        2
    );
}

#[test]
fn plans_that_cannot_be() {
    let refused = |changes: Value| {
        let mut plan: Value = serde_json::from_str(PLAN).unwrap();
        plan.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        let plan = Arc::new(Plan::from_json(&plan.to_string()).unwrap());
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = Intake::new(&plan, StageBuilder::new(None, 0), file.path(), 1);
        refused.err().unwrap().to_string()
    };
    assert!(refused(json!({"frame_pattern": "(" })).contains("frame_pattern"));
    assert!(refused(json!({"frame_pattern": "\\d+" })).contains("(?P<frame>...)"));
    assert!(refused(json!({"only_media": ["[a"] })).contains("only_media"));
    for (option, value, said) in [
        ("every", json!(0), "nonzero"),
        ("max_per_frame", json!(0), "nonzero"),
        ("decimals", json!(18), "decimals is 18"),
        ("decimals", json!(-1), "u8"),
    ] {
        let mut plan: Value = serde_json::from_str(PLAN).unwrap();
        plan[option] = value;
        let refused = Plan::from_json(&plan.to_string()).unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
    assert!(Plan::from_json("{\"branch\": 3}")
        .unwrap_err()
        .to_string()
        .contains("the plan"));
}
