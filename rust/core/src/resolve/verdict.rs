//! What became of what a source names.

use crate::reject::Reason;

/// What became of a name, or of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<T> {
    /// It leads somewhere.
    Found(T),
    /// The user asked to leave it out, for this reason.
    Filtered(&'static str),
    /// It cannot be written.
    Reject(Reason),
}
