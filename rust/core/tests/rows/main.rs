//! Rows from open tables and from lines of JSON: what may be left out, what is told, and what is wrong with a row.

#![allow(clippy::unwrap_used)]

mod lines;
mod open_tables;

use ropewalk_core::batch::row_json;
use ropewalk_core::error::Error;
use ropewalk_core::formats::{Batch, Reader};
use serde_json::{json, Value};

/// Reads everything: rows as JSON with their source and offset, and rejects as (code, offset, annotation).
fn read_all(source: &mut dyn Reader) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    while let Some(batch) = source.next_batch()? {
        let Batch {
            rows: batch,
            rejects: refused,
            ..
        } = batch.checked()?;
        for at in 0..batch.len() {
            let row = batch.row(at);
            let attributes: Vec<_> = batch.attributes(at).collect();
            let mut value: Value = serde_json::from_str(&row_json(&row, &attributes)).unwrap();
            value["source"] = json!(row.source);
            value["offset"] = json!(row.offset);
            rows.push(value);
        }
        for reject in refused {
            let line: Value = serde_json::from_str(&reject.to_json_line()).unwrap();
            rejects.push(json!([line["code"], line["byte"], line["annotation"]]));
        }
    }
    Ok((rows, rejects))
}
