//! The pages of a column, one at a time, as the `parquet` crate asks for them.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::iter::Once;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use parquet::arrow::arrow_reader::RowGroups;
use parquet::basic::Compression;
use parquet::column::page::{PageIterator, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::thrift::page_sizes;
use crate::source::{most_from, Anywhere, Onward};

/// Bytes of a page's header that are read at a time; its sizes are among the first 64.
const HEADER_BYTES: usize = 512;

/// One row group of a file.
pub(super) struct RowGroup<'a> {
    pub file: &'a Anywhere,
    pub metadata: &'a ParquetMetaData,
    pub index: usize,
}

impl RowGroup<'_> {
    fn group(&self) -> &RowGroupMetaData {
        self.metadata.row_group(self.index)
    }
}

impl RowGroups for RowGroup<'_> {
    fn num_rows(&self) -> usize {
        self.group().num_rows() as usize
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        let chunk = self.group().column(column);
        let file = Pages {
            file: self.file.clone(),
            is_gzip: matches!(chunk.compression(), Compression::GZIP(_)),
        };
        let pages = SerializedPageReader::new(Arc::new(file), chunk, self.num_rows(), None)?;
        Ok(Box::new(OneChunk(std::iter::once(Ok(Box::new(pages))))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.group()))
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.metadata
    }
}

/// The pages of the one chunk that a column has in a row group.
struct OneChunk(Once<Result<Box<dyn PageReader>>>);

impl Iterator for OneChunk {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl PageIterator for OneChunk {}

/// The file as a column's pages are read from it: the sizes that a page claims are checked before it is read.
struct Pages {
    file: Anywhere,
    is_gzip: bool,
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.file.len_bytes()
    }
}

impl ChunkReader for Pages {
    type T = Header;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(Header {
            start,
            text: BufReader::with_capacity(HEADER_BYTES, self.file.from(start)),
            is_checked: false,
        })
    }

    fn get_bytes(&self, start: u64, len: usize) -> Result<Bytes> {
        let page = self.file.read(start, len).map_err(external)?;
        if self.is_gzip {
            check_gzip(start, &page)?;
        }
        Ok(page.into())
    }
}

/// Reads a page's header. It is made for each page, and read only where the page's header was not read before.
struct Header {
    start: u64,
    text: BufReader<Onward>,
    is_checked: bool,
}

impl Header {
    fn check(&mut self) -> std::io::Result<()> {
        let start = self.start;
        let refused = |message: String| std::io::Error::new(ErrorKind::InvalidData, claims(start, message));
        let sizes = page_sizes(self.text.fill_buf()?).ok_or_else(|| refused("its header is damaged".to_owned()))?;
        let (stored, decoded) = (sizes.stored_bytes, sizes.decoded_bytes);
        let most = most_from(stored);
        if decoded > most {
            return Err(refused(format!(
                "{stored} bytes claim to decode to {decoded}; expected at most {most}"
            )));
        }
        // A value of a dictionary takes a byte at least.
        match sizes.dictionary_values {
            Some(values) if values > decoded => Err(refused(format!(
                "a dictionary of {decoded} bytes claims {values} values"
            ))),
            _ => Ok(()),
        }
    }
}

impl Read for Header {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !self.is_checked {
            self.check()?;
            self.is_checked = true;
        }
        self.text.read(buffer)
    }
}

/// Checks what a page decodes to. Decoding gzip stops at no size of its own; that of the other codecs stops at the one
/// that the header claims.
fn check_gzip(start: u64, page: &[u8]) -> Result<()> {
    let most = most_from(page.len() as u64);
    let mut text = MultiGzDecoder::new(page).take(most + 1);
    // Damage is found again, and told, when the page is decoded.
    let decoded = std::io::copy(&mut text, &mut std::io::sink()).unwrap_or_default();
    if decoded > most {
        let stored = page.len();
        let message = claims(
            start,
            format!("{stored} bytes decode to more than {most}, the most that is read of them"),
        );
        return Err(ParquetError::General(message));
    }
    Ok(())
}

fn claims(start: u64, message: String) -> String {
    format!("page at byte {start}: {message}")
}

fn external(cause: std::io::Error) -> ParquetError {
    ParquetError::External(Box::new(cause))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The file with `page` at its beginning, as a column's pages are read from it.
    fn pages(page: &[u8]) -> Pages {
        Pages {
            file: Anywhere::bytes(page.into()),
            is_gzip: true,
        }
    }

    /// A page's header: 10 bytes that claim to decode to 2^26, and as many more as `more` says.
    fn header(more: u64) -> Vec<u8> {
        let mut bytes = vec![0x15, 0, 0x15];
        let mut claim = ((1_u64 << 26) + more) << 1;
        while claim > 0x7f {
            bytes.push(claim as u8 | 0x80);
            claim >>= 7;
        }
        bytes.push(claim as u8);
        bytes.extend([0x15, 20, 0x2c, 0x15, 2, 0, 0]);
        bytes
    }

    #[test]
    fn what_a_page_claims_to_decode_to_is_bounded() {
        let read = |more| {
            let bytes = header(more);
            let mut text = Vec::new();
            let read = pages(&bytes).get_read(0).unwrap().read_to_end(&mut text);
            read.map(|_| text == bytes)
        };
        assert!(read(2500).unwrap());
        let refused = read(2501).unwrap_err().to_string();
        assert_eq!(
            refused,
            "page at byte 0: 10 bytes claim to decode to 67111365; expected at most 67111364"
        );
    }

    #[test]
    fn what_a_page_of_gzip_decodes_to_is_bounded() {
        let packed = |len: usize| {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::Write::write_all(&mut writer, &vec![0; len]).unwrap();
            writer.finish().unwrap()
        };
        // 64 KiB for 64 MiB, which may be 80.
        let page = packed(1 << 26);
        assert_eq!(pages(&page).get_bytes(0, page.len()).unwrap(), page);
        let page = packed(100 << 20);
        let refused = pages(&page).get_bytes(0, page.len()).unwrap_err().to_string();
        assert!(
            refused.contains("page at byte 0: ") && refused.contains("decode to more than"),
            "{refused}"
        );
        assert!(pages(&page).get_bytes(1, page.len()).is_err());
    }
}
