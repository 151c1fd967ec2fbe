//! Opens a source as the format that it is of.

use std::sync::Arc;

use super::detect::detect;
use super::registry::named;
use super::{Batch, Format, Lists, Opened, Opening, Reader, Sure};
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
            (Opened::Reader(reader), _) => return Ok((format, named_reader(reader, format.name.into()))),
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

/// A reader whose batches name their format.
struct NamedReader {
    reader: Box<dyn Reader>,
    format: Arc<str>,
}

fn named_reader(reader: Box<dyn Reader>, format: Arc<str>) -> Box<dyn Reader> {
    Box::new(NamedReader { reader, format })
}

impl Reader for NamedReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut batch = self.reader.next_batch()?;
        if let Some(batch) = &mut batch {
            batch.format = Some(Arc::clone(&self.format));
            batch.name_rejects();
        }
        Ok(batch)
    }

    fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    fn lists(&self) -> Option<&dyn Lists> {
        self.reader.lists()
    }

    fn pieces(&mut self, at_most: usize) -> Result<Option<Vec<Box<dyn Reader>>>> {
        let pieces = self.reader.pieces(at_most)?;
        let named = |piece| named_reader(piece, Arc::clone(&self.format));
        Ok(pieces.map(|pieces| pieces.into_iter().map(named).collect()))
    }
}
