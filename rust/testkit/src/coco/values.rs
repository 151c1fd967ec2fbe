//! Single values of an annotation: what each may be, and the code where it is not that.

use crate::json::{parse, Json};

/// A value, or the code of what is wrong with it.
pub(super) type Checked<T> = Result<T, &'static str>;

/// The number that a text is, correctly rounded.
pub(super) fn float(text: &str) -> f64 {
    match text {
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // An integer, which has no sign at zero.
        "-0" => 0.0,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

/// Whether a number is written without fraction and exponent.
fn is_plain(text: &str) -> bool {
    text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
}

/// The integer that a number is, also one written as 3.0 where that is exact.
pub(super) fn integer(text: &str) -> Option<i64> {
    if is_plain(text) {
        // The reader takes the magnitude by itself, which for the smallest i64 does not fit.
        return text.parse().ok().filter(|&value| value != i64::MIN);
    }
    let value = float(text);
    (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i64)
}

/// The JSON of an id as the text by which it is compared: 3, 3.0 and "3" are one. None where it is no id.
pub fn id(json: &str) -> Option<String> {
    read_id(&parse(json.as_bytes()).ok()?).ok()?
}

pub(super) fn read_id(value: &Json) -> Checked<Option<String>> {
    match value {
        Json::Null => Ok(None),
        Json::Text(text) => Ok(Some(text.clone())),
        Json::Number(text) => match integer(text) {
            Some(value) => Ok(Some(value.to_string())),
            None if is_plain(text) => Ok(Some(text.clone())),
            None if !float(text).is_finite() => Err("not_finite"),
            None => Err("bad_field"),
        },
        _ => Err("bad_field"),
    }
}

/// The numbers of a list; a code for anything else among them, and for more than `most`.
pub(super) fn numbers(value: &Json, most: usize) -> Checked<Vec<f64>> {
    let Json::List(items) = value else {
        return Err("bad_field");
    };
    let number = |item: &Json| match item {
        Json::Number(text) => Ok(float(text)),
        _ => Err("bad_field"),
    };
    if items.len() > most {
        return Err("bad_field");
    }
    items.iter().map(number).collect()
}

pub(super) fn read_bbox(value: &Json) -> Checked<Option<[f64; 4]>> {
    if *value == Json::Null {
        return Ok(None);
    }
    let found = numbers(value, 4)?;
    if found.is_empty() {
        return Ok(None);
    }
    let [x, y, w, h] = found[..].try_into().map_err(|_| "bad_field")?;
    match [x, y, w, h] {
        values if !values.iter().all(|value| value.is_finite()) => Err("not_finite"),
        _ if w < 0.0 || h < 0.0 => Err("negative_box"),
        values => Ok(Some(values)),
    }
}

/// x, y, x, y, ... of keypoints; none where all numbers are zero.
pub(super) fn keypoints(value: &Json) -> Checked<Vec<f64>> {
    if *value == Json::Null {
        return Ok(Vec::new());
    }
    let found = numbers(value, usize::MAX)?;
    if !found.len().is_multiple_of(3) {
        return Err("bad_field");
    }
    if !found.iter().all(|value| value.is_finite()) {
        return Err("not_finite");
    }
    let labelled = found.iter().any(|value| *value != 0.0);
    Ok(found
        .chunks(3)
        .filter(|_| labelled)
        .flat_map(|point| [point[0], point[1]])
        .collect())
}

pub(super) fn angle(value: &Json) -> Checked<()> {
    match value {
        Json::Null => Ok(()),
        Json::Number(text) if float(text).is_finite() => Ok(()),
        Json::Number(_) => Err("not_finite"),
        _ => Err("bad_field"),
    }
}

pub(super) fn read_track(value: &Json) -> Checked<Option<String>> {
    match value {
        Json::Number(text) if text == "NaN" => Ok(None),
        value => read_id(value),
    }
}

pub(super) fn read_score(value: &Json) -> Checked<Option<f64>> {
    match value {
        Json::Null => Ok(None),
        Json::Number(text) => match float(text) {
            score if !score.is_finite() => Err("not_finite"),
            score => Ok(Some(score)),
        },
        _ => Err("bad_field"),
    }
}

pub(super) fn flag(value: &Json) -> Checked<bool> {
    match value {
        Json::Null => Ok(false),
        Json::Bool(set) => Ok(*set),
        Json::Number(text) if float(text).is_finite() => Ok(float(text) != 0.0),
        Json::Number(_) => Err("not_finite"),
        _ => Err("bad_field"),
    }
}
