//! Valid files: all kinds of annotations, sections and keys in all orders, any chunk size.

use ropewalk_core::batch::{RleOrder, Shape};
use ropewalk_core::formats::coco::{CocoKind, CocoOptions, CocoReader, CocoTables};
use ropewalk_core::formats::Reader;
use ropewalk_core::source::SourceFile;

use super::support::*;

#[test]
fn reads_each_kind_of_annotation() {
    let mut reader = open(DATASET.as_bytes(), None, &options()).unwrap();
    assert_eq!(reader.kind(), CocoKind::Dataset);
    let found = reader.next_batch().unwrap().unwrap();
    assert_eq!((found.rows.len(), crowds(&found), found.rejects.len()), (4, 1, 0));
    assert_eq!((media(&found), classes(&found)), (&[0, 1, 2, 2][..], &[0, 1, 0, 0][..]));

    let boxed = found.rows.row(0);
    assert_eq!(
        (boxed.source, boxed.media, boxed.class, boxed.frame),
        ("a.json", "dock/cam_a.png", "crate", 0)
    );
    assert_eq!(
        (boxed.annotation_id, boxed.track, boxed.score),
        (Some("1"), None, Some(0.625))
    );
    assert_eq!((boxed.width_px, boxed.height_px), (Some(64), Some(40)));
    assert_eq!(
        (boxed.shape, boxed.bbox),
        (Some(Shape::BoundingBox), Some([1.5, 2.25, 10.0, 4.0]))
    );
    let start = boxed.offset as usize;
    assert!(DATASET[start..].starts_with(r#"{"id": 1,"#));
    assert!(
        found.texts.text_of(0).unwrap().starts_with(br#"{"id": 1,"#)
            && found.texts.text_of(0).unwrap().ends_with(b"0.625}")
    );

    let polygon = found.rows.row(1);
    assert_eq!((polygon.media, polygon.class), ("grün 🚀.png", "rope \\ coil"));
    assert_eq!((polygon.track, polygon.score), (Some("t\"1"), Some(0.5)));
    assert_eq!(
        (polygon.shape, polygon.bbox),
        (Some(Shape::Polygon), Some([1.0, 2.0, 13.0, 6.125]))
    );
    let parts: Vec<Vec<&[f64]>> = polygon.points.unwrap().iter().map(Iterator::collect).collect();
    let expected: [&[f64]; 2] = [
        &[1.0, 2.0, 9.5, 2.0, 9.5, 7.0],
        &[12.0, 3.0, 14.0, 3.0, 14.0, 8.0, 12.0, 8.125],
    ];
    assert_eq!(parts, [vec![expected[0]], vec![expected[1]]]);

    let mask = found.rows.row(2);
    assert_eq!((mask.media, mask.frame, mask.track), ("yard.mp4", 4, Some("17")));
    assert_eq!(
        (mask.shape, mask.rle, mask.rle_order),
        (
            Some(Shape::Bitmask),
            Some(&b"\\06oe000"[..]),
            Some(RleOrder::ColumnMajor)
        )
    );
    assert_eq!((mask.height_px, mask.width_px), (Some(54), Some(96)));

    let listed = found.rows.row(3);
    assert_eq!((listed.rle, listed.track), (Some(&b"61X13mN000`0"[..]), Some("18")));
    assert_eq!((listed.height_px, listed.width_px), (Some(9), Some(10)));
    assert!(reader.next_batch().unwrap().is_none());
}

#[test]
fn describes_images_and_categories() {
    let tables = tables(DATASET);
    assert_eq!((tables.media_len(), tables.class_len()), (3, 2));
    let frame = tables.media(2);
    assert_eq!(frame.image_id.as_deref(), Some("13"));
    assert_eq!(
        (frame.file_name, frame.video, frame.frame_index),
        (Some("clip/000004.jpg"), Some("yard.mp4"), Some(4))
    );
    assert_eq!((frame.width, frame.height, frame.declared), (Some(96), Some(54), true));
    assert_eq!(tables.media(1).image_id.as_deref(), Some("b-7"));
    let class = tables.class(1);
    assert_eq!(
        (class.id.as_deref(), class.name, class.declared),
        (Some("9"), Some("rope \\ coil"), true)
    );
}

#[test]
fn batches_do_not_depend_on_chunks() {
    let mut text = dataset(
        &(0..300)
            .map(|i| format!(r#"{{"id":{i},"image_id":7,"category_id":3,"bbox":[{i},2,3,4.5]}}"#))
            .collect::<Vec<_>>()
            .join(" ,"),
    );
    text.push('\n');
    for text in [text.as_str(), DATASET] {
        let with = |chunk_bytes| CocoOptions {
            chunk_bytes,
            batch_rows: 7,
            ..options()
        };
        let whole = read_with(text.as_bytes(), None, &with(1 << 20)).unwrap();
        for chunk_bytes in [0, 1, 2, 3, 5, 8, 64, 1000] {
            assert_eq!(
                read_with(text.as_bytes(), None, &with(chunk_bytes)).unwrap(),
                whole,
                "{chunk_bytes}"
            );
        }
    }
}

#[test]
fn batches_end_after_a_megabyte_of_text() {
    let pad = "x".repeat(300_000);
    let one = format!(r#"{{"note":"{pad}","image_id":7,"category_id":3,"bbox":[1,2,3,4]}}"#);
    let outcome = read(&dataset(&[one.as_str(); 10].join(",")));
    assert_eq!(outcome.batches, [4, 4, 2]);
    assert!(outcome.texts.iter().all(|text| *text == one));
}

#[test]
fn a_single_annotation_may_be_larger_than_a_batch() {
    let ring = (0..1_200_000)
        .map(|i| format!("{}.5", i % 97))
        .collect::<Vec<_>>()
        .join(",");
    let one = format!(r#"{{"image_id":7,"category_id":3,"segmentation":[[{ring}]]}}"#);
    let outcome = read(&dataset(&format!("{one},{one}")));
    assert_eq!(outcome.batches, [1, 1]);
    assert_eq!(outcome.texts, [one.clone(), one]);
}

#[test]
fn sections_stand_in_any_order() {
    let sections = [
        r#""images":[{"frame_id":5,"id":"f","video_id":1,"file_name":"x.jpg","height":40,"width":64}]"#,
        r#""categories":[{"name":"crate","id":3}]"#,
        r#""videos":[{"file_name":"yard.mp4","id":"1"}]"#,
        r#""annotations":[{"bbox":[1,2,3,4],"image_id":"f","category_id":3,"note":"]}\"[{"}]"#,
        r#""info":{"annotations":[[{}]]}"#,
    ];
    let mut orders = vec![vec![]];
    for section in 0..sections.len() {
        orders = orders
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, section);
                    order
                })
            })
            .collect();
    }
    assert_eq!(orders.len(), 120);
    for order in orders {
        let body: Vec<_> = order.iter().map(|&i| sections[i]).collect();
        let text = format!("{{{}}}", body.join(","));
        for chunk_bytes in [1, 1 << 16] {
            let mut reader = open(
                text.as_bytes(),
                None,
                &CocoOptions {
                    chunk_bytes,
                    ..options()
                },
            )
            .unwrap();
            let found = reader.next_batch().unwrap().unwrap();
            let row = found.rows.row(0);
            assert_eq!((row.media, row.frame, row.class), ("yard.mp4", 5, "crate"), "{text}");
            assert_eq!((row.height_px, row.width_px), (Some(40), Some(64)), "{text}");
            assert!(text[row.offset as usize..].starts_with(r#"{"bbox""#), "{text}");
            assert!(reader.next_batch().unwrap().is_none());
        }
    }
}

#[test]
fn a_results_list_takes_names_and_sizes_from_the_ground_truth() {
    let results = r#"[{"image_id":13,"category_id":9,"bbox":[1,2,3,4],"score":0.5},
        {"image_id":99,"category_id":"z","bbox":[1,2,3,4]}]"#;
    let mut reader = open(results.as_bytes(), Some(tables(DATASET)), &options()).unwrap();
    assert_eq!(reader.kind(), CocoKind::Results);
    let found = reader.next_batch().unwrap().unwrap();
    let known = found.rows.row(0);
    assert_eq!((known.media, known.frame, known.class), ("yard.mp4", 4, "rope \\ coil"));
    assert_eq!((known.height_px, known.width_px), (Some(54), Some(96)));
    let unknown = found.rows.row(1);
    assert_eq!(
        (unknown.media, unknown.class, unknown.score, unknown.width_px),
        ("99", "z", None, None)
    );
    assert_eq!((media(&found), classes(&found)), (&[2, 3][..], &[1, 2][..]));
    let entry = reader.tables().media(3);
    assert_eq!(
        (entry.image_id.as_deref(), entry.file_name, entry.declared),
        (Some("99"), None, false)
    );
    assert!(!reader.tables().class(2).declared);
}

#[test]
fn a_files_own_images_come_before_those_of_the_ground_truth() {
    let own = r#"{"images":[{"id":13,"file_name":"own.png","width":5,"height":6}],
        "annotations":[{"image_id":13,"category_id":3,"bbox":[0,0,1,2]},{"image_id":11,"category_id":3,"bbox":[0,0,1,2]}]}"#;
    let mut reader = open(own.as_bytes(), Some(tables(DATASET)), &options()).unwrap();
    let found = reader.next_batch().unwrap().unwrap();
    let named: Vec<_> = (0..2).map(|row| found.rows.row(row).media).collect();
    assert_eq!(named, ["own.png", "dock/cam_a.png"]);
    assert_eq!(media(&found), [3, 0]);
}

#[test]
fn optional_fields_may_be_missing_or_null() {
    let minimal = r#"{"image_id":7,"category_id":3,"segmentation":[[1,2,3,4,5,7]]}"#;
    let nulls = r#"{"id":null,"image_id":7,"category_id":3,"segmentation":[[1,2,3,4,5,7]],"bbox":null,"score":null,"track_id":null,"iscrowd":null,"attributes":null}"#;
    let empty = r#"{"image_id":7,"category_id":3,"segmentation":[],"bbox":[1,2,3,4],"attributes":[]}"#;
    let listed = r#"{"image_id":7,"category_id":3,"segmentation":null,"bbox":[1,2,3,4]}"#;
    let outcome = read(&dataset(&[minimal, nulls, empty, listed].join(",")));
    assert_eq!(outcome.summary.rows, 4, "{outcome:#?}");
    assert!(outcome.rows[..2]
        .iter()
        .all(|row| row.contains("Some(Polygon)") && row.contains("bbox: None")));
    assert!(outcome.rows[2..]
        .iter()
        .all(|row| row.contains("Some(BoundingBox)") && row.contains("points: None")));
    assert!(outcome
        .rows
        .iter()
        .all(|row| row.contains("annotation_id: None") && row.contains("track: None")));
}

#[test]
fn ids_are_compared_as_text() {
    let text = r#"{"categories":[{"id":3.0,"name":"crate"},{"id":"x","name":"coil"},{"id":18446744073709551615,"name":"max"}],
        "images":[{"id":"12","file_name":"n.png"},{"id":"012","file_name":"z.png"},{"id":-4,"file_name":"m.png"}],"annotations":[
        {"id":1.0,"image_id":12,"category_id":"3","bbox":[1,2,3,4]},{"id":"\u0061","image_id":"012","category_id":"x","bbox":[1,2,3,4]},
        {"id":1e2,"image_id":"-4","category_id":18446744073709551615,"bbox":[1,2,3,4]},
        {"id":1.5,"image_id":-0.4e1,"category_id":"18446744073709551615","bbox":[1,2,3,4]}]}"#;
    let outcome = read(text);
    let rows = |word: &str| outcome.rows.iter().map(|row| row.contains(word)).collect::<Vec<_>>();
    assert_eq!(rows(r#"media: "n.png""#), [true, false, false, false]);
    assert_eq!(rows(r#"media: "z.png""#), [false, true, false, false]);
    assert_eq!(rows(r#"media: "m.png""#), [false, false, true, true]);
    assert_eq!(rows(r#"class: "max""#), [false, false, true, true]);
    assert_eq!(rows(r#"annotation_id: Some("1")"#), [true, false, false, false]);
    assert_eq!(rows(r#"annotation_id: Some("a")"#), [false, true, false, false]);
    assert_eq!(rows(r#"annotation_id: Some("100")"#), [false, false, true, false]);
    assert_eq!(rows("annotation_id: None"), [false, false, false, true]);
}

#[test]
fn confidence_and_track_are_found_at_the_top_before_attributes() {
    let both = r#"{"image_id":7,"category_id":3,"bbox":[1,2,3,4],"attributes":{"conf":0.25,"track_id":"low"},"track_id":"top","conf":0.75,"score":7}"#;
    let below = r#"{"image_id":7,"category_id":3,"bbox":[1,2,3,4],"attributes":{"conf":0.25,"track_id":5}}"#;
    let none = r#"{"image_id":7,"category_id":3,"bbox":[1,2,3,4],"score":0.5}"#;
    let options = CocoOptions {
        confidence_field: Some("conf".to_owned()),
        ..options()
    };
    let outcome = read_with(dataset(&[both, below, none].join(",")).as_bytes(), None, &options).unwrap();
    let has = |row: usize, word: &str| assert!(outcome.rows[row].contains(word), "{}", outcome.rows[row]);
    has(0, r#"track: Some("top"), score: Some(0.75)"#);
    has(1, r#"track: Some("5"), score: Some(0.25)"#);
    has(2, "track: None, score: None");
}

#[test]
fn instance_ids_are_tracks_on_frames_of_videos_only() {
    let annotations = r#"{"image_id":7,"category_id":3,"bbox":[1,2,3,4],"instance_id":4},
        {"image_id":8,"category_id":3,"bbox":[1,2,3,4],"instance_id":4},
        {"image_id":8,"category_id":3,"bbox":[1,2,3,4],"instance_id":4,"track_id":9},
        {"image_id":8,"category_id":3,"bbox":[1,2,3,4],"instance_id":null},
        {"image_id":8,"category_id":3,"bbox":[1,2,3,4],"instance_id":[4]},
        {"image_id":7,"category_id":3,"bbox":[1,2,3,4],"instance_id":[4]}"#;
    let text = format!(
        r#"{{"videos":[{{"id":1,"name":"v"}}],"images":[{{"id":7,"file_name":"a.png"}},{{"id":8,"file_name":"f","video_id":1,"frame_id":2}}],
        "categories":[{{"id":3,"name":"crate"}}],"annotations":[{annotations}]}}"#
    );
    let outcome = read(&text);
    let tracks: Vec<_> = outcome
        .rows
        .iter()
        .map(|row| row[row.find("track: ").unwrap()..].split(", ").next().unwrap())
        .collect();
    let (none, four, nine) = ("track: None", r#"track: Some("4")"#, r#"track: Some("9")"#);
    assert_eq!(tracks, [none, four, nine, none, none]);
    assert_eq!(outcome.summary.rejected, 1);
}

#[test]
fn crowds_are_filtered_unless_asked_for() {
    let crowd = r#"{"image_id":7,"category_id":3,"iscrowd":1,"segmentation":{"counts":[0,6],"size":[2,3]}}"#;
    let text = dataset(&[crowd, crowd].join(","));
    let left_out = read(&text);
    assert_eq!(
        (left_out.summary.filtered_crowd, left_out.summary.rows, left_out.batches),
        (2, 0, vec![0])
    );
    let options = CocoOptions {
        include_crowd: true,
        ..options()
    };
    let taken = read_with(text.as_bytes(), None, &options).unwrap();
    assert_eq!((taken.summary.filtered_crowd, taken.summary.rows), (0, 2));
}

#[test]
fn files_without_annotations_are_empty() {
    for text in [
        "[]",
        " \n[ ] ",
        r#"{"annotations":[]}"#,
        r#"{"images":[],"categories":[]}"#,
        "\u{feff}[]",
    ] {
        assert_eq!(read(text).summary.annotations_read, 0, "{text}");
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let text = format!(
        "\u{feff}{}",
        dataset(r#"{"image_id":7,"category_id":3,"bbox":[1,2,3,4]}"#)
    );
    for chunk_bytes in [1, 2, 4096] {
        let outcome = read_with(
            text.as_bytes(),
            None,
            &CocoOptions {
                chunk_bytes,
                ..options()
            },
        )
        .unwrap();
        let offset = text.find(r#"{"image_id"#).unwrap();
        assert!(
            outcome.rows[0].contains(&format!("offset: {offset},")),
            "{}",
            outcome.rows[0]
        );
    }
}

#[test]
fn repeated_ids_are_counted() {
    let one = |id: &str| format!(r#"{{"id":{id},"image_id":7,"category_id":3,"bbox":[1,2,3,4]}}"#);
    let count = |ids: &[&str]| {
        read(&dataset(&ids.iter().map(|id| one(id)).collect::<Vec<_>>().join(",")))
            .summary
            .duplicate_ids
    };
    assert_eq!(count(&["0", "0", "0"]), 2);
    assert_eq!(count(&["1", "2", "3"]), 0);
    assert_eq!(count(&["5", "2", "5.0", "\"2\"", "\"a\"", "\"a\""]), 3);
}

#[test]
fn images_without_names_go_by_their_ids() {
    let text = r#"{"images":[{"id":5,"width":64,"height":0},{"file_name":"idless.png"}],"categories":[{"id":"c"}],
        "annotations":[{"image_id":5,"category_id":"c","bbox":[1,2,3,4]}]}"#;
    let mut reader = open(text.as_bytes(), None, &options()).unwrap();
    let found = reader.next_batch().unwrap().unwrap();
    let row = found.rows.row(0);
    assert_eq!(
        (row.media, row.class, row.width_px, row.height_px),
        ("5", "c", Some(64), None)
    );
    let names: Vec<_> = reader
        .tables()
        .media_names()
        .map(|m| (m.image_id.is_some(), m.file_name))
        .collect();
    assert_eq!(names, [(true, None), (false, Some("idless.png"))]);
}

#[test]
fn reads_a_file_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("late tables.json");
    let text = r#"{"annotations":[{"image_id":7,"category_id":3,"bbox":[1,2,3,4]}],"images":[{"id":7,"file_name":"q.png"}],"categories":[]}"#;
    std::fs::write(&path, text).unwrap();
    let mut reader = CocoReader::open_path(&path, "label", None, &options()).unwrap();
    let found = reader.next_batch().unwrap().unwrap();
    assert_eq!((found.rows.row(0).media, found.rows.row(0).source), ("q.png", "label"));
    let missing = CocoTables::read(&SourceFile::path(folder.path().join("none.json")), &options());
    assert!(missing.unwrap_err().to_string().contains("none.json"));
}
