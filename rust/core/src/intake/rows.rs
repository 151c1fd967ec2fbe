//! Sources that give rows of the IR: tables, lines of JSON, label rows.

use std::collections::HashMap;

use rayon::prelude::*;

use super::{Intake, Outcome};
use crate::batch::{Annotation, AttributeValue, Kind};
use crate::error::Result;
use crate::formats::{check_row, reject, RowBatch, RowSource};
use crate::plan::Plan;
use crate::reject::Origin;
use crate::resolve::{Scratch, SourceResolver, Verdict};
use crate::source::{ClassName, MediaName, SourceFile};
use crate::stage::StagedRows;

/// Bytes that a staged row takes at least, for the room of a batch.
const ROW_BYTES: usize = 128;

impl Intake {
    /// Reads rows into the stage. `input` is the file that the spans of rows lie in, none for tables. `progress` is told the
    /// bytes read so far, and may stop the import.
    ///
    /// # Errors
    /// What `rows` and `progress` return, and [`crate::error::Error::Io`].
    pub fn add_rows(
        &mut self,
        input: Option<&SourceFile>,
        label: &str,
        rows: &mut dyn RowSource,
        mut progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let stamp = input.and_then(SourceFile::stamp);
        let mut sources: HashMap<String, u32> = HashMap::new();
        while let Some(batch) = rows.next_batch()? {
            let names = Names::new(&batch, |source| match sources.get(source) {
                Some(&number) => number,
                None => {
                    let origin = Origin {
                        source: source.into(),
                        ids_from: None,
                    };
                    let number = self.sources.add(input, stamp.clone(), origin);
                    sources.insert(source.to_owned(), number);
                    number
                }
            });
            let mut resolver = SourceResolver::new(0, label);
            resolver.learn(
                &mut self.resolver,
                &(0..names.media.len() as u32).collect::<Vec<_>>(),
                &(0..names.classes.len() as u32).collect::<Vec<_>>(),
                |name| names.media[name as usize].clone(),
                |name| names.classes[name as usize].clone(),
            );
            let plan = self.plan.as_ref();
            let parts = self.pool.as_ref().map_or(1, rayon::ThreadPool::current_num_threads);
            let of = |part: usize, parts: usize| batch.batch.len() * part / parts;
            let resolve = |part: usize| {
                let range = of(part, parts)..of(part + 1, parts);
                resolve_rows(plan, &resolver, &batch, &names, range)
            };
            let outcomes: Vec<Outcome> = match &self.pool {
                Some(pool) => pool.install(|| (0..parts).into_par_iter().map(resolve).collect()),
                None => vec![resolve(0)],
            };
            self.kept.tally.read += batch.batch.len() as u64 + batch.rejected();
            for reject in &batch.rejects {
                self.kept.reject(reject)?;
            }
            for row in &batch.row_rejects {
                self.kept.reject_row(row)?;
            }
            for outcome in outcomes {
                self.kept.take_outcome(outcome)?;
            }
            progress(rows.bytes_read())?;
        }
        Ok(())
    }
}

/// What the rows of a batch call their media and classes, each once.
struct Names<'a> {
    media: Vec<MediaName<'a>>,
    classes: Vec<(ClassName<'a>, Kind)>,
    /// Of each row, numbers of its source, and of its medium and class.
    of_rows: Vec<(u32, (u32, u32))>,
}

impl<'a> Names<'a> {
    /// Numbers the names; `number` does so for sources.
    fn new(rows: &'a RowBatch, mut number: impl FnMut(&str) -> u32) -> Self {
        let batch = &rows.batch;
        let mut names = Self {
            media: Vec::new(),
            classes: Vec::new(),
            of_rows: Vec::with_capacity(batch.len()),
        };
        let mut media = HashMap::new();
        let mut classes = HashMap::new();
        let mut last: Option<(&str, u32)> = None;
        for index in 0..batch.len() {
            let row = batch.row(index);
            let source = match last {
                Some((source, known)) if source == row.source => known,
                _ => number(row.source),
            };
            last = Some((row.source, source));
            let frame = (!rows.frameless.get(index).copied().unwrap_or(false)).then_some(row.frame);
            let place = (row.media, frame, row.width_px, row.height_px);
            let medium = *media.entry(place).or_insert_with(|| {
                names.media.push(media_name(&row, frame));
                names.media.len() as u32 - 1
            });
            let class = *classes.entry((row.class, row.kind as u8)).or_insert_with(|| {
                let class = ClassName {
                    id: None,
                    name: Some(row.class),
                    keypoints: &[],
                    declared: true,
                };
                names.classes.push((class, row.kind));
                names.classes.len() as u32 - 1
            });
            names.of_rows.push((source, (medium, class)));
        }
        names
    }
}

fn media_name<'a>(row: &Annotation<'a>, frame: Option<u32>) -> MediaName<'a> {
    let known = |size: Option<u32>| size.filter(|&size| size > 0);
    MediaName {
        image_id: None,
        file_name: Some(row.media),
        video: Some(row.media),
        frame_index: frame.map(i64::from),
        width: known(row.width_px),
        height: known(row.height_px),
        declared: true,
    }
}

fn resolve_rows(
    plan: &Plan,
    resolver: &SourceResolver,
    batch: &RowBatch,
    names: &Names<'_>,
    range: std::ops::Range<usize>,
) -> Outcome {
    let mut out = Outcome::default();
    out.resolved.rows = StagedRows::with_capacity(range.len(), range.len() * ROW_BYTES);
    let mut scratch = Scratch::default();
    let mut attributes: Vec<AttributeValue<'_>> = Vec::new();
    for index in range {
        let row = batch.batch.row(index);
        attributes.clear();
        attributes.extend(batch.batch.attributes(index));
        let span = batch.spans.get(index).copied().unwrap_or_default();
        let (source, names) = names.of_rows[index];
        let resolved = match check_row(&row) {
            Ok(()) => resolver.resolve_of(
                source,
                plan,
                &row,
                &attributes,
                names,
                span,
                &mut scratch,
                &mut out.resolved,
            ),
            Err(reason) => Verdict::Reject(reason),
        };
        match resolved {
            Verdict::Found(()) => {}
            Verdict::Filtered(why) => *out.filtered.entry(why).or_default() += 1,
            Verdict::Reject(reason) => out.rejects.push(reject(reason, &row, &attributes)),
        }
    }
    out
}
