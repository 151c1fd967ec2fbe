//! Rows as lines of JSON, whole and broken.

use proptest::prelude::*;
use proptest::sample::Index;
use ropewalk_core::batch::Unit;
use ropewalk_core::error::Error;
use ropewalk_core::formats::detect::detect;
use ropewalk_core::formats::ndjson::NdjsonRows;
use ropewalk_core::formats::{ReadOptions, Reader, Sure};
use ropewalk_core::source::SourceFile;
use serde_json::{json, Value};

use super::read_all;

#[test]
fn shapes_have_what_they_need() {
    let row = |more: Value| {
        let mut row = json!({"media": "a", "class": "c", "unit": "px"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let ring = json!([[[1, 1, 5, 1, 5, 3]]]);
    for (given, code) in [
        (row(json!({"shape": "bounding_box"})), "missing_field"),
        (row(json!({"shape": "polygon"})), "missing_field"),
        (
            row(json!({"shape": "polygon", "points": [[[1, null, 5, 1, 5, 3]]]})),
            "not_finite",
        ),
        (row(json!({"shape": "polygon", "points": []})), "missing_field"),
        (row(json!({"shape": "polygon", "points": [[]]})), "bad_polygon"),
        (
            row(json!({"shape": "polygon", "points": [[[1, 1, 2, 2]]]})),
            "bad_polygon",
        ),
        (
            row(json!({"shape": "polygon", "points": [[[1, 1, 5, 1, 5]]]})),
            "bad_field",
        ),
        (
            row(json!({"shape": "polyline", "points": [[[1, 1], [2, 2]]]})),
            "bad_field",
        ),
        (row(json!({"shape": "point", "points": ring})), "bad_field"),
        (row(json!({"shape": "circle", "points": ring})), "bad_field"),
        (row(json!({"shape": "skeleton"})), "missing_field"),
        (row(json!({"shape": "bitmask", "points": ring})), "missing_field"),
        (row(json!({"rle": "04", "rle_order": "row_major"})), "missing_field"),
        (
            row(json!({"rle": "04", "width_px": 2, "height_px": 3})),
            "missing_field",
        ),
        (row(json!({"box": [1, 2, 3, 4], "unit": null})), "missing_field"),
        (row(json!({"box": [1, 2, 3, 4], "kind": "answer"})), "bad_field"),
        (
            row(json!({"box": [1, 2, 3, 4], "width_px": 4_294_967_295_u32})),
            "bad_field",
        ),
        (row(json!({"box": [1, 2, 3, 4], "class": ""})), "missing_field"),
        (row(json!({"box": [1, 2, 3, 4], "bbox": [1]})), "unknown_field"),
        (row(json!({"box": [1, 2, 3, 4], "x_mine": [1]})), ""),
        (row(json!({"shape": "polygon", "points": ring})), ""),
        (row(json!({"shape": "point", "points": [[[1e300, -1e300]]]})), ""),
        (
            row(json!({"rle": "04", "rle_order": "row_major", "width_px": 2, "height_px": 2})),
            "",
        ),
    ] {
        let (rows, rejects) = read_lines(given.to_string().as_bytes());
        let found = rejects.first().map_or("", |reject| reject[0].as_str().unwrap());
        assert_eq!((found, rows.len()), (code, usize::from(code.is_empty())), "{given}");
    }
}

fn read_lines(text: &[u8]) -> (Vec<Value>, Vec<Value>) {
    let input = SourceFile::bytes("run.ndjson", text);
    read_all(&mut NdjsonRows::open(&input, "run.ndjson", &ReadOptions::default()).unwrap()).unwrap()
}

#[test]
fn lines_are_read_with_their_byte() {
    let first = r#"{"media": "a", "class": 7, "box": [1, 2, 3, 4], "unit": "px", "track": 12, "frame": 3.0}"#;
    let text = format!("\u{feff}\n  \r\n  {first}  \r\n{{\"media\": \"a\", \"cl\n[]\n\n{first}");
    let (rows, rejects) = read_lines(text.as_bytes());
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["class"], &rows[0]["track"], &rows[0]["frame"]),
        (&json!("7"), &json!("12"), &json!(3))
    );
    for row in &rows {
        let at = row["offset"].as_u64().unwrap() as usize;
        assert!(text[at..].starts_with(first));
    }
    let codes: Vec<&Value> = rejects.iter().map(|reject| &reject[0]).collect();
    assert_eq!(codes, ["bad_line", "bad_line"]);
    // Text that is no JSON stands in the reject as a string.
    assert_eq!(rejects[0][2], json!("{\"media\": \"a\", \"cl"));
    assert!(text[rejects[1][1].as_u64().unwrap() as usize..].starts_with("[]"));
}

#[test]
fn numbers_are_read_as_names_and_texts_as_numbers() {
    let line = r#"{"media": 3.0, "class": 7.0, "annotation_id": 5.0, "track": -2.0, "box": [1, 2, 3, 4], "unit": "px", "frame": "000012", "width_px": "100", "theta": "30", "score": "0.5"}"#;
    let (rows, rejects) = read_lines(line.as_bytes());
    assert_eq!(rejects, Vec::<Value>::new());
    for (name, value) in [
        ("media", json!("3")),
        ("class", json!("7")),
        ("annotation_id", json!("5")),
        ("track", json!("-2")),
        ("frame", json!(12)),
        ("width_px", json!(100)),
        ("theta", json!(30.0)),
        ("score", json!(0.5)),
    ] {
        assert_eq!(rows[0][name], value, "{name}");
    }
    let (rows, rejects) = read_lines(line.replace("-2.0", "1.5").as_bytes());
    assert_eq!((rows.len(), &rejects[0][0]), (0, &json!("bad_field")));
}

#[test]
fn a_track_that_is_nan_is_none() {
    let row = |track: &str| {
        format!(
            r#"{{"media": "a", "class": "c", "track" : {track}, "box": [1, 2, 3, 4], "unit": "px", "x_note": "\"track\": NaN"}}"#
        )
    };
    for track in ["NaN", r#""NaN""#, "-1", "-1.0", r#""-1""#, r#""""#, "null"] {
        let (rows, rejects) = read_lines(row(track).as_bytes());
        assert_eq!((rows.len(), rejects.len()), (1, 0), "{track}");
        assert!(rows[0].get("track").is_none_or(Value::is_null), "{track}");
    }
    let (rows, rejects) = read_lines(row("NaNs").as_bytes());
    assert_eq!((rows.len(), &rejects[0][0]), (0, &json!("bad_line")));
    // Told in a reject file, it is read again.
    let line = json!({"source": "r", "byte": 0, "annotation": row("NaN")}).to_string();
    let (rows, rejects) = read_lines(line.as_bytes());
    assert_eq!((rows.len(), rejects.len()), (1, 0));
}

#[test]
fn a_member_of_another_type_is_named() {
    let input = |line: &str| SourceFile::bytes("r", line.as_bytes());
    for (line, says) in [
        (
            r#"{"media": "a", "class": "c", "score": "high"}"#,
            r#"`score` is "high"; expected a number from 0 to 1"#,
        ),
        (
            r#"{"media": "a", "class": "c", "box": [1, 2, 3]}"#,
            "`box` is [1, 2, 3]; expected four numbers",
        ),
        (
            r#"{"media": "a", "class": "c", "frame": -1}"#,
            "`frame` is -1; expected a whole number",
        ),
        (
            r#"{"media": "a", "class": "c", "points": [[1]]}"#,
            "`points` is [[1]]; expected lists of parts",
        ),
        (r#"{"media": "a", "class": "c", "media": "b"}"#, "`media` appears twice"),
        (
            r#"{"media": "a", "class": "c", "score": 1e999}"#,
            "number out of range at its byte",
        ),
        (
            r#"{"media": "a", "class": "c", "score": NaN}"#,
            "the line is not a JSON object",
        ),
    ] {
        let batch = NdjsonRows::open(&input(line), "r", &ReadOptions::default())
            .unwrap()
            .next_batch()
            .unwrap()
            .unwrap();
        let message = batch.rejects[0].reason.to_string();
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn lines_of_a_reject_file_keep_their_source() {
    let line = |annotation: &Value| {
        json!({"code": "x", "message": "m", "source": "cam0/run.parquet", "byte": 41, "ids_from": null, "annotation_id": "k",
               "annotation": annotation})
    };
    let row = json!({"media": "a", "class": "c", "box": [1, 2, 3, 4], "unit": "px", "annotation_id": "k"});
    let text = format!(
        "{}\n{}\n{}\n{}\n",
        line(&row),
        line(&json!(row.to_string())),
        line(&json!("{\"media\": NaN")),
        json!({"code": "row_too_large", "message": "m", "annotation": null, "data_hash": "d", "title": "t", "annotations": 7}),
    );
    let input = SourceFile::bytes("rejects.ndjson", text.as_bytes());
    assert_eq!(told(input.clone()), ("ndjson", Sure::Yes));
    let (rows, rejects) = read_lines(text.as_bytes());
    assert_eq!(rows.len(), 2);
    for found in rows {
        assert_eq!(
            (&found["source"], &found["offset"]),
            (&json!("cam0/run.parquet"), &json!(41))
        );
    }
    assert_eq!(rejects, [json!(["bad_line", 41, "{\"media\": NaN"])]);
    let mut source = NdjsonRows::open(&input, "r", &ReadOptions::default()).unwrap();
    let batch = source.next_batch().unwrap().unwrap();
    assert_eq!((batch.rejected(), batch.row_rejects[0].annotations), (8, 7));
}

/// The format that a file is found to be of; "" where none claims it.
fn told(file: SourceFile) -> (&'static str, Sure) {
    match detect(&file) {
        Ok((format, sure)) => (format.name, sure),
        Err(Error::Unknown { .. }) => ("", Sure::No),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn files_are_told_by_their_names() {
    for (text, kind) in [
        (r#"{"box": [1], "rle": "x", "source": "s", "class": "c"}"#, "ndjson"),
        ("\u{feff} {\"media\": 1}", "ndjson"),
        (r#"{"info": {"media": 1}, "images": []}"#, "coco"),
        // Rows are one a line, never in a list.
        (r#"[{"media": "a"}]"#, ""),
        (r#"[{"x": 1}, {"image_id": 1}]"#, "coco"),
        (r#"[{"category_id": 1, "segmentations": [null]}]"#, "youtube-vis"),
        (r#"{"lr": 0.1}"#, ""),
        (r#"[{"label_hash": null}, {"image_id": 1}]"#, "encord"),
        (r#"{"object_answers": {}, "data_units": {}}"#, "encord"),
        ("[]", "coco"),
        (r#"{"code": "x", "annotation": {"id": 1, "image_id": 2}}"#, "coco"),
        (
            "{\"annotation\": null}\n{\"annotation\": \"{\\\"class\\\": NaN\"}",
            "ndjson",
        ),
        (
            "{\"code\": \"row_too_large\", \"annotation\": null, \"data_hash\": \"d\", \"annotations\": 3}\n{\"annotation\": {\"class\": 1}}",
            "ndjson",
        ),
        ("", ""),
        ("{\"box\": ", "coco"),
        ("\u{fffd}", ""),
    ] {
        assert_eq!(told(SourceFile::bytes("f", text.as_bytes())).0, kind, "{text}");
    }
    let missing = detect(&SourceFile::path("there is no such file")).err().unwrap();
    assert!(matches!(missing, Error::Io { .. }), "{missing}");
}

#[test]
fn a_line_without_end_stops_the_import() {
    let text = vec![b'['; (1 << 26) + (1 << 20)];
    let input = SourceFile::bytes("run.ndjson", text);
    let message = NdjsonRows::open(&input, "r", &ReadOptions::default())
        .unwrap()
        .next_batch()
        .err()
        .unwrap()
        .to_string();
    assert!(
        message.contains("run.ndjson: byte 0: the line is longer than 64 MiB"),
        "{message}"
    );
}

const GOOD_LINES: [&str; 6] = [
    r#"{"media": "a", "class": "c", "frame": 3, "box": [1, 2.5, 3, 4], "unit": "px", "score": 0.25, "track": "é"}"#,
    r#"{"media": "a", "class": "c", "shape": "polygon", "points": [[[1, 1, 5, 1, 5, 3]]], "unit": "frac"}"#,
    r#"{"media": "a", "class": "c", "rle": "04", "rle_order": "row_major", "width_px": 2, "height_px": 2}"#,
    r#"{"media": "a", "class": "W", "frame": 1, "frame_last": 4, "attributes": [{"name": "n", "value": "v"}]}"#,
    r#"{"code": "x", "source": "s", "byte": 4, "annotation": {"media": "a", "class": "c", "box": [1, 2, 3, 4]}}"#,
    r#"{"code": "row_too_large", "annotation": null, "annotations": 3}"#,
];

/// Counts the lines of a text in whatever became of them; nothing may panic.
fn lines_found(text: &[u8]) -> usize {
    let input = SourceFile::bytes("r", text);
    let options = ReadOptions {
        unit: Some(Unit::Px),
        ..ReadOptions::default()
    };
    let mut source = NdjsonRows::open(&input, "r", &options).unwrap();
    let mut found = 0;
    while let Some(batch) = source.next_batch().unwrap() {
        let batch = batch.checked().unwrap();
        found += batch.rows.len() + batch.rejects.len() + batch.row_rejects.len();
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_lines_are_all_counted(edits in prop::collection::vec((0..4, any::<Index>(), any::<u8>(), 0_usize..40), 1..7)) {
        let mut text = GOOD_LINES.join("\n").into_bytes();
        for (how, at, byte, len) in edits {
            let at = at.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => drop(text.remove(at)),
                2 => text.insert(at, b"[]{}\",:0-9.eE\n\\"[byte as usize % 15]),
                _ => {
                    let piece = text[at..(at + len).min(text.len())].to_vec();
                    text.splice(at..at, piece);
                }
            }
        }
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        prop_assert_eq!(lines_found(&text), lines);
    }

    #[test]
    fn random_bytes_are_all_counted(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        // A blank line first: bytes that begin like gzip would be decompressed.
        let text = [b"\n", bytes.as_slice()].concat();
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        prop_assert_eq!(lines_found(&text), lines);
    }
}

#[test]
fn what_a_row_is_written_as_is_read_again() {
    let lines = [
        json!({"media": "a", "class": "c", "frame": 3, "box": [1.0, 2.5, 3.0, 4.0], "unit": "px", "shape": "bounding_box"}),
        json!({"media": "a", "class": "c", "frame": 0, "kind": "object", "frame_last": 9,
               "attributes": [{"name": "n", "value": "v", "frame": 1, "frame_last": 2}]}),
        json!({"media": "a", "class": "c", "frame": 0, "kind": "answer", "attributes": [{"name": "", "value": null}]}),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (mut rows, rejects) = read_lines(text.as_bytes());
    assert_eq!(rejects, Vec::<Value>::new());
    for row in &mut rows {
        for name in ["source", "offset"] {
            row.as_object_mut().unwrap().remove(name);
        }
    }
    assert_eq!(rows, lines);
}
