//! Takes sources in: reads, resolves, counts, writes rejects, and fills the stage.

mod documents;
mod everywhere;
mod names;
mod pieces;
mod rows;
mod sources;
mod tally;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::formats::{self, Batch, Beside, Document, Format, Opening, ReadOptions, Reader, SharedOptions};
use crate::plan::Plan;
use crate::reject::{Reason, Reject, RowReject};
use crate::resolve::Resolver;
use crate::source::{Naming, Source};
use crate::stage::{StageBuilder, Staged};
use documents::Documents;
pub use documents::Taken;
use everywhere::Everywhere;
use names::{Files, FramesOf, Learned};
use pieces::InPieces;
use rows::{resolve_parts, resolve_rows, Outcome};
pub use sources::Sources;
use tally::add;
pub use tally::{Example, SharedTrack, Tally};

/// The stage of an import while it is filled.
pub struct Intake {
    plan: Arc<Plan>,
    resolver: Resolver,
    kept: Kept,
    sources: Sources,
    documents: Documents,
    beside: Beside,
    /// None where one thread resolves: the calling one, without handing batches over to another and back. Nor is a batch
    /// of few rows handed over, such as that of a small file.
    pool: Option<Arc<rayon::ThreadPool>>,
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

    fn take_outcome(&mut self, mut outcome: Outcome) -> Result<()> {
        add(&mut self.tally.filtered, &outcome.filtered);
        add(&mut self.tally.warnings, &outcome.resolved.warnings);
        self.tally.without_score += outcome.resolved.without_score;
        self.tally.staged += outcome.resolved.rows.len() as u64;
        outcome.resolved.add_classes_to(&mut self.tally.classes);
        for reject in &outcome.rejects {
            self.reject(reject)?;
        }
        self.stage.append(outcome.resolved.rows)
    }

    fn reject(&mut self, reject: &Reject) -> Result<()> {
        self.tally.reject(reject);
        self.write_reject(&reject.to_json_line())
    }

    fn reject_row(&mut self, row: &RowReject) -> Result<()> {
        self.tally.reject_row(row);
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
        let pool = pool.transpose().map(|pool| pool.map(Arc::new));
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
            documents: Documents::default(),
            beside: Beside::default(),
            pool: pool.map_err(|cause| Error::Plan(format!("{threads} threads cannot be started: {cause}")))?,
        })
    }

    /// Reads a source into the stage, as `format` or as what its documents are found to be of. `naming` gives documents their
    /// labels, the sources of rows that name none. `progress` is told the bytes read so far, and may stop the import.
    ///
    /// # Errors
    /// [`Error::Option`] for an option that the format does not take, [`Error::Plan`] for two documents of one label,
    /// [`Error::Unknown`], [`Error::Source`] where the source is not what it should be, [`Error::Io`], and what `progress`
    /// returns.
    pub fn add(
        &mut self,
        source: impl Into<Source>,
        naming: impl Into<Naming>,
        format: Option<&'static Format>,
        options: &ReadOptions,
        mut progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let naming = naming.into();
        let mut documents = formats::Documents::of(source.into(), &naming, format)?;
        let mut options = SharedOptions::new(options.clone(), &documents);
        let mut before = 0;
        while let Some(document) = documents.next_document()? {
            let len_bytes = document.len_bytes;
            if self.documents.take(&document, &naming, documents.are_files())? {
                self.add_document(document, &mut options, |read| progress(before + read))?;
            }
            before += len_bytes;
        }
        self.kept.tally.left_out.extend(documents.left_out());
        options.all_taken()
    }

    fn add_document(
        &mut self,
        document: Document,
        options: &mut SharedOptions,
        progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let Document {
            source,
            label,
            format,
            sure,
            len_bytes,
            ..
        } = document;
        let files = Files::of(&source);
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
        let learned = Learned::new(files, &file_name, FramesOf::new(format, &options)?);
        let reader = InPieces::of(reader, len_bytes, self.pool.as_ref())?;
        let reader = Everywhere::new(reader, &self.plan, format.frames(&options)?);
        self.take_all(Box::new(reader), learned, progress)
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
        self.take(resolved)?;
        if let Some(lists) = reader.lists() {
            learned.note(&mut self.resolver, lists);
        }
        Ok(())
    }

    fn take(&mut self, resolved: Option<(Batch, Vec<Outcome>)>) -> Result<()> {
        resolved.map_or(Ok(()), |(batch, outcomes)| self.kept.take(&batch, outcomes))
    }

    /// Sorts the stage. Rows whose medium is refused now that all names are known are rejected here, and of several rows of one
    /// track on one frame all but the most confident one.
    ///
    /// # Errors
    /// [`Error::Io`] when the stage or the reject file cannot be written, [`Error::OptionValue`] for tracks of a document that
    /// has no label.
    pub fn finish(self) -> Result<Finished> {
        let (mut kept, sources) = (self.kept, self.sources);
        let stage = std::mem::replace(&mut kept.stage, StageBuilder::new(None, 0));
        let mut names = self.resolver.settle();
        let staged = stage
            .of_labels(sources.by_label())
            .on_rows_of(&self.plan)
            .finish_with(&mut |row| {
                let Some(reason) = names.count(row.name) else {
                    return Ok(true);
                };
                let reject = sources.reject(reason.clone(), &row.key, row.annotation_id, row.text);
                kept.tally.staged -= 1;
                kept.reject(&reject)?;
                Ok(false)
            })?;
        kept.tally.media_found = names.found();
        let warnings = std::mem::take(&mut kept.tally.media_found.warnings);
        add(&mut kept.tally.warnings, &warnings);
        for duplicate in staged.duplicates() {
            let frame = duplicate.key.frame;
            let reason = match duplicate.track.clone() {
                Some(track) => Reason::DuplicateTrackFrame { track, frame },
                None => {
                    let classification = &self.plan.classifications[duplicate.feature as usize];
                    match classification.is_global {
                        true => Reason::ConflictingGlobalAnswer {
                            class: classification.name().to_owned(),
                        },
                        false => Reason::ConflictingAnswer { frame },
                    }
                }
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
        kept.tally.staged -= staged.left_out() + staged.identical();
        kept.tally.filter("max_per_frame", staged.left_out());
        kept.tally.filter("identical", staged.identical());
        kept.tally.warn("track_split_by_class", staged.split_tracks());
        kept.tally.warn("attribute_differs", staged.differing_answers());
        kept.tally.warn("track_of_several_sources", staged.shared_tracks());
        kept.tally.warn("object_number_taken", staged.numbers_taken());
        let shared = staged.first_shared_tracks().iter().map(|found| SharedTrack {
            track: found.track.clone(),
            media: self.plan.media[found.label_row as usize].shown_title().to_owned(),
            sources: found.sources.map(|number| sources.label(number).to_owned()),
        });
        kept.tally.shared_tracks = shared.collect();
        kept.rejects.flush().map_err(Error::io(&kept.rejects_path))?;
        let tracked = staged.tracked_sources().map(|number| sources.label(number)).collect();
        let documents = self.documents.into_tracked(&tracked)?;
        Ok(Finished {
            staged,
            tally: kept.tally,
            sources,
            documents,
        })
    }
}

/// What taking sources in came to.
pub struct Finished {
    /// The sorted annotations.
    pub staged: Staged,
    /// What became of all that were read.
    pub tally: Tally,
    /// Where they came from.
    pub sources: Sources,
    /// The documents that tracks are recognised by.
    pub documents: Vec<Taken>,
}
