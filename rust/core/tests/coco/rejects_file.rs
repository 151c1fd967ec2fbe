//! Reject files as Ropewalk writes them, mended and read again.

use ropewalk_core::formats::coco::CocoKind;
use ropewalk_core::formats::Reader;
use ropewalk_core::reject::RowReject;

use super::support::*;

fn line(fields: &str) -> String {
    format!(r#"{{"code":"score_range","message":"the score is 7","annotation_id":"4",{fields}}}"#)
}

#[test]
fn a_mended_line_keeps_its_place_in_the_original() {
    let mended = r#"{"id":4,"image_id":13,"category_id":9,"bbox":[1,2,3,4],"score":0.7}"#;
    let quoted = r#"{\"id\":\"\\u0041\",\"image_id\":11,\"category_id\":3,\"bbox\":[5,2,3,4]}"#;
    let text = [
        line(&format!(r#""source":"p\u00e4.json","byte":81,"annotation":{mended}"#)),
        String::new(),
        line(&format!(r#""annotation":"{quoted}","source":"table.parquet","row":12"#)),
        line(&format!(r#""annotation": {mended}"#)),
    ]
    .join("\n");
    let mut reader = open(text.as_bytes(), Some(tables(DATASET)), &options()).unwrap();
    assert_eq!(reader.kind(), CocoKind::Rejects);
    let found = reader.next_batch().unwrap().unwrap();
    assert_eq!(found.rows.len(), 3);
    let first = found.rows.row(0);
    assert_eq!(
        (first.source, first.offset, first.annotation_id),
        ("pä.json", 81, Some("4"))
    );
    assert_eq!(
        (first.media, first.frame, first.class, first.score),
        ("yard.mp4", 4, "rope \\ coil", Some(0.7))
    );
    assert_eq!(found.texts.text_of(0).unwrap(), mended.as_bytes());
    let second = found.rows.row(1);
    assert_eq!(
        (second.source, second.offset, second.annotation_id),
        ("table.parquet", 12, Some("A"))
    );
    assert_eq!(
        (second.media, second.bbox),
        ("dock/cam_a.png", Some([5.0, 2.0, 3.0, 4.0]))
    );
    assert_eq!(found.texts.text_of(1).unwrap(), format!("\"{quoted}\"").as_bytes());
    let third = found.rows.row(2);
    assert_eq!(
        (third.source, third.offset as usize),
        ("a.json", text.rfind(mended).unwrap())
    );
    assert!(reader.next_batch().unwrap().is_none());
}

#[test]
fn lines_give_the_same_rows_for_any_chunk() {
    let text = [
        line(r#""source":"s","byte":3,"annotation":{"image_id":1,"category_id":2,"bbox":[1,2,3,4]}"#),
        line(r#""source":"s","byte":9,"annotation":"{\"image_id\":1,\"category_id\":2,\"bbox\":[1,2,3,4]}""#),
    ]
    .join("\n");
    let whole = read(&text);
    assert_eq!(whole.summary.rows, 2);
    for chunk_bytes in 1..20 {
        let options = ropewalk_core::formats::coco::CocoOptions {
            chunk_bytes,
            ..options()
        };
        assert_eq!(read_with(text.as_bytes(), None, &options).unwrap(), whole);
    }
}

#[test]
fn what_was_not_mended_is_rejected_again() {
    let text = [
        line(r#""source":"s","byte":1,"annotation":"{\"id\":4,\"image_id\":1,\"bbo""#),
        line(r#""source":"s","byte":2,"annotation":[1]"#),
        line(r#""source":"s","byte":3"#),
        line(r#""source":"s","byte":4,"annotation":{"id":"q","image_id":1,"category_id":1,"bbox":[1,2,-3,4]}"#),
    ]
    .join("\n");
    let outcome = read(&text);
    let found: Vec<_> = outcome
        .rejects
        .iter()
        .map(|r| (r.code, r.offset, r.annotation_id.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("bad_field", 1, None),
            ("bad_field", 2, None),
            ("missing_field", 3, None),
            ("negative_box", 4, Some("q"))
        ]
    );
    assert_eq!(outcome.rejects[0].text, r#""{\"id\":4,\"image_id\":1,\"bbo""#);
}

#[test]
fn a_label_row_is_rejected_again_with_all_its_annotations() {
    let row = RowReject {
        code: "row_too_large",
        message: "the row would take 61 MB".to_owned(),
        data_hash: "d-1".to_owned(),
        title: "quay \"north\"\n\u{1f40c}.mp4".to_owned(),
        annotations: 70_000,
        len_bytes: 61_000_000,
    };
    let mended = line(r#""annotation":{"image_id":1,"category_id":2,"bbox":[1,2,3,4]}"#);
    let own = row.to_json_line();
    // First in the file, by it alone, and behind others; in any order of its members.
    let turned = r#"{"len_bytes":5,"annotations":3.0,"annotation":null,"code":"server_refused","message":"no"}"#;
    let text = format!("{own}{mended}\n{turned}\n{own}");
    for chunk_bytes in [1, 7, 1 << 16] {
        let options = ropewalk_core::formats::coco::CocoOptions {
            chunk_bytes,
            ..options()
        };
        let outcome = read_with(text.as_bytes(), None, &options).unwrap();
        assert_eq!((outcome.summary.rows, outcome.summary.rejected), (1, 140_003));
        let [first, second, third] = &outcome.row_rejects[..] else {
            panic!("three rows were expected: {outcome:?}")
        };
        assert_eq!((first, third), (&row, &row));
        assert_eq!(
            (second.code, second.annotations, second.len_bytes),
            ("server_refused", 3, 5)
        );
        assert_eq!(first.to_json_line(), own, "the line stays as it is");
    }
    assert_eq!(read(&own).summary.annotations_read, 70_000);
}

#[test]
fn a_line_that_is_no_label_row_is_one_reject() {
    let rows = [
        r#"{"code":"row_too_large","annotation":null,"annotations":0}"#,
        r#"{"code":"row_too_large","annotation":null,"annotations":4294967296}"#,
        r#"{"code":"row_too_large","annotation":null,"annotations":1e300}"#,
        r#"{"code":"row_too_large","annotation":null,"annotations":2.5}"#,
        r#"{"code":"row_too_large","annotation":null,"annotations":[]}"#,
        r#"{"code":"off_image","annotation":null,"annotations":4}"#,
        r#"{"annotation":null,"annotations":4}"#,
        r#"{"code":"row_too_large","annotation":null}"#,
        r#"{"code":"row_too_large","annotation":"null","annotations":4}"#,
    ];
    let outcome = read(&rows.join("\n"));
    assert!(outcome.row_rejects.is_empty());
    assert_eq!(outcome.rejects.len(), rows.len());
    // An annotation is read whatever else stands in its line.
    let both =
        r#"{"code":"row_too_large","annotation":{"image_id":1,"category_id":2,"bbox":[1,2,3,4]},"annotations":4}"#;
    assert_eq!(read(both).summary.rows, 1);
}

#[test]
fn a_broken_line_is_a_blocker() {
    let good = line(r#""annotation":{"image_id":1,"category_id":2,"bbox":[1,2,3,4]}"#);
    let text = format!("{good}\nnot json");
    let (byte, _) = blocker(read_with(text.as_bytes(), None, &options()).unwrap_err());
    assert_eq!(byte as usize, good.len() + 1);
}
