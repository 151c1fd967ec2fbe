//! Takes sources in: reads, resolves, counts, writes rejects, and fills the stage.

mod names;
mod rows;
mod sources;
mod tally;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::formats::{self, Batch, Beside, Document, Documents, Format, Opening, ReadOptions, Reader, SharedOptions};
use crate::plan::Plan;
use crate::reject::{Reason, Reject, RowReject};
use crate::resolve::Resolver;
use crate::source::Source;
use crate::stage::{StageBuilder, Staged};
use names::{FramesOf, Learned};
use rows::{resolve_parts, resolve_rows, Outcome};
pub use sources::Sources;
use sources::{AsRead, Labels};
use tally::add;
pub use tally::Tally;

/// The stage of an import while it is filled.
pub struct Intake {
    plan: Arc<Plan>,
    resolver: Resolver,
    kept: Kept,
    sources: Sources,
    labels: Labels,
    beside: Beside,
    /// None where one thread resolves: the calling one, without handing batches over to another and back. Nor is a batch
    /// of few rows handed over, such as that of a small file.
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
    fn take(&mut self, batch: &Batch, outcomes: Vec<Outcome>) -> Result<()> {
        self.tally.read += batch.read();
        add(&mut self.tally.filtered, &batch.filtered);
        add(&mut self.tally.warnings, &batch.warnings);
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
        self.tally.without_score += outcome.resolved.without_score;
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
            labels: Labels::default(),
            beside: Beside::default(),
            pool: pool.map_err(|cause| Error::Plan(format!("{threads} threads cannot be started: {cause}")))?,
        })
    }

    /// Reads a source into the stage, as `format` or as what its documents are found to be of. `label` is the source of rows
    /// that name none, where the source is one document. `progress` is told the bytes read so far, and may stop the import.
    ///
    /// # Errors
    /// [`Error::Option`] for an option that the format does not take, [`Error::Unknown`], [`Error::Source`] where the source is
    /// not what it should be, [`Error::Io`], and what `progress` returns.
    pub fn add(
        &mut self,
        source: impl Into<Source>,
        label: &str,
        format: Option<&'static Format>,
        options: &ReadOptions,
        mut progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let mut documents = Documents::of(source.into(), label, format)?;
        let mut options = SharedOptions::new(options.clone(), &documents);
        let mut before = 0;
        while let Some(document) = documents.next_document()? {
            let len_bytes = document.len_bytes;
            self.add_document(document, documents.are_files(), &mut options, |read| {
                progress(before + read)
            })?;
            before += len_bytes;
        }
        self.kept.tally.left_out.extend(documents.left_out());
        options.all_taken()
    }

    fn add_document(
        &mut self,
        document: Document,
        is_file_of_folder: bool,
        options: &mut SharedOptions,
        progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let Document {
            source,
            label,
            format,
            sure,
            ..
        } = document;
        if !is_file_of_folder {
            // Who gives a label means it, also for several sources.
            self.labels.given(&label, source.name());
        } else if !self.labels.claim(&label, source.name())? {
            return Ok(());
        }
        let file = source.file().map(AsRead::new);
        let file_name = source.file_name().unwrap_or_else(|| label.as_str().into()).into_owned();
        let options = options.of(format)?;
        let opening = Opening {
            source,
            label: &label,
            options: &options,
            project: Some(&self.resolver),
            beside: &self.beside,
            sure,
        };
        let (format, reader) = formats::open(format, opening)?;
        let learned = Learned::new(file, &file_name, FramesOf::new(format, &options)?);
        self.take_all(reader, learned, progress)
    }

    fn take_all(
        &mut self,
        mut reader: Box<dyn Reader>,
        mut learned: Learned,
        mut progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        // The batch that was resolved last, on several threads.
        let mut resolved: Option<(Batch, Vec<Outcome>)> = None;
        let mut next = reader.next_batch()?;
        while let Some(batch) = next {
            let read_so_far = reader.bytes_read();
            let names = learned.learn(&mut self.resolver, &mut self.sources, &batch, reader.lists());
            let (plan, kept) = (self.plan.as_ref(), &mut self.kept);
            let pool = self.pool.as_ref().filter(|_| batch.rows.len() >= rows::LEAST_ROWS);
            let Some(pool) = pool else {
                if let Some((batch, outcomes)) = resolved.take() {
                    kept.take(&batch, outcomes)?;
                }
                let outcome = resolve_rows(plan, &learned, &names, &batch, 0..batch.rows.len());
                kept.take(&batch, vec![outcome])?;
                progress(read_so_far)?;
                // The next batch finds the memory of this one still in the cache.
                drop(names);
                drop(batch);
                next = reader.next_batch()?;
                continue;
            };
            // The next batch is read while this one is resolved and the one before is taken in.
            let before = resolved.take();
            let (outcomes, read) = pool.join(
                || {
                    before.map_or(Ok(()), |(batch, outcomes)| kept.take(&batch, outcomes))?;
                    Ok(resolve_parts(plan, &learned, &names, &batch))
                },
                || reader.next_batch(),
            );
            drop(names);
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
        self.take(resolved)
    }

    fn take(&mut self, resolved: Option<(Batch, Vec<Outcome>)>) -> Result<()> {
        resolved.map_or(Ok(()), |(batch, outcomes)| self.kept.take(&batch, outcomes))
    }

    /// Sorts the stage. Of several rows of one track on one frame all but the most confident one are rejected here.
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
        if staged.identical() > 0 {
            kept.tally.staged -= staged.identical();
            *kept.tally.filtered.entry("identical").or_default() += staged.identical();
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
