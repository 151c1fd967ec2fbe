//! Opens a source as the format that it is of.

use std::sync::Arc;

use super::parts::PartsReader;
use super::registry::named;
use super::{Batch, Format, Lists, Opened, Opening, Reader, Sure};
use crate::error::{Error, Result};
use crate::source::Source;

/// Opens a source as `format`, or as another one that its reader finds it to be of.
///
/// # Errors
/// [`Error::Option`] for an option that the format does not take, and what the format's own `open` returns.
pub fn open(mut format: &'static Format, mut opening: Opening<'_>) -> Result<(&'static Format, Box<dyn Reader>)> {
    if let (Source::Folder(folder), true) = (&opening.source, format.is_of_tables()) {
        let reader = PartsReader::new(format, folder.clone(), opening.label, opening.options);
        return Ok((format, named_reader(Box::new(reader), format.name.into())));
    }
    loop {
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
