//! What the row writer gives for any rows, and what it refuses.
#![allow(clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use ropewalk_core::answers::Answers;
use ropewalk_core::batch::{Points, Unit};
use ropewalk_core::error::{Error, Result};
use ropewalk_core::geometry::Geometry;
use ropewalk_core::label_row::{RowHeader, RowWriter, Templates, Written};
use ropewalk_core::plan::{DataType, DataUnit, Medium, OntologyObject};
use ropewalk_core::stage::record::{Key, StagedRow};
use serde_json::Value;

const WHEN: &str = "Sat, 21 Nov 2026 23:48:11 UTC";

fn ontology(name: &str) -> Vec<OntologyObject> {
    let object = |shape: &str| OntologyObject {
        feature_hash: format!("hash-{shape}"),
        name: name.to_owned(),
        color: "#123456".to_owned(),
        shape: shape.to_owned(),
        ..OntologyObject::default()
    };
    ["bounding_box", "polygon", "bitmask", "skeleton"].map(object).to_vec()
}

fn medium(data_type: DataType) -> Medium {
    let unit = |n: usize| DataUnit {
        data_hash: format!("image-{n}").into(),
        title: format!("{n}.png").into(),
        file_type: None,
        width: Some(210),
        height: Some(90),
    };
    Medium {
        data_hash: "data".into(),
        title: "clip.mp4".into(),
        key: None,
        storage_item: None,
        data_type,
        file_type: Some("video/mp4".into()),
        dataset_hash: "dataset".into(),
        dataset_title: "set".into(),
        width: Some(210),
        height: Some(90),
        frames: 5,
        fps: None,
        duration: None,
        audio: None,
        units: (0..5).map(unit).collect(),
        space: None,
    }
}

fn staged(frame: u32, object: u128, geometry: Geometry<'_>) -> StagedRow<'_> {
    let feature = match geometry {
        Geometry::Polygon(_) => 1,
        Geometry::Bitmask(_) => 2,
        _ => 0,
    };
    StagedRow {
        key: Key {
            label_row: 0,
            frame,
            object,
            source: 0,
            offset: 0,
        },
        feature,
        annotation_id: None,
        track: None,
        score: 0.5,
        unit: Unit::Px,
        width_px: 210,
        height_px: 90,
        geometry,
        answers: Answers::default(),
    }
}

fn write(data_type: DataType, name: &str, rows: &[StagedRow<'_>]) -> Result<(Vec<u8>, Written)> {
    let header = RowHeader::offline(&medium(data_type), "branch", WHEN)?;
    let templates = Templates::new(&ontology(name), &[], WHEN);
    let mut out = Vec::new();
    let mut writer = RowWriter::new(&templates, &header, |text: &mut Vec<u8>| out.append(text));
    for row in rows {
        writer.push(row)?;
    }
    let written = writer.finish().unwrap();
    Ok((out, written))
}

fn refusal(data_type: DataType, rows: &[StagedRow<'_>]) -> Error {
    write(data_type, "car", rows).unwrap_err()
}

const BOX: Geometry<'static> = Geometry::BoundingBox([1.0, 2.0, 30.0, 4.5]);

proptest! {
    #[test]
    fn any_rows_give_ascii_json_that_holds_them_all(
        name: String,
        mut labels in prop::collection::vec((0u32..5, 0u128..9, any::<bool>(), prop::array::uniform4(-1e9..1e9)), 0..40),
        data_type in prop::sample::select(vec![DataType::Video, DataType::ImgGroup]),
    ) {
        labels.sort_by_key(|label| (label.0, label.1));
        let mut rows: Vec<_> = labels
            .iter()
            .map(|&(frame, object, tracked, xywh)| StagedRow {
                // A track is one identity all over the row, and no untracked object's.
                track: tracked.then_some("t"),
                key: Key { object: object << 1 | u128::from(tracked), ..staged(frame, 0, BOX).key },
                ..staged(frame, 0, Geometry::BoundingBox(xywh))
            })
            .collect();
        rows.sort_by_key(|row| row.key);
        rows.dedup_by(|a, b| a.track.is_some() && a.key == b.key);
        let (out, written) = write(data_type, &name, &rows).unwrap();
        prop_assert!(out.is_ascii());
        let row: Value = serde_json::from_slice(&out).unwrap();
        let answers = row["object_answers"].as_object().unwrap();
        prop_assert_eq!(answers.len(), written.objects);
        let mut found = Vec::new();
        for unit in row["data_units"].as_object().unwrap().values() {
            let frames: Vec<&Value> = match data_type {
                DataType::Video => unit["labels"].as_object().unwrap().values().collect(),
                _ => vec![&unit["labels"]],
            };
            found.extend(frames.iter().flat_map(|frame| frame["objects"].as_array().unwrap()).cloned());
        }
        prop_assert_eq!(found.len(), rows.len());
        prop_assert_eq!(written.annotations, rows.len());
        for (object, row) in found.iter().zip(&rows) {
            prop_assert!(answers.contains_key(object["objectHash"].as_str().unwrap()));
            prop_assert_eq!(object["name"].as_str().unwrap(), &name);
            let Geometry::BoundingBox([x, y, w, h]) = row.geometry else { unreachable!() };
            let expected = [("x", x / 210.0), ("y", y / 90.0), ("w", w / 210.0), ("h", h / 90.0)];
            for (side, value) in expected {
                prop_assert_eq!(object["boundingBox"][side].as_f64().unwrap().to_bits(), value.to_bits());
            }
        }

        // Where a row stood in its source leaves no trace.
        for row in &mut rows {
            row.key.source += 3;
            row.key.offset += 1 << 40;
            row.annotation_id = Some("other");
        }
        prop_assert_eq!(write(data_type, &name, &rows).unwrap().0, out);
    }
}

#[test]
fn a_frame_past_an_image_group_is_refused() {
    let message = refusal(DataType::ImgGroup, &[staged(5, 1, BOX)]).to_string();
    assert_eq!(
        message,
        "label row data: has no image at 5, only 5 in all; see the frame rule"
    );
    assert!(matches!(
        refusal(DataType::Image, &[staged(1, 1, BOX)]),
        Error::LabelRow { .. }
    ));
}

#[test]
fn a_mask_of_another_size_is_refused() {
    let mask = StagedRow {
        width_px: 90,
        height_px: 210,
        ..staged(0, 1, Geometry::Bitmask(b"hi2"))
    };
    let message = refusal(DataType::Video, &[mask]).to_string();
    assert!(
        message.contains("is 90x210 (h x w) for the server, a mask on it 210x90"),
        "{message}"
    );
}

#[test]
fn what_staging_never_makes_is_refused() {
    let odd = Points {
        coords: &[1.0, 2.0, 3.0],
        rings: &[0, 3],
        parts: &[0, 1],
    };
    let nothing = Points {
        coords: &[],
        rings: &[0, 0],
        parts: &[0, 1],
    };
    let row = staged(1, 1, BOX);
    let damaged = [
        vec![StagedRow { score: f64::NAN, ..row }],
        vec![staged(0, 1, Geometry::BoundingBox([0.0, f64::INFINITY, 1.0, 1.0]))],
        vec![StagedRow { height_px: 0, ..row }],
        vec![StagedRow { feature: 1, ..row }],
        vec![StagedRow { feature: 3, ..row }],
        vec![StagedRow { feature: 4, ..row }],
        vec![staged(0, 1, Geometry::Polygon(odd))],
        vec![staged(0, 1, Geometry::Polygon(nothing))],
        vec![staged(0, 1, Geometry::Bitmask(b"\xff"))],
        vec![row, staged(0, 1, BOX)],
    ];
    for rows in damaged {
        assert!(matches!(refusal(DataType::Video, &rows), Error::Stage(_)), "{rows:?}");
    }
}

#[test]
fn headers_that_are_none_are_refused() {
    let good = r#"{"label_hash":"l","branch_name":"b","data_hash":"d","dataset_hash":"s","dataset_title":"t","data_title":"c",
        "data_type":"video","label_status":"LABELLED","data_units":{"d":{"data_hash":"d","data_title":"c","data_sequence":0}}}"#;
    assert_eq!(
        RowHeader::from_server(good.as_bytes()).unwrap().units()[0].data_hash(),
        "d"
    );
    let two_images = r#"{"a":{"data_hash":"a","data_title":"a","data_sequence":"0"},"b":{"data_hash":"b","data_title":"b","data_sequence":0}}"#;
    let unit = &good[good.find(r#"{"d":"#).unwrap()..good.len() - 1];
    let cases = [
        (
            good.replace("\"video\"", "\"scene\""),
            "is of a type that labels cannot be written on",
        ),
        (good.replace(unit, "{}"), "has 0 data units; expected one"),
        (
            good.replace("\"video\"", "\"img_group\"").replace(unit, two_images),
            "two data units have data_sequence 0",
        ),
        (
            good.replace("\"data_sequence\":0", "\"data_sequence\":\"-1\""),
            "data_sequence is \"-1\"",
        ),
        (
            good.replace("\"data_sequence\":0", "\"data_sequence\":1e30"),
            "Sequence",
        ),
        (good.replace("\"label_hash\":\"l\",", ""), "missing field `label_hash`"),
        (
            good.replace("\"branch_name\":\"b\"", "\"branch_name\":\"\\ud800\""),
            "expected a label row",
        ),
        (format!("[{good}]"), "expected a label row"),
        ("[".repeat(100_000), "expected a label row"),
        (String::new(), "EOF"),
    ];
    for (json, expected) in cases {
        let error = RowHeader::from_server(json.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::LabelRow { .. }));
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn decimals_round_angles_and_leave_no_minus_on_a_zero() {
    let ontology = [OntologyObject {
        feature_hash: "feature".to_owned(),
        name: "Car".to_owned(),
        color: "#123456".to_owned(),
        shape: "rotatable_bounding_box".to_owned(),
        ..OntologyObject::default()
    }];
    let header = RowHeader::offline(&medium(DataType::Video), "branch", WHEN).unwrap();
    let written = |decimals, xywh, theta| {
        let templates = Templates::new(&ontology, &[], WHEN).with_decimals(decimals);
        let mut out = Vec::new();
        let mut writer = RowWriter::new(&templates, &header, |text: &mut Vec<u8>| out.append(text));
        let row = staged(0, 7, Geometry::RotatableBoundingBox(xywh, theta));
        writer.push(&row)?;
        writer.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        Ok::<_, Error>(
            text.split_once(r#""rotatableBoundingBox":"#)
                .unwrap()
                .1
                .split_once('}')
                .unwrap()
                .0
                .to_owned(),
        )
    };
    let box_px = [-0.1, 30.0, 70.0, 45.0];
    assert_eq!(
        written(Some(2), box_px, 33.456).unwrap(),
        r#"{"h":0.5,"w":0.33,"x":0.0,"y":0.33,"theta":33.46"#
    );
    assert_eq!(
        written(Some(0), box_px, 0.5).unwrap(),
        r#"{"h":0.0,"w":0.0,"x":0.0,"y":0.0,"theta":0.0"#
    );
    assert!(written(None, box_px, 33.456)
        .unwrap()
        .contains(r#""w":0.3333333333333333,"#));
    for wrong in [f64::NAN, f64::INFINITY] {
        assert!(written(Some(2), box_px, wrong).is_err());
    }
}
