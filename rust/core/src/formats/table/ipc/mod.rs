//! Arrow IPC (also called Feather version 2), files and streams: a batch after the other, as the writer made them.

mod messages;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::{read_dictionary, RecordBatchDecoder};
use arrow_ipc::root_as_message;
use arrow_schema::{ArrowError, Fields, Schema, SchemaRef};

use self::messages::{Holds, Messages, Part};
use super::caught::caught;
use crate::batch::{check_columns, is_column, VERSION_KEY};
use crate::error::Result;
use crate::source::{most_from, Anywhere, SourceFile};

/// An open Arrow file or stream. Copies share what was read of it.
#[derive(Debug, Clone)]
pub struct ArrowFile {
    input: SourceFile,
    file: Anywhere,
    messages: Arc<Messages>,
    schema: SchemaRef,
    /// Numbers of the columns that a table has. Others are not decoded.
    columns: Arc<[usize]>,
    /// Of each batch, the rows of the file up to its end.
    ends: Arc<[u64]>,
}

impl ArrowFile {
    /// Opens a file and finds its batches.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`]; [`crate::error::Error::Source`] for what is neither an Arrow file nor a stream, is damaged, or claims more than its
    /// bytes can hold; [`crate::error::Error::Schema`] for columns that a table does not have.
    pub fn open(input: &SourceFile) -> Result<Self> {
        let file = input.anywhere()?;
        let mut messages = Messages::find(input, &file)?;
        let batches = messages.parts.iter().filter_map(Part::rows);
        let ends: Vec<u64> = batches
            .scan(0_u64, |sum, rows| {
                *sum = sum.saturating_add(rows);
                Some(*sum)
            })
            .collect();
        let rows = ends.last().copied().unwrap_or(0);
        let most = most_from(file.len_bytes());
        if rows > most {
            return Err(input.error(
                0,
                format!("this Arrow table claims {rows} rows; expected at most {most}"),
            ));
        }
        let schema = Arc::new(messages.schema.clone());
        let version = schema.metadata().get(VERSION_KEY).map(String::as_str);
        check_columns(schema.fields(), version, rows > 0).map_err(|cause| cause.in_file(input.name()))?;
        let fields = schema.fields().iter().enumerate();
        let columns: Vec<usize> = fields
            .filter(|(_, field)| is_column(field.name()))
            .map(|(index, _)| index)
            .collect();
        let known = Schema::new(
            columns
                .iter()
                .map(|&index| Arc::clone(&schema.fields()[index]))
                .collect::<Fields>(),
        );
        messages.parts.retain(|part| is_used(part, &known));
        Ok(Self {
            input: input.clone(),
            file,
            columns: columns.into(),
            schema,
            messages: Arc::new(messages),
            ends: ends.into(),
        })
    }

    /// Of each batch, the rows of the file up to its end by what the batches say; reading fails if there are others.
    pub fn ends(&self) -> &[u64] {
        &self.ends
    }

    /// Bytes of the file.
    pub fn len_bytes(&self) -> u64 {
        self.file.len_bytes()
    }

    /// Some of the batches, in their order.
    pub fn batches(&self, batches: Range<usize>) -> ArrowBatches {
        let Messages { parts, is_stream, .. } = self.messages.as_ref();
        let mut wanted = Vec::new();
        let mut passed = 0;
        for part in parts {
            // A stream's dictionaries are needed by the batches behind them, a file's by all.
            let is_wanted = if part.is_batch() {
                batches.contains(&passed)
            } else {
                !is_stream || passed < batches.end
            };
            passed += usize::from(part.is_batch());
            if is_wanted {
                wanted.push(*part);
            }
        }
        if !is_stream {
            wanted.sort_by_key(Part::is_batch);
        }
        ArrowBatches {
            file: self.clone(),
            parts: wanted.into_iter(),
            dictionaries: HashMap::new(),
        }
    }
}

/// The batches of a file, as large as they are in it. After an error there are none.
#[derive(Debug)]
pub struct ArrowBatches {
    file: ArrowFile,
    /// What is not read yet.
    parts: std::vec::IntoIter<Part>,
    /// As of the parts that were read.
    dictionaries: HashMap<i64, ArrayRef>,
}

impl ArrowBatches {
    /// Reads a part. Gives nothing for a dictionary, which the batches behind it use.
    fn read(&mut self, part: Part) -> Result<Option<RecordBatch>> {
        let ArrowFile { input, file, .. } = &self.file;
        let read = |at, len| file.read(at, len).map_err(|cause| input.failed(at, cause));
        let description = read(part.description_at, part.description_bytes)?;
        let body_bytes = usize::try_from(part.body_bytes).unwrap_or(usize::MAX);
        let body = Buffer::from_vec(read(part.body_at(), body_bytes)?);
        let decoded =
            caught(|| self.decode(&description, &body)).and_then(|decoded| decoded.map_err(|e| e.to_string()));
        let decoded = decoded.and_then(|batch| match &batch {
            Some(batch) if part.rows() != Some(batch.num_rows() as u64) => {
                Err("it has another number of rows than it had before".to_owned())
            }
            _ => Ok(batch),
        });
        decoded.map_err(|cause| {
            let message = format!("a batch of this Arrow table is damaged: {cause}");
            self.file.input.error(part.body_at(), message)
        })
    }

    fn decode(&mut self, description: &[u8], body: &Buffer) -> std::result::Result<Option<RecordBatch>, ArrowError> {
        let damaged = |cause: String| ArrowError::IpcError(cause);
        let message = root_as_message(description).map_err(|cause| damaged(cause.to_string()))?;
        let version = message.version();
        let dictionary = message.header_as_dictionary_batch();
        let batch = match dictionary {
            Some(dictionary) => dictionary.data(),
            None => message.header_as_record_batch(),
        };
        let batch = batch.ok_or_else(|| damaged("it has no arrays".to_owned()))?;
        check_sizes(&batch, body).map_err(damaged)?;
        if let Some(dictionary) = dictionary {
            read_dictionary(body, dictionary, &self.file.schema, &mut self.dictionaries, &version)?;
            return Ok(None);
        }
        let decoder =
            RecordBatchDecoder::try_new(body, batch, Arc::clone(&self.file.schema), &self.dictionaries, &version)?;
        decoder
            .with_projection(Some(&self.file.columns))
            .read_record_batch()
            .map(Some)
    }
}

impl Iterator for ArrowBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let part = self.parts.next()?;
            match self.read(part) {
                Ok(None) => {}
                Ok(Some(batch)) => return Some(Ok(batch)),
                Err(error) => {
                    self.parts = Vec::new().into_iter();
                    return Some(Err(error));
                }
            }
        }
    }
}

/// Whether a part is a batch, or a dictionary of some of `columns`.
#[allow(deprecated)] // There is no other way to the number of a field's dictionary.
fn is_used(part: &Part, columns: &Schema) -> bool {
    match part.holds {
        Holds::Batch { .. } => true,
        Holds::Dictionary { id, .. } => !columns.fields_with_dict_id(id).is_empty(),
    }
}

/// Checks where the arrays of a batch are and, if they are compressed, what they claim to decode to.
fn check_sizes(batch: &arrow_ipc::RecordBatch<'_>, body: &Buffer) -> std::result::Result<(), String> {
    let is_compressed = batch.compression().is_some();
    let mut decoded = 0_u64;
    for buffer in batch.buffers().into_iter().flatten() {
        let (at, len) = (buffer.offset(), buffer.length());
        let range = usize::try_from(at).ok().zip(usize::try_from(len).ok());
        let range = range.and_then(|(at, len)| body.get(at..at.checked_add(len)?));
        let Some(bytes) = range else {
            return Err(format!(
                "an array of {len} bytes is said to begin at {at} of {}",
                body.len()
            ));
        };
        if let (true, Some(claim)) = (is_compressed, bytes.first_chunk::<8>()) {
            // -1 stands for bytes that are not compressed.
            let claim = u64::try_from(i64::from_le_bytes(*claim)).unwrap_or(0);
            decoded = decoded.saturating_add(claim);
        }
    }
    let (stored, most) = (body.len() as u64, most_from(body.len() as u64));
    if decoded > most {
        return Err(format!(
            "{stored} bytes claim to decode to {decoded}; expected at most {most}"
        ));
    }
    Ok(())
}
