//! Geometry that a class does not need never costs an annotation, and geometry that it does need is taken from the best
//! there is, whichever format it came in.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use ropewalk_core::formats::{AngleFormat, BoxFormat, ReadOptions};
use ropewalk_core::geometry::Geometry;
use ropewalk_core::intake::{Finished, Intake, Tally};
use ropewalk_core::plan::Plan;
use ropewalk_core::source::SourceFile;
use ropewalk_core::stage::StageBuilder;

const PLAN: &str = r##"{
  "branch": "b",
  "ontology": [
    {"feature_hash": "f1", "name": "crate", "color": "#111111", "shape": "bounding_box"},
    {"feature_hash": "f2", "name": "ship", "color": "#222222", "shape": "rotatable_bounding_box"},
    {"feature_hash": "f3", "name": "quay", "color": "#333333", "shape": "polygon"},
    {"feature_hash": "f4", "name": "water", "color": "#444444", "shape": "bitmask"},
    {"feature_hash": "f5", "name": "docker", "color": "#555555", "shape": "skeleton",
     "skeleton": [{"name": "head"}, {"name": "hand"}, {"name": "foot"}]}
  ],
  "media": [
    {"data_hash": "m", "title": "quay.png", "data_type": "image", "dataset_hash": "d", "dataset_title": "",
     "width": 64, "height": 40, "frames": 1}
  ]
}"##;

/// What a source becomes: its geometries, the codes of its rejects, and the counts.
struct Taken {
    drawn: Vec<String>,
    rejects: Vec<String>,
    tally: Tally,
}

fn take(name: &str, text: &str, options: &ReadOptions) -> Taken {
    let plan = Arc::new(Plan::from_json(PLAN).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut intake = Intake::new(&plan, StageBuilder::new(None, 0), file.path(), 1).unwrap();
    let source = SourceFile::bytes(name, text.as_bytes());
    intake.add(source, name, None, options, |_| Ok(())).unwrap();
    let Finished { staged, tally, .. } = intake.finish().unwrap();
    let mut drawn = Vec::new();
    for label_row in staged.label_rows() {
        let add = |row: &ropewalk_core::stage::record::StagedRow<'_>, _| {
            drawn.push(shown(&row.geometry));
            Ok(())
        };
        staged.for_each(label_row, add).unwrap();
    }
    let lines = std::fs::read_to_string(file.path()).unwrap();
    let code = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["code"].to_string();
    Taken {
        drawn,
        rejects: lines.lines().map(|line| code(line).replace('"', "")).collect(),
        tally,
    }
}

/// A geometry in short, rounded.
fn shown(geometry: &Geometry<'_>) -> String {
    let numbers = |values: &[f64]| {
        let rounded = values.iter().map(|value| (value * 1000.0).round() / 1000.0 + 0.0);
        rounded.map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
    };
    let rings = |points: &ropewalk_core::batch::Points<'_>| {
        let rings = points.iter().flatten().map(numbers);
        rings.collect::<Vec<_>>().join(" / ")
    };
    match geometry {
        Geometry::BoundingBox(bbox) => format!("box {}", numbers(bbox)),
        Geometry::RotatableBoundingBox(bbox, theta) => {
            format!("box {} turned {}", numbers(bbox), (theta * 100.0).round() / 100.0 + 0.0)
        }
        Geometry::Polygon(points) => format!("polygon {}", rings(points)),
        Geometry::Skeleton(points, flags) => format!("skeleton {} {flags:?}", rings(points)),
        Geometry::Bitmask(_) => "mask".to_owned(),
        other => format!("{other:?}"),
    }
}

const CLASSES: [&str; 5] = ["crate", "ship", "quay", "water", "docker"];

/// An annotation of a COCO dataset, of a class of the ontology.
fn dataset(class: &str, fields: &str) -> String {
    let id = CLASSES.iter().position(|name| *name == class).unwrap();
    let categories: Vec<String> = CLASSES
        .iter()
        .enumerate()
        .map(|(id, name)| format!(r#"{{"id":{id},"name":"{name}"}}"#))
        .collect();
    format!(
        r#"{{"images":[{{"id":7,"file_name":"quay.png","width":64,"height":40}}],"categories":[{}],
"annotations":[{{"image_id":7,"category_id":{id},{fields}}}]}}"#,
        categories.join(",")
    )
}

fn coco_with(class: &str, fields: &str, options: &ReadOptions) -> Taken {
    take("dataset.json", &dataset(class, fields), options)
}

/// What an annotation is drawn as, with its warning, or the code of its reject.
fn coco(class: &str, fields: &str) -> String {
    told(coco_with(class, fields, &ReadOptions::default()))
}

fn told(taken: Taken) -> String {
    // That a box is less than what is beside it, or has no area, is told elsewhere.
    let others = ["drawn_as_box", "zero_area"];
    let warnings = taken.tally.warnings.keys().copied();
    let warnings: Vec<&str> = warnings.filter(|name| !others.contains(name)).collect();
    assert_eq!(taken.tally.read, 1);
    let mut told = [taken.drawn, taken.rejects].concat();
    told.extend(warnings.into_iter().map(|name| format!("({name})")));
    told.join(" ")
}

/// The same of a row of NDJSON.
fn row(class: &str, fields: &str) -> String {
    let text = format!(r#"{{"media":"quay.png","class":"{class}","unit":"px",{fields}}}"#);
    told(take("rows.ndjson", &text, &ReadOptions::default()))
}

const RING: &str = "[[10, 5, 30, 5, 30, 15, 20, 25]]";
const MASK: &str = r#"{"size": [40, 64], "counts": [81, 3, 37, 3, 2436]}"#;
/// 20 wide and 10 high around (30, 20), turned by 30 degrees.
const QUAD: &str = "23.840, 10.670, 41.160, 20.670, 36.160, 29.330, 18.840, 19.330";

#[test]
fn what_the_class_does_not_need_is_not_judged() {
    for none in ["[[]]", "[]", "{}", "\"\"", "null"] {
        let given = format!(r#""bbox":[1,2,3,4],"segmentation":{none}"#);
        assert_eq!(coco("crate", &given), "box 1 2 3 4", "{none}");
    }
    for bad in [
        "[10,10,30,10,30,30]",
        "[[1,2,3]]",
        "[[NaN,2,3,4,5,6]]",
        "\"x\"",
        r#"{"size":[2,3]}"#,
    ] {
        let given = format!(r#""bbox":[1,2,3,4],"segmentation":{bad}"#);
        assert_eq!(coco("crate", &given), "box 1 2 3 4 (geometry_ignored)", "{bad}");
        assert!(!coco("quay", &given).contains("mismatch"), "{bad}");
        assert!(!coco("water", &given).contains("mismatch"), "{bad}");
    }
    for bad in ["[10,10,-5,-5]", "[10,10,30]", "[NaN,1,2,3]", "\"x\""] {
        let of = |geometry: &str| format!(r#""bbox":{bad},{geometry}"#);
        let ring = of(&format!(r#""segmentation":{RING}"#));
        assert_eq!(coco("quay", &ring), "polygon 10 5 30 5 30 15 20 25 (geometry_ignored)");
        // The box is needed, and found around the polygon.
        assert_eq!(coco("crate", &ring), "box 10 5 20 20 (geometry_ignored)");
        let mask = of(&format!(r#""segmentation":{MASK}"#));
        assert_eq!(coco("water", &mask), "mask (geometry_ignored)");
        let points = of(r#""keypoints":[1,2,2,3,4,2,5,6,2]"#);
        assert_eq!(
            coco("docker", &points),
            "skeleton 1 2 3 4 5 6 [2, 2, 2] (geometry_ignored) (no_metrics)"
        );
    }
    let rotation = |angle: &str| format!(r#""bbox":[1,2,3,4],"attributes":{{"rotation":{angle}}}"#);
    assert_eq!(coco("crate", &rotation("\"abc\"")), "box 1 2 3 4 (geometry_ignored)");
    assert_eq!(coco("ship", &rotation("\"abc\"")), "bad_field");
    assert_eq!(coco("ship", &rotation("NaN")), "not_finite");
    assert_eq!(coco("ship", &rotation("\" 30 \"")), "box 1 2 3 4 turned 30");
}

#[test]
fn what_the_class_needs_and_is_broken_is_why_it_is_rejected() {
    assert_eq!(
        coco("quay", r#""bbox":[1,2,3,4],"segmentation":[[1,2,3,4]]"#),
        "bad_polygon"
    );
    assert_eq!(
        coco(
            "water",
            r#""bbox":[1,2,3,4],"segmentation":{"size":[2,3],"counts":[-1]}"#
        ),
        "rle_negative"
    );
    assert_eq!(coco("docker", r#""bbox":[1,2,3,4],"keypoints":[1,2]"#), "bad_field");
    assert_eq!(coco("quay", r#""bbox":[1,2,3,4]"#), "shape_mismatch");
}

#[test]
fn a_box_without_an_area_gives_way_to_what_has_one() {
    for zero in ["[0,0,0,0]", "[10,5,0,20]"] {
        let ring = format!(r#""bbox":{zero},"segmentation":{RING}"#);
        assert_eq!(coco("crate", &ring), "box 10 5 20 20");
        assert_eq!(
            coco(
                "ship",
                &format!(r#""bbox":{zero},"segmentation":[[10,5,30,5,30,25,10,25]]"#)
            ),
            "box 10 5 20 20 turned 0"
        );
        assert_eq!(
            coco("crate", &format!(r#""bbox":{zero},"segmentation":{MASK}"#)),
            "box 2 1 2 3"
        );
        assert_eq!(
            coco("crate", &format!(r#""bbox":{zero},"keypoints":[1,2,2,7,9,1,0,0,0]"#)),
            "box 1 2 6 7"
        );
    }
    assert!(coco("crate", r#""bbox":[3,4,0,0]"#).starts_with("box 3 4 0 0"));
    assert_eq!(
        row(
            "crate",
            r#""box":[0,0,0,0],"shape":"polygon","points":[[[10,5,30,5,30,15]]]"#
        ),
        "box 10 5 20 10"
    );
}

#[test]
fn a_bad_ring_of_a_row_does_not_cost_the_good_ones() {
    let polygon = |points: &str| row("quay", &format!(r#""shape":"polygon","points":[{points}]"#));
    let good = "[10,5,30,5,30,15]";
    let hole = "[22,7,28,7,28,9]";
    for bad in ["[1,2,3,4]", "[]"] {
        let left = "polygon 10 5 30 5 30 15 (ring_dropped)";
        assert_eq!(polygon(&format!("[{bad}],[{good}]")), left, "{bad}");
        assert_eq!(polygon(&format!("[{good}],[{bad}]")), left, "{bad}");
        assert_eq!(polygon(&format!("[{good},{bad}]")), left, "{bad}");
        // Without its outline a hole is nothing.
        assert_eq!(polygon(&format!("[{good}],[{bad},{hole}]")), left, "{bad}");
    }
    let with_hole = format!("[{good},{hole}],[[1,2,3,4]]");
    assert_eq!(
        polygon(&with_hole),
        "polygon 10 5 30 5 30 15 / 22 7 28 7 28 9 (ring_dropped)"
    );
    assert_eq!(polygon("[[1,2,3,4]],[[]]"), "bad_polygon");
    let boxed = format!(r#""shape":"polygon","points":[[{good}],[[1,2]]],"box":[1,2,-3,4]"#);
    assert_eq!(
        row("quay", &boxed),
        "polygon 10 5 30 5 30 15 (geometry_ignored) (ring_dropped)"
    );
}

#[test]
fn keypoints_are_a_box_for_a_class_that_is_one() {
    let keypoints = r#""bbox":null,"segmentation":[],"keypoints":[10,10,2,20,25,1,0,0,0]"#;
    assert_eq!(coco("crate", keypoints), "box 10 10 10 15");
    assert_eq!(coco("ship", keypoints), "box 10 10 10 15 turned 0 (no_angle)");
    assert_eq!(coco("crate", r#""keypoints":[10,10,0,20,25,0,0,0,0]"#), "no_keypoints");
    let of_a_row = r#""shape":"skeleton","points":[[[1,2,7,9,30,30]]],"visibility":[2,1,0]"#;
    assert_eq!(row("crate", of_a_row), "box 1 2 6 7");
    assert_eq!(
        row("crate", r#""shape":"skeleton","points":[[[1,2,7,9]]]"#),
        "box 1 2 6 7"
    );
}

#[test]
fn points_that_are_not_in_the_picture_may_be_anywhere() {
    for nowhere in [
        "NaN,NaN,0",
        "null,null,0",
        "null,null,null",
        "NaN,3,0",
        "Infinity,1,0",
        "\"NaN\",\"NaN\",\"0\"",
    ] {
        let points = format!(r#""keypoints":[1,2,2,3,4,1,{nowhere}]"#);
        assert_eq!(
            coco("docker", &points),
            "skeleton 1 2 3 4 0 0 [2, 1, 0] (no_metrics)",
            "{nowhere}"
        );
    }
    assert_eq!(coco("docker", r#""keypoints":[1,2,2,3,4,1,NaN,NaN,2]"#), "not_finite");
    assert_eq!(coco("docker", r#""keypoints":[1,2,2,3,4,1,null,null,2]"#), "bad_field");
    let of_a_row = |flags: &str| format!(r#""shape":"skeleton","points":[[[1,2,3,4,null,null]]],"visibility":{flags}"#);
    assert_eq!(
        row("docker", &of_a_row("[2,1,0]")),
        "skeleton 1 2 3 4 0 0 [2, 1, 0] (no_metrics)"
    );
    assert_eq!(row("docker", &of_a_row("[2,1,1]")), "not_finite");
    assert_eq!(
        row("docker", r#""shape":"skeleton","points":[[[1,2,3,4,null,null]]]"#),
        "not_finite"
    );
}

#[test]
fn nobody_labelled_is_a_reason_of_its_own() {
    for none in ["[0,0,0,0,0,0,0,0,0]", "[]", "null", "[NaN,NaN,0,null,null,0,0,0,0]"] {
        let person = format!(r#""bbox":[1,2,3,4],"keypoints":{none}"#);
        assert_eq!(coco("docker", &person), "no_keypoints", "{none}");
        assert_eq!(coco("crate", &person), "box 1 2 3 4", "{none}");
    }
}

#[test]
fn a_bad_ring_is_left_out_beside_good_ones() {
    for bad in ["[]", "[50,30,52,32]", "[1,2,3,4,5,6,7]", "[NaN,1,2,3,4,5]", "null", "7"] {
        for rings in [format!("[{bad},[1,2,9,2,9,7]]"), format!("[[1,2,9,2,9,7],{bad}]")] {
            let taken = coco("quay", &format!(r#""segmentation":{rings}"#));
            assert_eq!(taken, "polygon 1 2 9 2 9 7 (ring_dropped)", "{rings}");
        }
    }
    assert_eq!(
        coco("quay", r#""bbox":[1,2,3,4],"segmentation":[[50,30,52,32],[]]"#),
        "bad_polygon"
    );
}

#[test]
fn rows_of_tables_lose_a_piece_and_not_the_annotation() {
    let bad_box = r#""box":[1,2,-3,4],"shape":"polygon","points":[[[10,5,30,5,30,15]]]"#;
    assert_eq!(row("quay", bad_box), "polygon 10 5 30 5 30 15 (geometry_ignored)");
    assert_eq!(row("crate", bad_box), "box 10 5 20 10 (geometry_ignored)");
    let bad_points = r#""box":[1,2,3,4],"shape":"polygon","points":[[[1,2]]]"#;
    assert_eq!(row("crate", bad_points), "box 1 2 3 4 (geometry_ignored)");
    assert_eq!(row("quay", bad_points), "bad_polygon");
    assert_eq!(row("crate", r#""box":[1,2,-3,4]"#), "negative_box");
    let bad_angle = r#""box":[1,2,3,4],"theta":"NaN""#;
    assert_eq!(row("crate", bad_angle), "box 1 2 3 4 (geometry_ignored)");
    assert_eq!(row("ship", bad_angle), "not_finite");
    let numbers =
        r#""box":["1",2,"3",4],"theta":"30","score":"0.5","frame":"0","track":7.0,"width_px":"64","height_px":40"#;
    assert_eq!(row("ship", numbers), "box 1 2 3 4 turned 30");
}

#[test]
fn four_corners_turn_a_rotatable_box() {
    let turned = "box 20 15 20 10 turned 30";
    let hull = r#""bbox":[18.84,10.67,22.32,18.66]"#;
    assert_eq!(coco("ship", &format!(r#"{hull},"segmentation":[[{QUAD}]]"#)), turned);
    let closed = format!(r#"{hull},"segmentation":[[{QUAD}, 23.840, 10.670]]"#);
    assert_eq!(coco("ship", &closed), turned);
    let other = "36.160, 29.330, 41.160, 20.670, 23.840, 10.670, 18.840, 19.330";
    assert_eq!(coco("ship", &format!(r#"{hull},"segmentation":[[{other}]]"#)), turned);
    // Encord's and CVAT's exporters write rotation 0 for boxes that are not turned.
    let level = format!(r#"{hull},"segmentation":[[{QUAD}]],"attributes":{{"rotation":0}}"#);
    assert_eq!(coco("ship", &level), turned);
    // The source's own angle counts more: the exporter's polygon is the box that is not turned.
    let own = r#""bbox":[1,2,3,4],"segmentation":[[1,2,4,2,4,6,1,6]],"attributes":{"rotation":45}"#;
    assert_eq!(coco("ship", own), "box 1 2 3 4 turned 45");
    let box_of_quad = coco("crate", &format!(r#"{hull},"segmentation":[[{QUAD}]]"#));
    assert_eq!(box_of_quad, "box 18.84 10.67 22.32 18.66");

    let no_rectangle = r#""bbox":[20,20,40,18],"segmentation":[[20,20,60,20,50,38,20,30]]"#;
    assert_eq!(coco("ship", no_rectangle), "box 20 20 40 18 turned 0 (not_a_rectangle)");
    assert_eq!(coco("ship", r#""bbox":[1,2,3,4]"#), "box 1 2 3 4 turned 0 (no_angle)");
    assert_eq!(
        coco("ship", &format!(r#""segmentation":{MASK}"#)),
        "box 2 1 2 3 turned 0 (no_angle)"
    );
    let two = format!(r#"{hull},"segmentation":[[{QUAD}],[1,2,9,2,9,7]]"#);
    assert!(coco("ship", &two).ends_with("turned 0 (no_angle)"));

    let ring: Vec<f64> = QUAD.split(", ").map(|value| value.parse().unwrap()).collect();
    let frac: Vec<String> = ring
        .chunks(2)
        .flat_map(|point| [point[0] / 64.0, point[1] / 40.0])
        .map(|value| value.to_string())
        .collect();
    let text = format!(
        r#"{{"media":"quay.png","class":"ship","unit":"frac","shape":"polygon","points":[[[{}]]]}}"#,
        frac.join(",")
    );
    let taken = take("rows.ndjson", &text, &ReadOptions::default());
    assert!(taken.tally.warnings.is_empty(), "{:?}", taken.tally);
    assert_eq!(told(taken), turned);
}

#[test]
fn corners_are_found_beside_a_box_of_four_numbers() {
    let options = ReadOptions {
        box_format: Some(BoxFormat::Corners),
        ..ReadOptions::default()
    };
    let fields = format!(r#""bbox":[18.84,10.67,22.32,18.66],"segmentation":[[{QUAD}]]"#);
    assert_eq!(
        coco_with("ship", &fields, &options).drawn,
        ["box 20 15 20 10 turned 30"]
    );
}

#[test]
fn ultralytics_writes_corners_and_radians() {
    let turned = "box 20 15 20 10 turned 30";
    let rbox = r#""rbox":[30,20,20,10,0.5235987755982988]"#;
    let poly = format!(r#""poly":[{QUAD}]"#);
    assert_eq!(coco("ship", rbox), turned);
    assert_eq!(coco("ship", &poly), turned);
    // Corners are rounded less than the angle.
    assert_eq!(coco("ship", &format!(r#""rbox":[30,20,20,10,0.5],{poly}"#)), turned);
    assert_eq!(coco("crate", &format!("{rbox},{poly}")), "box 18.84 10.67 22.32 18.66");
    assert!(coco("quay", &poly).starts_with("polygon 23.84 10.67"));
    assert_eq!(
        coco("crate", r#""bbox":[1,2,3,4],"rbox":"x","poly":[1,2]"#),
        "box 1 2 3 4"
    );
    assert_eq!(coco("ship", r#""rbox":[30,20,20,10,NaN]"#), "not_finite");
    assert_eq!(
        coco("crate", r#""rbox":[30,20,20,10,NaN]"#),
        "box 20 15 20 10 (geometry_ignored)"
    );
    assert_eq!(coco("ship", r#""rbox":[30,20,-20,10,1]"#), "negative_box");
}

#[test]
fn angles_are_what_the_option_says() {
    let turned = |format, angle: &str, field: &str| {
        let options = ReadOptions {
            angle: Some(format),
            box_format: (field == "bbox").then_some(BoxFormat::Cxcywha),
            ..ReadOptions::default()
        };
        let numbers = format!("[30,20,20,10,{angle}]");
        let fields = match field {
            "rotation" => format!(r#""bbox":[20,15,20,10],"attributes":{{"rotation":{angle}}}"#),
            field => format!(r#""{field}":{numbers}"#),
        };
        let taken = coco_with("ship", &fields, &options);
        assert!(taken.tally.warnings.is_empty(), "{:?}", taken.tally);
        taken.drawn.join("")
    };
    for field in ["bbox", "rbox", "rotation"] {
        for (format, angle, degrees) in [
            (AngleFormat::Degrees, "2", "2"),
            (AngleFormat::DegreesCcw, "-30", "30"),
            (AngleFormat::Radians, "0.5235987755982988", "30"),
            (AngleFormat::RadiansCcw, "0.5235987755982988", "-30"),
        ] {
            let expected = format!("box 20 15 20 10 turned {degrees}");
            assert_eq!(turned(format, angle, field), expected, "{field}");
        }
    }
}

#[test]
fn small_angles_that_are_taken_for_degrees_are_counted() {
    let options = ReadOptions {
        box_format: Some(BoxFormat::Cxcywha),
        ..ReadOptions::default()
    };
    let small = |angles: &[f64]| {
        let annotations: Vec<String> = angles
            .iter()
            .map(|angle| format!(r#"{{"image_id":7,"category_id":1,"bbox":[30,20,20,10,{angle}]}}"#))
            .collect();
        let text = dataset("ship", r#""bbox":[30,20,20,10,0]"#);
        let text = text.replace(
            "\"annotations\":[",
            &format!("\"annotations\":[{},", annotations.join(",")),
        );
        take("dataset.json", &text, &options)
            .tally
            .warnings
            .get("small_angles")
            .copied()
    };
    assert_eq!(small(&[0.5, -3.1, 0.0]), Some(2));
    assert_eq!(small(&[0.5, -3.2]), None);
    assert_eq!(small(&[0.0, 0.0]), None);
}
