//! Images, categories and videos that are not as they should be, numbers that are text, and flags of crowds.

use ropewalk_core::formats::coco::CocoOptions;
use ropewalk_core::formats::Reader;

use super::support::*;

/// A dataset with entries besides image 7 and category 3, and annotations of (image, category).
fn with_entries(images: &str, categories: &str, annotations: &[(&str, &str)]) -> String {
    let annotations: Vec<String> = annotations
        .iter()
        .map(|(image, category)| format!(r#"{{"image_id":{image},"category_id":{category},"bbox":[1,2,3,4]}}"#))
        .collect();
    format!(
        r#"{{"images":[{{"id":7,"file_name":"quay.png","width":64,"height":40}}{images}],
"categories":[{{"id":3,"name":"crate"}}{categories}],"annotations":[{}],
"videos":[{{"id":1,"name":"v.mp4"}},{{"id":1,"name":"w.mp4"}}]}}"#,
        annotations.join(",")
    )
}

/// Codes and sentences of the rejects, and how many odd entries nothing used.
fn odd(text: &str) -> (Vec<String>, u64, usize) {
    let mut reader = open(text.as_bytes(), None, &options()).unwrap();
    let (mut rejects, mut unused, mut rows) = (Vec::new(), 0, 0);
    while let Some(batch) = reader.next_batch().unwrap() {
        let told = batch
            .rejects
            .iter()
            .map(|r| format!("{}: {}", r.reason.code(), r.reason));
        rejects.extend(told);
        unused += batch.warnings.get("odd_entry").copied().unwrap_or_default();
        rows += batch.rows.len();
    }
    (rejects, unused, rows)
}

/// An entry of the images, and what the rejects of its annotations say.
const ODD_IMAGES: &[(&str, &str)] = &[
    (r#"{"id":8,"width":100.5}"#, "bad_field: `images.width` is 100.5"),
    (r#"{"id":8,"height":-1}"#, "bad_field: `images.height` is -1"),
    (r#"{"id":8,"height":"tall"}"#, "bad_field: `images.height` is \"tall\""),
    (r#"{"id":8,"width":4294967295}"#, "bad_field: `images.width`"),
    (
        r#"{"id":8,"frame_index":1.5}"#,
        "bad_field: `images.frame_index` is 1.5",
    ),
    (r#"{"id":8,"frame_id":[1]}"#, "bad_field: `images.frame_id` is [1]"),
    (r#"{"id":8,"file_name":{"a":1}}"#, "bad_field: `images.file_name`"),
    (r#"{"id":8,"video_id":true}"#, "bad_field: `images.video_id` is true"),
    (
        r#"{"id":8,"file_name":"a"},{"id":"8","file_name":"b"}"#,
        "repeated_id: id 8 is given twice in `images`",
    ),
];

#[test]
fn an_odd_image_costs_the_annotations_that_use_it() {
    for (image, says) in ODD_IMAGES {
        let images = format!(",{image}");
        assert_eq!(
            odd(&with_entries(&images, "", &[("7", "3")])),
            (vec![], 1, 1),
            "{image}"
        );
        let (rejects, unused, rows) = odd(&with_entries(&images, "", &[("7", "3"), ("8", "3"), ("8", "3")]));
        assert_eq!((rejects.len(), unused, rows), (2, 0, 1), "{image}");
        assert!(rejects[0].starts_with(says), "{image}: {}", rejects[0]);
    }
}

#[test]
fn an_odd_category_or_video_costs_the_annotations_that_use_it() {
    for (category, says) in [
        (r#"{"id":4,"name":[]}"#, "bad_field: `categories.name` is []"),
        (
            r#"{"id":4,"name":"a"},{"id":4,"name":"b"}"#,
            "repeated_id: id 4 is given twice in `categories`",
        ),
    ] {
        let categories = format!(",{category}");
        assert_eq!(
            odd(&with_entries("", &categories, &[("7", "3")])),
            (vec![], 1, 1),
            "{category}"
        );
        let (rejects, unused, rows) = odd(&with_entries("", &categories, &[("7", "3"), ("7", "4")]));
        assert_eq!((rejects.len(), unused, rows), (1, 0, 1), "{category}");
        assert!(rejects[0].starts_with(says), "{category}: {}", rejects[0]);
    }
    let frame = r#",{"id":8,"video_id":1,"frame_index":0}"#;
    assert_eq!(odd(&with_entries(frame, "", &[("7", "3")])), (vec![], 1, 1));
    let (rejects, unused, rows) = odd(&with_entries(frame, "", &[("7", "3"), ("8", "3")]));
    assert_eq!((rejects.len(), unused, rows), (1, 0, 1));
    assert!(
        rejects[0].starts_with("repeated_id: id 1 is given twice in `videos`"),
        "{rejects:?}"
    );
}

#[test]
fn an_entry_that_nothing_can_name_is_counted() {
    for image in [
        "null",
        "7",
        "\"x\"",
        "[{}]",
        r#"{"id":[],"file_name":"a"}"#,
        r#"{"id":1.5}"#,
        r#"{"id":NaN}"#,
    ] {
        let text = with_entries(&format!(",{image}"), "", &[("7", "3")]);
        assert_eq!(odd(&text), (vec![], 1, 1), "{image}");
    }
    // Lists of another file count as well, and keep their numbers.
    let given = tables(&with_entries(r#",{"id":8,"width":0.5},{"id":9,"width":0.5}"#, "", &[]));
    let results =
        r#"[{"image_id":8,"category_id":3,"bbox":[1,2,3,4]},{"image_id":7,"category_id":3,"bbox":[1,2,3,4]}]"#;
    let outcome = read_with(results.as_bytes(), Some(given), &options()).unwrap();
    assert_eq!((outcome.rejects.len(), outcome.rows.len()), (1, 1));
    assert!(outcome.rejects[0].message.contains("images.width"));
}

#[test]
fn an_equal_entry_is_not_odd() {
    let twice = r#",{"id":7.0,"file_name":"quay.png"}"#;
    assert_eq!(
        odd(&with_entries(twice, r#",{"id":"3","name":"crate"}"#, &[("7", "3")])),
        (vec![], 0, 1)
    );
}

#[test]
fn numbers_may_be_text_and_names_numbers() {
    let outcome = read(
        r#"{"images":[{"id":"1","file_name":424242,"width":"64","height":" 40 ","video_id":"5","frame_index":"000012"},
{"id":2,"file_name":7.0,"frame_id":"13.0"},{"id":3,"file_name":1.50}],"videos":[{"id":5,"name":31}],
"categories":[{"id":"3","name":7,"keypoints":[1,"b",null]}],
"annotations":[{"image_id":1,"category_id":3,"bbox":["1",2,"3.5",4],"score":"0.9","attributes":{"rotation":"-30"}},
{"image_id":"2","category_id":3,"segmentation":[[1,"2",9,2,"9",7]]},
{"image_id":"3","category_id":3,"segmentation":{"size":["2","3"],"counts":[2,4]}}]}"#,
    );
    assert_eq!(outcome.rejects, []);
    let shown = |at: usize| outcome.rows[at].as_str();
    assert!(
        shown(0).contains(r#"media: "31", frame: 12"#) && shown(0).contains(r#"class: "7""#),
        "{}",
        shown(0)
    );
    assert!(
        shown(0).contains("score: Some(0.9)") && shown(0).contains("theta: Some(-30.0)"),
        "{}",
        shown(0)
    );
    assert!(shown(0).contains("width_px: Some(64), height_px: Some(40), bbox: Some([1.0, 2.0, 3.5, 4.0])"));
    assert!(
        shown(1).contains(r#"media: "7", frame: 13"#) && shown(1).contains("9.0, 2.0, 9.0, 7.0"),
        "{}",
        shown(1)
    );
    assert!(
        shown(2).contains(r#"media: "1.50""#) && shown(2).contains("Bitmask"),
        "{}",
        shown(2)
    );
    assert!(
        outcome.classes[0].contains(r#"keypoints: ["1", "b", ""]"#),
        "{}",
        outcome.classes[0]
    );
}

/// What becomes of annotations with a flag, of which the second has a score: rows, rejects, crowds.
fn flagged(flag: &str, text: impl Fn(&str) -> String, options: &CocoOptions) -> (usize, usize, u64) {
    let of = |more: &str| format!(r#"{{"image_id":7,"category_id":3,"bbox":[1,2,3,4],"iscrowd":{flag}{more}}}"#);
    let text = text(&[of(""), of(r#","score":0.5"#)].join(","));
    let found = read_with(text.as_bytes(), None, options).unwrap();
    (found.rows.len(), found.rejects.len(), found.summary.filtered_crowd)
}

#[test]
fn crowds_are_annotations_of_datasets_without_a_score() {
    let list = |annotations: &str| format!("[{annotations}]");
    let included = CocoOptions {
        include_crowd: true,
        ..options()
    };
    for set in ["1", "true", "\"1\"", "\"True\"", "\" TRUE \"", "2.5", "\"2\""] {
        assert_eq!(flagged(set, dataset, &options()), (1, 0, 1), "{set}");
        assert_eq!(flagged(set, dataset, &included), (2, 0, 0), "{set}");
        assert_eq!(flagged(set, list, &options()), (2, 0, 0), "{set}");
    }
    for unset in ["0", "false", "null", "\"0\"", "\"False\"", "\"0.0\""] {
        assert_eq!(flagged(unset, dataset, &options()), (2, 0, 0), "{unset}");
    }
    for neither in ["\"maybe\"", "[]", "\"\"", "NaN"] {
        assert_eq!(flagged(neither, dataset, &options()), (1, 1, 0), "{neither}");
        assert_eq!(flagged(neither, dataset, &included), (2, 0, 0), "{neither}");
        assert_eq!(flagged(neither, list, &options()), (2, 0, 0), "{neither}");
    }
}

#[test]
fn crowds_that_are_left_out_are_a_warning_too() {
    let text = dataset(r#"{"image_id":7,"category_id":3,"bbox":[1,2,3,4],"iscrowd":1}"#);
    let batch = open(text.as_bytes(), None, &options())
        .unwrap()
        .next_batch()
        .unwrap()
        .unwrap();
    assert_eq!((crowds(&batch), batch.warnings.get("crowd_left_out")), (1, Some(&1)));
}

#[test]
fn annotations_may_be_lines() {
    let line = |id: &str| format!(r#"{{"image_id":7,"category_id":3,"bbox":[1,2,3,4],"id":{id},"iscrowd":1}}"#);
    let text = format!("\u{feff}\n{}\r\n\n{}  7\n{}", line("1"), line("2"), line("[]"));
    let given = Some(tables(&dataset("")));
    for chunk_bytes in [1, 7, 1 << 16] {
        let options = CocoOptions {
            chunk_bytes,
            ..options()
        };
        let outcome = read_with(text.as_bytes(), given.clone(), &options).unwrap();
        assert_eq!((outcome.rows.len(), outcome.rejects.len()), (3, 1));
        assert_eq!(outcome.texts[1], line("2"));
        assert!(
            outcome.rejects[0].message.contains("an object"),
            "{}",
            outcome.rejects[0].message
        );
    }
    let (byte, message) = blocker(read_with(&text.as_bytes()[..text.len() - 9], given, &options()).unwrap_err());
    assert!(
        byte as usize == text.len() - 9 && message.contains("cut"),
        "{byte}: {message}"
    );
}
