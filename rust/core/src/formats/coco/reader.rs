//! The reader: pulls annotations out of a file and hands them over in batches.

use std::path::Path;
use std::sync::Arc;

use super::annotation::{Draft, Verdict};
use super::duplicates::Duplicates;
use super::line::{self, same_lists};
use super::names::Refused;
use super::rotated::RotatedBox;
use super::rows::Rows;
use super::survey::{next_section, survey, Extent, Found, Seen};
use super::tables::{CocoTables, MediaRow};
use crate::batch::{Annotation, AnnotationBatchBuilder, RleOrder, Shape};
use crate::error::Result;
use crate::formats::rejects::{Held, Line};
use crate::formats::{Batch, Lists, Reader};
use crate::json::{only_space, Window};
use crate::reject::{Origin, Reason, Reject};
use crate::source::{SourceFile, TextSpan};

/// Bytes of text after which a batch ends, however few its rows. Not tied to the chunk size: batches depend on the file
/// and `batch_rows` alone. Larger batches are slower: their buffers come fresh from the operating system each time.
const BATCH_BYTES: usize = 1 << 20;

/// How a file is read.
#[derive(Debug, Clone)]
pub struct CocoOptions {
    /// Name of the field with the confidence, at the top of an annotation or under `attributes`; `score` if none.
    pub confidence_field: Option<String>,
    /// Whether `iscrowd` annotations are rows like others; they are left out and counted otherwise.
    pub include_crowd: bool,
    /// What the numbers of a box are; COCO's x, y, width, height if none.
    pub rotated_boxes: Option<RotatedBox>,
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
    /// Inside a reject file.
    Lines,
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
    include_crowd: bool,
    batch_rows: usize,
    /// By number of the class, whether it is drawn from keypoints alone.
    keypoint_classes: Vec<bool>,
    draft: Draft,
    builder: AnnotationBatchBuilder,
    /// Rows of the batch before: the next one has about as many.
    last_rows: usize,
    line: Line,
    /// Origin that the line of a reject file names.
    line_origin: Option<Arc<Origin>>,
    last_media: u32,
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
            Found::Results { byte } | Found::Rejects { byte } => Err(input.error(
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
            Found::NoAnnotations => (CocoKind::Dataset, State::Done, Seen::default()),
            Found::Results { .. } => (CocoKind::Results, State::List { first: true }, Seen::default()),
            Found::Rejects { .. } => (CocoKind::Rejects, State::Lines, Seen::default()),
        };
        let mut reader = Self {
            window: window.continue_at(found.byte())?,
            tables,
            kind,
            state,
            seen,
            origin: Origin::of(label),
            confidence: options.confidence_field.clone().unwrap_or_else(|| "score".to_owned()),
            include_crowd: options.include_crowd,
            batch_rows: options.batch_rows.max(1),
            keypoint_classes: Vec::new(),
            draft: Draft::new(options.rotated_boxes),
            builder: AnnotationBatchBuilder::new(),
            last_rows: 0,
            line: Line::default(),
            line_origin: None,
            last_media: 0,
            last_image: None,
            duplicates: Duplicates::default(),
            summary: CocoSummary::default(),
        };
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
        let before = self.summary();
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
                        state = State::Done;
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
                    state = State::Done;
                    continue;
                }
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
                ];
                let text = (self.window.byte(0), self.window.take());
                self.last_rows = rows.spans.len();
                let batch = rows.finish(self.builder.take()?, self.origin.ids_from.clone(), text, counts);
                return Ok((Some(batch), state));
            }
        }
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

    /// Reads the next line of a reject file into the draft; false at the file's end.
    fn line(&mut self) -> Result<bool> {
        let Self {
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

    /// Judges the draft, and adds it as a row or as a reject.
    fn add(&mut self, rows: &mut Rows) -> Result<()> {
        if let Some(row) = self.line.row.take() {
            self.summary.annotations_read += row.annotations;
            self.summary.rejected += row.annotations;
            rows.row_rejects.push(row);
            return Ok(());
        }
        let (start, end) = (self.line.start, self.line.end);
        let byte = self.window.byte(start);
        let offset = self.line.offset.unwrap_or(byte);
        if self.kind == CocoKind::Rejects {
            self.line_origin = self.line.origin(self.origin.ids_from.as_ref());
        }
        let origin = self.line_origin.as_deref().unwrap_or(&self.origin);
        // Positions of the draft refer to the text that it was read from.
        let text = if self.line.annotation == Held::Quoted {
            self.line.text.as_slice()
        } else {
            self.window.text()
        };
        self.summary.annotations_read += 1;
        if let Some(id) = self.draft.annotation_key(text) {
            self.duplicates.add(id);
        }
        let wants_keypoints = self.draft.has_extras() && self.wants_keypoints(text);
        let shape = match self.draft.verdict(self.include_crowd, wants_keypoints) {
            Verdict::Row(shape) => shape,
            Verdict::Crowd => {
                self.summary.filtered_crowd += 1;
                return Ok(());
            }
            Verdict::Reject(reason) => {
                self.summary.rejected += 1;
                let own = &self.window.text()[start..end];
                rows.rejects.push(Reject::new(
                    reason,
                    origin,
                    offset,
                    self.draft.annotation_id(text),
                    Some(own),
                ));
                return Ok(());
            }
        };
        let (Some(image), Some(category)) = (self.draft.image(text), self.draft.category(text)) else {
            return Ok(());
        };
        let full = |_: Refused| {
            self.window
                .error(start, "the file names more than 2^32 images or categories; split it")
        };
        let media = self
            .tables
            .media_of(image, self.draft.file_name(text), &mut self.last_media)
            .map_err(full)?;
        let class = self.tables.class_of(category).map_err(full)?;
        let image = match self.last_image {
            Some((last, image)) if last == media => image,
            _ => {
                let image = self.tables.media_row(media);
                self.last_image = Some((media, image));
                image
            }
        };
        // The names of its media and class are given by number.
        let mut row = Annotation::object(&origin.source, offset, "", image.frame, "");
        row.track = self.draft.track(text);
        row.score = self.draft.score();
        row.shape = Some(shape);
        row.bbox = self.draft.bbox();
        (row.width_px, row.height_px) = (image.width, image.height);
        match shape {
            Shape::Bitmask => {
                if let Some((counts, [h, w])) = self.draft.rle(text) {
                    (row.rle, row.rle_order) = (Some(counts), Some(RleOrder::ColumnMajor));
                    (row.width_px, row.height_px) = (Some(w), Some(h));
                }
            }
            Shape::Skeleton => {
                if let Some((points, visibility)) = self.draft.keypoints() {
                    (row.points, row.visibility) = (Some(points), Some(visibility));
                }
                row.theta = self.draft.theta();
            }
            _ => {
                row.points = self.draft.points();
                if self.draft.has_extras() {
                    row.theta = self.draft.theta();
                }
            }
        }
        let tables = &self.tables;
        self.builder.push_numbered(
            &row,
            self.draft.annotation_id_text(text),
            (media, || tables.media_label(media)),
            (class, || tables.class_label(class)),
        );
        rows.media.push(media);
        rows.classes.push(class);
        rows.spans.push(TextSpan {
            at: byte,
            len: (end - start) as u32,
        });
        if self.kind == CocoKind::Rejects {
            rows.origins.push(self.line_origin.clone());
        }
        self.summary.rows += 1;
        Ok(())
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
