//! Confidences are numbers from 0 to 1, whatever the format: what rounding explains is put right, the rest is rejected or clamped.

use std::collections::HashMap;
use std::fmt::Write;

use ropewalk_core::formats::ReadOptions;
use ropewalk_core::source::SourceFile;
use serde_json::Value;

use super::opened;

/// (confidences of the rows, (code, confidence) of the rejects, warnings) of a text.
type Found = (Vec<Option<f64>>, Vec<(String, Value)>, HashMap<&'static str, u64>);

fn read(text: &str, options: &str) -> Found {
    let options = ReadOptions::from_json(options).unwrap();
    let source = SourceFile::bytes("file", text.as_bytes()).into();
    let (_, mut reader) = opened(None, source, &options).unwrap();
    let (mut scores, mut rejects, mut warnings) = (Vec::new(), Vec::new(), HashMap::new());
    while let Some(batch) = reader.next_batch().unwrap() {
        let batch = batch.checked().unwrap();
        scores.extend((0..batch.rows.len()).map(|row| batch.rows.row(row).score));
        for reject in &batch.rejects {
            let line: Value = serde_json::from_str(&reject.to_json_line()).unwrap();
            rejects.push((
                line["code"].as_str().unwrap().to_owned(),
                line["annotation"]["score"].clone(),
            ));
        }
        for (name, count) in &batch.warnings {
            *warnings.entry(*name).or_default() += count;
        }
    }
    (scores, rejects, warnings)
}

/// Texts of two formats with one annotation for each score.
fn texts(scores: &[&str]) -> [String; 2] {
    let (mut annotations, mut lines) = (Vec::new(), String::new());
    for score in scores {
        annotations.push(format!(
            r#"{{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": {score}}}"#
        ));
        writeln!(
            lines,
            r#"{{"media": "a", "class": "c", "unit": "px", "box": [1, 2, 3, 4], "score": {score}}}"#
        )
        .unwrap();
    }
    [format!("[{}]", annotations.join(", ")), lines]
}

const SCORES: [&str; 7] = ["0.5", "1.0000001192092896", "-1e-7", "1.02", "null", "-0.25", "1"];

#[test]
fn what_rounding_explains_is_put_right_and_the_rest_is_rejected() {
    for text in texts(&SCORES) {
        let (scores, rejects, warnings) = read(&text, "{}");
        assert_eq!(scores, [Some(0.5), Some(1.0), Some(0.0), None, Some(1.0)]);
        let expected = [1.02, -0.25].map(|score| ("score_range".to_owned(), score.into()));
        assert_eq!(rejects, expected);
        assert_eq!(warnings, HashMap::from([("score_clamped", 2)]));
    }
}

#[test]
fn clamping_is_an_option_of_every_format() {
    for text in texts(&SCORES) {
        let (scores, rejects, warnings) = read(&text, r#"{"score": "clamp"}"#);
        assert_eq!(
            scores,
            [Some(0.5), Some(1.0), Some(0.0), Some(1.0), None, Some(0.0), Some(1.0)]
        );
        assert_eq!((rejects.len(), warnings["score_clamped"]), (0, 4));
    }
}
