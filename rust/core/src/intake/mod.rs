//! Takes sources in: reads, resolves, counts, writes rejects, and fills the stage.

mod rows;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU64;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use crate::batch::Kind;
use crate::error::{Error, Result};
use crate::formats::coco::{CocoKind, CocoOptions, CocoReader, CocoTables, SourceBatch};
use crate::plan::Plan;
use crate::reject::{Origin, Reason, Reject, RowReject, Unresolved, MAX_TEXT_BYTES};
use crate::resolve::{Counts, Resolved, Resolver, Scratch, SourceResolver, Verdict};
use crate::source::{Excerpts, SourceFile, Stamp, TextSpan};
use crate::stage::record::Key;
use crate::stage::{StageBuilder, Staged, StagedRows};

/// Names that the summary lists at most, of media and of classes each; rejects beyond are counted by code alone.
const MAX_UNRESOLVED_NAMES: usize = 1000;

/// Parts of a batch for each thread that resolves: a thread that is still reading takes none, one that was reading takes
/// what is left.
const PARTS_A_THREAD: usize = 2;

/// Least rows of a part: masks take long.
const LEAST_ROWS: usize = 16;

/// What became of the annotations. read = staged + rejected + the sum of filtered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Annotations found in the sources.
    pub read: u64,
    /// Annotations in the stage.
    pub staged: u64,
    /// Annotations that were rejected, by code.
    pub rejects: Counts,
    /// Annotations left out on request, by reason.
    pub filtered: Counts,
    /// Things worth a look.
    pub warnings: Counts,
    /// (name in the source, code) -> annotations.
    pub unresolved: BTreeMap<(Unresolved, String, &'static str), u64>,
    /// How many of those names are media and how many classes.
    names_of: [usize; 2],
}

impl Tally {
    fn reject(&mut self, reason: &Reason) {
        *self.rejects.entry(reason.code()).or_default() += 1;
        if let Some((kind, name)) = reason.unresolved() {
            let key = (kind, name.to_owned(), reason.code());
            if let Some(count) = self.unresolved.get_mut(&key) {
                *count += 1;
            } else if self.names_of[kind as usize] < MAX_UNRESOLVED_NAMES {
                self.names_of[kind as usize] += 1;
                self.unresolved.insert(key, 1);
            }
        }
    }

    /// Annotations that were rejected.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }

    /// Number of annotations left out on request.
    pub fn filtered_total(&self) -> u64 {
        self.filtered.values().sum()
    }
}

fn add(counts: &mut Counts, more: &Counts) {
    for (&name, count) in more {
        *counts.entry(name).or_default() += count;
    }
}

/// The stage of an import while it is filled.
pub struct Intake {
    plan: Arc<Plan>,
    resolver: Resolver,
    kept: Kept,
    sources: Sources,
    /// None where one thread resolves: the calling one, without handing batches over to another and back.
    pool: Option<rayon::ThreadPool>,
}

/// What is kept of the annotations: the stage, their numbers, and the rejects.
struct Kept {
    stage: StageBuilder,
    tally: Tally,
    rejects: BufWriter<File>,
    rejects_path: PathBuf,
}

impl Kept {
    /// Takes in a batch, of which `outcomes` says in order what its rows became.
    fn take(&mut self, batch: &SourceBatch, outcomes: Vec<Outcome>) -> Result<()> {
        let crowd = batch.filtered_crowd;
        if crowd > 0 {
            *self.tally.filtered.entry("crowd").or_default() += crowd;
        }
        self.tally.read += batch.batch.len() as u64 + batch.rejected() + crowd;
        for reject in &batch.rejects {
            self.reject(reject)?;
        }
        for row in &batch.row_rejects {
            self.reject_row(row)?;
        }
        outcomes.into_iter().try_for_each(|outcome| self.take_outcome(outcome))
    }

    fn take_outcome(&mut self, outcome: Outcome) -> Result<()> {
        add(&mut self.tally.filtered, &outcome.filtered);
        add(&mut self.tally.warnings, &outcome.resolved.warnings);
        self.tally.staged += outcome.resolved.rows.len() as u64;
        for reject in &outcome.rejects {
            self.reject(reject)?;
        }
        self.stage.append(outcome.resolved.rows)
    }

    fn reject(&mut self, reject: &Reject) -> Result<()> {
        self.tally.reject(&reject.reason);
        self.write_reject(&reject.to_json_line())
    }

    fn reject_row(&mut self, row: &RowReject) -> Result<()> {
        *self.tally.rejects.entry(row.code).or_default() += row.annotations;
        self.write_reject(&row.to_json_line())
    }

    fn write_reject(&mut self, line: &str) -> Result<()> {
        self.rejects
            .write_all(line.as_bytes())
            .map_err(Error::io(&self.rejects_path))
    }
}

/// The sources that were taken in. Their text is read again for a reject that shows only after staging.
#[derive(Debug, Default)]
pub struct Sources(Vec<Source>);

#[derive(Debug)]
struct Source {
    /// None for a table, whose rows have no text.
    input: Option<SourceFile>,
    /// What told the file before it was read.
    stamp: Option<Stamp>,
    origin: Origin,
    pieces: Mutex<Excerpts>,
}

impl Source {
    /// An annotation's own text, as long as the file is the one that was read.
    fn text(&self, span: TextSpan) -> Option<Vec<u8>> {
        let len = (span.len as usize).min(MAX_TEXT_BYTES);
        let input = self.input.as_ref()?;
        let text = self.pieces.lock().ok()?.read(input, span.at, len).ok()?;
        // Only now, so that a change while it was read is seen as well.
        let unchanged = self.stamp.is_some() && input.stamp() == self.stamp;
        (unchanged && text.len() == len).then_some(text)
    }
}

impl Sources {
    fn add(&mut self, input: Option<&SourceFile>, stamp: Option<Stamp>, origin: Origin) -> u32 {
        self.0.push(Source {
            input: input.cloned(),
            stamp,
            origin,
            pieces: Mutex::default(),
        });
        self.0.len() as u32 - 1
    }

    /// Makes the reject of a staged annotation, with its own text unless its file was changed or removed meanwhile.
    pub fn reject(&self, reason: Reason, key: &Key, annotation_id: Option<&str>, text: TextSpan) -> Reject {
        let source = &self.0[key.source as usize];
        let text = source.text(text);
        Reject {
            of_table: source.input.is_none(),
            ..Reject::new(reason, &source.origin, key.offset, annotation_id, text.as_deref())
        }
    }
}

impl Intake {
    /// An intake that writes rejects to `rejects_path` (replacing what is there) and resolves on `threads` threads.
    ///
    /// # Errors
    /// [`Error::Plan`] and [`Error::Io`].
    pub fn new(plan: &Arc<Plan>, stage: StageBuilder, rejects_path: &Path, threads: usize) -> Result<Self> {
        let pool = (threads > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build());
        let pool = pool.transpose();
        Ok(Self {
            plan: Arc::clone(plan),
            resolver: Resolver::new(plan)?,
            kept: Kept {
                stage: stage.max_per_frame(plan.max_per_frame.map(NonZeroU64::get)),
                tally: Tally::default(),
                rejects: BufWriter::new(File::create(rejects_path).map_err(Error::io(rejects_path))?),
                rejects_path: rejects_path.to_path_buf(),
            },
            sources: Sources::default(),
            pool: pool.map_err(|cause| Error::Plan(format!("{threads} threads cannot be started: {cause}")))?,
        })
    }

    /// Reads a COCO file into the stage. `progress` is told the bytes read so far, and may stop the import.
    ///
    /// # Errors
    /// [`Error::Source`] where the file is not what it should be, [`Error::Io`], and what `progress` returns.
    pub fn add_coco(
        &mut self,
        input: &SourceFile,
        label: &str,
        tables: Option<Arc<CocoTables>>,
        options: &CocoOptions,
        mut progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let stamp = input.stamp();
        let mut reader = CocoReader::open(input, label, tables, options)?;
        let drawn = reader.tables().class_names();
        let drawn = drawn.map(|class| self.resolver.drawn_from_keypoints(&class)).collect();
        reader.draw_from_keypoints(drawn);
        let index = self.sources.add(Some(input), stamp.clone(), reader.origin().clone());
        let file_name = input.file_name().unwrap_or(Cow::Borrowed(label));
        let mut resolvers = Resolvers {
            file: SourceResolver::new(index, &file_name),
            named: HashMap::new(),
        };
        // The batch that was resolved last, on several threads.
        let mut resolved: Option<(SourceBatch, Vec<Outcome>)> = None;
        let mut next = reader.next_batch()?;
        while let Some(batch) = next {
            let read_so_far = reader.bytes_read();
            self.learn(&mut resolvers, &batch, &reader, |sources, origin| {
                sources.add(Some(input), stamp.clone(), origin)
            });
            let (plan, kept) = (self.plan.as_ref(), &mut self.kept);
            let Some(pool) = &self.pool else {
                let outcome = resolve_rows(plan, &resolvers, &batch, 0..batch.batch.len());
                kept.take(&batch, vec![outcome])?;
                progress(read_so_far)?;
                // The next batch finds the memory of this one still in the cache.
                drop(batch);
                next = reader.next_batch()?;
                continue;
            };
            // The next batch is read while this one is resolved and the one before is taken in.
            let before = resolved.take();
            let (outcomes, read) = pool.join(
                || {
                    before.map_or(Ok(()), |(batch, outcomes)| kept.take(&batch, outcomes))?;
                    Ok(resolve_parts(plan, &resolvers, &batch))
                },
                || reader.next_batch(),
            );
            resolved = Some((batch, outcomes?));
            progress(read_so_far)?;
            next = match read {
                Ok(next) => next,
                Err(cause) => {
                    self.take(resolved)?;
                    return Err(cause);
                }
            };
        }
        self.take(resolved)?;
        let summary = reader.summary();
        if summary.duplicate_ids > 0 {
            *self.kept.tally.warnings.entry("duplicate_annotation_id").or_default() += summary.duplicate_ids;
        }
        Ok(())
    }

    /// Resolves the names that a batch uses; `add` numbers a source that lines of a reject file name.
    fn learn(
        &mut self,
        resolvers: &mut Resolvers,
        batch: &SourceBatch,
        reader: &CocoReader,
        add: impl Fn(&mut Sources, Origin) -> u32,
    ) {
        let names = reader.tables();
        let media = |name: u32| names.media(name as usize);
        let class = |name: u32| (names.class(name as usize), Kind::Object);
        if reader.kind() != CocoKind::Rejects {
            let file = &mut resolvers.file;
            file.learn(&mut self.resolver, &batch.media, &batch.classes, media, class);
            return;
        }
        for row in 0..batch.batch.len() {
            let source = resolvers.named(batch.origin_of(row), |origin| add(&mut self.sources, origin));
            let (used, of_class) = (&batch.media[row..=row], &batch.classes[row..=row]);
            source.learn(&mut self.resolver, used, of_class, media, class);
        }
    }

    fn take(&mut self, resolved: Option<(SourceBatch, Vec<Outcome>)>) -> Result<()> {
        resolved.map_or(Ok(()), |(batch, outcomes)| self.kept.take(&batch, outcomes))
    }

    /// Sorts the stage. A track's second row on a frame is rejected here.
    ///
    /// # Errors
    /// [`Error::Io`] when the stage or the reject file cannot be written.
    pub fn finish(self) -> Result<(Staged, Tally, Sources)> {
        let (mut kept, sources) = (self.kept, self.sources);
        let stage = std::mem::replace(&mut kept.stage, StageBuilder::new(None, 0));
        let staged = stage.finish()?;
        for duplicate in staged.duplicates() {
            let frame = duplicate.key.frame;
            let reason = match duplicate.track.clone() {
                Some(track) => Reason::DuplicateTrackFrame { track, frame },
                None => Reason::ConflictingAnswer { frame },
            };
            let reject = sources.reject(
                reason,
                &duplicate.key,
                duplicate.annotation_id.as_deref(),
                duplicate.text,
            );
            kept.tally.staged -= 1;
            kept.reject(&reject)?;
        }
        if staged.left_out() > 0 {
            kept.tally.staged -= staged.left_out();
            *kept.tally.filtered.entry("max_per_frame").or_default() += staged.left_out();
        }
        if staged.split_tracks() > 0 {
            kept.tally
                .warnings
                .insert("track_split_by_class", staged.split_tracks());
        }
        if staged.differing_answers() > 0 {
            kept.tally
                .warnings
                .insert("attribute_differs", staged.differing_answers());
        }
        kept.rejects.flush().map_err(Error::io(&kept.rejects_path))?;
        Ok((staged, kept.tally, sources))
    }
}

#[derive(Default)]
struct Outcome {
    resolved: Resolved,
    rejects: Vec<Reject>,
    filtered: Counts,
}

/// The resolvers of one file. The lines of a reject file keep the sources that they came from: objects are recognised by
/// them, and a source's name may be that of its medium.
struct Resolvers {
    file: SourceResolver,
    named: HashMap<Arc<str>, SourceResolver>,
}

impl Resolvers {
    /// The resolver of a source that lines of a reject file name; `add` numbers it when it is seen first.
    fn named(&mut self, origin: Origin, add: impl FnOnce(Origin) -> u32) -> &mut SourceResolver {
        let label = Arc::clone(&origin.source);
        let entry = self.named.entry(Arc::clone(&label));
        entry.or_insert_with(|| SourceResolver::of_rejects(add(origin), &label))
    }

    fn of(&self, label: &str) -> &SourceResolver {
        if self.named.is_empty() {
            return &self.file;
        }
        self.named.get(label).unwrap_or(&self.file)
    }
}

/// Resolves a batch in as many parts as keep all threads busy; the outcomes are in the order of the rows.
fn resolve_parts(plan: &Plan, sources: &Resolvers, batch: &SourceBatch) -> Vec<Outcome> {
    let rows = batch.batch.len();
    let part = rows
        .div_ceil(PARTS_A_THREAD * rayon::current_num_threads())
        .max(LEAST_ROWS);
    let starts: Vec<usize> = (0..rows).step_by(part).collect();
    let resolve = |&start: &usize| resolve_rows(plan, sources, batch, start..rows.min(start + part));
    starts.par_iter().map(resolve).collect()
}

fn resolve_rows(plan: &Plan, sources: &Resolvers, batch: &SourceBatch, rows: Range<usize>) -> Outcome {
    let mut out = Outcome::default();
    // A staged row is about as long as its JSON.
    let len_bytes = batch.text_len() * rows.len() / batch.batch.len().max(1);
    out.resolved.rows = StagedRows::with_capacity(rows.len(), len_bytes);
    let mut scratch = Scratch::default();
    for index in rows {
        let row = batch.batch.row(index);
        let names = (batch.media[index], batch.classes[index]);
        let source = sources.of(row.source);
        let span = batch.span_of(index);
        match source.resolve(plan, &row, &[], names, span, &mut scratch, &mut out.resolved) {
            Verdict::Found(()) => {}
            Verdict::Filtered(why) => *out.filtered.entry(why).or_default() += 1,
            Verdict::Reject(reason) => {
                let (origin, text) = (batch.origin_of(index), batch.text_of(index));
                out.rejects
                    .push(Reject::new(reason, &origin, row.offset, row.annotation_id, Some(text)));
            }
        }
    }
    out
}
