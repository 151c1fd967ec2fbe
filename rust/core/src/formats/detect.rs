//! Which format a source is of.

use super::looks::unknown;
use super::registry::FORMATS;
use super::{Format, Head, Sure};
use crate::error::{Error, Result};
use crate::source::SourceFile;

/// The format that a file is of, and how sure it is. One that is sure beats any that may be.
///
/// # Errors
/// [`Error::Unknown`] where no format claims it, [`Error::Plan`] where several do, and what reading its beginning returns.
pub fn detect(file: &SourceFile) -> Result<(&'static Format, Sure)> {
    let head = Head::of(file)?;
    claimed(&head, file.name())?.ok_or_else(|| unknown(file, &head))
}

/// The format that claims a beginning; none where none does.
///
/// # Errors
/// [`Error::Plan`] where several do.
pub(super) fn claimed(head: &Head, source_name: &str) -> Result<Option<(&'static Format, Sure)>> {
    let claims: Vec<_> = FORMATS.iter().map(|&format| (format, (format.detect)(head))).collect();
    let surest = claims
        .iter()
        .map(|(_, sure)| *sure)
        .max()
        .filter(|sure| *sure != Sure::No);
    let Some(surest) = surest else {
        return Ok(None);
    };
    let mut those = claims.iter().filter(|(_, sure)| *sure == surest);
    match (those.next(), those.next()) {
        (Some(&only), None) => Ok(Some(only)),
        (Some((one, _)), Some((other, _))) => Err(Error::Plan(format!(
            "{source_name} may be {} or {}; say which by --format",
            one.name, other.name
        ))),
        (None, _) => Ok(None),
    }
}
