//! The reader: pulls annotations out of a file and hands them over in batches.

mod add;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::batch::{AnnotationBatchBuilder, Unit};
use crate::error::Result;
use crate::formats::coco::annotation::{Crowds, Draft};
use crate::formats::coco::duplicates::Duplicates;
use crate::formats::coco::fractions::Fractions;
use crate::formats::coco::line::{self, same_lists};
use crate::formats::coco::rotated::RotatedBox;
use crate::formats::coco::rows::Rows;
use crate::formats::coco::survey::{next_section, survey, Extent, Found, Seen};
use crate::formats::coco::tables::{CocoTables, MediaRow};
use crate::formats::rejects::Line;
use crate::formats::{AngleFormat, Batch, Lists, Reader};
use crate::json::{only_space, Window};
use crate::reject::{Origin, Reason};
use crate::source::SourceFile;

/// Bytes of text after which a batch ends, however few its rows. Not tied to the chunk size: batches depend on the file
/// and `batch_rows` alone. Larger batches are slower: their buffers come fresh from the operating system each time.
const BATCH_BYTES: usize = 1 << 20;

/// How a file is read.
#[derive(Debug, Clone)]
pub struct CocoOptions {
    /// Name of the field with the confidence, at the top of an annotation or under `attributes`; `score` if none.
    pub confidence_field: Option<String>,
    /// Whether `iscrowd` annotations of a dataset that have no score are rows like others; they are left out and counted
    /// otherwise.
    pub include_crowd: bool,
    /// What the numbers of a box are; COCO's x, y, width, height if none.
    pub rotated_boxes: Option<RotatedBox>,
    /// What angles are; degrees clockwise if none, and radians where Ultralytics wrote them.
    pub angle: Option<AngleFormat>,
    /// Unit of coordinates; pixels if none, and those that look like fractions are counted.
    pub unit: Option<Unit>,
    /// Most rows a batch, and most rejects.
    pub batch_rows: usize,
    /// Bytes read from the file at a time.
    pub chunk_bytes: usize,
}

impl Default for CocoOptions {
    fn default() -> Self {
        Self {
            confidence_field: None,
            include_crowd: false,
            rotated_boxes: None,
            angle: None,
            unit: None,
            batch_rows: 8192,
            chunk_bytes: 1 << 16,
        }
    }
}

/// What a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CocoKind {
    /// {images, annotations, categories[, videos]}.
    Dataset,
    /// A list of annotations.
    Results,
    /// Lines of a reject file, each with an annotation in it.
    Rejects,
    /// Annotations, each on a line of its own.
    Lines,
}

/// What was read so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CocoSummary {
    /// Annotations: rows, rejects and filtered ones.
    pub annotations_read: u64,
    /// Annotations that became rows.
    pub rows: u64,
    /// Annotations that cannot be written, those of rejected label rows included.
    pub rejected: u64,
    /// `iscrowd` annotations that were left out.
    pub filtered_crowd: u64,
    /// Annotations whose id stands earlier in the file; exact while ids ascend, else up to a bound (65,536 runs of
    /// neighbouring ids) and a lower bound beyond.
    pub duplicate_ids: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Inside a list of annotations.
    List {
        first: bool,
    },
    /// Behind a dataset's annotations.
    Sections {
        seen: Seen,
    },
    /// Behind the JSON's end.
    Tail,
    /// Inside a file of lines.
    Lines,
    /// Behind all annotations, where what is known of all of them is said.
    End,
    Done,
}

/// Reads one COCO file batch by batch.
pub struct CocoReader {
    window: Window,
    tables: CocoTables,
    kind: CocoKind,
    state: State,
    seen: Seen,
    origin: Origin,
    confidence: String,
    crowds: Crowds,
    batch_rows: usize,
    /// By number of the class, whether it is drawn from keypoints alone.
    keypoint_classes: Vec<bool>,
    draft: Draft,
    unit: Unit,
    /// Whether coordinates look like fractions; none where the unit was given.
    fractions: Option<Fractions>,
    builder: AnnotationBatchBuilder,
    /// Rows of the batch before: the next one has about as many.
    last_rows: usize,
    line: Line,
    /// Origin that the line of a reject file names.
    line_origin: Option<Arc<Origin>>,
    last_media: u32,
    /// Whether the lists have odd entries.
    has_odd: bool,
    /// Numbers of the odd images and categories that annotations used.
    odd_used: [HashSet<u32>; 2],
    /// Number of the image of the row before, and what rows take from it.
    last_image: Option<(u32, MediaRow)>,
    duplicates: Duplicates,
    summary: CocoSummary,
}

impl CocoTables {
    /// Reads the images, categories and videos of a dataset file, passing over its annotations.
    ///
    /// # Errors
    /// [`crate::error::Error::Source`] where the file is not a dataset, or not whole.
    pub fn read(input: &SourceFile, options: &CocoOptions) -> Result<Self> {
        let named = || Self::on(None, input.file_name().map(Arc::from));
        let (found, tables, window) = survey(input, options.chunk_bytes, Extent::All, named)?;
        match found {
            Found::Annotations { .. } | Found::NoAnnotations => {
                let mut window = window;
                window.item(only_space)?;
                Ok(tables)
            }
            Found::Results { byte } | Found::Rejects { byte } | Found::Lines { byte } => Err(input.error(
                byte,
                "the file has no `images` and `categories`; expected a COCO dataset, such as the ground truth",
            )),
        }
    }
}

impl CocoReader {
    /// Opens a file: finds out what it is and reads its images, categories and videos, wherever they stand. Ids that they
    /// do not list are looked up in `tables` (those of `--annotations`). Rows carry `label` as their source.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`], and [`crate::error::Error::Source`] where the file is no COCO file.
    pub fn open(
        input: &SourceFile,
        label: &str,
        tables: Option<Arc<CocoTables>>,
        options: &CocoOptions,
    ) -> Result<Self> {
        let file_name = input.file_name().map_or_else(|| Arc::from(label), Arc::from);
        let empty = || CocoTables::on(tables.clone(), Some(Arc::clone(&file_name)));
        let (found, tables, window) = survey(input, options.chunk_bytes, Extent::Needed, empty)?;
        let (kind, state, seen) = match found {
            Found::Annotations { seen, .. } => (CocoKind::Dataset, State::List { first: true }, seen),
            Found::NoAnnotations => (CocoKind::Dataset, State::End, Seen::default()),
            Found::Results { .. } => (CocoKind::Results, State::List { first: true }, Seen::default()),
            Found::Rejects { .. } => (CocoKind::Rejects, State::Lines, Seen::default()),
            Found::Lines { .. } => (CocoKind::Lines, State::Lines, Seen::default()),
        };
        let mut reader = Self {
            window: window.continue_at(found.byte())?,
            tables,
            kind,
            state,
            seen,
            origin: Origin::of(label),
            confidence: options.confidence_field.clone().unwrap_or_else(|| "score".to_owned()),
            crowds: match kind {
                CocoKind::Dataset if !options.include_crowd => Crowds::LeftOut,
                // What was left out is not among the rejects.
                CocoKind::Rejects if !options.include_crowd => Crowds::Kept,
                _ => Crowds::Ignored,
            },
            batch_rows: options.batch_rows.max(1),
            keypoint_classes: Vec::new(),
            draft: Draft::new(options.rotated_boxes, options.angle),
            unit: options.unit.unwrap_or(Unit::Px),
            fractions: options.unit.is_none().then(Fractions::default),
            builder: AnnotationBatchBuilder::new(),
            last_rows: 0,
            line: Line::default(),
            line_origin: None,
            last_media: 0,
            has_odd: false,
            odd_used: Default::default(),
            last_image: None,
            duplicates: Duplicates::default(),
            summary: CocoSummary::default(),
        };
        reader.has_odd = reader.tables.odd_len() > 0;
        reader.origin.ids_from = reader.tables.ids_from().map(Arc::from);
        if let State::List { .. } = state {
            reader.window.item(|scanner| scanner.expect(b'[', "expected ["))?;
        }
        Ok(reader)
    }

    /// Opens the file at `path`; see [`Self::open`].
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_path(path: &Path, label: &str, tables: Option<Arc<CocoTables>>, options: &CocoOptions) -> Result<Self> {
        Self::open(&SourceFile::path(path), label, tables, options)
    }

    /// What the file is.
    pub fn kind(&self) -> CocoKind {
        self.kind
    }

    /// Images and categories. Ids that annotations name and no file lists are added at the end as batches are read.
    pub fn tables(&self) -> &CocoTables {
        &self.tables
    }

    /// Names the classes, by number in [`Self::tables`], that are drawn from keypoints alone: their annotations' keypoints
    /// come before segmentations.
    pub fn draw_from_keypoints(&mut self, classes: Vec<bool>) {
        self.keypoint_classes = classes;
    }

    /// Whether the draft's class is drawn from keypoints alone.
    #[cold]
    fn wants_keypoints(&self, text: &[u8]) -> bool {
        let class = self.draft.category(text).and_then(|id| self.tables.find_class(id));
        class
            .and_then(|class| self.keypoint_classes.get(class))
            .is_some_and(|drawn| *drawn)
    }

    /// What was read so far.
    pub fn summary(&self) -> CocoSummary {
        CocoSummary {
            duplicate_ids: self.duplicates.count(),
            ..self.summary
        }
    }

    fn read_batch(&mut self, mut state: State) -> Result<(Option<Batch>, State)> {
        self.window.release();
        let (before, rings_dropped) = (self.summary(), self.draft.rings_dropped());
        let mut rows = Rows::with_capacity(self.last_rows);
        loop {
            let more = match state {
                State::List { mut first } => {
                    let more = self.list_item(&mut first)?;
                    state = match (more, self.kind) {
                        (true, _) => State::List { first },
                        (false, CocoKind::Dataset) => State::Sections { seen: self.seen },
                        (false, _) => State::Tail,
                    };
                    more
                }
                State::Lines => {
                    let more = self.line()?;
                    if !more {
                        state = State::End;
                    }
                    more
                }
                // What follows is read once the rows, whose text is still held, are handed over.
                _ if self.summary.annotations_read > before.annotations_read => false,
                State::Sections { seen } => {
                    self.sections(seen)?;
                    state = State::Tail;
                    continue;
                }
                State::Tail => {
                    self.window.item(only_space)?;
                    state = State::End;
                    continue;
                }
                State::End => return Ok((self.last_batch()?, State::Done)),
                State::Done => return Ok((None, state)),
            };
            if more {
                self.add(&mut rows)?;
            }
            // A reject may be a hundred times as large as its text.
            let most = rows.spans.len().max(rows.rejects.len()).max(rows.row_rejects.len());
            let full = most >= self.batch_rows || self.window.kept_bytes() >= BATCH_BYTES;
            let any = self.summary.annotations_read > before.annotations_read;
            if any && (full || !more) {
                let after = self.summary();
                let counts = [
                    after.filtered_crowd - before.filtered_crowd,
                    after.duplicate_ids - before.duplicate_ids,
                    self.draft.rings_dropped() - rings_dropped,
                ];
                let text = (self.window.byte(0), self.window.take());
                self.last_rows = rows.spans.len();
                let batch = rows.finish(self.builder.take()?, self.origin.ids_from.clone(), text, counts);
                return Ok((Some(batch), state));
            }
        }
    }

    /// What only shows when all annotations were read; none if that is nothing.
    fn last_batch(&mut self) -> Result<Option<Batch>> {
        let odd_used: usize = self.odd_used.iter().map(HashSet::len).sum();
        let (small_angles, odd) = (self.draft.small_angles(), self.tables.odd_len() - odd_used as u64);
        let fractions = self.fractions.as_ref().map_or(0, Fractions::found);
        if small_angles + odd + fractions == 0 {
            return Ok(None);
        }
        let text = (self.window.byte(0), Vec::new());
        let mut batch = Rows::default().finish(self.builder.take()?, self.origin.ids_from.clone(), text, [0; 3]);
        batch.warn("fractions_as_px", fractions);
        batch.warn("small_angles", small_angles);
        batch.warn("odd_entry", odd);
        Ok(Some(batch))
    }

    /// Reads the next annotation of a list into the draft; false at the list's end.
    fn list_item(&mut self, first: &mut bool) -> Result<bool> {
        let Self {
            window,
            draft,
            line,
            confidence,
            ..
        } = self;
        let was_first = *first;
        *first = false;
        window.item(|scanner| {
            let mut first = was_first;
            if !scanner.next_item(&mut first)? {
                return Ok(false);
            }
            scanner.peek()?;
            line.start = scanner.at;
            draft.read(scanner, confidence)?;
            line.end = scanner.at;
            Ok(true)
        })
    }

    /// Reads the next line into the draft; false at the file's end.
    fn line(&mut self) -> Result<bool> {
        let Self {
            kind,
            window,
            draft,
            line,
            confidence,
            origin,
            ..
        } = self;
        window.item(|scanner| {
            if scanner.at_end()? {
                return Ok(false);
            }
            if *kind == CocoKind::Lines {
                line.start = scanner.at;
                draft.read(scanner, confidence)?;
                line.end = scanner.at;
                return Ok(true);
            }
            line::read(line, scanner, draft, confidence)?;
            if let (Some(own), Some(given)) = (line.ids_from(), &origin.ids_from) {
                if !same_lists(own, given) {
                    draft.refuse(Reason::OtherTables {
                        ids_from: own.to_owned(),
                        given: given.to_string(),
                    });
                }
            }
            Ok(true)
        })
    }

    /// Passes over what follows a dataset's annotations, which the survey has read.
    fn sections(&mut self, seen: Seen) -> Result<()> {
        let mut seen = seen;
        loop {
            self.window.release();
            let (section, now_seen) = self.window.item(|scanner| {
                let mut seen = seen;
                // The list of annotations came before, so that this key is not the object's first.
                next_section(scanner, &mut false, &mut seen).map(|section| (section, seen))
            })?;
            seen = now_seen;
            if section.is_none() {
                return Ok(());
            }
            self.window.skip()?;
        }
    }
}

impl Reader for CocoReader {
    /// The next batch. [`crate::error::Error::Source`] names the first byte that is not JSON, not UTF-8 or missing.
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let state = std::mem::replace(&mut self.state, State::Done);
        let (batch, state) = self.read_batch(state)?;
        self.state = state;
        Ok(batch)
    }

    /// Somewhat more than the batches cover of a compressed file.
    fn bytes_read(&self) -> u64 {
        self.window.stored_bytes()
    }

    fn lists(&self) -> Option<&dyn Lists> {
        Some(&self.tables)
    }
}
