//! Opens a source as the format that it is of.

use std::sync::Arc;

use super::parts::PartsReader;
use super::registry::named;
use super::{Batch, Format, Lists, OpenPiece, Opened, Opening, ReadOptions, Reader, Scores, Sure};
use crate::error::{Error, Result};
use crate::source::Source;

/// Opens a source as `format`, or as another one that its reader finds it to be of.
///
/// # Errors
/// [`Error::Option`] for an option that the format does not take, and what the format's own `open` returns.
pub fn open(mut format: &'static Format, mut opening: Opening<'_>) -> Result<(&'static Format, Box<dyn Reader>)> {
    if let (Source::Folder(folder), true) = (&opening.source, format.is_of_tables()) {
        let reader = PartsReader::new(format, folder.clone(), opening.label, opening.options);
        return Ok((format, settled(Box::new(reader), format, opening.options)));
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
            (Opened::Reader(reader), _) => {
                return Ok((format, settled(reader, format, options)));
            }
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

fn settled(reader: Box<dyn Reader>, format: &Format, options: &ReadOptions) -> Box<dyn Reader> {
    Box::new(SettledReader {
        reader,
        format: format.name.into(),
        scores: options.score,
    })
}

/// A reader whose batches name their format, and whose confidences are numbers from 0 to 1.
struct SettledReader {
    reader: Box<dyn Reader>,
    format: Arc<str>,
    scores: Scores,
}

impl Reader for SettledReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let Some(mut batch) = self.reader.next_batch()? else {
            return Ok(None);
        };
        batch.format = Some(Arc::clone(&self.format));
        let mut batch = self.scores.settle(batch)?;
        batch.name_rejects();
        Ok(Some(batch))
    }

    fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    fn lists(&self) -> Option<&dyn Lists> {
        self.reader.lists()
    }

    fn pieces(&mut self, len_bytes: u64) -> Result<Option<Vec<OpenPiece>>> {
        let settled = |open: OpenPiece| -> OpenPiece {
            let (format, scores) = (Arc::clone(&self.format), self.scores);
            Box::new(move || {
                let reader = open()?;
                Ok(Box::new(Self { reader, format, scores }))
            })
        };
        let pieces = self.reader.pieces(len_bytes)?;
        Ok(pieces.map(|pieces| pieces.into_iter().map(settled).collect()))
    }
}
