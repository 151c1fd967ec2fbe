//! What two documents have in common: a track of each is an object of each, a box without a track is one object.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use ropewalk_core::formats::ReadOptions;
use ropewalk_core::intake::{Finished, Intake, Tally};
use ropewalk_core::plan::Plan;
use ropewalk_core::source::SourceFile;
use ropewalk_core::stage::StageBuilder;

const PLAN: &str = r##"{
  "branch": "b",
  "ontology": [{"feature_hash": "car00000", "name": "Car", "color": "#111111", "shape": "bounding_box"}],
  "media": [
    {"data_hash": "v", "title": "city/drive.mp4", "data_type": "video", "dataset_hash": "d", "dataset_title": "",
     "width": 7, "height": 5, "frames": 20},
    {"data_hash": "i", "title": "still.jpg", "data_type": "image", "dataset_hash": "d", "dataset_title": "",
     "width": 7, "height": 5, "frames": 1}
  ]
}"##;

/// Takes lines of JSON in, each document under its label: how many rows are staged, and the counts.
fn take_lines(documents: &[(&str, &[&str])], work_dir: Option<&Path>) -> (usize, Tally) {
    let plan = Arc::new(Plan::from_json(PLAN).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    let stage = StageBuilder::new(work_dir.map(Path::to_path_buf), 64);
    let mut intake = Intake::new(&plan, stage, file.path(), 1).unwrap();
    for (label, lines) in documents {
        let input = SourceFile::bytes("rows.ndjson", lines.join("\n").into_bytes());
        intake
            .add(input, *label, None, &ReadOptions::default(), |_| Ok(()))
            .unwrap();
    }
    let Finished { staged, tally, .. } = intake.finish().unwrap();
    assert_eq!(tally.read, tally.staged + tally.rejected() + tally.filtered_total());
    let rows: u64 = staged.label_rows().iter().map(|span| span.annotations).sum();
    assert_eq!(rows, tally.staged);
    (rows as usize, tally)
}

#[test]
fn a_track_of_two_labels_is_named_and_equal_boxes_of_two_labels_are_one() {
    let tracked = |frame: u32, x: u32| {
        let box_ = format!(r#""box": [{x}, 1, 2, 2], "unit": "px""#);
        format!(r#"{{"media": "drive.mp4", "class": "Car", "frame": {frame}, "track": "5", {box_}}}"#)
    };
    let tracked = [tracked(0, 1), tracked(1, 1), tracked(0, 2)];
    let tracked: Vec<&str> = tracked.iter().map(String::as_str).collect();
    let loose = r#"{"media": "still.jpg", "class": "Car", "box": [1, 1, 2, 2], "unit": "px"}"#;
    let first: Vec<&str> = [&tracked[..2], &[loose, loose]].concat();
    let second: Vec<&str> = [&tracked[2..], &[loose, loose, loose]].concat();
    let folder = tempfile::tempdir().unwrap();
    for work_dir in [None, Some(folder.path())] {
        let (rows, tally) = take_lines(&[("a/p", &first), ("b/p", &second)], work_dir);
        assert_eq!((rows, tally.filtered.get("identical")), (6, Some(&2)));
        assert_eq!(tally.warnings.get("track_of_several_sources"), Some(&1));
        assert_eq!(tally.warnings.get("object_number_taken"), Some(&1));
        let [shared] = &tally.shared_tracks[..] else {
            panic!("{:?}", tally.shared_tracks)
        };
        assert_eq!((&*shared.track, &*shared.media), ("5", "city/drive.mp4"));
        assert_eq!(shared.sources, ["a/p", "b/p"]);

        // Under one label the same are one track, and boxes of their own.
        let (rows, tally) = take_lines(&[("m", &first), ("m", &second)], work_dir);
        assert_eq!((rows, tally.filtered.len(), tally.shared_tracks.len()), (7, 0, 0));
        assert_eq!(tally.rejects.get("duplicate_track_frame"), Some(&1));
        assert_eq!(tally.warnings.get("object_number_taken"), None);
    }
}
