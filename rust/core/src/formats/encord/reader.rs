//! Reads label rows one by one into batches of the IR.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answers::{said, Said};
use super::geometry::Object;
use super::label_row::{Answer, Frame, LabelRow, Space};
use crate::batch::{Annotation, AnnotationBatchBuilder, AttributeValue, Kind, Unit};
use crate::error::Result;
use crate::formats::{Batch, KnownNames, ReadOptions, Reader};
use crate::json::{only_space, Entries, Window};
use crate::reject::{Origin, Reason, Reject};
use crate::source::SourceFile;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Reads a file of label rows.
pub struct EncordReader {
    label: String,
    known: Option<Arc<KnownNames>>,
    window: Window,
    /// Whether the rows stand in a list; none before the first byte was seen.
    list: Option<bool>,
    /// Labels read so far.
    records: u64,
}

impl EncordReader {
    /// Opens a file. With `known`, media and classes go by their hashes where the project has them, else by title and name;
    /// without, all go by their hashes.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`] where it cannot be opened.
    pub fn open(
        input: &SourceFile,
        label: &str,
        known: Option<Arc<KnownNames>>,
        options: &ReadOptions,
    ) -> Result<Self> {
        Ok(Self {
            label: label.to_owned(),
            known,
            window: Window::open(input, 0, options.chunk_bytes.unwrap_or(CHUNK_BYTES))?,
            list: None,
            records: 0,
        })
    }

    /// Finds the next row's text in the window.
    fn next_text(&mut self) -> Result<Option<(usize, usize)>> {
        const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
        self.window.release();
        let first = self.list.is_none();
        let in_list = match self.list {
            Some(in_list) => in_list,
            None => self.window.item(|scanner| {
                scanner.skip_mark(BYTE_ORDER_MARK)?;
                let in_list = !scanner.at_end()? && scanner.peek()? == b'[';
                if in_list {
                    scanner.expect(b'[', "expected a list of label rows")?;
                }
                Ok(in_list)
            })?,
        };
        self.list = Some(in_list);
        self.window.item(|scanner| {
            // Scanned anew where the window ends too early, it is the first item again.
            let mut first = first;
            let more = if in_list {
                scanner.next_item(&mut first)?
            } else {
                !scanner.at_end()?
            };
            if !more {
                return only_space(scanner).map(|()| None);
            }
            scanner.peek()?;
            let start = scanner.at;
            scanner.skip()?;
            Ok(Some((start, scanner.at)))
        })
    }
}

impl Reader for EncordReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let Some((start, end)) = self.next_text()? else {
            return Ok(None);
        };
        let mut rows = Rows {
            label: &self.label,
            known: self.known.as_deref(),
            records: &mut self.records,
            builder: AnnotationBatchBuilder::new(),
            rejects: Vec::new(),
        };
        let text = &self.window.text()[start..end];
        match serde_json::from_slice::<LabelRow<'_>>(text) {
            Ok(row) => rows.add(&row),
            Err(cause) => rows.reject(format!("the label row: {cause}"), text),
        }
        let Rows { builder, rejects, .. } = rows;
        Ok(Some(Batch {
            rejects,
            ..Batch::new(builder.finish()?)
        }))
    }

    fn bytes_read(&self) -> u64 {
        self.window.stored_bytes()
    }
}

/// The rows of one label row.
struct Rows<'r> {
    label: &'r str,
    known: Option<&'r KnownNames>,
    records: &'r mut u64,
    builder: AnnotationBatchBuilder,
    rejects: Vec<Reject>,
}

impl<'r> Rows<'r> {
    fn reject(&mut self, message: String, text: &[u8]) {
        self.reject_as(Reason::BadLabel { message }, text);
    }

    fn reject_as(&mut self, reason: Reason, text: &[u8]) {
        let origin = Origin::of(self.label);
        self.rejects
            .push(Reject::new(reason, &origin, *self.records, None, Some(text)));
        *self.records += 1;
    }

    /// What a class goes by, and whether that is its hash.
    fn class<'a>(&self, feature_hash: &'a str, name: &'a str) -> (&'a str, bool) {
        match self.known {
            Some(known) if !known.has_class(feature_hash) && !name.is_empty() => (name, false),
            _ => (feature_hash, true),
        }
    }

    fn push(&mut self, row: &Annotation<'_>, said: &[Said]) {
        let attributes: Vec<AttributeValue<'_>> = said.iter().map(Said::attribute).collect();
        self.builder.push_with_attributes(row, &attributes);
        *self.records += 1;
    }

    /// The next row, to be filled in.
    fn row<'a>(&self, media: &'a str, frame: u32, class: &'a str) -> Annotation<'a>
    where
        'r: 'a,
    {
        Annotation {
            unit: Unit::Frac,
            ..Annotation::object(self.label, *self.records, media, frame, class)
        }
    }

    fn add(&mut self, row: &LabelRow<'_>) {
        let media = match self.known {
            Some(known) if !known.has_medium(&row.data_hash) && !row.data_title.is_empty() => &row.data_title,
            _ => &row.data_hash,
        };
        let by_frame = !matches!(row.data_type.as_str(), "image" | "img_group");
        let mut objects = Objects {
            fixed: row
                .object_answers
                .0
                .iter()
                .map(|(hash, about)| (hash.as_str(), about.classifications.as_slice()))
                .collect(),
            changing: row
                .object_actions
                .0
                .iter()
                .map(|(hash, about)| (hash.as_str(), about.actions.as_slice()))
                .collect(),
        };
        // Of classifications that stand on their frames alone, as in older rows.
        let mut on_frames: HashMap<String, OnFrames> = HashMap::new();
        for (_, unit) in &row.data_units.0 {
            let Some(labels) = unit.labels.filter(|labels| !matches!(labels.get(), "{}" | "null")) else {
                continue;
            };
            let frames = match frames_of(labels, by_frame, unit.data_sequence.frame()) {
                Ok(frames) => frames,
                Err(message) => {
                    self.reject(message, labels.get().as_bytes());
                    continue;
                }
            };
            let size = (unit.width, unit.height);
            for (frame, content) in frames {
                for raw in content.objects {
                    self.object(media, frame, size, raw, &mut objects);
                }
                for on_frame in content.classifications {
                    let found = on_frames.entry(on_frame.classification_hash).or_default();
                    found.frames.push(frame);
                    found.score = found.score.or(on_frame.confidence);
                    found.feature_hash = found.feature_hash.take().or(on_frame.feature_hash);
                    found.name = found.name.take().or(on_frame.name);
                }
            }
        }
        self.sounds(media, row);
        self.classifications(media, row, &on_frames);
        self.spaces(row);
    }

    /// Rejects the labels of spaces.
    fn spaces(&mut self, row: &LabelRow<'_>) {
        const WHAT: Reason = Reason::UnsupportedLabel {
            what: "a label in a space",
        };
        let Some(text) = row.spaces.map(RawValue::get).filter(|text| *text != "null") else {
            return;
        };
        let Ok(spaces) = serde_json::from_str::<Entries<Space<'_>>>(text) else {
            return self.reject_as(WHAT, text.as_bytes());
        };
        for labels in spaces.0.iter().filter_map(|(_, space)| space.labels) {
            let Ok(frames) = frames_of(labels, true, None) else {
                self.reject_as(WHAT, labels.get().as_bytes());
                continue;
            };
            for (_, content) in frames {
                for object in content.objects {
                    self.reject_as(WHAT, object.get().as_bytes());
                }
                for _ in content.classifications {
                    self.reject_as(WHAT, b"null");
                }
            }
        }
    }

    fn object(
        &mut self,
        media: &str,
        frame: u32,
        (width, height): (Option<u32>, Option<u32>),
        raw: &RawValue,
        objects: &mut Objects<'_>,
    ) {
        let text = raw.get().as_bytes();
        let object: Object = match serde_json::from_str(raw.get()) {
            Ok(object) => object,
            Err(cause) => return self.reject(format!("the object: {cause}"), text),
        };
        let drawn = match object.draw() {
            Ok(drawn) => drawn,
            Err(message) => return self.reject(format!("the object cannot be taken: {message}"), text),
        };
        let (class, by_hash) = self.class(&object.feature_hash, &object.name);
        let Some(said) = objects.said(&object.object_hash, frame, by_hash) else {
            return self.reject(
                "an answer about the object is neither text, a number nor options".to_owned(),
                text,
            );
        };
        let row = Annotation {
            track: Some(&object.object_hash),
            score: object.confidence,
            width_px: width,
            height_px: height,
            ..self.row(media, frame, class)
        };
        self.push(&drawn.on(row), &said);
    }

    fn sounds(&mut self, media: &str, row: &LabelRow<'_>) {
        for (_, about) in &row.object_answers.0 {
            for place in &about.range_html {
                let what = "a range of an HTML document";
                self.reject_as(Reason::UnsupportedLabel { what }, place.get().as_bytes());
            }
        }
        for (hash, about) in row.object_answers.0.iter().filter(|(_, about)| !about.range.is_empty()) {
            let Some(feature_hash) = &about.feature_hash else {
                self.reject("the object has no featureHash".to_owned(), b"null");
                continue;
            };
            let (class, by_hash) = self.class(feature_hash, about.name.as_deref().unwrap_or_default());
            let Some(mut said) = said(about.classifications.iter(), by_hash) else {
                self.reject("an answer is neither text, a number nor options".to_owned(), b"null");
                continue;
            };
            for &(first, last) in &about.range {
                let row = Annotation {
                    frame_last: Some(last),
                    track: Some(hash),
                    ..self.row(media, first, class)
                };
                self.push(&row, &std::mem::take(&mut said));
            }
        }
    }

    fn classifications(&mut self, media: &str, row: &LabelRow<'_>, on_frames: &HashMap<String, OnFrames>) {
        for (hash, answer) in &row.classification_answers.0 {
            let named = serde_json::json!({ "classificationHash": hash }).to_string();
            let standing = on_frames.get(hash);
            let on_frame = standing.and_then(|standing| standing.feature_hash.as_deref());
            let Some(feature_hash) = answer.feature_hash.as_deref().or(on_frame) else {
                self.reject("the classification has no featureHash".to_owned(), named.as_bytes());
                continue;
            };
            let first = answer.classifications.last().map(|first| first.name.as_str());
            let own_name = standing.and_then(|standing| standing.name.as_deref());
            let (class, by_hash) = self.class(feature_hash, first.or(own_name).unwrap_or_default());
            let Some(said) = said(answer.classifications.iter(), by_hash) else {
                self.reject(
                    "an answer is neither text, a number nor options".to_owned(),
                    named.as_bytes(),
                );
                continue;
            };
            let frames = standing.map_or(&[][..], |standing| &standing.frames);
            let ranges: Vec<(u32, u32)> = if answer.range.is_empty() {
                frames.iter().map(|&frame| (frame, frame)).collect()
            } else {
                answer.range.clone()
            };
            if ranges.is_empty() {
                let what = "a classification of a whole medium, without frames";
                self.reject_as(Reason::UnsupportedLabel { what }, named.as_bytes());
            }
            let score = answer
                .confidence
                .or_else(|| standing.and_then(|standing| standing.score));
            for (first, last) in ranges {
                let row = Annotation {
                    frame_last: (last != first).then_some(last),
                    kind: Kind::Answer,
                    score,
                    ..self.row(media, first, class)
                };
                self.push(&row, &said);
            }
        }
    }
}

/// A classification as its frames have it.
#[derive(Default)]
struct OnFrames {
    frames: Vec<u32>,
    score: Option<f64>,
    feature_hash: Option<String>,
    name: Option<String>,
}

/// Answers about the objects of a row.
struct Objects<'a> {
    /// Those about the whole object; they go to its first label.
    fixed: HashMap<&'a str, &'a [Answer<'a>]>,
    changing: HashMap<&'a str, &'a [Answer<'a>]>,
}

impl Objects<'_> {
    fn said(&mut self, hash: &str, frame: u32, by_hash: bool) -> Option<Vec<Said>> {
        let fixed = self.fixed.remove(hash).unwrap_or_default();
        let changing = self.changing.get(hash).copied().unwrap_or_default();
        let here = |answer: &&Answer<'_>| {
            answer
                .range
                .iter()
                .any(|&(first, last)| (first..=last).contains(&frame))
        };
        said(fixed.iter().chain(changing.iter().filter(here)), by_hash)
    }
}

/// The frames of a data unit; of an image its one, under its number in the group.
fn frames_of<'a>(
    labels: &'a RawValue,
    by_frame: bool,
    sequence: Option<u32>,
) -> std::result::Result<Vec<(u32, Frame<'a>)>, String> {
    fn read<'a, T: Deserialize<'a>>(labels: &'a RawValue) -> std::result::Result<T, String> {
        serde_json::from_str(labels.get()).map_err(|cause| format!("the data unit's labels: {cause}"))
    }
    if !by_frame {
        let number = sequence.ok_or("the data unit's data_sequence is no number")?;
        return Ok(vec![(number, read(labels)?)]);
    }
    let frames: Entries<Frame<'a>> = read(labels)?;
    let numbered = frames.0.into_iter().map(|(number, frame)| {
        let parsed = number.parse();
        parsed
            .map(|number| (number, frame))
            .map_err(|_| format!("the frame {number:?} is no number"))
    });
    numbered.collect()
}
