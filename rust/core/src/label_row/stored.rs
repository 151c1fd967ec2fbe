//! Whether the server holds a label, and when two values are the same.

use serde_json::{Number, Value};

/// Whether the server holds a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stored {
    No,
    Same,
    /// With other content in these members.
    Changed(Vec<&'static str>),
}

/// Equality that takes numbers as numbers (1 is 1.0) and objects whatever their order.
pub(super) fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        _ => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    a == b || a.as_f64() == b.as_f64()
}
