//! Label rows equal, byte for byte, what the encord SDK makes of the same objects (tests/golden/make_goldens.py).
#![allow(clippy::unwrap_used, missing_docs)]

use ropewalk_core::answers::Answers;
use std::collections::HashMap;

use ropewalk_core::batch::{Points, Unit};
use ropewalk_core::geometry::Geometry;
use ropewalk_core::label_row::{number, RowHeader, RowWriter, Templates, Written};
use ropewalk_core::plan::{Medium, OntologyObject};
use ropewalk_core::stage::record::{Key, StagedRow};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Case {
    name: String,
    ontology: Vec<OntologyObject>,
    branch: String,
    when: String,
    server: Option<Box<RawValue>>,
    medium: Option<Medium>,
    rows: Vec<Label>,
    expected: String,
}

#[derive(Deserialize)]
struct Label {
    frame: u32,
    feature: u32,
    object: String,
    track: Option<String>,
    score: f64,
    unit: String,
    size_wh: (u32, u32),
    geometry: Shape,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    BoundingBox([f64; 4]),
    RotatableBoundingBox([f64; 5]),
    Polygon(Vec<Vec<Vec<f64>>>),
    Polyline(Vec<Vec<Vec<f64>>>),
    Point(Vec<Vec<Vec<f64>>>),
    Bitmask(String),
}

/// Coordinates and offsets as a batch has them, after a row that is not ours.
struct Flat(Vec<f64>, Vec<i32>, Vec<i32>);

impl Flat {
    fn new(parts: &[Vec<Vec<f64>>]) -> Self {
        let (mut coords, mut rings, mut ends) = (vec![-1.0, -1.0], vec![0, 2], vec![1]);
        for part in parts {
            for ring in part {
                coords.extend(ring);
                rings.push(i32::try_from(coords.len()).unwrap());
            }
            ends.push(i32::try_from(rings.len()).unwrap() - 1);
        }
        Self(coords, rings, ends)
    }

    fn points(&self) -> Points<'_> {
        Points {
            coords: &self.0,
            rings: &self.1,
            parts: &self.2,
        }
    }
}

fn write(case: &Case, out: &mut Vec<u8>) -> Written {
    let header = match (&case.server, &case.medium) {
        (Some(row), _) => RowHeader::from_server(row.get().as_bytes()).unwrap(),
        (None, medium) => RowHeader::offline(medium.as_ref().unwrap(), &case.branch, &case.when).unwrap(),
    };
    let templates = Templates::new(&case.ontology, &[], &case.when);
    let mut writer = RowWriter::new(&templates, &header, |text: &mut Vec<u8>| out.append(text));
    for (offset, label) in (0..).zip(&case.rows) {
        let flat = match &label.geometry {
            Shape::Polygon(parts) | Shape::Polyline(parts) | Shape::Point(parts) => Flat::new(parts),
            _ => Flat::new(&[]),
        };
        let geometry = match &label.geometry {
            Shape::BoundingBox(xywh) => Geometry::BoundingBox(*xywh),
            Shape::RotatableBoundingBox([x, y, w, h, theta]) => {
                Geometry::RotatableBoundingBox([*x, *y, *w, *h], *theta)
            }
            Shape::Polygon(_) => Geometry::Polygon(flat.points()),
            Shape::Polyline(_) => Geometry::Polyline(flat.points()),
            Shape::Point(_) => Geometry::Point(flat.points()),
            Shape::Bitmask(rle) => Geometry::Bitmask(rle.as_bytes()),
        };
        let row = StagedRow {
            key: Key {
                label_row: 0,
                frame: label.frame,
                object: u128::from_str_radix(&label.object, 16).unwrap(),
                source: 0,
                offset,
            },
            feature: label.feature,
            annotation_id: None,
            track: label.track.as_deref(),
            score: label.score,
            unit: Unit::parse(&label.unit).unwrap(),
            width_px: label.size_wh.0,
            height_px: label.size_wh.1,
            geometry,
            answers: Answers::default(),
        };
        writer.push(&row).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn rows_equal_the_sdks() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../../tests/golden/label_rows.json")).unwrap();
    assert_eq!(cases.len(), 13);
    for case in &cases {
        let mut out = b"before".to_vec();
        let written = write(case, &mut out);
        let text = std::str::from_utf8(&out).unwrap().strip_prefix("before").unwrap();
        if let Some(at) = text.bytes().zip(case.expected.bytes()).position(|(a, b)| a != b) {
            let near = |text: &str| text[at.saturating_sub(120)..text.len().min(at + 80)].to_owned();
            panic!(
                "{}: byte {at}\n  ours: {}\n   SDK: {}",
                case.name,
                near(text),
                near(&case.expected)
            );
        }
        assert_eq!(text.len(), case.expected.len(), "{}", case.name);
        let objects: HashMap<_, _> = case.rows.iter().map(|label| (&label.object, ())).collect();
        assert_eq!(
            written,
            Written {
                objects: objects.len(),
                annotations: case.rows.len(),
                ..Written::default()
            }
        );
    }
}

#[test]
fn floats_equal_pythons() {
    let mut lines = 0;
    for line in include_str!("../../../tests/golden/floats.txt").lines() {
        let (bits, expected) = line.split_once(' ').unwrap();
        let mut out = Vec::new();
        number::push_f64(&mut out, f64::from_bits(u64::from_str_radix(bits, 16).unwrap()));
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
        lines += 1;
    }
    assert!(lines >= 1500);
}
