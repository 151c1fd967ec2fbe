//! Rows whose medium is `*`: one becomes a row on each data unit of the project.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::batch::{Annotation, AnnotationBatch, AnnotationBatchBuilder, AttributeValue, Kind};
use crate::error::Result;
use crate::formats::{Batch, Fault, GoodRings, Lists, MemberRows, Names, Reader, Texts};
use crate::plan::{DataType, MediaFrom, Plan};
use crate::source::Frames;

/// What a row calls its medium if it is meant for all of them.
const EVERYWHERE: &str = "*";

/// Rows that are given out at a time.
const MOST_ROWS: usize = 1 << 14;

/// A reader whose rows on `*` are rows on data units.
pub(super) struct Everywhere {
    reader: Box<dyn Reader>,
    plan: Arc<Plan>,
    frames: Frames,
    /// Rows on `*` of the batch that was read last.
    waiting: VecDeque<Waiting>,
}

/// A row on `*`, alone in its batch, and the medium of the project that comes next, with the frame there.
struct Waiting {
    batch: Batch,
    medium: usize,
    frame: i64,
}

impl Everywhere {
    /// Puts the rows of `reader` on `*` onto the data units of the plan's project. `frames` is how the source counts: what
    /// is drawn and names no frame is drawn on all of them.
    pub fn new(reader: Box<dyn Reader>, plan: &Arc<Plan>, frames: Frames) -> Self {
        Self {
            reader,
            plan: Arc::clone(plan),
            frames,
            waiting: VecDeque::new(),
        }
    }

    /// Whether `*` is the name of no medium in particular.
    fn is_everywhere(&self) -> bool {
        let plan = &self.plan;
        let is_mapped = plan.media_map.as_ref().is_some_and(|map| map.contains_key(EVERYWHERE));
        plan.media_from != MediaFrom::Stem && !is_mapped && plan.media.iter().all(|medium| medium.name() != EVERYWHERE)
    }

    /// Takes the rows on `*` out of a batch.
    fn take_out(&mut self, mut batch: Batch) -> Result<Batch> {
        let mut keep = vec![true; batch.rows.len()];
        for (index, keep) in keep.iter_mut().enumerate() {
            let mut row = batch.rows.row(index);
            if row.media != EVERYWHERE {
                continue;
            }
            *keep = false;
            // What is wrong with the row itself is wrong once.
            let mut good_rings = GoodRings::default();
            match batch.check(index, &mut row, &mut good_rings) {
                Err(reason) => {
                    let reject = batch.reject(index, reason);
                    batch.rejects.push(reject);
                }
                Ok(faults) => {
                    self.waiting.push_back(Waiting {
                        batch: one_row(&batch, index, &row, faults)?,
                        medium: 0,
                        frame: 0,
                    });
                }
            }
        }
        batch.keep(keep)
    }

    /// The next rows of what waits; none where nothing does.
    fn next_rows(&mut self) -> Result<Option<Batch>> {
        while let Some(waiting) = self.waiting.front_mut() {
            let mut rows = AnnotationBatchBuilder::new();
            let mut frameless = Vec::new();
            let one = &waiting.batch;
            let attributes: Vec<AttributeValue<'_>> = one.rows.attributes(0).collect();
            let mut row = one.rows.row(0);
            let is_frameless = one.frameless.first().copied().unwrap_or(false);
            let is_drawn = row.kind == Kind::Object && row.shape.is_some();
            while let Some(medium) = self.plan.media.get(waiting.medium).filter(|_| rows.len() < MOST_ROWS) {
                let takes = match (row.kind, medium.data_type) {
                    // The spaces of a group are media of their own.
                    (_, DataType::Other | DataType::Group) => false,
                    (Kind::Answer, _) => true,
                    (Kind::Object, of) => of.is_by_range() != is_drawn,
                };
                let is_on_all = is_frameless && is_drawn && medium.data_type.is_by_frame() && self.frames.base >= 0;
                let next = self.frames.base.saturating_add(waiting.frame);
                if !takes || is_on_all && self.frames.in_video(next) as u64 >= medium.frames {
                    (waiting.medium, waiting.frame) = (waiting.medium + 1, 0);
                    continue;
                }
                if is_on_all {
                    row.frame = u32::try_from(next).unwrap_or(u32::MAX);
                    waiting.frame += 1;
                } else {
                    waiting.medium += 1;
                }
                let units = medium.units.iter().map(|unit| &*unit.data_hash);
                let own = medium.units.is_empty().then_some(&*medium.data_hash);
                for data_hash in units.chain(own) {
                    row.media = data_hash;
                    rows.push_with_attributes(&row, &attributes);
                    frameless.push(is_frameless && !is_on_all);
                }
            }
            if rows.is_empty() {
                self.waiting.pop_front();
                continue;
            }
            return spread(one, rows.finish()?, frameless).map(Some);
        }
        Ok(None)
    }
}

/// A batch of one row of another one, with what is wrong with that.
fn one_row(batch: &Batch, index: usize, row: &Annotation<'_>, faults: Vec<Fault>) -> Result<Batch> {
    let attributes: Vec<AttributeValue<'_>> = batch.rows.attributes(index).collect();
    let mut rows = AnnotationBatchBuilder::new();
    rows.push_with_attributes(row, &attributes);
    let member = batch.member_of(index).map(|name| MemberRows {
        first_row: 0,
        name: Arc::clone(name),
    });
    let known = batch.faults_of(index).iter().cloned().chain(faults);
    Ok(Batch {
        is_checked: true,
        members: member.into_iter().collect(),
        ids_from: batch.ids_from.clone(),
        format: batch.format.clone(),
        origins: batch.origins.get(index).cloned().into_iter().collect(),
        texts: match batch.texts {
            Texts::None => Texts::None,
            // The text is that of `*`: a reject names its line.
            _ => Texts::Foreign,
        },
        frameless: batch.frameless.get(index).copied().into_iter().collect(),
        faults: known.map(|fault| Fault { row: 0, ..fault }).collect(),
        ..Batch::new(rows.finish()?)
    })
}

/// The rows that one row became.
fn spread(one: &Batch, rows: AnnotationBatch, frameless: Vec<bool>) -> Result<Batch> {
    let faults = (0..rows.len()).flat_map(|row| one.faults.iter().map(move |fault| Fault { row, ..fault.clone() }));
    Ok(Batch {
        is_checked: true,
        members: one.members.clone(),
        ids_from: one.ids_from.clone(),
        format: one.format.clone(),
        origins: one
            .origins
            .iter()
            .cycle()
            .take(one.origins.len() * rows.len())
            .cloned()
            .collect(),
        texts: match one.texts {
            Texts::None => Texts::None,
            _ => Texts::Foreign,
        },
        frameless,
        faults: faults.collect(),
        ..Batch::new(rows)
    })
}

impl Reader for Everywhere {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        if let Some(rows) = self.next_rows()? {
            return Ok(Some(rows));
        }
        let Some(batch) = self.reader.next_batch()? else {
            return Ok(None);
        };
        let is_meant = matches!(batch.names, Names::ByText) && batch.rows.has_media(EVERYWHERE);
        if is_meant && self.is_everywhere() {
            return self.take_out(batch).map(Some);
        }
        Ok(Some(batch))
    }

    fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    fn lists(&self) -> Option<&dyn Lists> {
        self.reader.lists()
    }
}
