//! A row as JSON: a line of NDJSON, and how a row of a table stands in a reject file. Members that are null are left out.

use serde_json::{json, Map, Value};

use super::{Annotation, AttributeValue, Kind};

/// Writes a row. What is no number in JSON (NaN) is null.
pub fn row_json(row: &Annotation<'_>, attributes: &[AttributeValue<'_>]) -> String {
    Value::Object(row_members(row, attributes)).to_string()
}

/// The members of a row's JSON.
pub(crate) fn row_members(row: &Annotation<'_>, attributes: &[AttributeValue<'_>]) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    put("media", json!(row.media));
    put("frame", json!(row.frame));
    put("frame_last", json!(row.frame_last));
    // What draws nothing and has attributes would be taken for an answer.
    let draws = row.bbox.is_some() || row.points.is_some() || row.rle.is_some();
    if row.kind == Kind::Answer || !draws {
        put("kind", json!(row.kind.as_str()));
    }
    put("class", json!(row.class));
    put("track", json!(row.track));
    put("score", json!(row.score));
    put("shape", json!(row.shape.map(super::Shape::as_str)));
    if row.bbox.is_some() || row.points.is_some() {
        put("unit", json!(row.unit.as_str()));
    }
    put("width_px", json!(row.width_px));
    put("height_px", json!(row.height_px));
    put("box", json!(row.bbox));
    put("theta", json!(row.theta));
    let points = row
        .points
        .map(|points| points.iter().map(Iterator::collect).collect::<Vec<Vec<_>>>());
    put("points", json!(points));
    put("visibility", json!(row.visibility));
    put("rle", json!(row.rle.map(String::from_utf8_lossy)));
    put("rle_order", json!(row.rle_order.map(super::RleOrder::as_str)));
    let attributes: Vec<Value> = attributes.iter().map(attribute_json).collect();
    if !attributes.is_empty() {
        put("attributes", Value::Array(attributes));
    }
    put("annotation_id", json!(row.annotation_id));
    members
}

fn attribute_json(attribute: &AttributeValue<'_>) -> Value {
    let mut members = Map::new();
    members.insert("name".to_owned(), json!(attribute.name));
    members.insert("value".to_owned(), json!(attribute.value));
    for (name, frame) in [("frame", attribute.frame), ("frame_last", attribute.frame_last)] {
        if let Some(frame) = frame {
            members.insert(name.to_owned(), json!(frame));
        }
    }
    Value::Object(members)
}
