//! Sorted runs on disk and their k-way merge. A run is a sequence of length-prefixed records in key order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::record::Key;
use crate::error::{Error, Result};

/// Bytes of each run's read buffer: 64 runs at once take 16 MB.
const READ_BUFFER_BYTES: usize = 128 << 10;

/// A file of sorted records; it goes away with this value.
pub(super) struct RunFile(NamedTempFile);

impl RunFile {
    pub(super) fn write<'a>(rows: impl Iterator<Item = &'a [u8]>, dir: &Path) -> Result<Self> {
        let mut writer = RunWriter::create(dir)?;
        for row in rows {
            writer.push(row)?;
        }
        writer.finish()
    }
}

/// Appends records to a new file in `dir`.
pub(super) struct RunWriter {
    file: BufWriter<NamedTempFile>,
    position: u64,
}

impl RunWriter {
    pub(super) fn create(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let file = tempfile::Builder::new()
            .prefix("stage-")
            .tempfile_in(dir)
            .map_err(Error::io(dir))?;
        Ok(Self {
            file: BufWriter::with_capacity(READ_BUFFER_BYTES, file),
            position: 0,
        })
    }

    /// Bytes written so far: where the next record's length prefix will stand.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn push(&mut self, row: &[u8]) -> Result<()> {
        let path = self.file.get_ref().path().to_path_buf();
        let len = (row.len() as u32).to_le_bytes();
        self.file
            .write_all(&len)
            .and_then(|()| self.file.write_all(row))
            .map_err(Error::io(path))?;
        self.position += 4 + row.len() as u64;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<RunFile> {
        let path = self.file.get_ref().path().to_path_buf();
        self.file
            .into_inner()
            .map(RunFile)
            .map_err(|cause| Error::io(path)(cause.into_error()))
    }
}

impl RunFile {
    pub(super) fn reopen(&self) -> Result<File> {
        self.0.reopen().map_err(Error::io(self.0.path()))
    }
}

/// Reads a run from its start.
pub(super) struct RunReader {
    file: BufReader<File>,
    row: Vec<u8>,
    key: Key,
}

impl RunReader {
    pub(super) fn open(run: &RunFile) -> Result<Self> {
        let key = Key {
            label_row: 0,
            frame: 0,
            object: 0,
            source: 0,
            offset: 0,
        };
        Ok(Self {
            file: BufReader::with_capacity(READ_BUFFER_BYTES, run.reopen()?),
            row: Vec::new(),
            key,
        })
    }

    /// Steps to the next record; false at the run's end.
    fn advance(&mut self) -> Result<bool> {
        let damaged = |cause: std::io::Error| Error::Stage(format!("a sorted run cannot be read back: {cause}"));
        let mut len = [0; 4];
        match self.file.read(&mut len[..1]).map_err(damaged)? {
            0 => return Ok(false),
            _ => self.file.read_exact(&mut len[1..]).map_err(damaged)?,
        }
        self.row.resize(u32::from_le_bytes(len) as usize, 0);
        self.file.read_exact(&mut self.row).map_err(damaged)?;
        self.key = Key::read(&self.row)?;
        Ok(true)
    }
}

/// The rows of several runs in one order.
pub(super) struct Cursor {
    runs: Vec<RunReader>,
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    current: Option<usize>,
}

impl Cursor {
    pub(super) fn new(mut runs: Vec<RunReader>) -> Result<Self> {
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (index, run) in runs.iter_mut().enumerate() {
            if run.advance()? {
                heads.push(Reverse((run.key, index)));
            }
        }
        Ok(Self {
            runs,
            heads,
            current: None,
        })
    }

    /// The next row in order.
    pub(super) fn next(&mut self) -> Result<Option<(Key, &[u8])>> {
        if let Some(index) = self.current.take() {
            let run = &mut self.runs[index];
            if run.advance()? {
                self.heads.push(Reverse((run.key, index)));
            }
        }
        let Some(Reverse((key, index))) = self.heads.pop() else {
            return Ok(None);
        };
        self.current = Some(index);
        Ok(Some((key, &self.runs[index].row)))
    }
}

/// Merges runs into one.
pub(super) fn merge_runs(runs: &[RunFile], dir: &Path) -> Result<RunFile> {
    let mut cursor = Cursor::new(runs.iter().map(RunReader::open).collect::<Result<_>>()?)?;
    let mut out = RunWriter::create(dir)?;
    while let Some((_, row)) = cursor.next()? {
        out.push(row)?;
    }
    out.finish()
}
