//! Any number of threads gives the same stage, the same tally, the same rejects in the same order, and the same error.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::sync::Arc;

use ropewalk_core::formats::ReadOptions;
use ropewalk_core::intake::{Finished, Intake, Tally};
use ropewalk_core::plan::Plan;
use ropewalk_core::source::{Folder, Source, SourceFile};
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
    let input = SourceFile::bytes("preds.json", document.as_bytes().to_vec());
    taken_from(input, "{}", threads)
}

/// As [`taken`], of a source that is read by options.
fn taken_from(
    source: impl Into<Source>,
    options: &str,
    threads: usize,
) -> (Vec<String>, Option<Tally>, String, String) {
    let plan = Arc::new(Plan::from_json(PLAN).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut intake = Intake::new(&plan, StageBuilder::new(None, 0), file.path(), threads).unwrap();
    let options = ReadOptions::from_json(options).unwrap();
    let error = intake.add(source, "preds.json", None, &options, |_| Ok(()));
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

/// Boxes of a tracker, of which some have no width and some lie behind the end of the video.
fn tracker_lines(count: usize) -> String {
    let mut text = String::new();
    for id in 0..count {
        let width = if id % 61 == 0 { "x" } else { "2.25" };
        writeln!(text, "{},{},{},1,{width},2.5,0.5,-1,-1,-1", 1 + id / 7 % 22, id, id % 5).unwrap();
    }
    text
}

#[test]
fn a_file_of_lines_is_read_in_pieces_on_all_threads() {
    let lines = tracker_lines(20_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drive.txt");
    std::fs::write(&path, &lines).unwrap();
    let source = || SourceFile::path(&path);
    let options = r#"{"class_": "Car"}"#;
    let one = taken_from(source(), options, 1);
    let tally = one.1.as_ref().unwrap();
    assert!(
        lines.len() > 1 << 19 && tally.read == 20_000 && tally.rejects.len() == 2 && tally.staged > 0,
        "{tally:?}"
    );
    // In the order of the file.
    let bytes: Vec<u64> = rejects_at(&one.2, "bad_field");
    assert!(bytes.len() > 300 && bytes.is_sorted());
    for threads in [2, 3, 7] {
        assert!(taken_from(source(), options, threads) == one, "{threads} threads");
    }
}

#[test]
fn the_files_of_a_folder_are_read_in_pieces_on_all_threads() {
    let folder = tempfile::tempdir().unwrap();
    let line = "Car 0 0 0 1 1 3.25 2.5 0 0 0 0 0 0 0 0.5\n";
    for frame in 0..600 {
        let bad = if frame % 13 == 0 { "Car 0\n" } else { "" };
        let text = line.repeat(30) + bad;
        std::fs::write(folder.path().join(format!("drive.mp4__{frame:03}.txt")), text).unwrap();
    }
    let source = || Folder::at(folder.path()).unwrap();
    let one = taken_from(source(), "{}", 1);
    let tally = one.1.as_ref().unwrap();
    // 20 frames of the video, and a bad line in each thirteenth file.
    assert!(
        tally.read == 18_047 && tally.rejects.get("bad_line") == Some(&47) && tally.staged > 0,
        "{tally:?}"
    );
    for threads in [2, 5] {
        assert!(taken_from(source(), "{}", threads) == one, "{threads} threads");
    }
}

/// Bytes of the rejects of a code, in the order of the reject file.
fn rejects_at(rejects: &str, code: &str) -> Vec<u64> {
    let lines = rejects
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let of_code = lines.filter(|line| line["code"] == code);
    of_code.map(|line| line["byte"].as_u64().unwrap()).collect()
}

#[test]
fn a_file_that_is_changed_while_it_is_read_stops_the_import() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drive.txt");
    std::fs::write(&path, tracker_lines(20_000)).unwrap();
    let plan = Arc::new(Plan::from_json(PLAN).unwrap());
    let rejects = folder.path().join("rejects");
    let options = ReadOptions::from_json(r#"{"class_": "Car"}"#).unwrap();
    let mut intake = Intake::new(&plan, StageBuilder::new(None, 0), &rejects, 1).unwrap();
    let mut changed = false;
    let error = intake.add(SourceFile::path(&path), "drive.txt", None, &options, |_| {
        if !changed {
            std::fs::write(&path, tracker_lines(19_000)).unwrap();
            changed = true;
        }
        Ok(())
    });
    assert!(error.unwrap_err().to_string().contains("changed while it was read"));
}
