//! Parquet files: a row group after the other, of each column a page after the other.

mod pages;
mod thrift;

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::arrow::{parquet_to_arrow_field_levels, parquet_to_arrow_schema, FieldLevels, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use self::pages::RowGroup;
use self::thrift::is_bounded_footer;
use super::caught::caught;
use crate::batch::{check_columns, is_column, VERSION_KEY};
use crate::error::{Error, Result};
use crate::source::{most_from, Anywhere, SourceFile};

/// Rows of a batch. A batch ends where its row group does.
const BATCH_ROWS: usize = 1 << 14;

const MAGIC: &[u8; 4] = b"PAR1";
const ENCRYPTED_MAGIC: &[u8; 4] = b"PARE";

/// Bytes of the footer's length and of the magic word behind it.
const TAIL_BYTES: u64 = 8;

/// An open Parquet file. Copies share what was read of it.
#[derive(Debug, Clone)]
pub struct ParquetFile {
    input: SourceFile,
    file: Anywhere,
    metadata: Arc<ParquetMetaData>,
    levels: Arc<FieldLevels>,
    /// Of each row group, the rows of the file up to its end.
    ends: Arc<[u64]>,
}

impl ParquetFile {
    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Source`] for what is not a Parquet file, is damaged, or claims more than its bytes can hold;
    /// [`Error::Schema`] for columns that a table does not have.
    pub fn open(input: &SourceFile) -> Result<Self> {
        let file = input.anywhere()?;
        let (footer_at, footer) = footer(input, &file)?;
        let damaged = |cause: String| {
            let message = format!("the footer of this Parquet file is damaged: {cause}");
            input.error(footer_at, message)
        };
        if !is_bounded_footer(&footer) {
            return Err(damaged("it claims more than its bytes can hold".to_owned()));
        }
        let metadata = caught(|| ParquetMetaDataReader::decode_metadata(&footer)).map_err(&damaged)?;
        let metadata = metadata.map_err(|cause| damaged(told(&cause)))?;
        let ends = ends_of(&metadata).map_err(&damaged)?;
        let rows = ends.last().copied().unwrap_or(0);
        let most = most_from(file.len_bytes());
        if rows > most {
            return Err(damaged(format!("it claims {rows} rows; expected at most {most}")));
        }
        let schema =
            caught(|| parquet_to_arrow_schema(metadata.file_metadata().schema_descr(), None)).map_err(&damaged)?;
        let schema = schema.map_err(|cause| damaged(told(&cause)))?;
        let pairs = metadata.file_metadata().key_value_metadata();
        let version = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == VERSION_KEY));
        let version = version.and_then(|pair| pair.value.as_deref());
        check_columns(schema.fields(), version, rows > 0).map_err(|cause| cause.in_file(input.name()))?;
        let levels = caught(|| levels(&metadata, &schema)).map_err(&damaged)?;
        Ok(Self {
            input: input.clone(),
            file,
            levels: Arc::new(levels.map_err(|cause| damaged(told(&cause)))?),
            metadata: Arc::new(metadata),
            ends: ends.into(),
        })
    }

    /// Of each row group, the rows of the file up to its end by what the footer says; reading fails if there are others.
    pub fn ends(&self) -> &[u64] {
        &self.ends
    }

    /// Bytes of the file.
    pub fn len_bytes(&self) -> u64 {
        self.file.len_bytes()
    }

    /// The batches of some row groups, in their order.
    pub fn batches(&self, row_groups: Range<usize>) -> ParquetBatches {
        ParquetBatches {
            rest: row_groups.start..row_groups.end.min(self.ends.len()),
            file: self.clone(),
            group: None,
        }
    }

    fn open_group(&self, index: usize) -> std::result::Result<Group, String> {
        let group = RowGroup {
            file: &self.file,
            metadata: &self.metadata,
            index,
        };
        let reader =
            caught(|| ParquetRecordBatchReader::try_new_with_row_groups(&self.levels, &group, BATCH_ROWS, None))?;
        Ok(Group {
            index,
            reader: reader.map_err(|cause| cause.to_string())?,
            rows: 0,
        })
    }

    /// What reading a row group failed with.
    fn failed(&self, group: usize, cause: &str) -> Error {
        let columns = self.metadata.row_group(group).columns().iter();
        let starts = columns.map(|column| column.dictionary_page_offset().unwrap_or(column.data_page_offset()));
        let at = starts.filter_map(|start| u64::try_from(start).ok()).min();
        let message = format!("row group {group} of this Parquet file is damaged: {cause}");
        self.input.error(at.unwrap_or(0), message)
    }
}

/// The batches of a file, none larger than 16,384 rows. After an error there are none.
#[derive(Debug)]
pub struct ParquetBatches {
    file: ParquetFile,
    rest: Range<usize>,
    group: Option<Group>,
}

/// A row group that is being read.
struct Group {
    index: usize,
    reader: ParquetRecordBatchReader,
    /// Rows that it gave so far.
    rows: u64,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { index, rows, .. } = self;
        f.debug_struct("Group")
            .field("index", index)
            .field("rows", rows)
            .finish_non_exhaustive()
    }
}

impl ParquetBatches {
    /// The next batch of a row group; none at its end, which is where the footer says.
    fn next_of(&self, group: &mut Group) -> std::result::Result<Option<RecordBatch>, String> {
        let batch = caught(|| group.reader.next())?
            .transpose()
            .map_err(|cause| cause.to_string())?;
        group.rows += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        let expected = self.file.metadata.row_group(group.index).num_rows() as u64;
        let is_over = group.rows > expected || (batch.is_none() && group.rows < expected);
        if is_over {
            let found = group.rows;
            return Err(format!(
                "the footer says that it has {expected} rows, and it has {found}"
            ));
        }
        Ok(batch)
    }
}

impl Iterator for ParquetBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (index, next) = match self.group.take() {
                Some(mut group) => {
                    let next = self.next_of(&mut group);
                    (group.index, next.map(|batch| batch.map(|batch| (group, batch))))
                }
                None => {
                    let index = self.rest.next()?;
                    let opened = self.file.open_group(index);
                    match opened {
                        Ok(group) => {
                            self.group = Some(group);
                            continue;
                        }
                        Err(cause) => (index, Err(cause)),
                    }
                }
            };
            match next {
                Ok(Some((group, batch))) => {
                    self.group = Some(group);
                    return Some(Ok(batch));
                }
                Ok(None) => {}
                Err(cause) => {
                    self.rest = 0..0;
                    return Some(Err(self.file.failed(index, &cause)));
                }
            }
        }
    }
}

/// The footer of a file and the byte where it begins.
fn footer(input: &SourceFile, file: &Anywhere) -> Result<(u64, Vec<u8>)> {
    let len = file.len_bytes();
    let read = |at, len| file.read(at, len).map_err(|cause| input.failed(at, cause));
    let not_one = |at, message: &str| Err(input.error(at, format!("this is not a Parquet file: {message}")));
    if len < MAGIC.len() as u64 + TAIL_BYTES || read(0, MAGIC.len())? != MAGIC {
        return not_one(0, "expected it to begin with PAR1");
    }
    let tail_at = len - TAIL_BYTES;
    let tail = read(tail_at, TAIL_BYTES as usize)?;
    let (footer_len, magic) = tail.split_at(4);
    if magic == ENCRYPTED_MAGIC {
        return not_one(tail_at, "its footer is encrypted; write it without encryption");
    }
    if magic != MAGIC {
        return not_one(tail_at, "expected it to end with PAR1; it may be cut off");
    }
    let footer_len = footer_len.iter().rev().fold(0, |len, &byte| len << 8 | u64::from(byte));
    match tail_at.checked_sub(footer_len) {
        Some(at) if at >= MAGIC.len() as u64 => Ok((at, read(at, footer_len as usize)?)),
        _ => not_one(
            tail_at,
            &format!("its footer is said to have {footer_len} bytes, the file has {len}"),
        ),
    }
}

/// The rows up to the end of each row group, if they come to what the footer gives for the file.
fn ends_of(metadata: &ParquetMetaData) -> std::result::Result<Vec<u64>, String> {
    let count = |rows: i64| u64::try_from(rows).map_err(|_| format!("it claims {rows} rows"));
    let rows = count(metadata.file_metadata().num_rows())?;
    let mut sum = 0_u64;
    let mut ends = Vec::with_capacity(metadata.num_row_groups());
    for group in metadata.row_groups() {
        sum = sum.saturating_add(count(group.num_rows())?);
        ends.push(sum);
    }
    if sum != rows {
        return Err(format!(
            "it says that the file has {rows} rows, and its row groups have {sum}"
        ));
    }
    Ok(ends)
}

/// How the columns of a table are read from the file's. Others are not read at all.
fn levels(metadata: &ParquetMetaData, schema: &Schema) -> std::result::Result<FieldLevels, ParquetError> {
    let columns = metadata.file_metadata().schema_descr();
    let fields = schema.fields().iter().enumerate();
    let known = fields
        .filter(|(_, field)| is_column(field.name()))
        .map(|(index, _)| index);
    let mask = ProjectionMask::roots(columns, known);
    let hint: Fields = schema.fields().iter().map(|field| as_views(field)).collect();
    parquet_to_arrow_field_levels(columns, mask, Some(&hint))
}

/// A field whose texts and bytes are views, at any depth: those of a page are then not copied one by one.
fn as_views(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        DataType::List(item) => DataType::List(Arc::new(as_views(item))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| as_views(field)).collect()),
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

fn told(cause: &ParquetError) -> String {
    match cause {
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::NYI(text) => text.clone(),
        other => other.to_string(),
    }
}
