//! What sources hold: sums over their rows, by format.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use ropewalk_core::formats::Batch;
use ropewalk_core::inspect::Survey as Rows;
use serde_json::{json, Map, Value};

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Survey>()
}

/// Sums over the sources that were read into it.
#[pyclass(module = "ropewalk._core")]
#[derive(Default)]
pub(crate) struct Survey {
    formats: BTreeMap<&'static str, OfFormat>,
}

/// Sums over the documents of one format.
#[derive(Default)]
struct OfFormat {
    rows: Rows,
    /// Rejects by code: how many, and what the first one says.
    rejects: BTreeMap<&'static str, (u64, String)>,
}

impl Survey {
    pub fn add(&mut self, format: &'static str, batch: &Batch) {
        let of_format = self.formats.entry(format).or_default();
        of_format.rows.add(&batch.rows);
        for reject in &batch.rejects {
            let count = |(count, _): &mut (u64, String)| *count += 1;
            let first = || (1, reject.reason.to_string());
            let known = of_format.rejects.entry(reject.reason.code());
            known.and_modify(count).or_insert_with(first);
        }
    }
}

#[pymethods]
impl Survey {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn to_json(&self) -> String {
        let of_format = |of: &OfFormat| {
            let rejects = of.rejects.iter();
            let rejects: Map<_, _> = rejects
                .map(|(code, (count, first))| ((*code).to_owned(), json!({"count": count, "first": first})))
                .collect();
            json!({"rows": of.rows.surveyed(), "rejects": rejects})
        };
        let formats = self.formats.iter();
        let formats: Map<_, _> = formats.map(|(name, of)| ((*name).to_owned(), of_format(of))).collect();
        Value::Object(formats).to_string()
    }
}
