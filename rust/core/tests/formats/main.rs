//! What holds for every format of the table, and how sources find theirs.

#![allow(clippy::unwrap_used, missing_docs)]

mod examples;
mod scores;

use std::collections::HashSet;
use std::path::PathBuf;

use ropewalk_core::error::Error;
use ropewalk_core::formats::registry::{named, FORMATS};
use ropewalk_core::formats::{
    open, Batch, Beside, BoxFormat, Documents, Files, Format, Opening, ReadOptions, Reader, Sure, COMMON_OPTIONS,
};
use ropewalk_core::source::{Classes, Naming, Source, SourceFile, Table};
use serde_json::{json, Value};

const COCO: &str = r#"{"images": [{"id": 1, "file_name": "a.jpg", "width": 7, "height": 5}],
    "categories": [{"id": 1, "name": "c"}],
    "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]},
                    {"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 1},
                    {"id": 6, "image_id": 1, "category_id": 1, "bbox": [1, 2, -3, 4]}]}"#;

const NDJSON: &str = r#"{"media": "a", "class": "c", "box": [1, 2, 3, 4], "unit": "px", "track": "é"}
{"media": "a", "class": "c", "box": [1, 2, 3]}
{"media": "a", "frame": 3, "class": "c", "box": [0.1, 0.2, 0.3, 0.4], "unit": "frac"}
"#;

const ENCORD: &str = r#"[{"label_hash": "l", "data_hash": "d", "data_title": "a", "data_type": "image", "data_units": {"d":
    {"data_hash": "d", "width": 7, "height": 5, "labels": {"objects": [
        {"objectHash": "AAAAAAAA", "featureHash": "f", "name": "c", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}},
        {"objectHash": "AAAAAAAB", "featureHash": "f", "name": "c"}]}}}}]"#;

/// A text of each format that reads files.
const TEXTS: [(&str, &str); 3] = [("coco", COCO), ("ndjson", NDJSON), ("encord", ENCORD)];

fn file(text: &str) -> Source {
    SourceFile::bytes("file", text.as_bytes()).into()
}

fn opened(
    format: Option<&'static Format>,
    source: Source,
    options: &ReadOptions,
) -> Result<(&'static Format, Box<dyn Reader>), Error> {
    let document = Documents::of(source, &Naming::from("label"), format)?
        .next_document()?
        .unwrap();
    document.format.check_options(options)?;
    let opening = Opening {
        source: document.source,
        label: "label",
        options,
        project: None,
        beside: &Beside::default(),
        sure: document.sure,
    };
    open(document.format, opening)
}

/// The rows, rejects and counts of a source.
fn read(reader: &mut dyn Reader) -> (Vec<String>, Vec<String>, [u64; 3]) {
    let (mut rows, mut rejects, mut counts) = (Vec::new(), Vec::new(), [0; 3]);
    while let Some(batch) = reader.next_batch().unwrap() {
        counts[0] += batch.read();
        let batch: Batch = batch.checked().unwrap();
        rows.extend((0..batch.rows.len()).map(|row| format!("{:?}", batch.rows.row(row))));
        rejects.extend(batch.rejects.iter().map(|reject| reject.to_json_line()));
        counts[1] += batch.filtered.values().sum::<u64>();
        counts[2] += batch.warnings.values().sum::<u64>();
    }
    (rows, rejects, counts)
}

#[test]
fn names_are_given_once() {
    let names: HashSet<&str> = FORMATS.iter().map(|format| format.name).collect();
    assert_eq!(names.len(), FORMATS.len());
    for format in FORMATS {
        assert_eq!(named(format.name).unwrap().name, format.name);
    }
    let message = named("yolo9").err().unwrap().to_string();
    assert!(
        message.contains("\"yolo9\"") && message.contains("coco, encord"),
        "{message}"
    );
}

/// The names of all options: what the error about an unknown one lists.
fn all_options() -> Vec<String> {
    let message = ReadOptions::from_json(r#"{"?": 1}"#).unwrap_err().to_string();
    let listed = message.split("expected one of ").nth(1).unwrap();
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Options of which one alone is given, in whichever value it takes.
fn with(option: &str) -> ReadOptions {
    let values = [
        "true",
        "1",
        r#""px""#,
        r#""corners""#,
        r#""radians""#,
        r#"["a"]"#,
        r#"{"a": "b"}"#,
        r#""clamp""#,
        r#""pose""#,
        r#""conf,track""#,
        r#""xy""#,
    ];
    let mut given = values
        .iter()
        .filter_map(|value| ReadOptions::from_json(&format!("{{\"{option}\": {value}}}")).ok());
    given
        .next()
        .unwrap_or_else(|| panic!("`{option}` takes none of {values:?}; add a value that it takes"))
}

#[test]
fn an_option_that_a_format_does_not_take_is_refused_by_name() {
    let all = all_options();
    let mut refused = HashSet::new();
    for format in FORMATS {
        let own: Vec<&str> = format.option_names().collect();
        assert!(
            own.iter().all(|name| all.iter().any(|option| option == name)),
            "{own:?}"
        );
        for option in &all {
            match format.check_options(&with(option)) {
                Ok(()) => assert!(
                    own.contains(&option.as_str()),
                    "{} does not refuse {option}",
                    format.name
                ),
                Err(cause) => {
                    assert!(!own.contains(&option.as_str()));
                    let expected = format!("{} does not take `{option}`; it takes {}", format.name, own.join(", "));
                    assert_eq!(cause.to_string(), expected);
                    refused.insert(option);
                }
            }
        }
    }
    let some: HashSet<&String> = all
        .iter()
        .filter(|option| !COMMON_OPTIONS.contains(&option.as_str()))
        .collect();
    assert_eq!(refused, some);
    let options = ReadOptions {
        include_crowd: true,
        ..ReadOptions::default()
    };
    let cause = opened(None, file(NDJSON), &options).err().unwrap();
    assert!(matches!(
        cause,
        Error::Option {
            option: "include_crowd",
            format: "ndjson",
            ..
        }
    ));
}

#[test]
fn frames_are_counted_as_the_options_say() {
    let common = ReadOptions::from_json(r#"{"frame_base": 1, "frame_stride": 5, "include_crowd": false}"#).unwrap();
    for format in FORMATS {
        format.check_options(&common).unwrap();
        let frames = format.frames(&common).unwrap();
        assert_eq!((frames.in_video(1), frames.in_video(3)), (0, 10));
    }
}

#[test]
fn options_come_as_json() {
    let all = r#"{"annotations": "gt.json", "confidence_field": "s", "include_crowd": true, "box_format": "cxcywha",
                  "unit": "px", "frame_base": -3, "frame_stride": 2, "class_": "Car", "classes": ["Car", "Bus"],
                  "media": "a.mp4", "pixel_base": 1}"#;
    let options = ReadOptions::from_json(all).unwrap();
    assert_eq!(options.annotations, Some(PathBuf::from("gt.json")));
    assert_eq!(
        (options.box_format, options.frame_base),
        (Some(BoxFormat::Cxcywha), Some(-3))
    );
    assert_eq!((options.class.as_deref(), options.pixel_base), (Some("Car"), Some(1)));
    assert_eq!(options.classes, Some(Classes::Names(vec!["Car".into(), "Bus".into()])));
    let in_file = ReadOptions::from_json(r#"{"classes": "data.yaml"}"#).unwrap();
    assert_eq!(in_file.classes, Some(Classes::File("data.yaml".into())));
    assert_eq!(ReadOptions::from_json("{}").unwrap(), ReadOptions::default());
    let nulls = r#"{"annotations": null, "box_format": null, "unit": null, "frame_base": null}"#;
    assert_eq!(ReadOptions::from_json(nulls).unwrap(), ReadOptions::default());
    for (text, said) in [
        (r#"{"box_forma": "xywh"}"#, "unknown field `box_forma`"),
        (r#"{"box_format": "xyxy"}"#, "xyxy"),
        (r#"{"unit": "cm"}"#, "unit is \"cm\"; expected px or frac"),
        (r#"{"include_crowd": "yes"}"#, "boolean"),
        (r#"{"chunk_bytes": 3}"#, "unknown field `chunk_bytes`"),
    ] {
        let message = ReadOptions::from_json(text).unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
    }
    for stride in [0, -1] {
        let options = ReadOptions {
            frame_stride: Some(stride),
            ..ReadOptions::default()
        };
        let message = named("coco").unwrap().frames(&options).unwrap_err().to_string();
        assert!(message.contains(&format!("frame_stride is {stride}")), "{message}");
    }
}

#[test]
fn what_is_read_does_not_depend_on_the_chunks() {
    for (name, text) in TEXTS {
        let (format, mut whole) = opened(None, file(text), &ReadOptions::default()).unwrap();
        assert_eq!(format.name, name);
        let whole = read(whole.as_mut());
        assert!(!whole.0.is_empty() && !whole.1.is_empty(), "{name}");
        for chunk_bytes in [1, 7, 4096] {
            let options = ReadOptions {
                chunk_bytes: Some(chunk_bytes),
                ..ReadOptions::default()
            };
            let (_, mut cut) = opened(Some(format), file(text), &options).unwrap();
            assert_eq!(read(cut.as_mut()), whole, "{name} in chunks of {chunk_bytes}");
        }
    }
    let (_, mut coco) = opened(None, file(COCO), &ReadOptions::default()).unwrap();
    assert_eq!(
        read(coco.as_mut()).2,
        [3, 1, 2],
        "read, crowds, crowds and repeated ids"
    );
}

#[test]
fn names_beyond_the_head_tell_as_well() {
    let long = "x".repeat(1 << 17);
    for (name, text) in TEXTS {
        let late = text.replacen('{', &format!("{{\"x_long\": \"{long}\", "), 1);
        for source in [file(text), file(&late)] {
            let (format, mut reader) = opened(None, source, &ReadOptions::default()).unwrap();
            let (rows, ..) = read(reader.as_mut());
            assert_eq!((format.name, rows.is_empty()), (name, false));
        }
        // A format that is named is taken at its word.
        let (format, _) = opened(Some(named("ndjson").unwrap()), file(&late), &ReadOptions::default()).unwrap();
        assert_eq!(format.name, "ndjson");
    }
}

#[test]
fn numbers_of_names_are_explained() {
    let (_, reader) = opened(None, file(COCO), &ReadOptions::default()).unwrap();
    let lists = reader.lists().unwrap();
    assert_eq!((lists.media_len(), lists.class_len()), (1, 1));
    assert_eq!(
        (lists.media(0).file_name, lists.class(0).name),
        (Some("a.jpg"), Some("c"))
    );
    let (_, reader) = opened(None, file(NDJSON), &ReadOptions::default()).unwrap();
    assert!(reader.lists().is_none());
}

#[test]
fn a_table_is_no_file() {
    for format in FORMATS.iter().filter(|format| !matches!(format.files, Files::None)) {
        let opening = Opening {
            source: Source::Table(Table::new(std::iter::empty())),
            label: "label",
            options: &ReadOptions::default(),
            project: None,
            beside: &Beside::default(),
            sure: Sure::Yes,
        };
        let message = open(format, opening).err().unwrap().to_string();
        assert!(message.starts_with("label: expected a f"), "{}: {message}", format.name);
    }
}

#[test]
fn rejects_name_their_format_and_lines_keep_the_one_that_they_name() {
    let lines = |text: &str, name: &str| {
        let (format, mut reader) = opened(None, file(text), &ReadOptions::default()).unwrap();
        assert_eq!(format.name, name);
        let (.., rejects, _) = read(reader.as_mut());
        rejects
    };
    for (name, text) in TEXTS {
        let found = lines(text, name);
        let line: Value = serde_json::from_str(&found[0]).unwrap();
        assert_eq!((&line["format"], &line["member"]), (&json!(name), &Value::Null));
    }
    for (annotation, name) in [
        (r#"{"media": "a", "class": "c", "box": [1]}"#, "ndjson"),
        (r#"{"image_id": 1, "category_id": 1, "bbox": [1]}"#, "coco"),
    ] {
        let line = format!(
            r#"{{"source": "seq", "byte": 7, "format": "other", "member": "det/det.txt", "annotation": {annotation}}}"#
        );
        let found = lines(&format!("{line}\n{line}"), name);
        assert_eq!(found.len(), 2);
        for line in found {
            let line: Value = serde_json::from_str(&line).unwrap();
            let said = ["source", "byte", "format", "member"].map(|key| line[key].clone());
            assert_eq!(said, [json!("seq"), json!(7), json!("other"), json!("det/det.txt")]);
        }
    }
}
