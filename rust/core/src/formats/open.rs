//! Opens a source as the format that it is of.

use super::detect::detect;
use super::registry::named;
use super::{Format, Opened, Opening, Reader, Sure};
use crate::error::{Error, Result};

/// Opens a source as `format`, or as the format that it is found to be of.
///
/// # Errors
/// [`Error::Option`] for an option that the format does not take, and what the format's own `open` returns.
pub fn open(format: Option<&'static Format>, mut opening: Opening<'_>) -> Result<(&'static Format, Box<dyn Reader>)> {
    let mut format = match format {
        Some(named) => named,
        None => {
            let (found, sure) = detect(&opening.source);
            opening.sure = sure;
            found
        }
    };
    loop {
        format.check_options(opening.options)?;
        let again = opening.source.file().cloned();
        let Opening {
            label,
            options,
            project,
            beside,
            ..
        } = opening;
        match ((format.open)(opening)?, again) {
            (Opened::Reader(reader), _) => return Ok((format, reader)),
            (Opened::This(name), Some(file)) => {
                format = named(name)?;
                opening = Opening {
                    source: file.into(),
                    label,
                    options,
                    project,
                    beside,
                    sure: Sure::Yes,
                };
            }
            (Opened::This(name), None) => {
                return Err(Error::Plan(format!("{label}: it is of the format {name}; name that")))
            }
        }
    }
}
