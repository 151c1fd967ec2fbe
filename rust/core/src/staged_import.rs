//! A staged import, label row by label row: what would be written, how large it is, and what keeps a row from being
//! written. Everything here is a function of the stage and of what the server answered.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};
use crate::geometry::Geometry;
use crate::identity::{self, Untracked};
use crate::intake::Sources;
use crate::label_row::{
    self, Beside, Difference, OnExisting, OwnAnswer, Reconciled, RowHeader, RowWriter, Templates, UnitHeader, Written,
};
use crate::plan::{DataType, Medium, Plan};
use crate::reject::{Reason, RowReject};
use crate::resolve::{fit, Scratch};
use crate::source::TextSpan;
use crate::stage::record::{Key, StagedRow};
use crate::stage::{LabelRowSpan, Staged};

mod written;

pub use written::OnServer;

/// Creation time in rows that are only measured: as long as any other, and the same in each run.
const ANY_TIME: &str = "Thu, 01 Jan 1970 00:00:00 UTC";

/// (width, height) that stands for an unknown size in rows that are only measured: fractions of it have as many digits
/// as most.
const ANY_SIZE_PX: (u32, u32) = (1919, 1079);

/// Size and content of a label row that no server has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Bytes of its JSON. Where the project does not know the medium's size, an estimate: coordinates in px are taken for
    /// those of an image of 1919 x 1079, and annotations that will not fit are counted.
    pub len_bytes: u64,
    /// xxh3-128 of its JSON with a constant time; where the medium's size is unknown, of the staged annotations as well.
    pub digest: u128,
}

/// The label rows of an import.
pub struct LabelRows {
    plan: Arc<Plan>,
    staged: Staged,
    sources: Sources,
}

impl LabelRows {
    /// Takes some of what [`crate::intake::Intake::finish`] gives.
    pub fn new(plan: Arc<Plan>, staged: Staged, sources: Sources) -> Self {
        Self { plan, staged, sources }
    }

    /// The plan that was followed.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The label rows, in the order of the plan's media.
    pub fn spans(&self) -> &[LabelRowSpan] {
        self.staged.label_rows()
    }

    /// Encodes a label row. `header` is the row as the server answered it; without it the row is one that no server knows.
    ///
    /// # Errors
    /// [`Error::LabelRow`] where the header does not fit, [`Error::Stage`] where the stage was damaged.
    pub fn encode(&self, span: &LabelRowSpan, header: Option<&[u8]>, when: &str) -> Result<Vec<u8>> {
        self.encode_blocks(span, header, when).map(|blocks| blocks.concat())
    }

    /// Encodes a label row as [`Self::encode`] does, in blocks of a bounded size but where a single label is longer: what
    /// grows in one piece is copied as it grows, and too large for memory that was used before.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_blocks(&self, span: &LabelRowSpan, header: Option<&[u8]>, when: &str) -> Result<Vec<Vec<u8>>> {
        self.encode_written(span, header, when).map(|(blocks, _)| blocks)
    }

    /// Encodes a label row as [`Self::encode`] does, and hands it over in blocks of about 64 KB: no row is held whole. What
    /// `take` leaves of a block is used again for the next one.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_to(
        &self,
        span: &LabelRowSpan,
        header: Option<&[u8]>,
        when: &str,
        take: impl FnMut(&mut Vec<u8>),
    ) -> Result<Written> {
        self.encode_those(span, header, when, |_| true, take)
    }

    /// Encodes the annotations for which `wanted` says so.
    fn encode_those(
        &self,
        span: &LabelRowSpan,
        header: Option<&[u8]>,
        when: &str,
        wanted: impl Fn(&Key) -> bool,
        take: impl FnMut(&mut Vec<u8>),
    ) -> Result<Written> {
        let header = self.header(span, header, when)?;
        let templates = self.templates(when);
        let mut writer = RowWriter::new(&templates, &header, take).with_distinct(span.distinct);
        let mut write = |row: &StagedRow<'_>| if wanted(&row.key) { writer.push(row) } else { Ok(()) };
        self.fitting(span, &header, &mut write, |_, _, _| Ok(()))?;
        writer.finish()
    }

    fn encode_written(
        &self,
        span: &LabelRowSpan,
        header: Option<&[u8]>,
        when: &str,
    ) -> Result<(Vec<Vec<u8>>, Written)> {
        let mut blocks = Vec::new();
        let written = self.encode_to(span, header, when, |text| blocks.push(std::mem::take(text)))?;
        Ok((blocks, written))
    }

    /// The annotations that do not fit a header which alone tells the size; [`Self::encode`] leaves them out. Each is its
    /// place among those of the row, and its line of a reject file.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn unfit(&self, span: &LabelRowSpan, header: Option<&[u8]>, when: &str) -> Result<Vec<(u64, String)>> {
        if self.is_sized(span) {
            return Ok(Vec::new());
        }
        let header = self.header(span, header, when)?;
        let (at, mut found) = (Cell::new(0), Vec::new());
        let refuse = |reason, row: &StagedRow<'_>, text| {
            found.push((at.replace(at.get() + 1), self.reject_line(reason, row, text)));
            Ok(())
        };
        let write = |_: &StagedRow<'_>| {
            at.set(at.get() + 1);
            Ok(())
        };
        self.fitting(span, &header, write, refuse)?;
        Ok(found)
    }

    /// The answers that a merge with `existing` leaves out, since the row has others in their place; as [`Self::unfit`] gives
    /// them.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn conflicting(&self, span: &LabelRowSpan, existing: &[u8], when: &str) -> Result<Vec<(u64, String)>> {
        let Some(beside) = self.beside(span, existing, when)? else {
            return Ok(Vec::new());
        };
        let (mut at, mut found) = (0, Vec::new());
        self.staged.for_each(span, |row, text| {
            if beside.refused.contains(&row.key) {
                let classification = &self.plan.classifications[row.feature as usize];
                let reason = Reason::StoredAnswer {
                    class: classification.name().to_owned(),
                    place: match classification.is_global {
                        true => "for the whole medium".to_owned(),
                        false => format!("from frame {} on", row.key.frame),
                    },
                };
                found.push((at, self.reject_line(reason, row, text)));
            }
            at += 1;
            Ok(())
        })?;
        Ok(found)
    }

    /// What a merge with `existing` leaves out; none where it leaves out nothing.
    fn beside(&self, span: &LabelRowSpan, existing: &[u8], when: &str) -> Result<Option<Beside>> {
        if !span.has_answers {
            return Ok(None);
        }
        let (ours, _) = self.encode_written(span, Some(existing), when)?;
        let mut own = Vec::new();
        self.staged.for_each(span, |row, _| {
            if let Geometry::Answer(last) = row.geometry {
                let hash = identity::usual_hash(identity::answer(row.key.object, row.score, row.answers));
                let medium = &self.plan.media[row.key.label_row as usize];
                let in_space = medium.space.is_some();
                own.push(OwnAnswer {
                    key: row.key,
                    feature: row.feature,
                    hash: String::from_utf8_lossy(&hash).into_owned(),
                    range: (row.key.frame, last),
                    // Spaces without frames have one answer each.
                    is_global: self.plan.classifications[row.feature as usize].is_global
                        || in_space && !medium.data_type.is_by_frame(),
                    space: in_space.then(|| medium.data_hash.to_string()),
                });
            }
            Ok(())
        })?;
        let found = label_row::beside(existing, &ours.concat(), &own)?;
        Ok((!found.is_empty()).then_some(found))
    }

    /// Encodes a label row without the annotations for which `left_out` says so.
    fn encode_without(
        &self,
        span: &LabelRowSpan,
        existing: &[u8],
        when: &str,
        left_out: impl Fn(&Key) -> bool,
    ) -> Result<(Vec<u8>, Written)> {
        let mut ours = Vec::new();
        let take = |text: &mut Vec<u8>| ours.append(text);
        let written = self.encode_those(span, Some(existing), when, |key| !left_out(key), take)?;
        Ok((ours, written))
    }

    /// Lines of a reject file for all annotations of a row that was not written.
    ///
    /// # Errors
    /// [`Error::Stage`] where the stage was damaged.
    pub fn refuse(&self, span: &LabelRowSpan, code: &'static str, message: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        self.staged.for_each(span, |row, text| {
            let reason = Reason::LabelRow {
                code,
                message: message.to_owned(),
            };
            lines.push(self.reject_line(reason, row, text));
            Ok(())
        })?;
        Ok(lines)
    }

    /// The one line of a reject file for a row whose annotations' own text is not to be repeated.
    pub fn refuse_row(&self, span: &LabelRowSpan, code: &'static str, message: &str, len_bytes: u64) -> String {
        let medium = &self.plan.media[span.medium as usize];
        let row = RowReject {
            code,
            message: message.to_owned(),
            data_hash: medium.data_hash.to_string(),
            title: medium.shown_title().to_owned(),
            annotations: span.annotations,
            len_bytes,
        };
        row.to_json_line()
    }

    /// Decides what to do where the branch holds the row as `existing`.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn reconcile(
        &self,
        span: &LabelRowSpan,
        existing: &[u8],
        when: &str,
        policy: OnExisting,
    ) -> Result<Reconciled> {
        let beside = match policy {
            OnExisting::Merge => self.beside(span, existing, when)?.unwrap_or_default(),
            _ => Beside::default(),
        };
        let (ours, written) = self.encode_without(span, existing, when, |key| beside.leaves_out(key))?;
        let found = label_row::reconcile(existing, &ours, &written.joined, policy)?;
        Ok(Reconciled {
            ours: found.ours + beside.equal.len(),
            already_there: found.already_there + beside.equal.len(),
            ..found
        })
    }

    /// Tracks of this import on a label row that the branch holds as `existing` with the same id, from a source called one of
    /// `labels`: those are other objects. Each is the id, the import's own label and the other one.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn namesakes(
        &self,
        span: &LabelRowSpan,
        existing: &[u8],
        labels: &[String],
    ) -> Result<BTreeSet<(String, String, String)>> {
        let there = label_row::object_hashes(existing)?;
        let (mut form, mut seen, mut found) = (identity::Form::default(), HashSet::new(), BTreeSet::new());
        self.staged.for_each(span, |row, _| {
            let (Some(track), true) = (row.track, seen.insert(row.key.object)) else {
                return Ok(());
            };
            let own = self.sources.label(row.key.source);
            let data_hash = &self.plan.media[row.key.label_row as usize].data_hash;
            let feature_hash = &self.plan.ontology[row.feature as usize].feature_hash;
            for other in labels.iter().filter(|label| *label != own) {
                let parts = [self.plan.branch.as_str(), other, data_hash, feature_hash, track];
                let hash = identity::usual_hash(identity::tracked_in(&mut form, parts));
                if std::str::from_utf8(&hash).is_ok_and(|hash| there.contains(hash)) {
                    found.insert((track.to_owned(), own.to_owned(), other.clone()));
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Compares what the import would write with the row as the branch holds it: how many annotations are stored as they
    /// should be, and a line of JSON for each other one. Those of an answer that has another one in its place have the code
    /// `conflicting_answer`.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn compare(&self, span: &LabelRowSpan, existing: &[u8], when: &str) -> Result<(usize, Vec<String>)> {
        let beside = self.beside(span, existing, when)?.unwrap_or_default();
        let left_out = |key: &Key| beside.equal.contains(key) || beside.of_refused.contains_key(key);
        let (ours, written) = self.encode_without(span, existing, when, left_out)?;
        let compared = label_row::compare(existing, &ours, &written.joined)?;
        let medium = &self.plan.media[span.medium as usize];
        let line = |difference: &Difference| difference.to_json_line(&medium.data_hash, medium.shown_title());
        let other = compared.differences.iter();
        let other = other.filter(|difference| !difference.is_of_classification(&beside.equal_to));
        let mut lines: Vec<String> = other.map(line).collect();
        if !beside.of_refused.is_empty() {
            self.staged.for_each(span, |row, _| {
                if let Some(hash) = beside.of_refused.get(&row.key) {
                    let class = self.plan.classifications[row.feature as usize].name();
                    lines.push(line(&Difference::conflicting(hash, class)));
                }
                Ok(())
            })?;
        }
        let equal = beside.equal.iter().filter(|key| !beside.of_refused.contains_key(key));
        Ok((compared.equal + equal.count(), lines))
    }

    /// Measures all label rows on `threads` threads. No row is held whole.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn measure(&self, threads: usize) -> Result<Vec<Measure>> {
        self.measure_rows(self.spans(), threads)
    }

    /// Measures some of the label rows, as [`Self::measure`] does.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn measure_rows(&self, spans: &[LabelRowSpan], threads: usize) -> Result<Vec<Measure>> {
        let templates = self.templates(ANY_TIME);
        let measure = |span| self.measure_row(span, &templates);
        if threads <= 1 {
            return spans.iter().map(measure).collect();
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|cause| Error::Plan(format!("{threads} threads cannot be started: {cause}")))?;
        pool.install(|| spans.par_iter().map(measure).collect())
    }

    fn measure_row(&self, span: &LabelRowSpan, templates: &Templates) -> Result<Measure> {
        let header = self.header(span, None, ANY_TIME)?;
        let sized = self.is_sized(span);
        let mut hash = Hash::default();
        if !sized {
            // What is written depends on the size that the server will tell, and on the policy at that image's edge.
            hash.digest.update(&[self.plan.off_image as u8]);
        }
        let hash = RefCell::new(hash);
        let take = |text: &mut Vec<u8>| {
            hash.borrow_mut().add(text);
            text.clear();
        };
        let mut writer = RowWriter::new(templates, &header, take).with_distinct(span.distinct);
        self.staged.for_each(span, |row, _| {
            if sized {
                return writer.push(row);
            }
            let told = [row.key.object, self.content(row)].map(u128::to_le_bytes);
            hash.borrow_mut().digest.update(told.as_flattened());
            writer.push(&with_any_size(row))
        })?;
        writer.finish()?;
        let hash = hash.into_inner();
        Ok(Measure {
            len_bytes: hash.len_bytes,
            digest: hash.digest.digest128(),
        })
    }

    /// Hash of everything that a staged annotation says, but for its place in the source.
    fn content(&self, row: &StagedRow<'_>) -> u128 {
        let medium = &self.plan.media[row.key.label_row as usize];
        let feature = row.feature as usize;
        let object = Untracked {
            feature_hash: match row.geometry {
                Geometry::Answer(_) => &self.plan.classifications[feature].feature_hash,
                _ => &self.plan.ontology[feature].feature_hash,
            },
            geometry: row.geometry,
            unit: row.unit,
            width_px: row.width_px,
            height_px: row.height_px,
            score: row.score,
            answers: row.answers,
        };
        identity::untracked(&self.plan.branch, &medium.data_hash, row.key.frame, &object)
    }

    fn templates(&self, when: &str) -> Templates {
        Templates::new(&self.plan.ontology, &self.plan.classifications, when).with_decimals(self.plan.decimals)
    }

    fn is_sized(&self, span: &LabelRowSpan) -> bool {
        self.plan.on_row_of(span.medium).iter().all(Medium::is_sized)
    }

    fn header(&self, span: &LabelRowSpan, json: Option<&[u8]>, when: &str) -> Result<RowHeader> {
        let medium = &self.plan.media[span.medium as usize];
        let header = match json {
            Some(json) => RowHeader::from_server(json)?,
            None => RowHeader::offline(medium, &self.plan.branch, when)?,
        };
        if medium.data_type != DataType::Group {
            return Ok(header);
        }
        header.with_spaces(self.plan.spaces_of(span.medium).start, self.plan.on_row_of(span.medium))
    }

    /// Hands the rows that fit the header to `write`, and the others to `refuse`.
    fn fitting(
        &self,
        span: &LabelRowSpan,
        header: &RowHeader,
        mut write: impl FnMut(&StagedRow<'_>) -> Result<()>,
        mut refuse: impl FnMut(Reason, &StagedRow<'_>, TextSpan) -> Result<()>,
    ) -> Result<()> {
        // Where the project knew the size, resolving has seen to it.
        let sized = self.is_sized(span);
        let mut scratch = Scratch::default();
        self.staged.for_each(span, |row, text| {
            if sized {
                return write(row);
            }
            let unit = header.unit_at(&row.key).map(|at| &header.units()[at]);
            let size_px = unit.and_then(UnitHeader::size_px);
            match fit(row, size_px, self.plan.off_image, &mut scratch) {
                Ok(row) => write(&row),
                Err(reason) => refuse(reason, row, text),
            }
        })
    }

    fn reject_line(&self, reason: Reason, row: &StagedRow<'_>, text: TextSpan) -> String {
        let reject = self.sources.reject(reason, &row.key, row.annotation_id, text);
        reject.to_json_line()
    }
}

/// Length and digest of text that comes in pieces.
#[derive(Default)]
struct Hash {
    len_bytes: u64,
    digest: Xxh3,
}

impl Hash {
    fn add(&mut self, text: &[u8]) {
        self.len_bytes += text.len() as u64;
        self.digest.update(text);
    }
}

fn with_any_size<'a>(row: &StagedRow<'a>) -> StagedRow<'a> {
    let (mut width_px, mut height_px) = (row.width_px, row.height_px);
    if width_px == 0 || height_px == 0 {
        (width_px, height_px) = ANY_SIZE_PX;
    }
    StagedRow {
        width_px,
        height_px,
        ..*row
    }
}
