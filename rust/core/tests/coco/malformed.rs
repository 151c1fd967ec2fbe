//! Bad input: annotations that are rejected each by its own, and files that block the import.

use proptest::prelude::*;
use ropewalk_core::formats::coco::{CocoOptions, CocoTables};
use ropewalk_core::source::SourceFile;

use super::support::*;

fn with(fields: &str) -> String {
    format!(r#"{{"id":21,"image_id":7,"category_id":3,{fields}}}"#)
}

/// Fields beside ids, the reject's code, and a piece of its sentence.
const BAD_ANNOTATIONS: &[(&str, &str, &str)] = &[
    (r#""bbox":[1,2,3,4],"score":"high""#, "bad_field", "`score` is \"high\""),
    (r#""bbox":[1,2,3,4],"score":true"#, "bad_field", "`score` is true"),
    (r#""bbox":[1,2,3,4],"score":NaN"#, "not_finite", "`score`"),
    (r#""bbox":[1,2,3,4],"score":-Infinity"#, "not_finite", "`score`"),
    (r#""bbox":[1,2,3,4],"score":1e999"#, "not_finite", "`score`"),
    (r#""bbox":[1,2,3,4],"attributes":{"score":"x"}"#, "bad_field", "`score`"),
    (r#""bbox":[NaN,2,3,4]"#, "not_finite", "`bbox`"),
    (r#""bbox":[1,2,Infinity,4]"#, "not_finite", "`bbox`"),
    (r#""bbox":[1,2,3]"#, "bad_field", "[1,2,3]"),
    (r#""bbox":[1,2,3,4,5]"#, "bad_field", "[1,2,3,4,5]"),
    (r#""bbox":[1,2,3,4,5]"#, "bad_field", "--box-format"),
    (r#""bbox":[1,2,3,2,3,4,1,4]"#, "bad_field", "--box-format"),
    (r#""keypoints":[1,2]"#, "bad_field", "threes"),
    (r#""keypoints":[[1,2,2]]"#, "bad_field", "threes"),
    (r#""keypoints":"1,2,2""#, "bad_field", "threes"),
    (r#""keypoints":[1,null,2]"#, "bad_field", "threes"),
    (r#""keypoints":[1,Infinity,2]"#, "not_finite", "`keypoints`"),
    (r#""bbox":[1,2,null,4]"#, "bad_field", "[1,2,null,4]"),
    (r#""bbox":[1,2,"x",4]"#, "bad_field", "four numbers"),
    (r#""bbox":"1,2,3,4""#, "bad_field", "four numbers"),
    (r#""bbox":{"x":1}"#, "bad_field", "four numbers"),
    (r#""bbox":[1,2,-3,4]"#, "negative_box", "-3 wide"),
    (r#""bbox":[1,2,3,-4.5]"#, "negative_box", "-4.5 high"),
    (r#""bbox":null"#, "no_geometry", "no geometry"),
    (r#""bbox":[]"#, "no_geometry", "no geometry"),
    (r#""area":3"#, "no_geometry", "no geometry"),
    (r#""segmentation":[]"#, "no_geometry", "no geometry"),
    (r#""segmentation":[[1,2,3,4,5]]"#, "bad_polygon", "5 coordinates"),
    (r#""segmentation":[[1,2,3,4]]"#, "bad_polygon", "4 coordinates"),
    (r#""segmentation":[[],[1,2,3,4],[NaN]]"#, "bad_polygon", "4 coordinates"),
    (r#""segmentation":[[],[]]"#, "no_geometry", "no geometry"),
    (r#""segmentation":{}"#, "no_geometry", "no geometry"),
    (r#""segmentation":"""#, "no_geometry", "no geometry"),
    (
        r#""bbox":[1,2,-3,4],"segmentation":[[1,2,3,4]]"#,
        "negative_box",
        "-3 wide",
    ),
    (r#""keypoints":[0,0,0],"bbox":[1,2,3]"#, "bad_field", "four numbers"),
    (r#""keypoints":null,"bbox":null"#, "no_keypoints", "no keypoints"),
    (r#""segmentation":[[1,2,3,4,5,NaN]]"#, "not_finite", "`segmentation`"),
    (r#""segmentation":[[1,2,3,4,5,"x"]]"#, "bad_field", "polygons"),
    (r#""segmentation":[1,2,3,4,5,6]"#, "bad_field", "polygons"),
    (r#""segmentation":"61X13""#, "bad_field", "polygons"),
    (
        r#""segmentation":{"counts":"61X1"}"#,
        "missing_field",
        "segmentation.size",
    ),
    (
        r#""segmentation":{"size":[2,3]}"#,
        "missing_field",
        "segmentation.counts",
    ),
    (
        r#""segmentation":{"size":[2,3],"counts":null}"#,
        "missing_field",
        "segmentation.counts",
    ),
    (
        r#""segmentation":{"size":[1099511627776,1099511627776],"counts":"61X1"}"#,
        "rle_size",
        "1099511627776",
    ),
    (
        r#""segmentation":{"size":[-2,3],"counts":"61X1"}"#,
        "rle_size",
        "-2 x 3",
    ),
    (
        r#""segmentation":{"size":[2.5,3],"counts":"61X1"}"#,
        "rle_size",
        "2.5 x 3",
    ),
    (r#""segmentation":{"size":[2],"counts":"61X1"}"#, "bad_field", "[h, w]"),
    (
        r#""segmentation":{"size":[2,3,4],"counts":"61X1"}"#,
        "bad_field",
        "[h, w]",
    ),
    (
        r#""segmentation":{"size":["h",3],"counts":"61X1"}"#,
        "bad_field",
        "[h, w]",
    ),
    (
        r#""segmentation":{"size":[NaN,3],"counts":"61X1"}"#,
        "not_finite",
        "`segmentation`",
    ),
    (
        r#""segmentation":{"size":[2,3],"counts":[2,-1,5]}"#,
        "rle_negative",
        "-1",
    ),
    (
        r#""segmentation":{"size":[2,3],"counts":[2,1.5,3]}"#,
        "rle_fraction",
        "1.5",
    ),
    (
        r#""segmentation":{"size":[2,3],"counts":[2,4294967296]}"#,
        "rle_overflow",
        "4294967296",
    ),
    (
        r#""segmentation":{"size":[2,3],"counts":[2,1e300]}"#,
        "rle_overflow",
        "1",
    ),
    (
        r#""segmentation":{"size":[2,3],"counts":[2,NaN]}"#,
        "not_finite",
        "`segmentation`",
    ),
    (
        r#""segmentation":{"size":[2,3],"counts":[2,"4"]}"#,
        "bad_field",
        "counts",
    ),
    (r#""segmentation":{"size":[2,3],"counts":7}"#, "bad_field", "counts"),
    (r#""bbox":[1,2,3,4],"track_id":[]"#, "bad_field", "`track_id`"),
    (r#""bbox":[1,2,3,4],"track_id":1.5"#, "bad_field", "`track_id`"),
    (r#""bbox":[1,2,3,4],"track_id":Infinity"#, "not_finite", "`track_id`"),
    (r#""bbox":[1,2,3,4],"iscrowd":"no""#, "bad_field", "`iscrowd`"),
    (r#""bbox":[1,2,3,4],"image_id":null"#, "missing_field", "`image_id`"),
    (r#""bbox":[1,2,3,4],"category_id":{}"#, "bad_field", "`category_id`"),
];

#[test]
fn a_bad_annotation_is_rejected_alone() {
    let good = with(r#""bbox":[1,2,3,4],"area":NaN,"keypoints":[Infinity]"#);
    for (fields, code, words) in BAD_ANNOTATIONS {
        let wrong = with(fields);
        let text = dataset(&format!("{good}, {wrong} ,{good}"));
        let outcome = read(&text);
        assert_eq!(outcome.texts, [good.as_str(), &good], "{fields}");
        let [reject] = &outcome.rejects[..] else {
            panic!("{fields}: {outcome:?}")
        };
        assert_eq!(reject.code, *code, "{fields}: {}", reject.message);
        assert!(reject.message.contains(words), "{fields}: {}", reject.message);
        assert_eq!(
            (reject.offset as usize, &reject.text),
            (text.find(&wrong).unwrap(), &wrong)
        );
        assert_eq!(
            (reject.source.as_str(), reject.annotation_id.as_deref()),
            ("a.json", Some("21"))
        );
    }
}

#[test]
fn what_is_no_annotation_at_all_is_rejected() {
    let outcome = read(&dataset(
        r#"null,[1,2],"x",7,{},{"image_id":7,"bbox":[1,2,3,4]},{"category_id":3,"bbox":[1,2,3,4]}"#,
    ));
    let codes: Vec<_> = outcome.rejects.iter().map(|r| r.code).collect();
    let [bad, missing] = ["bad_field", "missing_field"];
    assert_eq!(codes, [bad, bad, bad, bad, missing, missing, missing]);
    assert!(outcome.rejects[5].message.contains("category_id") && outcome.rejects[6].message.contains("image_id"));
}

#[test]
fn a_long_value_is_shown_shortened() {
    let long = "é".repeat(5000);
    let outcome = read(&dataset(&with(&format!(r#""bbox":"{long}""#))));
    assert!(outcome.rejects[0].message.len() < 300);
}

/// A file, the byte at which the fault shows, and a piece of the message. `|` marks the byte and is taken out.
const BLOCKED: &[(&str, &str)] = &[
    ("|", "empty"),
    ("|  \n ", "empty"),
    ("|\u{feff}", "empty"),
    ("|7", "not COCO"),
    ("|\"[]\"", "not COCO"),
    ("|null", "not COCO"),
    ("|\u{1f}\u{8b}\u{8}", "not COCO"),
    (r#" |{"boxes":[]}"#, "neither"),
    ("|{}", "neither"),
    (r#"{"annotations":[]} |x"#, "follows"),
    (r#"{"images":[],"categories":[]}|]"#, "follows"),
    ("[]|[]", "follows"),
    (r#"[{"image_id":1}|"#, "cut"),
    (r#"[{"image_id":1},|"#, "cut"),
    (r#"[{"image_id":1},|]"#, "after `,`"),
    (r#"[{"image_id":1} |{"image_id":1}]"#, "`,`"),
    (r#"[{"image_id":1,|}]"#, "key"),
    (r#"[{"image_id" |1}]"#, "`:`"),
    (r#"[{|image_id:1}]"#, "key"),
    (r#"[{"image_id":|}]"#, "JSON value"),
    (r#"[{"id":1,"name":|'x'}]"#, "JSON value"),
    (r#"[{"image_id":|01}]"#, "leading zero"),
    (r#"[{"image_id":1.|}]"#, "decimal point"),
    (r#"[{"image_id":1e|}]"#, "exponent"),
    (r#"[{"image_id":-|x}]"#, "number"),
    (r#"[{"image_id":|+1}]"#, "JSON value"),
    (r#"[{"score":Infinit|x}]"#, "value"),
    (r#"[{"a":tr|ee}]"#, "value"),
    ("[{\"a\":\"x|\ny\"}]", "control"),
    (r#"[{"a":"x|\q"}]"#, "escape"),
    (r#"[{"a":"x|\u12g4"}]"#, "hexadecimal"),
    (r#"{"images":[],|"images":[]}"#, "twice"),
    (
        r#"{"images":[],"categories":[],"annotations":[],|"annotations":[]}"#,
        "twice",
    ),
    (
        r#"{"annotations":[],"images":[],"categories":[],|"images":[]}"#,
        "twice",
    ),
    (r#"{"annotations":[],"images":[],|"images":[]}"#, "twice"),
    (r#"{"annotations":|{}}"#, "not a list"),
    (r#"{"images":|null}"#, "not a list"),
    (r#"{"categories":|7,"annotations":[]}"#, "not a list"),
    // The quote in the annotations hides what follows from a fast look; the fault is still found where it is.
    (r#"{"annotations":[{"a":"b"|c"}],"images":[],"categories":[]}"#, "`,`"),
    (r#"{"annotations":[{"a":[1,2|}]}],"images":[],"categories":[]}"#, "`,`"),
];

#[test]
fn a_broken_file_is_a_blocker_that_names_the_byte() {
    for (marked, words) in BLOCKED {
        let (byte, text) = (marked.find('|').unwrap(), marked.replacen('|', "", 1));
        for chunk_bytes in [1, 3, 1 << 16] {
            let options = CocoOptions {
                chunk_bytes,
                ..options()
            };
            let error = read_with(text.as_bytes(), None, &options).expect_err(marked);
            let (found, message) = blocker(error);
            assert!(message.contains(words), "{marked}: {message}");
            assert_eq!(found as usize, byte, "{marked}: {message}");
        }
    }
}

#[test]
fn text_that_is_not_utf8_names_the_byte() {
    for (before, after) in [
        (r#"[{"a":"x"#, r#""}]"#),
        (r#"{"images":[{"file_name":"é"#, r#"z"}]}"#),
        (r#"[{"se"#, r#"":1}]"#),
    ] {
        for wrong in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"] {
            let text = [before.as_bytes(), wrong, after.as_bytes()].concat();
            let (byte, message) = blocker(read_with(&text, None, &options()).unwrap_err());
            assert_eq!(byte as usize, before.len(), "{before} {wrong:?}");
            assert!(message.contains("UTF-8"), "{message}");
        }
    }
    let utf16: Vec<u8> = "[{}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read_with(&utf16, None, &options()).is_err());
}

#[test]
fn every_cut_of_a_file_is_a_blocker_at_its_end() {
    let text = DATASET.trim_end();
    for cut in 1..text.len() {
        let (byte, message) = blocker(read_with(&text.as_bytes()[..cut], None, &options()).unwrap_err());
        if text.is_char_boundary(cut) {
            assert_eq!(byte as usize, cut, "{message}");
        }
        assert!(message.contains("cut") || message.contains("UTF-8"), "{message}");
        assert!(CocoTables::read(&SourceFile::bytes("t", &text.as_bytes()[..cut]), &options()).is_err());
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!(r#"[{{"a":{}{}}}]"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(read(&nested(128)).rejects.len(), 1);
    let (byte, message) = blocker(read_with(nested(129).as_bytes(), None, &options()).unwrap_err());
    assert_eq!((byte, message.contains("128")), (6 + 128, true));
    assert!(read_with("[".repeat(1 << 20).as_bytes(), None, &options()).is_err());
    assert!(read_with(r#"{"a":"#.repeat(1 << 18).as_bytes(), None, &options()).is_err());
    assert!(read_with(
        format!(r#"{{"annotations":{}"#, "[".repeat(1 << 20)).as_bytes(),
        None,
        &options()
    )
    .is_err());
}

#[test]
fn only_a_dataset_gives_tables() {
    for text in ["[]", r#"{"code":"x","annotation":{}}"#] {
        let error = CocoTables::read(&SourceFile::bytes("gt.json", text.as_bytes()), &options()).unwrap_err();
        assert!(
            error.to_string().contains("gt.json: byte 0: the file has no `images`"),
            "{error}"
        );
    }
}

/// Files to damage: all kinds, and every field that the reader knows.
fn seeds() -> Vec<Vec<u8>> {
    let annotations = BAD_ANNOTATIONS
        .iter()
        .map(|(fields, ..)| with(fields))
        .collect::<Vec<_>>()
        .join(",");
    let line = r#"{"code":"c","source":"s","byte":5,"annotation":"{\"image_id\":1,\"category_id\":2}"}"#;
    let object = r#"{"annotation":{"id":1,"image_id":3,"category_id":4,"bbox":[1,2,3,4]},"row":5}"#;
    vec![
        DATASET.as_bytes().to_vec(),
        format!("[{annotations}]").into_bytes(),
        format!("{line}\n{object}\n{line}").into_bytes(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_panics_and_never_depends_on_chunks(
        seed in 0..3usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<u8>(), prop::sample::select(&b"{}[],:\"\\-0123456789.eENIntfu \n\x00\xff\xc3"[..])), 1..6),
        chunk_bytes in 1..200usize,
    ) {
        let mut text = seeds().swap_remove(seed);
        for (at, kind, any_byte, likely) in edits {
            let at = at.index(text.len().max(1)).min(text.len().saturating_sub(1));
            match kind {
                _ if text.is_empty() => {}
                0 => text[at] = likely,
                1 => text.insert(at, likely),
                2 => drop(text.remove(at)),
                _ if any_byte < 16 => text.truncate(at),
                _ => text[at] = any_byte,
            }
        }
        let whole = read_with(&text, None, &options()).map_err(blocker);
        let cut = read_with(&text, None, &CocoOptions { chunk_bytes, ..options() }).map_err(blocker);
        prop_assert_eq!(whole, cut);
    }
}
