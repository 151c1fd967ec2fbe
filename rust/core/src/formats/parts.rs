//! Tables in parts: what Ray, Spark, polars and others write as a folder of files. All of them are one document.
//!
//! A part is known by its name alone, so that it is one whatever else is imported: Spark and pyarrow call parts
//! `part-00000-...`, polars `00000000`, Ray `0_000000_000000` or `UUID_000000`, DuckDB `data_0`, datasets
//! `train-00000-of-00004`; whatever is in a folder `key=value` is one. Other files are tables of their own.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Batch, Beside, Format, MemberRows, OpenPiece, Opened, Opening, ReadOptions, Reader, Sure};
use crate::error::{Error, Result};
use crate::source::{is_partition, table_root, Folder, Member};

/// Least digits of a name that is a part's number and nothing else: shorter ones number sequences and cameras.
const NUMBER_DIGITS: usize = 8;

/// Least digits of the numbers behind a first one: shorter ones are dates.
const BLOCK_DIGITS: usize = 6;

/// Lengths of the five parts of a UUID.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// Whether a file with this path is a part of a table.
pub(super) fn is_part(path: &[String]) -> bool {
    let Some((name, folders)) = path.split_last() else {
        return false;
    };
    folders.last().is_some_and(|folder| is_partition(folder)) || is_part_name(name)
}

fn is_part_name(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let mut words: Vec<&str> = stem.split(['-', '_']).collect();
    // Dask writes `part.0.parquet`.
    if stem == "part" {
        words.extend(name.split('.').nth(1));
    }
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    match words[..] {
        [number] => is_number(number) && number.len() >= NUMBER_DIGITS,
        ["part", number, ..] => is_number(number),
        [.., from, "of", to] if is_number(from) && is_number(to) => true,
        ["data", ref numbers @ ..] => numbers.iter().all(|word| is_number(word)),
        [ref uuid @ .., number] if uuid.len() == UUID.len() => {
            is_number(number)
                && uuid
                    .iter()
                    .zip(UUID)
                    .all(|(word, len)| word.len() == len && is_hex(word))
        }
        [uuid, ref numbers @ ..] if uuid.len() == 32 => is_hex(uuid) && numbers.iter().all(|word| is_number(word)),
        [ref uuid @ .., block, number] if uuid.len() == UUID.len() => {
            uuid.iter().all(|word| is_hex(word)) && is_number(block) && is_number(number)
        }
        [number, ref blocks @ ..] => {
            is_number(number) && blocks.iter().all(|word| is_number(word) && word.len() >= BLOCK_DIGITS)
        }
        [] => false,
    }
}

/// The path of the table that a part with this path belongs to.
pub(super) fn root_of(path: &[String]) -> &[String] {
    table_root(&path[..path.len().saturating_sub(1)])
}

/// The path of the table that a part with this path belongs to, as the user knows the folder that it was found in.
pub(super) fn shown_root(folder: &Folder, path: &[String]) -> String {
    let below = root_of(path).iter().skip(folder.names().len());
    std::iter::once(folder.path())
        .chain(below.map(String::as_str))
        .collect::<Vec<_>>()
        .join("/")
}

/// The parts of the table that the part at place `at` begins, by their places in the folder.
pub(super) fn rest_of(folder: &Folder, at: usize) -> impl Iterator<Item = (usize, &Member)> {
    let root = root_of(&folder.names_of(&folder.files()[at])).to_vec();
    let later = folder.files().iter().enumerate().skip(at);
    later.filter(move |(_, member)| {
        let path = folder.names_of(member);
        is_part(&path) && root_of(&path) == root
    })
}

/// Reads the parts of a table one after the other.
pub(super) struct PartsReader {
    format: &'static Format,
    folder: Folder,
    left: VecDeque<Member>,
    label: String,
    options: ReadOptions,
    current: Option<(Box<dyn Reader>, Member, Arc<str>)>,
    /// Bytes of the parts that were read to their ends.
    before: u64,
}

impl PartsReader {
    /// Takes the files of a folder, all of them parts of the format.
    pub fn new(format: &'static Format, folder: Folder, label: &str, options: &ReadOptions) -> Self {
        Self {
            format,
            left: folder.files().iter().cloned().collect(),
            folder,
            label: label.to_owned(),
            options: options.clone(),
            current: None,
            before: 0,
        }
    }

    /// Opens the next part; false at the end.
    fn open_next(&mut self) -> Result<bool> {
        let Some(member) = self.left.pop_front() else {
            return Ok(false);
        };
        let opening = Opening {
            source: self.folder.file(&member).into(),
            label: &self.label,
            options: &self.options,
            project: None,
            beside: &Beside::default(),
            sure: Sure::Yes,
        };
        let name = member.shown();
        match (self.format.open)(opening).map_err(|cause| cause.in_file(&name))? {
            Opened::Reader(reader) => {
                self.current = Some((reader, member, name.into()));
                Ok(true)
            }
            Opened::This(other) => Err(Error::Plan(format!("{}: {name} is of the format {other}", self.label))),
        }
    }
}

impl Reader for PartsReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        loop {
            if let Some((reader, member, name)) = &mut self.current {
                if let Some(mut batch) = reader.next_batch().map_err(|cause| cause.in_file(name))? {
                    batch.members = vec![MemberRows {
                        first_row: 0,
                        name: Arc::clone(name),
                    }];
                    for reject in &mut batch.rejects {
                        reject.origin.member = reject.origin.member.take().or_else(|| Some(Arc::clone(name)));
                    }
                    return Ok(Some(batch));
                }
                self.before += member.len_bytes;
                self.current = None;
            }
            if !self.open_next()? {
                return Ok(None);
            }
        }
    }

    fn bytes_read(&self) -> u64 {
        self.before + self.current.as_ref().map_or(0, |(reader, ..)| reader.bytes_read())
    }

    /// Splits the table between its parts, into readers of about as many bytes, unless one is longer.
    fn pieces(&mut self, len_bytes: u64) -> Result<Option<Vec<OpenPiece>>> {
        let mut pieces: Vec<(u64, Vec<Member>)> = Vec::new();
        for member in &self.left {
            match pieces.last_mut() {
                Some((bytes, members)) if *bytes + member.len_bytes <= len_bytes => {
                    *bytes += member.len_bytes;
                    members.push(member.clone());
                }
                _ => pieces.push((member.len_bytes, vec![member.clone()])),
            }
        }
        let reader = |(_, members): (u64, Vec<Member>)| -> OpenPiece {
            let folder = self.folder.only(members);
            let reader = Self::new(self.format, folder, &self.label, &self.options);
            Box::new(move || Ok(Box::new(reader)))
        };
        Ok((pieces.len() > 1).then(|| pieces.into_iter().map(reader).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_one(path: &str) -> bool {
        is_part(&path.split('/').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn parts_are_known_by_the_names_that_writers_give_them() {
        for name in [
            "part-0001.parquet",
            "part-0.parquet",
            "part.0.parquet",
            "part-00000-9f3b2c1a-1111-4222-8333-123456789abc-c000.snappy.parquet",
            "part-00000-9f3b2c1a-1111-4222-8333-123456789abc-c000.json.gz",
            "00000000.parquet",
            "00000003.jsonl",
            "000000000000.parquet",
            "0_000000_000000.parquet",
            "12_000001_000000.json",
            "9f3b2c1a-1111-4222-8333-123456789abc-0.parquet",
            "9f3b2c1a-1111-4222-8333-123456789abc_000000_000000.parquet",
            "9f3b2c1a111142228333123456789abc_000000.parquet",
            "data_0.parquet",
            "data-00000-of-00002.arrow",
            "train-00003-of-00004.parquet",
            "day=2026-11-30/preds.parquet",
            "out/cam=a/day=1/x.ndjson",
        ] {
            assert!(is_one(name), "{name}");
        }
    }

    #[test]
    fn other_files_are_tables_of_their_own() {
        for name in [
            "preds.parquet",
            "run-7.parquet",
            "cam_1.parquet",
            "chunk_0.ndjson",
            "rank-0.arrow",
            "0001.parquet",
            "2026-11-30.parquet",
            "3_1.ndjson",
            "partial-1.parquet",
            "part.parquet",
            "part-one.ndjson",
            "data.parquet",
            "data_car.parquet",
            "of.parquet",
            "2026-11.parquet.bak/preds.parquet",
            "9f3b2c1a-1111-4222-8333-123456789abc.parquet",
            "day=1/deeper/preds.parquet",
        ] {
            assert!(!is_one(name), "{name}");
        }
    }
}
