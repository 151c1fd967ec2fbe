//! What changes the meaning of an annotation, or leaves it out, is counted or rejected: never done in silence.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use ropewalk_core::formats::ReadOptions;
use ropewalk_core::geometry::Geometry;
use ropewalk_core::intake::{Finished, Intake, Tally};
use ropewalk_core::plan::Plan;
use ropewalk_core::source::SourceFile;
use ropewalk_core::stage::StageBuilder;
use serde_json::{json, Value};

const PLAN: &str = r##"{
  "branch": "b",
  "ontology": [
    {"feature_hash": "box00000", "name": "box", "color": "#111111", "shape": "bounding_box"},
    {"feature_hash": "turned00", "name": "turned", "color": "#111111", "shape": "rotatable_bounding_box"},
    {"feature_hash": "polygon0", "name": "polygon", "color": "#111111", "shape": "polygon"},
    {"feature_hash": "mask0000", "name": "mask", "color": "#111111", "shape": "bitmask"},
    {"feature_hash": "line0000", "name": "line", "color": "#111111", "shape": "polyline"},
    {"feature_hash": "point000", "name": "point", "color": "#111111", "shape": "point"},
    {"feature_hash": "ellipse0", "name": "ellipse", "color": "#111111", "shape": "ellipse"},
    {"feature_hash": "sound000", "name": "sound", "color": "#111111", "shape": "audio"},
    {"feature_hash": "person00", "name": "person", "color": "#111111", "shape": "skeleton",
     "skeleton": [{"name": "head"}, {"name": "hand"}, {"name": "foot"}]}
  ],
  "classifications": [{"feature_hash": "speech00", "attributes": [{
      "feature_hash": "words000", "name": "words", "kind": "text"}]}],
  "media": [
    {"data_hash": "v", "title": "drive.mp4", "data_type": "video", "dataset_hash": "d", "dataset_title": "",
     "width": 10, "height": 8, "frames": 20},
    {"data_hash": "i", "title": "still.jpg", "data_type": "image", "dataset_hash": "d", "dataset_title": "",
     "width": 10, "height": 8, "frames": 1},
    {"data_hash": "s", "title": "song.mp3", "data_type": "audio", "dataset_hash": "d", "dataset_title": "", "frames": 1,
     "duration": 12.5}
  ]
}"##;

#[derive(Debug)]
struct Outcome {
    /// Geometries, and flags of a skeleton's points.
    drawn: Vec<String>,
    tally: Tally,
    rejects: Vec<Value>,
}

impl Outcome {
    fn codes(&self) -> BTreeMap<&str, u64> {
        self.tally.rejects.iter().map(|(code, n)| (*code, *n)).collect()
    }

    fn warnings(&self) -> BTreeMap<&str, u64> {
        self.tally.warnings.iter().map(|(name, n)| (*name, *n)).collect()
    }
}

/// Takes a text in under `PLAN` with some of its fields replaced.
fn take_text(text: String, changes: &Value) -> Outcome {
    let mut plan: Value = serde_json::from_str(PLAN).unwrap();
    plan.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    let plan = Arc::new(Plan::from_json(&plan.to_string()).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut intake = Intake::new(&plan, StageBuilder::new(None, 0), file.path(), 2).unwrap();
    let input = SourceFile::bytes("preds", text.into_bytes());
    intake
        .add(input, "preds", None, &ReadOptions::default(), |_| Ok(()))
        .unwrap();
    let Finished { staged, tally, .. } = intake.finish().unwrap();
    assert_eq!(tally.read, tally.staged + tally.rejected() + tally.filtered_total());
    let mut drawn = Vec::new();
    for label_row in staged.label_rows() {
        let add = |row: &ropewalk_core::stage::record::StagedRow<'_>, _| {
            drawn.push(match row.geometry {
                Geometry::Skeleton(points, flags) => format!("{:?} {flags:?}", points.coords),
                Geometry::Polyline(points) | Geometry::Point(points) => format!("{:?}", points.coords),
                Geometry::Polygon(_) => "polygon".to_owned(),
                other => format!("{other:?}"),
            });
            Ok(())
        };
        staged.for_each(label_row, add).unwrap();
    }
    let text = std::fs::read_to_string(file.path()).unwrap();
    let rejects = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Outcome { drawn, tally, rejects }
}

fn take(document: &Value, changes: &Value) -> Outcome {
    take_text(document.to_string(), changes)
}

/// Takes one row of a class on the image, 10 x 8 px.
fn row(class: &str, members: Value, changes: &Value) -> Outcome {
    let mut row = json!({"media": "still.jpg", "class": class, "unit": "px"});
    row.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    take_text(row.to_string(), changes)
}

/// A video's annotations, of which each is a frame, a track, a confidence and the left side of its box.
fn tracked(rows: &[(u64, Value, f64, u64)]) -> Value {
    let annotation = |(id, (frame, track, score, left)): (usize, &(u64, Value, f64, u64))| {
        json!({
            "id": id, "image_id": frame, "category_id": 2, "bbox": [left, 1, 2, 1], "score": score, "track_id": track
        })
    };
    json!({
        "images": [
            {"id": 0, "file_name": "drive.mp4", "frame_index": 0},
            {"id": 1, "file_name": "drive.mp4", "frame_index": 1}
        ],
        "categories": [{"id": 2, "name": "box"}],
        "annotations": rows.iter().enumerate().map(annotation).collect::<Vec<_>>(),
    })
}

#[test]
fn what_trackers_write_for_no_track_is_none() {
    for none in [
        json!(-1),
        json!(-1.0),
        json!("-1"),
        json!(""),
        json!("NaN"),
        json!(null),
    ] {
        let outcome = take(
            &tracked(&[(0, none.clone(), 0.9, 1), (0, none.clone(), 0.9, 2)]),
            &json!({}),
        );
        assert_eq!((outcome.drawn.len(), outcome.rejects.len()), (2, 0), "{none}");
    }
}

#[test]
fn of_one_track_on_a_frame_the_most_confident_stays_and_identical_ones_are_one() {
    let mut rows = vec![
        (0, json!(7), 0.5, 1),
        (0, json!(7), 0.8, 2),
        (0, json!(7), 0.5, 1),
        (1, json!(7), 0.5, 1),
        (1, json!(7), 0.5, 1),
    ];
    for _ in 0..rows.len() {
        rows.rotate_left(1);
        let outcome = take(&tracked(&rows), &json!({}));
        let (filtered, rejects) = (&outcome.tally.filtered, &outcome.tally.rejects);
        assert_eq!((filtered["identical"], rejects["duplicate_track_frame"]), (2, 1));
        assert_eq!((outcome.drawn.len(), outcome.tally.staged), (2, 2));
        assert_eq!(outcome.rejects[0]["annotation"]["score"], 0.5);
    }
}

/// A mask of 10 x 8 px (w x h) as a row has it, with its run-length string.
fn mask(rle: &str) -> Value {
    json!({"rle": rle, "rle_order": "row_major", "width_px": 10, "height_px": 8})
}

/// Run-length strings of a mask of 80 px: all background, and four px of foreground.
const EMPTY: &str = "`2";
const FOUR_PX: &str = "d04h1";

#[test]
fn a_mask_without_a_pixel_is_left_out_and_counted() {
    for class in ["mask", "polygon", "box"] {
        let outcome = row(class, mask(EMPTY), &json!({}));
        assert_eq!(
            (outcome.tally.filtered["empty_mask"], outcome.drawn.len()),
            (1, 0),
            "{class}"
        );
        assert_eq!(row(class, mask(FOUR_PX), &json!({})).drawn.len(), 1, "{class}");
    }
    let keep = json!({"empty_masks": "keep"});
    assert_eq!(row("mask", mask(EMPTY), &keep).tally.staged, 1);
    assert_eq!(
        row("box", mask(EMPTY), &keep).codes(),
        BTreeMap::from([("empty_geometry", 1)])
    );
    // A ring that covers the centre of no pixel is drawn as an empty mask.
    let tiny = json!({"shape": "polygon", "points": [[[1.1, 1.1, 1.2, 1.1, 1.1, 1.2]]]});
    assert_eq!(row("mask", tiny, &json!({})).tally.filtered["empty_mask"], 1);
}

#[test]
fn geometry_without_an_area_is_written_and_counted() {
    let ring = |coords: Value| json!({"shape": "polygon", "points": [[coords]]});
    for (class, members, is_flat) in [
        ("box", json!({"box": [1, 1, 0, 2]}), true),
        ("box", json!({"box": [1, 1, 2, 2]}), false),
        ("turned", json!({"box": [1, 1, 2, 0], "theta": 30}), true),
        ("ellipse", json!({"shape": "ellipse", "box": [1, 1, 0, 3]}), true),
        ("polygon", ring(json!([1, 1, 1, 1, 1, 1])), true),
        ("polygon", ring(json!([1, 1, 2, 2, 3, 3, 2, 2])), true),
        // Twice as much one way round as the other: it crosses itself, and encloses two triangles.
        ("polygon", ring(json!([1, 1, 3, 3, 3, 1, 1, 3])), false),
        ("line", json!({"shape": "polyline", "points": [[[1, 1, 2, 2]]]}), false),
    ] {
        let outcome = row(class, members.clone(), &json!({}));
        assert_eq!(outcome.tally.staged, 1, "{members}");
        assert_eq!(outcome.warnings().contains_key("zero_area"), is_flat, "{members}");
    }
}

#[test]
fn what_is_drawn_as_less_than_it_is_counts() {
    let ring = json!([[[1, 1, 5, 1, 3, 4]]]);
    for (class, members, is_less) in [
        ("box", mask(FOUR_PX), true),
        ("turned", mask(FOUR_PX), true),
        ("polygon", mask(FOUR_PX), false),
        ("box", json!({"shape": "polygon", "points": ring}), true),
        ("box", json!({"box": [1, 1, 2, 2]}), false),
        ("box", json!({"box": [1, 1, 2, 2], "theta": 30}), true),
        ("box", json!({"box": [1, 1, 2, 2], "theta": 0}), false),
        ("turned", json!({"box": [1, 1, 2, 2], "theta": 30}), false),
    ] {
        let outcome = row(class, members.clone(), &json!({}));
        assert_eq!(outcome.tally.staged, 1, "{members}");
        assert_eq!(
            outcome.warnings().contains_key("drawn_as_box"),
            is_less,
            "{class} {members}"
        );
    }
}

#[test]
fn objects_without_a_score_are_counted() {
    let rows = [json!(0.5), json!(null), json!(1)].map(|score| {
        json!({"media": "still.jpg", "class": "box", "unit": "px", "box": [1, 1, 2, 2], "score": score}).to_string()
    });
    assert_eq!(take_text(rows.join("\n"), &json!({})).tally.without_score, 1);
}

fn person(coords: Value, flags: Value) -> Value {
    json!({"shape": "skeleton", "points": [[coords]], "visibility": flags})
}

#[test]
fn keypoints_outside_are_hidden_kept_or_rejected() {
    let outside = person(json!([-5, 1, 2, 2, 3, 30]), json!([2, 1, 2]));
    let clipped = row("person", outside.clone(), &json!({}));
    assert_eq!(clipped.drawn, ["[0.0, 1.0, 2.0, 2.0, 3.0, 8.0] [0, 1, 0]"]);
    assert_eq!(
        clipped.warnings(),
        BTreeMap::from([("keypoints_off_image", 1), ("no_metrics", 1)])
    );
    let kept = row("person", outside.clone(), &json!({"off_image": "keep"}));
    assert_eq!(kept.drawn, ["[-5.0, 1.0, 2.0, 2.0, 3.0, 30.0] [2, 1, 2]"]);
    let rejected = row("person", outside, &json!({"off_image": "reject"}));
    assert_eq!(rejected.codes(), BTreeMap::from([("off_image", 1)]));
    // None is left; without flags all points are visible.
    for flags in [json!([2, 2, 0]), json!([1, 3, 0])] {
        let nothing = row("person", person(json!([-5, 1, 20, 2, 0, 0]), flags), &json!({}));
        assert_eq!(nothing.codes(), BTreeMap::from([("off_image", 1)]));
    }
    let without_flags = row("person", person(json!([-5, 1, 2, 2, 3, 3]), json!(null)), &json!({}));
    assert_eq!(without_flags.drawn, ["[0.0, 1.0, 2.0, 2.0, 3.0, 3.0] [0, 2, 2]"]);
    // What is not in the picture anyway may lie anywhere.
    let not_there = row(
        "person",
        person(json!([-5, 1, 2, 2, 3, 3]), json!([0, 2, 2])),
        &json!({"off_image": "reject"}),
    );
    assert_eq!(not_there.drawn.len(), 1);
    assert_eq!(not_there.warnings(), BTreeMap::from([("no_metrics", 1)]));
}

#[test]
fn points_and_lines_outside_are_cut_kept_or_rejected() {
    let point = json!({"shape": "point", "points": [[[-5, 1]]]});
    for (policy, staged) in [("clip", 0), ("keep", 1), ("reject", 0)] {
        let outcome = row("point", point.clone(), &json!({"off_image": policy}));
        assert_eq!(outcome.tally.staged, staged, "{policy}");
    }
    let line = |coords: Value| json!({"shape": "polyline", "points": [[coords]]});
    let cut = row("line", line(json!([-2, 2, 2, 4, 2, 12, 6, 12, 6, 4])), &json!({}));
    assert_eq!(cut.drawn, ["[0.0, 3.0, 2.0, 4.0, 2.0, 8.0, 6.0, 8.0, 6.0, 4.0]"]);
    assert_eq!(cut.warnings()["clipped"], 1);
    let reject = json!({"off_image": "reject"});
    for (coords, changes) in [
        (json!([-2, 2, -3, 9]), json!({})),
        (json!([-2, 2, 2, 4]), reject),
        (json!([-1e308, 20, 1e308, 20]), json!({})),
    ] {
        assert_eq!(
            row("line", line(coords), &changes).codes(),
            BTreeMap::from([("off_image", 1)])
        );
    }
    let far = row("line", line(json!([-1e308, 4, 1e308, 4])), &json!({}));
    assert_eq!(far.drawn, ["[0.0, 4.0, 10.0, 4.0]"]);
}

#[test]
fn turned_and_round_shapes_over_the_edge_are_whole_and_counted() {
    // On 10 x 8 px: a box of 4 x 2 around (2, 4) and around (1, 4), of which a corner turned by 30 degrees is at x < 0.
    let turned = |x: f64| json!({"box": [x, 3, 4, 2], "theta": 30});
    let ellipse = |x: f64, theta: u32| json!({"shape": "ellipse", "points": [[[x, 4, 3, 1]]], "theta": theta, "box": [0, 3, 6, 2]});
    for (class, inside, over, outside) in [
        ("turned", turned(0.3), turned(-1.0), turned(-5.0)),
        ("ellipse", ellipse(3.0, 0), ellipse(2.0, 0), ellipse(-3.5, 0)),
        // Turned by 90 degrees it is narrower than it was.
        ("ellipse", ellipse(2.0, 90), ellipse(0.5, 90), ellipse(-1.5, 90)),
    ] {
        let clip = json!({});
        let mut warnings = BTreeMap::new();
        if class == "ellipse" {
            warnings.insert("no_metrics", 1);
        }
        assert_eq!(row(class, inside, &clip).warnings(), warnings, "{class}");
        let whole = row(class, over.clone(), &clip);
        warnings.insert("over_edge", 1);
        assert_eq!(whole.warnings(), warnings, "{class}");
        assert_eq!(
            whole.drawn,
            row(class, over.clone(), &json!({"off_image": "keep"})).drawn
        );
        for (given, policy) in [(over, "reject"), (outside.clone(), "clip")] {
            let rejected = row(class, given, &json!({"off_image": policy}));
            assert_eq!(rejected.codes(), BTreeMap::from([("off_image", 1)]), "{class}");
        }
        assert_eq!(row(class, outside, &json!({"off_image": "keep"})).drawn.len(), 1);
    }
}

#[test]
fn swapped_sides_are_rejected_unless_they_are_asked_for() {
    let sized = |width: u32, height: u32| json!({"box": [1, 1, 2, 2], "width_px": width, "height_px": height});
    for (width, height) in [(8, 10), (16, 20)] {
        let outcome = row("box", sized(width, height), &json!({}));
        assert_eq!(outcome.codes(), BTreeMap::from([("sides_swapped", 1)]));
        assert!(outcome.rejects[0]["message"]
            .as_str()
            .unwrap()
            .contains("--swapped-sides keep"));
        let kept = row("box", sized(width, height), &json!({"swapped_sides": "keep"}));
        assert_eq!(kept.warnings(), BTreeMap::from([("aspect_differs", 1)]));
    }
    assert_eq!(
        row("box", sized(10, 10), &json!({})).warnings(),
        BTreeMap::from([("aspect_differs", 1)])
    );
    assert_eq!(row("box", sized(5, 4), &json!({})).warnings(), BTreeMap::new());
}

#[test]
fn a_sound_past_the_end_ends_with_the_medium() {
    let sound = |first: u64, last: u64, changes: &Value| {
        let row = json!({"media": "song.mp3", "class": "sound", "frame": first, "frame_last": last});
        take_text(row.to_string(), changes)
    };
    let clipped = sound(12_000, 13_000, &json!({}));
    assert_eq!(clipped.drawn, ["Interval(12500)"]);
    assert_eq!(clipped.warnings(), BTreeMap::from([("clipped", 1)]));
    assert_eq!(sound(12_000, 12_500, &json!({})).warnings(), BTreeMap::new());
    assert_eq!(
        sound(12_000, 13_000, &json!({"off_image": "keep"})).drawn,
        ["Interval(13000)"]
    );
    for (first, last, changes) in [
        (12_000, 13_000, json!({"off_image": "reject"})),
        (12_600, 13_000, json!({})),
    ] {
        let outcome = sound(first, last, &changes);
        assert_eq!(outcome.codes(), BTreeMap::from([("frame_range", 1)]));
        let message = outcome.rejects[0]["message"].as_str().unwrap();
        assert!(
            message.contains("12500 ms") && !message.contains("--frame"),
            "{message}"
        );
    }
}

#[test]
fn a_narrow_float_passes_the_limit_that_it_was_made_from() {
    let narrow = f64::from(0.9_f32);
    for (score, staged) in [(0.9, 1), (narrow, 1), (narrow - 1e-9, 0), (0.95, 1), (0.89, 0)] {
        let outcome = row(
            "box",
            json!({"box": [1, 1, 2, 2], "score": score}),
            &json!({"min_confidence": 0.9}),
        );
        assert_eq!(outcome.tally.staged, staged, "{score}");
    }
}
