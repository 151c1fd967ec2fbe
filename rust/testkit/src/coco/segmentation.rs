//! An annotation's segmentation: polygons or an RLE.

use super::values::{float, integer, numbers, Checked};
use crate::json::Json;

#[derive(Default)]
pub(super) struct Segmentation {
    pub polygons: Vec<Vec<f64>>,
    pub counts: Option<Vec<u8>>,
    pub size_hw: [Option<u32>; 2],
}

pub(super) fn segmentation(value: &Json) -> Checked<Segmentation> {
    let mut found = Segmentation::default();
    match value {
        Json::Null => {}
        Json::Text(text) if text.is_empty() => {}
        Json::List(rings) => {
            let mut wrong = None;
            for ring in rings {
                match read_ring(ring) {
                    Ok(ring) if ring.is_empty() => {}
                    Ok(ring) => found.polygons.push(ring),
                    Err(code) => drop(wrong.get_or_insert(code)),
                }
            }
            // A bad one beside good ones is left out.
            if let (true, Some(code)) = (found.polygons.is_empty(), wrong) {
                return Err(code);
            }
        }
        Json::Object(fields) if fields.is_empty() => {}
        Json::Object(fields) => {
            let mut size_hw = None;
            for (name, value) in fields {
                match name.as_str() {
                    "counts" => found.counts = counts(value)?,
                    "size" => size_hw = size(value)?,
                    _ => {}
                }
            }
            found.counts.as_ref().ok_or("missing_field")?;
            found.size_hw = size_hw.ok_or("missing_field")?.map(Some);
        }
        _ => return Err("bad_field"),
    }
    Ok(found)
}

fn read_ring(value: &Json) -> Checked<Vec<f64>> {
    let ring = numbers(value, usize::MAX)?;
    if ring.len() % 2 == 1 || (1..6).contains(&ring.len()) {
        return Err("bad_polygon");
    }
    if !ring.iter().all(|value| value.is_finite()) {
        return Err("not_finite");
    }
    Ok(ring)
}

fn counts(value: &Json) -> Checked<Option<Vec<u8>>> {
    let items = match value {
        Json::Null => return Ok(None),
        Json::Text(text) => return Ok(Some(text.clone().into_bytes())),
        Json::List(items) => items,
        _ => return Err("bad_field"),
    };
    let run = |item: &Json| {
        let Json::Number(text) = item else {
            return Err("bad_field");
        };
        let value = float(text);
        match integer(text).map(u32::try_from) {
            Some(Ok(run)) => Ok(run),
            _ if !value.is_finite() => Err("not_finite"),
            _ if value < 0.0 => Err("rle_negative"),
            _ if value.fract() != 0.0 => Err("rle_fraction"),
            _ => Err("rle_overflow"),
        }
    };
    let runs = items.iter().map(run).collect::<Checked<Vec<u32>>>()?;
    Ok(Some(crate::masks::rle_string(&runs).into_bytes()))
}

fn size(value: &Json) -> Checked<Option<[u32; 2]>> {
    if *value == Json::Null {
        return Ok(None);
    }
    let found = numbers(value, 2)?;
    let [h, w]: [f64; 2] = found[..].try_into().map_err(|_| "bad_field")?;
    if !(h.is_finite() && w.is_finite()) {
        return Err("not_finite");
    }
    let fits = |side: f64| side.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&side);
    match fits(h) && fits(w) {
        true => Ok(Some([h as u32, w as u32])),
        false => Err("rle_size"),
    }
}
