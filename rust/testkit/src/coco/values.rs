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

/// A number, also one given as text; none for anything else.
pub(super) fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(text) => Some(float(text)),
        // Escapes do not belong into numbers; what stands between them does not parse either.
        Json::Text(text) => text.trim_ascii().parse().ok(),
        _ => None,
    }
}

/// The numbers of a list; a code for anything else among them, and for more than `most`.
pub(super) fn numbers(value: &Json, most: usize) -> Checked<Vec<f64>> {
    let Json::List(items) = value else {
        return Err("bad_field");
    };
    if items.len() > most {
        return Err("bad_field");
    }
    items.iter().map(|item| number(item).ok_or("bad_field")).collect()
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

/// x, y, x, y, ... of keypoints; where a point is that is not in the picture does not matter. A code also where all are zero.
pub(super) fn keypoints(value: &Json) -> Checked<Vec<f64>> {
    let items = match value {
        Json::Null => return Err("no_keypoints"),
        Json::List(items) => items,
        _ => return Err("bad_field"),
    };
    let given = items.iter().map(|item| match item {
        Json::Null => Ok(f64::NAN),
        item => number(item).ok_or("bad_field"),
    });
    let mut found = given.collect::<Checked<Vec<f64>>>()?;
    if !found.len().is_multiple_of(3) {
        return Err("bad_field");
    }
    for point in found.chunks_mut(3) {
        let places = point[..2].iter().filter(|place| place.is_finite()).count();
        let absent = point[2] <= 0.0 || (point[2].is_nan() && places == 0);
        if absent && places < 2 {
            point.fill(0.0);
        }
    }
    if !found.iter().all(|value| value.is_finite()) {
        return Err(if items.contains(&Json::Null) {
            "bad_field"
        } else {
            "not_finite"
        });
    }
    if found.iter().all(|value| *value == 0.0) {
        return Err("no_keypoints");
    }
    Ok(found.chunks(3).flat_map(|point| [point[0], point[1]]).collect())
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
        value => match number(value).ok_or("bad_field")? {
            score if !score.is_finite() => Err("not_finite"),
            score => Ok(Some(score)),
        },
    }
}

pub(super) fn flag(value: &Json) -> Checked<bool> {
    match value {
        Json::Null => Ok(false),
        Json::Bool(set) => Ok(*set),
        Json::Text(text) if text.trim_ascii().eq_ignore_ascii_case("true") => Ok(true),
        Json::Text(text) if text.trim_ascii().eq_ignore_ascii_case("false") => Ok(false),
        value => match number(value).ok_or("bad_field")? {
            flag if flag.is_finite() => Ok(flag != 0.0),
            _ => Err("not_finite"),
        },
    }
}
