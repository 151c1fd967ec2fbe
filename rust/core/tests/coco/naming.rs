//! What names the image of an annotation, where that is not `file_name` of a listed image.

use std::sync::Arc;

use ropewalk_core::formats::ReadOptions;
use ropewalk_core::intake::{Finished, Intake};
use ropewalk_core::plan::Plan;
use ropewalk_core::source::SourceFile;
use ropewalk_core::stage::StageBuilder;
use serde_json::{json, Value};

const TITLES: [&str; 6] = [
    "frame_42.jpg",
    "000043.jpg",
    "b.jpg",
    "val/c.jpg",
    "clip.mp4",
    "renamed.jpg",
];

/// Imports a document, with a dataset beside it: for each annotation, by its track, `title frame` or the code of its reject.
fn fates(document: &Value, beside: Option<&Value>) -> Vec<String> {
    let media = (0..).zip(TITLES).map(|(number, title)| {
        let is_video = title.ends_with(".mp4");
        json!({"data_hash": format!("hash-{number:04}"), "title": title, "dataset_hash": "d", "dataset_title": "",
               "data_type": if is_video { "video" } else { "image" }, "width": 100, "height": 80,
               "frames": if is_video { 10 } else { 1 }})
    });
    let plan = json!({
        "branch": "b",
        "ontology": [{"feature_hash": "car00000", "name": "Car", "color": "#111111", "shape": "bounding_box"}],
        "media": media.collect::<Vec<_>>(),
        "class_map": {"1": "car00000"},
    });
    let plan = Arc::new(Plan::from_json(&plan.to_string()).unwrap());
    let (rejects, dataset) = (
        tempfile::NamedTempFile::new().unwrap(),
        tempfile::NamedTempFile::new().unwrap(),
    );
    std::fs::write(dataset.path(), beside.unwrap_or(&json!({})).to_string()).unwrap();
    let mut intake = Intake::new(&plan, StageBuilder::new(None, 0), rejects.path(), 1).unwrap();
    let input = SourceFile::bytes("preds.json", document.to_string().into_bytes());
    let options = ReadOptions {
        annotations: beside.map(|_| dataset.path().to_owned()),
        ..ReadOptions::default()
    };
    intake.add(input, "preds.json", None, &options, |_| Ok(())).unwrap();
    let Finished { staged, tally, .. } = intake.finish().unwrap();
    let mut found = vec![String::new(); tally.read as usize];
    for label_row in staged.label_rows() {
        let title = &plan.media[label_row.medium as usize].title;
        let visit = |row: &ropewalk_core::stage::record::StagedRow<'_>, _| {
            found[row.track.unwrap().parse::<usize>().unwrap()] = format!("{title} {}", row.key.frame);
            Ok(())
        };
        staged.for_each(label_row, visit).unwrap();
    }
    for line in std::fs::read_to_string(rejects.path()).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let track = line["annotation"]["track_id"].as_u64().unwrap();
        found[track as usize] = line["code"].as_str().unwrap().to_owned();
    }
    found
}

/// Results, one for each image id and file name; null is none.
fn results(images: &[(Value, Value)]) -> Value {
    let result = |(track, (id, file_name)): (u64, &(Value, Value))| json!({"image_id": id, "file_name": file_name, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5, "track_id": track});
    (0..).zip(images).map(result).collect()
}

/// A dataset with one annotation on each of these images.
fn dataset(images: &[Value]) -> Value {
    let listed = (0..).zip(images).map(|(id, fields)| {
        let mut image = json!({"id": id, "width": 100, "height": 80});
        image
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        image
    });
    let annotation = |id| json!({"id": id, "image_id": id, "category_id": 1, "bbox": [1, 2, 3, 4], "track_id": id});
    json!({"images": listed.collect::<Vec<_>>(), "categories": [{"id": 1, "name": "Car"}],
           "annotations": (0..images.len()).map(annotation).collect::<Vec<_>>()})
}

#[test]
fn ids_are_names_of_files_where_no_images_are_listed() {
    let images = [
        (json!("frame_42"), Value::Null),
        (json!("b.jpg"), Value::Null),
        (json!(43), Value::Null),
        (json!(99), Value::Null),
        (json!("clip/000007"), Value::Null),
        (json!(1), json!("x/b.jpg")),
        (json!("frame_43"), json!("gone.jpg")),
    ];
    let found = fates(&results(&images), None);
    // b.jpg is named by its title and by a file of a folder.
    let expected = [
        "frame_42.jpg 0",
        "b.jpg 0",
        "000043.jpg 0",
        "unknown_image",
        "clip.mp4 7",
        "ambiguous_media",
        "unknown_media",
    ];
    assert_eq!(found, expected);
}

#[test]
fn ids_are_names_of_listed_images() {
    let listed = json!({
        "images": [{"id": 42, "file_name": "set/frame_42.jpg"}, {"id": "000043", "file_name": "000043.jpg"},
                   {"id": 7, "file_name": "b.jpg"}],
        "categories": [{"id": 1, "name": "Car"}],
        "annotations": [],
    });
    let images = [
        (json!("frame_42"), Value::Null),
        (json!(43), Value::Null),
        (json!("007"), Value::Null),
        // The name decides where it and the id are of two images.
        (json!(7), json!("000043.jpg")),
        (json!(7), json!("val/c.jpg")),
        // A number that no image has is not taken for a name.
        (json!(44), Value::Null),
        (json!("nothing"), Value::Null),
    ];
    let found = fates(&results(&images), Some(&listed));
    let expected = [
        "frame_42.jpg 0",
        "000043.jpg 0",
        "b.jpg 0",
        "000043.jpg 0",
        "val/c.jpg 0",
        "unknown_image",
        "unknown_image",
    ];
    assert_eq!(found, expected);
}

#[test]
fn urls_and_paths_stand_in_for_file_names() {
    let found = fates(
        &dataset(&[
            json!({"coco_url": "http://images.example/val2017/b.jpg"}),
            json!({"file_name": "", "coco_url": "", "flickr_url": "http://f.example/1/000043.jpg?s=1"}),
            json!({"file_name": null, "path": "/datasets/val/c.jpg"}),
            json!({"coco_url": 7}),
            json!({"file_name": null}),
        ]),
        None,
    );
    assert_eq!(
        found,
        ["b.jpg 0", "000043.jpg 0", "val/c.jpg 0", "no_file_name", "no_file_name"]
    );
}

#[test]
fn exports_name_media_by_hash_else_by_title() {
    let found = fates(
        &dataset(&[
            json!({"image_title": "old name.jpg", "file_name": "images/hash-0005.jpg"}),
            json!({"video_title": "clip.mp4", "file_name": "videos/hash-0004/3.jpg"}),
            json!({"video_title": "clip.mp4", "file_name": "videos/hash-of-another-project/4.jpg"}),
            json!({"image_title": "b.jpg", "file_name": "images/hash-of-another-project.jpg"}),
            json!({"image_title": "no such title", "file_name": "frame_42.jpg"}),
            json!({"file_name": "nifti/hash-0004/5"}),
        ]),
        None,
    );
    assert_eq!(
        found,
        [
            "renamed.jpg 0",
            "clip.mp4 3",
            "clip.mp4 4",
            "b.jpg 0",
            "frame_42.jpg 0",
            "clip.mp4 5"
        ]
    );
}
