//! Any number of threads gives the same stage, the same tally, the same rejects in the same order, and the same error.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::sync::Arc;

use ropewalk_core::formats::ReadOptions;
use ropewalk_core::intake::{Finished, Intake, Tally};
use ropewalk_core::plan::Plan;
use ropewalk_core::source::SourceFile;
use ropewalk_core::stage::StageBuilder;

const PLAN: &str = r##"{
  "branch": "b",
  "min_confidence": 0.1,
  "ontology": [{"feature_hash": "car00000", "name": "Car", "color": "#111111", "shape": "bounding_box"}],
  "media": [
    {"data_hash": "v", "title": "drive.mp4", "data_type": "video", "dataset_hash": "d", "dataset_title": "",
     "width": 7, "height": 5, "frames": 20},
    {"data_hash": "i", "title": "still.jpg", "data_type": "image", "dataset_hash": "d", "dataset_title": "",
     "width": 7, "height": 5, "frames": 1}
  ]
}"##;

/// Annotations of which some are rejected when they are read and some when they are resolved, on more than two batches.
fn annotations(count: usize) -> String {
    let mut text = String::new();
    for id in 0..count {
        let (image, category) = (id * 7 / 5 % 22, usize::from(id % 97 == 0));
        let width = if id % 61 == 0 {
            -1.0
        } else {
            (id % 5) as f64 / 2.0 + 0.25
        };
        let score = (id % 31) as f64 / 31.0;
        let rest = match id % 89 {
            0 => r#""iscrowd": 1"#.to_owned(),
            _ => format!(r#""iscrowd": 0, "score": {score}"#),
        };
        write!(
            text,
            r#"{{"id": {id}, "image_id": {image}, "category_id": {category}, "bbox": [{}, 1, {width}, 2.5], {rest}}}, "#,
            id % 9
        )
        .unwrap();
    }
    text
}

fn document(count: usize, end: &str) -> String {
    let images: Vec<String> = (0..21)
        .map(|id| match id {
            20 => r#"{"id": 20, "file_name": "still.jpg"}"#.to_owned(),
            _ => format!(r#"{{"id": {id}, "file_name": "drive.mp4", "frame_index": {id}}}"#),
        })
        .collect();
    format!(
        r#"{{"images": [{}], "categories": [{{"id": 0, "name": "Car"}}, {{"id": 1, "name": "bus"}}], "annotations": [{}{end}"#,
        images.join(", "),
        annotations(count)
    )
}

/// Everything that an import leaves: the order of the staged rows, the tally, the rejects, and an error.
fn taken(document: &str, threads: usize) -> (Vec<String>, Option<Tally>, String, String) {
    let plan = Arc::new(Plan::from_json(PLAN).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut intake = Intake::new(&plan, StageBuilder::new(None, 0), file.path(), threads).unwrap();
    let input = SourceFile::bytes("preds.json", document.as_bytes().to_vec());
    let error = intake.add(input, "preds.json", None, &ReadOptions::default(), |_| Ok(()));
    if let Err(error) = error {
        drop(intake);
        return (
            Vec::new(),
            None,
            std::fs::read_to_string(file.path()).unwrap(),
            error.to_string(),
        );
    }
    let Finished { staged, tally, .. } = intake.finish().unwrap();
    let mut rows = Vec::new();
    for label_row in staged.label_rows() {
        let add = |row: &ropewalk_core::stage::record::StagedRow<'_>, _| {
            rows.push(format!("{row:?}"));
            Ok(())
        };
        staged.for_each(label_row, add).unwrap();
    }
    (
        rows,
        Some(tally),
        std::fs::read_to_string(file.path()).unwrap(),
        String::new(),
    )
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let document = document(
        20_000,
        r#"{"id": -1, "image_id": 20, "category_id": 0, "bbox": [1, 2, 3, 1]}]}"#,
    );
    let one = taken(&document, 1);
    let tally = one.1.as_ref().unwrap();
    assert!(
        tally.read > 2 * 8192 && tally.rejects.len() > 3 && tally.filtered.len() == 2,
        "{tally:?}"
    );
    for threads in [2, 3, 7] {
        assert!(taken(&document, threads) == one, "{threads} threads");
    }
}

#[test]
fn an_error_comes_after_the_same_rejects() {
    let document = document(20_000, "oops");
    let one = taken(&document, 1);
    assert!(one.3.contains("byte") && one.2.lines().count() > 200, "{}", one.3);
    for threads in [2, 3] {
        assert!(taken(&document, threads) == one, "{threads} threads");
    }
}

/// Rows on more than two batches, of which some cannot be written; the last line ends as it is told to.
fn lines(count: usize, end: &str) -> String {
    let mut text = String::new();
    for id in 0..count {
        let width = if id % 61 == 0 { -1.0 } else { 2.25 };
        let medium = ["drive.mp4", "still.jpg", "none.mp4"][usize::from(id % 7 == 0) + usize::from(id % 91 == 0)];
        let source = if id % 500 < 250 { "one" } else { "two" };
        let score = (id % 31) as f64 / 31.0;
        writeln!(
            text,
            r#"{{"source": "{source}", "media": "{medium}", "frame": {}, "class": "Car", "box": [{}, 1, {width}, 2.5], "unit": "px", "score": {score}}}"#,
            id * 7 / 5 % 22,
            id % 9
        )
        .unwrap();
    }
    text + end
}

#[test]
fn rows_that_name_by_text_are_read_while_others_are_resolved() {
    let whole = lines(20_000, "");
    let one = taken(&whole, 1);
    let tally = one.1.as_ref().unwrap();
    assert!(
        tally.read > 2 * 8192 && tally.rejects.len() > 2 && tally.staged > 0,
        "{tally:?}"
    );
    for threads in [2, 3, 7] {
        assert!(taken(&whole, threads) == one, "{threads} threads");
    }
    // A line too long for any row stops the import, after the same rejects.
    let broken = lines(20_000, &"x".repeat((1 << 26) + 1));
    let one = taken(&broken, 1);
    assert!(one.3.contains("64 MiB") && one.2.lines().count() > 200, "{}", one.3);
    assert!(taken(&broken, 3) == one);
}
