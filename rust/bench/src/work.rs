//! The pieces of work that are counted. Each runs on one thread and uses its buffers again, as the bindings do.

use std::sync::Arc;

use ropewalk_core::formats::coco::{CocoOptions, CocoReader};
use ropewalk_core::formats::{ReadOptions, Reader};
use ropewalk_core::intake::Intake;
use ropewalk_core::plan::Plan;
use ropewalk_core::rle::{encode_mask, read_dense, transpose_string, ColumnMajor, MemoryOrder, Rle, RowMajor, Scratch};
use ropewalk_core::source::SourceFile;
use ropewalk_core::stage::StageBuilder;
use ropewalk_core::staged_import::LabelRows;
use tempfile::NamedTempFile;

use crate::inputs::{boxes, counts, mask, masks, polygons, ring, size, turned, Predictions, Random};
use crate::Result;

/// Does the work once. What it gives grows with what was made, so that none of it can be left out.
pub type Run = Box<dyn FnMut() -> Result<usize>>;

/// Work whose input is ready.
pub struct Work {
    /// Annotations, masks or polygons.
    pub items: usize,
    /// Does it.
    pub run: Run,
}

/// A piece of work by name.
pub struct Piece {
    /// As in benches/instructions.json.
    pub name: &'static str,
    /// Makes its input.
    pub prepare: fn() -> Result<Work>,
}

/// All of them.
pub const PIECES: &[Piece] = &[
    piece("read boxes", || read(boxes(100, 20, false)?)),
    piece("read polygons", || read(polygons(60, 5)?)),
    piece("read masks", || read(masks(MASKS)?)),
    piece("boxes to label row", || to_label_row(boxes(100, 20, false)?)),
    piece("tracks to label row", || to_label_row(boxes(100, 20, true)?)),
    piece("polygons to label row", || to_label_row(polygons(60, 5)?)),
    piece("masks to label row", || to_label_row(masks(MASKS)?)),
    piece("COCO counts to Encord string, smooth", || counts_to_string(false)),
    piece("COCO counts to Encord string, noisy", || counts_to_string(true)),
    piece("mask to Encord string, C order", || mask_to_string(MemoryOrder::C)),
    piece("mask to Encord string, Fortran order", || {
        mask_to_string(MemoryOrder::F)
    }),
    piece("Encord string to mask", string_to_mask),
    piece("polygon to Encord string", polygon_to_string),
    piece("Encord string to polygons", string_to_polygons),
];

const MASKS: usize = 8;
const RINGS: usize = 100;
const WHEN: &str = "Sat, 21 Nov 2026 23:48:11 UTC";

/// Memory in which rows are sorted: enough for all.
const SORTED_BYTES: usize = 64 << 20;

const fn piece(name: &'static str, prepare: fn() -> Result<Work>) -> Piece {
    Piece { name, prepare }
}

/// A file to batches of the IR.
fn read(predictions: Predictions) -> Result<Work> {
    let items = predictions.annotations;
    let file = SourceFile::bytes("bench.json", predictions.file.into_bytes());
    let run = move || {
        let mut reader = CocoReader::open(&file, "bench.json", None, &CocoOptions::default())?;
        let mut rows = 0;
        while let Some(found) = reader.next_batch()? {
            rows += found.rows.len();
        }
        all(rows, items)
    };
    Ok(Work {
        items,
        run: Box::new(run),
    })
}

/// A file to the JSON of its one label row: read, resolved, sorted, encoded.
fn to_label_row(predictions: Predictions) -> Result<Work> {
    let items = predictions.annotations;
    let file = SourceFile::bytes("bench.json", predictions.file.into_bytes());
    let plan = Arc::new(Plan::from_json(&predictions.plan)?);
    let rejects = NamedTempFile::new()?;
    let run = move || {
        let stage = StageBuilder::new(None, SORTED_BYTES);
        let mut intake = Intake::new(&plan, stage, rejects.path(), 1)?;
        intake.add(file.clone(), "bench.json", None, &ReadOptions::default(), |_| Ok(()))?;
        let finished = intake.finish()?;
        all(finished.tally.staged as usize, items)?;
        let rows = LabelRows::new(Arc::clone(&plan), finished.staged, finished.sources);
        let mut len_bytes = 0;
        for span in rows.spans() {
            len_bytes += rows
                .encode_blocks(span, None, WHEN)?
                .iter()
                .map(Vec::len)
                .sum::<usize>();
        }
        Ok(len_bytes)
    };
    Ok(Work {
        items,
        run: Box::new(run),
    })
}

/// Fails unless nothing was rejected: that would be other work.
fn all(rows: usize, items: usize) -> Result<usize> {
    if rows == items {
        Ok(rows)
    } else {
        Err(format!("{rows} of {items} annotations were taken").into())
    }
}

fn counts_to_string(noisy: bool) -> Result<Work> {
    let strings = drawn(|random, _| counts(&mask(random, noisy)?))?;
    let size = size()?;
    let mut scratch = Scratch::default();
    each(strings, move |string, out| {
        Ok(transpose_string::<ColumnMajor>(string, size, &mut scratch, out)?)
    })
}

fn mask_to_string(memory: MemoryOrder) -> Result<Work> {
    let masks = drawn(|random, noisy| {
        let mask = mask(random, noisy)?;
        Ok(match memory {
            MemoryOrder::C => mask,
            MemoryOrder::F => turned(&mask),
        })
    })?;
    let size = size()?;
    let mut scratch = Scratch::default();
    each(masks, move |mask, out| {
        Ok(encode_mask::<RowMajor>(mask, size, memory, &mut scratch, out)?)
    })
}

fn string_to_mask() -> Result<Work> {
    let size = size()?;
    let mut scratch = Scratch::default();
    each(encord_strings()?, move |string, out| {
        out.resize(size.pixels() as usize, 0);
        Ok(read_dense::<RowMajor>(string, size, MemoryOrder::C, &mut scratch)?.write(out)?)
    })
}

fn polygon_to_string() -> Result<Work> {
    let random = &mut Random::new(1);
    let rings: Vec<_> = (0..RINGS).map(|_| ring(random, 110)).collect();
    let size = size()?;
    let mut scratch = Scratch::default();
    each(rings, move |ring, out| {
        let drawn = Rle::<ColumnMajor>::from_polygon(ring, size)?;
        drawn.transpose_with(&mut scratch)?.to_string_into(out);
        Ok(())
    })
}

fn string_to_polygons() -> Result<Work> {
    let size = size()?;
    let mut scratch = Scratch::default();
    each(encord_strings()?, move |string, out| {
        let outlines = Rle::<RowMajor>::from_string(string, size)?.to_outlines(&mut scratch);
        out.resize(outlines.rings().map(|(_, corners)| corners.len()).sum(), 0);
        Ok(())
    })
}

fn encord_strings() -> Result<Vec<Vec<u8>>> {
    let strings = drawn(|random, noisy| counts(&mask(random, noisy)?))?;
    let (size, mut scratch) = (size()?, Scratch::default());
    let to_encord = |counts: &Vec<u8>| {
        let mut string = Vec::new();
        transpose_string::<ColumnMajor>(counts, size, &mut scratch, &mut string)?;
        Ok(string)
    };
    strings.iter().map(to_encord).collect()
}

/// Draws masks; every second one is noisy.
fn drawn<T>(mut draw: impl FnMut(&mut Random, bool) -> Result<T>) -> Result<Vec<T>> {
    let random = &mut Random::new(1);
    (0..MASKS).map(|at| draw(random, at % 2 == 1)).collect()
}

/// Work on one item after another, written into one buffer.
fn each<T: 'static>(items: Vec<T>, mut kernel: impl FnMut(&T, &mut Vec<u8>) -> Result<()> + 'static) -> Result<Work> {
    let number = items.len();
    let mut out = Vec::new();
    let run = move || {
        let mut len_bytes = 0;
        for item in &items {
            out.clear();
            kernel(item, &mut out)?;
            len_bytes += out.len();
        }
        Ok(len_bytes)
    };
    Ok(Work {
        items: number,
        run: Box::new(run),
    })
}
