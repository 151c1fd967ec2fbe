//! The reader against the naive one of the test kit: random datasets, written in random ways, give the same values.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::sample::select;
use ropewalk_core::batch::Annotation;
use ropewalk_core::formats::coco::CocoOptions;
use ropewalk_core::formats::Reader;
use ropewalk_testkit::coco::{self, Fate};
use serde_json::{json, Value};

use super::support::*;

/// How numbers, strings and the order of keys are written; each draw decides about one of them.
struct Style {
    draws: Vec<u8>,
    next: usize,
}

impl Style {
    fn draw(&mut self) -> u8 {
        self.next += 1;
        self.draws[self.next % self.draws.len()]
    }

    fn space(&mut self, out: &mut String) {
        out.push_str([" ", "", "", "\n\t", "", "\r\n  "][self.draw() as usize % 6]);
    }

    fn write(&mut self, value: &Value, out: &mut String) {
        self.space(out);
        match value {
            Value::Object(fields) => {
                let mut keys: Vec<&String> = fields.keys().collect();
                let turn = self.draw() as usize % keys.len().max(1);
                keys.rotate_left(turn);
                out.push('{');
                for (i, key) in keys.into_iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    self.space(out);
                    self.string(key, out);
                    self.space(out);
                    out.push(':');
                    self.write(&fields[key], out);
                }
                self.space(out);
                out.push('}');
            }
            Value::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    self.write(item, out);
                }
                self.space(out);
                out.push(']');
            }
            Value::String(text) => self.string(text, out),
            Value::Number(number) => {
                let float = number.as_f64().unwrap();
                match (number.is_f64(), self.draw() % 4) {
                    (true, 0) => write!(out, "{float:e}").unwrap(),
                    (true, 1) => write!(out, "{float:.30}").unwrap(),
                    (true, 2) if float.abs() < 1e6 => write!(out, "{float:.2}").unwrap(),
                    _ => write!(out, "{number}").unwrap(),
                }
            }
            other => write!(out, "{other}").unwrap(),
        }
        self.space(out);
    }

    fn string(&mut self, text: &str, out: &mut String) {
        out.push('"');
        for character in text.chars() {
            if self.draw().is_multiple_of(5) || character < ' ' {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").unwrap();
                }
            } else if "\"\\".contains(character) {
                write!(out, "\\{character}").unwrap();
            } else {
                out.push(character);
            }
        }
        out.push('"');
    }
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-100_000..900_000i32).prop_map(|v| f64::from(v) / 100.0),
        (0..2000i32).prop_map(f64::from),
        any::<f64>().prop_filter("finite", |v| v.is_finite()),
        any::<f32>()
            .prop_filter("finite", |v| v.is_finite())
            .prop_map(f64::from),
    ]
}

fn ids() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..6u8).prop_map(|v| json!(v)),
        (0..6u8).prop_map(|v| json!(f64::from(v))),
        (0..6u8).prop_map(|v| json!(v.to_string())),
        select(&["a", "é\"", "\u{1F680}", "\\n", "", "007"][..]).prop_map(|v| json!(v)),
        any::<i64>().prop_map(|v| json!(v)),
        Just(json!(u64::MAX)),
    ]
}

fn score() -> impl Strategy<Value = Value> {
    prop_oneof![4 => (0.0..=1.0f64).prop_map(|v| json!(v)), 1 => float().prop_map(|v| json!(v)), 2 => Just(Value::Null)]
}

fn segmentation() -> impl Strategy<Value = Value> {
    let ring = prop_oneof![
        1 => prop::collection::vec(float(), 2..3),
        2 => prop::collection::vec(float(), 5..12),
    ];
    let even = prop::collection::vec(float(), 6..30).prop_map(|mut ring| {
        ring.truncate(ring.len() & !1);
        ring
    });
    prop_oneof![
        2 => Just(Value::Null),
        3 => prop::collection::vec(even, 0..4).prop_map(|rings| json!(rings)),
        1 => prop::collection::vec(ring, 1..3).prop_map(|rings| json!(rings)),
        3 => ("[0-o\\\\]{0,30}", any::<[u32; 2]>()).prop_map(|(counts, size)| json!({"counts": counts, "size": size})),
    ]
}

fn keypoints() -> impl Strategy<Value = Value> {
    let point = (
        float(),
        float(),
        prop_oneof![4 => (0..3u8).prop_map(f64::from), 1 => float()],
    );
    let points = prop::collection::vec(point.prop_map(|(x, y, v)| [x, y, v]), 0..4);
    prop_oneof![
        3 => Just(Value::Null),
        3 => points.prop_map(|points| json!(points.concat())),
        1 => prop::collection::vec(float(), 0..5).prop_map(|numbers| json!(numbers)),
        1 => Just(json!([0, 0, 0])),
        1 => Just(json!("keypoint")),
    ]
}

fn annotation() -> impl Strategy<Value = Value> {
    let size = (0.0..500.0f64, prop_oneof![9 => 0.0..500.0f64, 1 => -5.0..0.0f64]);
    let bbox = prop::option::weighted(0.6, (float(), float(), size).prop_map(|(x, y, (w, h))| [x, y, w, h]));
    let crowd = prop_oneof![9 => Just(0), 1 => Just(1)];
    let optional = (
        prop::option::of(ids()),
        score(),
        score(),
        prop::option::of(ids()),
        prop::option::of(ids()),
        ".{0,9}",
    );
    (ids(), ids(), bbox, segmentation(), keypoints(), crowd, optional).prop_map(
        |(image, category, bbox, segmentation, keypoints, crowd, optional)| {
            let (id, score, attribute_score, track, attribute_track, note) = optional;
            json!({
                "id": id, "image_id": image, "category_id": category, "bbox": bbox, "segmentation": segmentation,
                "keypoints": keypoints, "iscrowd": crowd, "score": score, "track_id": track, "area": 12.5,
                "attributes": {"score": attribute_score, "track_id": attribute_track, "note": [note]},
            })
        },
    )
}

/// Entries of a table whose ids, which may be written as 3, 3.0 or "3", stand once each.
fn distinct(values: Vec<Value>) -> Vec<Value> {
    let mut seen = std::collections::HashSet::new();
    values
        .into_iter()
        .filter(|value| seen.insert(coco::id(&value["id"].to_string())))
        .collect()
}

fn document() -> impl Strategy<Value = Value> {
    // No id is the name of a file.
    let image = (ids(), r"[^/\\]{1,20}", 1..5000u32, 1..5000u32)
        .prop_map(|(id, name, w, h)| json!({"id": id, "file_name": format!("file {name}"), "width": w, "height": h, "coco_url": null}));
    let category = (ids(), ".{1,20}").prop_map(|(id, name)| json!({"id": id, "name": name}));
    let sections = (
        prop::collection::vec(image, 0..6).prop_map(distinct),
        prop::collection::vec(annotation(), 0..12),
        prop::collection::vec(category, 0..6).prop_map(distinct),
    );
    sections.prop_map(|(images, annotations, categories)| {
        json!({"images": images, "annotations": annotations, "categories": categories, "info": {"x": [{}, [true, false]]}})
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_naive_reader(
        document in document(),
        draws in prop::collection::vec(any::<u8>(), 50..80),
        chunk_bytes in 1..300usize,
    ) {
        let mut text = String::new();
        Style { draws, next: 0 }.write(&document, &mut text);
        let fates = coco::read(text.as_bytes()).unwrap();
        let options = CocoOptions { chunk_bytes, batch_rows: 5, ..options() };
        let mut reader = open(text.as_bytes(), None, &options).unwrap();
        let (mut rows, mut rejects) = (vec![], vec![]);
        while let Some(found) = reader.next_batch().unwrap() {
            rows.extend((0..found.rows.len()).map(|row| shown(&found.rows.row(row))));
            rejects.extend(found.rejects.iter().map(|reject| reject.reason.code()));
        }
        prop_assert_eq!(reader.summary().annotations_read as usize, fates.len());
        let expected = fates.iter().filter_map(|fate| match fate { Fate::Row(row) => Some(row), _ => None });
        prop_assert!(expected.eq(&rows), "{:#?}, expected {:#?}", rows, fates);
        let expected = fates.iter().filter_map(|fate| match fate { Fate::Reject(code) => Some(*code), _ => None });
        prop_assert!(expected.eq(rejects.iter().copied()), "{:#?}, expected {:#?}", rejects, fates);
    }
}

/// A row in the oracle's form.
fn shown(row: &Annotation<'_>) -> String {
    let rings = row.points.iter().flat_map(|points| points.iter().flatten());
    coco::row(&coco::Row {
        annotation_id: row.annotation_id,
        media: row.media,
        frame: row.frame,
        class: row.class,
        track: row.track,
        score: row.score,
        bbox: row.bbox,
        polygons: rings.map(<[f64]>::to_vec).collect(),
        rle: row.rle,
        size_hw: [row.height_px, row.width_px],
    })
}
