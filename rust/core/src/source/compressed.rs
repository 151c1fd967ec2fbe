//! Compressed sources, gzip and Zstandard: told by their first bytes, whatever they are called, and decoded as they are
//! read.

use std::io::{BufReader, Error, ErrorKind, Read, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::bounds::{most_from, MOST_GROWTH};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Compressed bytes read at a time.
const BLOCK_BYTES: usize = 1 << 17;

/// Largest window of a Zstandard frame, as a power of two: 128 MiB, what its own tools take unless told otherwise.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How a source is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// Most bytes that [`Self::of`] looks at.
    pub const HEAD_BYTES: usize = ZSTD.len();

    /// Tells by the first bytes of a source; JSON begins with none of these.
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&GZIP) {
            Some(Self::Gzip)
        } else if head.starts_with(&ZSTD) {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    /// A reader of what `source` decodes to, and the number of its bytes that were taken so far.
    pub fn decoded<R: Read + Send + Sync + 'static>(
        self,
        source: R,
    ) -> Result<(Box<dyn Read + Send + Sync>, Consumed)> {
        let consumed = Consumed::default();
        let source = Counted {
            source,
            consumed: consumed.clone(),
        };
        let decoder: Box<dyn Read + Send + Sync> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BLOCK_BYTES, source))),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(BufReader::with_capacity(BLOCK_BYTES, source))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        };
        let bounded = Bounded {
            decoder,
            consumed: consumed.clone(),
            decoded: 0,
        };
        Ok((Box::new(bounded), consumed))
    }
}

/// How many bytes of a compressed source were taken; clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Consumed(Arc<AtomicU64>);

impl Consumed {
    /// Bytes.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Counted<R> {
    source: R,
    consumed: Consumed,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.source.read(buffer)?;
        self.consumed.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

struct Bounded {
    decoder: Box<dyn Read + Send + Sync>,
    consumed: Consumed,
    decoded: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.decoder.read(buffer).map_err(damaged)?;
        self.decoded += read as u64;
        if self.decoded > most_from(self.consumed.bytes()) {
            let message = format!("it decodes to more than {MOST_GROWTH} times its size; decompress it first");
            return Err(Error::new(ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

/// Says of what a decoder finds wrong that it is the compressed data, not the JSON in it.
fn damaged(cause: Error) -> Error {
    match cause.kind() {
        ErrorKind::UnexpectedEof => Error::new(cause.kind(), "its compressed data ends in the middle"),
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => Error::new(
            ErrorKind::InvalidData,
            format!("its compressed data is damaged ({cause})"),
        ),
        _ => cause,
    }
}
