//! Encord Active's predictions: a pickle of a list of `Prediction`, decoded as data.
//!
//! Unpickling runs what a file says, so it is never done: the opcodes are read into plain values ([`machine`]), and any name
//! but those of predictions ends the reading ([`names`]).
//!
//! Source: Encord Active 0.1.13 to 0.1.84, `lib/db/predictions.py`.

mod arrays;
mod heap;
mod input;
mod machine;
mod names;
mod objects;
mod rows;
mod values;

use memchr::memmem;

use super::draft::Draft;
use super::{Batch, Files, Format, Head, Opened, Opening, Reader, Sure};
use crate::error::Result;
use crate::reject::Origin;
use crate::source::{Frames, Source};
use input::Input;
use machine::Machine;

/// Bytes of the file after which a batch is full.
const BATCH_BYTES: u64 = 1 << 20;

/// Bytes of run-length strings after which a batch is full.
const BATCH_RLE_BYTES: usize = 1 << 21;

/// Encord Active's predictions.
pub static FORMAT: Format = Format {
    name: "active-pkl",
    about: "Encord Active's predictions: a pickle, decoded as data and never unpickled",
    files: Files::Each(&[".pkl", ".pkl.gz", ".pkl.zst", ".pickle", ".pickle.gz", ".pickle.zst"]),
    options: &[],
    frames: Frames::FROM_0,
    detect,
    open: |opening| Ok(Opened::reader(PickleReader::open(&opening)?)),
};

/// The beginning of a pickle that names a module of Encord Active.
fn detect(head: &Head) -> Sure {
    let begins = match head.text.as_slice() {
        [0x80, 2..=5, ..] => true,
        // Lists in protocols 0 and 1.
        text => text.starts_with(b"(lp0\n") || text.starts_with(b"]q\x00"),
    };
    let names_active = || {
        names::MODULES
            .iter()
            .any(|module| memmem::find(&head.text, module.as_bytes()).is_some())
    };
    if begins && names_active() {
        Sure::Yes
    } else {
        Sure::No
    }
}

/// Reads the predictions of a file.
struct PickleReader {
    machine: Machine,
    origin: Origin,
}

impl PickleReader {
    fn open(opening: &Opening<'_>) -> Result<Self> {
        let Source::File(file) = &opening.source else {
            return Err(opening.wrong_source("a file"));
        };
        Ok(Self {
            machine: Machine::new(Input::open(file, opening.options.chunk_bytes)?),
            origin: Origin::of(opening.label),
        })
    }
}

impl Reader for PickleReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let (mut draft, mut rle_bytes) = (Draft::default(), 0);
        let start = self.machine.input.position();
        loop {
            while let Some((at, item)) = self.machine.found.pop_front() {
                rle_bytes += rows::add(&self.machine.heap, (at, item), &self.origin, &mut draft);
                if draft.is_full() || rle_bytes >= BATCH_RLE_BYTES {
                    return draft.finish().map(Some);
                }
            }
            if self.machine.is_done || self.machine.input.position() - start >= BATCH_BYTES {
                break;
            }
            self.machine.step()?;
        }
        if self.machine.is_done && draft.is_empty() {
            return Ok(None);
        }
        draft.finish().map(Some)
    }

    fn bytes_read(&self) -> u64 {
        self.machine.input.stored_bytes()
    }
}
