//! The messages of an Arrow IPC file or stream, found one after the other: where each is, and how many rows it says it has.
//!
//! A file has a footer that lists its messages. The list is compared with the messages that are there, so that a damaged one
//! hides no rows.
//! Source: "Serialization and Interprocess Communication" of Arrow's columnar format 1.5.

use std::collections::BTreeSet;

use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::{root_as_footer, root_as_message, Block, Message, MetadataVersion};
use arrow_schema::Schema;

use crate::error::Result;
use crate::formats::table::caught::caught;
use crate::source::{Anywhere, SourceFile};

const MAGIC: &[u8; 6] = b"ARROW1";

/// The magic word at the beginning of a file, and what fills it up.
const START: u64 = 8;

/// The footer's length and the magic word behind it.
const TAIL_BYTES: u64 = 10;

/// What feather files of the first version begin with.
const FEATHER_1_MAGIC: &[u8; 4] = b"FEA1";

/// Begins a message, before its length; older programs write the length alone.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Most bytes behind a stream's end that may fill it up to the footer.
const MOST_PADDING: u64 = 64;

/// What a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Batch { rows: u64 },
    Dictionary { id: i64, is_delta: bool },
}

/// A message behind the first one, which is the schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub holds: Holds,
    /// Where it begins, with the length of its description.
    at: u64,
    /// Where its description begins.
    pub description_at: u64,
    pub description_bytes: usize,
    /// Bytes of its arrays, which follow the description.
    pub body_bytes: u64,
}

impl Part {
    /// How many rows a batch says it has; none for a dictionary.
    pub fn rows(&self) -> Option<u64> {
        match self.holds {
            Holds::Batch { rows } => Some(rows),
            Holds::Dictionary { .. } => None,
        }
    }

    /// Whether it is a batch.
    pub fn is_batch(&self) -> bool {
        self.rows().is_some()
    }

    /// Where its arrays begin.
    pub fn body_at(&self) -> u64 {
        self.description_at + self.description_bytes as u64
    }
}

/// The messages of a file.
#[derive(Debug)]
pub(super) struct Messages {
    pub schema: Schema,
    pub parts: Vec<Part>,
    /// In a stream a dictionary holds for the batches behind it; in a file for all of them, wherever it is.
    pub is_stream: bool,
}

impl Messages {
    /// Finds the messages of `file`.
    pub fn find(input: &SourceFile, file: &Anywhere) -> Result<Self> {
        let walk = Walk { input, file };
        let mut head = [0; MAGIC.len()];
        let head = &mut head[..(file.len_bytes() as usize).min(MAGIC.len())];
        file.fill(0, head).map_err(|cause| input.failed(0, cause))?;
        if head.starts_with(FEATHER_1_MAGIC) {
            return walk.error(
                0,
                "this is a Feather file of version 1; write it as version 2, which is Arrow IPC",
            );
        }
        if head != MAGIC {
            return walk.stream();
        }
        walk.file()
    }
}

struct Walk<'a> {
    input: &'a SourceFile,
    file: &'a Anywhere,
}

impl Walk<'_> {
    fn error<T>(&self, at: u64, message: &str) -> Result<T> {
        Err(self.input.error(at, message))
    }

    fn read(&self, at: u64, len: usize) -> Result<Vec<u8>> {
        self.file.read(at, len).map_err(|cause| self.input.failed(at, cause))
    }

    fn damaged<T>(&self, at: u64, cause: &str) -> Result<T> {
        self.error(at, &format!("this Arrow table is damaged: {cause}"))
    }

    /// The description of the message at byte `at`, as its place and length; none where the stream ends. `end` is where it
    /// has to end at the latest.
    fn description(&self, at: u64, end: u64) -> Result<Option<(u64, usize)>> {
        let prefix = self.read(at, 4)?;
        let (at, len) = if prefix == CONTINUATION {
            (at + 8, self.read(at + 4, 4)?)
        } else {
            (at + 4, prefix)
        };
        let len = little_endian(&len);
        if len == 0 {
            return Ok(None);
        }
        if end.saturating_sub(at) < len {
            return self.damaged(
                at,
                &format!("a message of {len} bytes begins here, and the file is shorter"),
            );
        }
        Ok(Some((at, len as usize)))
    }

    /// The messages from byte `at` on, and the byte behind the mark that ends them; none where they end without, at `end`.
    fn parts(&self, mut at: u64, end: u64, version: MetadataVersion) -> Result<(Vec<Part>, Option<u64>)> {
        let mut parts = Vec::new();
        while at < end {
            let Some((description_at, description_bytes)) = self.description(at, end)? else {
                // The mark is a length of 0, with or without the word before it.
                let has_word = self.read(at, 4)? == CONTINUATION;
                return Ok((parts, Some(at + if has_word { 8 } else { 4 })));
            };
            let description = self.read(description_at, description_bytes)?;
            let message = match root_as_message(&description) {
                Ok(message) => message,
                Err(cause) => return self.damaged(description_at, &cause.to_string()),
            };
            if message.version() != version {
                return self.damaged(description_at, "its messages are of several versions");
            }
            let body_at = description_at + description_bytes as u64;
            let body_bytes = u64::try_from(message.bodyLength()).ok();
            let Some(body_bytes) = body_bytes.filter(|&len| len <= end.saturating_sub(body_at)) else {
                let len = message.bodyLength();
                return self.damaged(
                    body_at,
                    &format!("{len} bytes of arrays begin here, and the file is shorter"),
                );
            };
            parts.push(Part {
                holds: self.holds(description_at, &message)?,
                at,
                description_at,
                description_bytes,
                body_bytes,
            });
            at = body_at + body_bytes;
        }
        Ok((parts, None))
    }

    fn schema(&self, at: u64, schema: arrow_ipc::Schema<'_>) -> Result<Schema> {
        if !schema.endianness().equals_to_target_endianness() {
            let message = "this Arrow table has the byte order of another kind of machine; write it on one like this";
            return self.error(at, message);
        }
        caught(|| fb_to_schema(schema)).or_else(|cause| self.damaged(at, &cause))
    }

    fn holds(&self, at: u64, message: &Message<'_>) -> Result<Holds> {
        if let Some(batch) = message.header_as_record_batch() {
            return match u64::try_from(batch.length()) {
                Ok(rows) => Ok(Holds::Batch { rows }),
                Err(_) => self.damaged(at, &format!("a batch claims {} rows", batch.length())),
            };
        }
        match message.header_as_dictionary_batch() {
            Some(dictionary) => Ok(Holds::Dictionary {
                id: dictionary.id(),
                is_delta: dictionary.isDelta(),
            }),
            None => self.damaged(at, "a message is neither a batch nor a dictionary"),
        }
    }

    fn stream(&self) -> Result<Messages> {
        const NOT_ONE: &str = "this is not an Arrow file or stream: it does not begin with ARROW1 or a schema";
        let len = self.file.len_bytes();
        let description = if len < 8 {
            None
        } else {
            self.description(0, len).ok().flatten()
        };
        let Some((at, description_bytes)) = description else {
            return self.error(0, NOT_ONE);
        };
        let description = self.read(at, description_bytes)?;
        let message = root_as_message(&description).ok();
        let Some((message, schema)) = message.and_then(|message| Some((message, message.header_as_schema()?))) else {
            return self.error(0, NOT_ONE);
        };
        let schema = self.schema(at, schema)?;
        let (parts, end) = self.parts(at + description_bytes as u64, len, message.version())?;
        match end {
            None => self.error(len, "this Arrow stream ends without its end mark; it may be cut off"),
            Some(end) if end < len => self.error(end, "bytes follow the end of this Arrow stream; expected none"),
            Some(_) => Ok(Messages {
                schema,
                parts,
                is_stream: true,
            }),
        }
    }

    fn file(&self) -> Result<Messages> {
        let len = self.file.len_bytes();
        if len < START + TAIL_BYTES {
            return self.error(len, "this Arrow file is cut off");
        }
        let tail_at = len - TAIL_BYTES;
        let tail = self.read(tail_at, TAIL_BYTES as usize)?;
        if !tail.ends_with(MAGIC) {
            return self.error(
                tail_at,
                "expected this Arrow file to end with ARROW1; it may be cut off",
            );
        }
        let footer_len = little_endian(&tail[..4]);
        let Some(footer_at) = tail_at.checked_sub(footer_len).filter(|&at| at >= START) else {
            let message = format!("its footer is said to have {footer_len} bytes, and the file has {len}");
            return self.damaged(tail_at, &message);
        };
        let footer = self.read(footer_at, footer_len as usize)?;
        let footer = match root_as_footer(&footer) {
            Ok(footer) => footer,
            Err(cause) => return self.damaged(footer_at, &cause.to_string()),
        };
        let Some(schema) = footer.schema() else {
            return self.damaged(footer_at, "its footer has no schema");
        };
        let schema = self.schema(footer_at, schema)?;
        let first = self.first_message(footer_at, footer_len, &schema)?;
        let (parts, end) = self.parts(first, footer_at, footer.version())?;
        let end = end.unwrap_or(footer_at);
        if footer_at - end > MOST_PADDING {
            return self.damaged(end, "its messages end here, and its footer begins later");
        }
        let batches = footer.recordBatches().into_iter().flatten();
        let batches: BTreeSet<i64> = batches.map(Block::offset).collect();
        let dictionaries = footer.dictionaries().into_iter().flatten();
        let dictionaries: BTreeSet<i64> = dictionaries.map(Block::offset).collect();
        let found = |is_batch: bool| -> BTreeSet<i64> {
            let parts = parts.iter().filter(|part| part.is_batch() == is_batch);
            parts.map(|part| part.at as i64).collect()
        };
        if (&batches, &dictionaries) != (&found(true), &found(false)) {
            let (listed, found) = (batches.len(), found(true).len());
            let message = format!("its footer lists {listed} batches, and it has {found}, or at other places");
            return self.damaged(footer_at, &message);
        }
        let mut ids = BTreeSet::new();
        for part in &parts {
            if let Holds::Dictionary { id, is_delta: false } = part.holds {
                if !ids.insert(id) {
                    return self.damaged(part.at, "a dictionary takes the place of another, as in streams only");
                }
            }
        }
        Ok(Messages {
            schema,
            parts,
            is_stream: false,
        })
    }

    /// The byte of the first message behind the schema of a file, which is the one in the footer, `expected`.
    ///
    /// polars writes the schema without the mark and length that begin a message, and arrow-rs fills up before it. So the
    /// first message is found by its mark, not farther away than the footer is long, which holds the same schema.
    fn first_message(&self, footer_at: u64, footer_len: u64, expected: &Schema) -> Result<u64> {
        let last = footer_at.min(START + footer_len + MOST_PADDING);
        for at in (START..=last).step_by(8) {
            let has_mark = footer_at - at >= 8 && self.read(at, 4)? == CONTINUATION;
            // What older programs write has no mark.
            if !has_mark && at > START {
                continue;
            }
            let (description_at, len) = match self.description(at, footer_at) {
                Ok(Some(description)) => description,
                // A file without batches.
                Ok(None) if has_mark && footer_at - at <= 8 + MOST_PADDING => return Ok(at),
                _ => continue,
            };
            let description = self.read(description_at, len)?;
            let Ok(message) = root_as_message(&description) else {
                continue;
            };
            let Some(schema) = message.header_as_schema() else {
                return Ok(at);
            };
            if self.schema(description_at, schema)? != *expected {
                return self.damaged(footer_at, "its footer has another schema than its beginning");
            }
            return Ok(description_at + len as u64);
        }
        self.damaged(START, "no message follows its schema")
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}
