//! Sources that give rows of the IR: tables, lines of JSON, label rows.

use std::collections::HashMap;

use rayon::prelude::*;

use super::{Intake, Outcome};
use crate::batch::{row_json, Annotation, AnnotationBatch, AttributeValue, Kind};
use crate::coco::{ClassName, CocoInput, MediaName};
use crate::error::Result;
use crate::plan::Plan;
use crate::reject::{Origin, Reject};
use crate::resolve::{Scratch, SourceResolver, Verdict};
use crate::stage::record::TextSpan;
use crate::stage::StagedRows;

/// Bytes that a staged row takes at least, for the room of a batch.
const ROW_BYTES: usize = 128;

/// Rows of a source, and what in it is no row.
#[derive(Debug)]
pub struct RowBatch {
    /// The rows. Their `source` is the label that they go by.
    pub batch: AnnotationBatch,
    /// Records that are no rows.
    pub rejects: Vec<Reject>,
    /// Where each row's own text lies in the source, where it can be read again; else empty.
    pub spans: Vec<TextSpan>,
}

/// Gives the rows of a source, some at a time.
pub trait RowSource {
    /// The next rows; none at the end.
    ///
    /// # Errors
    /// What keeps the rest of the source from being read.
    fn next_batch(&mut self) -> Result<Option<RowBatch>>;

    /// Bytes of the source read so far, as it is stored.
    fn bytes_read(&self) -> u64;
}

impl Intake {
    /// Reads rows into the stage. `input` is the file that the spans of rows lie in, none for tables. `progress` is told the
    /// bytes read so far, and may stop the import.
    ///
    /// # Errors
    /// What `rows` and `progress` return, and [`crate::error::Error::Io`].
    pub fn add_rows(
        &mut self,
        input: Option<&CocoInput>,
        label: &str,
        rows: &mut dyn RowSource,
        mut progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let mut sources: HashMap<String, u32> = HashMap::new();
        while let Some(batch) = rows.next_batch()? {
            let mut resolvers = Resolvers::default();
            for row in 0..batch.batch.len() {
                let source = batch.batch.row(row).source;
                if !resolvers.by_source.contains_key(source) {
                    let number = *sources.entry(source.to_owned()).or_insert_with(|| {
                        let origin = Origin {
                            source: source.into(),
                            ids_from: None,
                        };
                        self.sources.add(input, input.and_then(CocoInput::stamp), origin)
                    });
                    let resolver = SourceResolver::new(number, label);
                    resolvers.by_source.insert(source.to_owned(), resolver);
                }
            }
            let names = Names::new(&batch.batch);
            for source in resolvers.by_source.values_mut() {
                let all = |count: usize| (0..count as u32).collect::<Vec<_>>();
                source.learn(
                    &mut self.resolver,
                    &all(names.media.len()),
                    &all(names.classes.len()),
                    |name| names.media[name as usize].clone(),
                    |name| names.classes[name as usize].clone(),
                );
            }
            let plan = self.plan.as_ref();
            let parts = self.pool.as_ref().map_or(1, rayon::ThreadPool::current_num_threads);
            let of = |part: usize, parts: usize| batch.batch.len() * part / parts;
            let resolve = |part: usize| {
                let range = of(part, parts)..of(part + 1, parts);
                resolve_rows(plan, &resolvers, &batch, &names, range)
            };
            let outcomes: Vec<Outcome> = match &self.pool {
                Some(pool) => pool.install(|| (0..parts).into_par_iter().map(resolve).collect()),
                None => vec![resolve(0)],
            };
            self.kept.tally.read += (batch.batch.len() + batch.rejects.len()) as u64;
            for reject in &batch.rejects {
                self.kept.reject(reject)?;
            }
            for outcome in outcomes {
                self.kept.take_outcome(outcome)?;
            }
            progress(rows.bytes_read())?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Resolvers {
    by_source: HashMap<String, SourceResolver>,
}

/// What the rows of a batch call their media and classes, each once.
struct Names<'a> {
    media: Vec<MediaName<'a>>,
    classes: Vec<(ClassName<'a>, Kind)>,
    /// Of each row, numbers of its medium and class.
    of_rows: Vec<(u32, u32)>,
}

impl<'a> Names<'a> {
    fn new(batch: &'a AnnotationBatch) -> Self {
        let mut names = Self {
            media: Vec::new(),
            classes: Vec::new(),
            of_rows: Vec::with_capacity(batch.len()),
        };
        let mut media = HashMap::new();
        let mut classes = HashMap::new();
        for row in 0..batch.len() {
            let row = batch.row(row);
            let place = (row.media, row.frame, row.width_px, row.height_px);
            let medium = *media.entry(place).or_insert_with(|| {
                names.media.push(media_name(&row));
                names.media.len() as u32 - 1
            });
            let class = *classes.entry((row.class, row.kind as u8)).or_insert_with(|| {
                let class = ClassName {
                    id: None,
                    name: Some(row.class),
                    declared: true,
                };
                names.classes.push((class, row.kind));
                names.classes.len() as u32 - 1
            });
            names.of_rows.push((medium, class));
        }
        names
    }
}

fn media_name<'a>(row: &Annotation<'a>) -> MediaName<'a> {
    let known = |size: Option<u32>| size.filter(|&size| size > 0);
    MediaName {
        image_id: None,
        file_name: Some(row.media),
        video: Some(row.media),
        frame_index: Some(row.frame.into()),
        width: known(row.width_px),
        height: known(row.height_px),
        declared: true,
    }
}

fn resolve_rows(
    plan: &Plan,
    resolvers: &Resolvers,
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
        let source = &resolvers.by_source[row.source];
        let names = names.of_rows[index];
        match source.resolve(plan, &row, &attributes, names, span, &mut scratch, &mut out.resolved) {
            Verdict::Found(()) => {}
            Verdict::Filtered(why) => *out.filtered.entry(why).or_default() += 1,
            Verdict::Reject(reason) => {
                let origin = Origin {
                    source: row.source.into(),
                    ids_from: None,
                };
                let text = row_json(&row, &attributes);
                let reject = Reject::new(reason, &origin, row.offset, row.annotation_id, Some(text.as_bytes()));
                out.rejects.push(reject);
            }
        }
    }
    out
}
