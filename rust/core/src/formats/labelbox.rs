//! Labelbox's NDJSON of predictions: a record is an object, a track or an answer. It may also be one list.
//!
//! `{"uuid", "name" | "schemaId", "dataRow": {"globalKey" | "id"}, "confidence"?, "bbox" | "polygon" | "line" | "point" | "mask" |
//! "segments" | "answer", "classifications", "frames"?}`, in px. A track has keyframes in segments, and is linear between those
//! of one segment.
//!
//! Source: labelbox-python 5.x, `data/serialization/ndjson`, and its test files.

use std::sync::Arc;

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use super::figures::{Drawing, Figure};
use super::json_names::JSON_SUFFIXES;
use super::json_values::shown;
use super::keyframes::{answers, Gap, Gaps, Keyframe, Object};
use super::list_entries::{EntryFormat, EntryReader, Rows};
use super::{Files, Format, Opened, Opening};
use crate::batch::{Annotation, Kind, Unit};
use crate::error::Result;
use crate::json::{Scan, Scanner};
use crate::reject::Reason;
use crate::source::Frames;

/// Labelbox's NDJSON.
pub static FORMAT: Format = Format {
    name: "labelbox",
    about: "Labelbox's NDJSON: a record is an object, a track or an answer",
    files: Files::Each(JSON_SUFFIXES),
    options: &[],
    frames: Frames::FROM_0,
    detect: |head| head.is_json("labelbox"),
    open,
};

fn open(opening: Opening<'_>) -> Result<Opened> {
    let gaps = Gaps::of(&opening, &FORMAT)?;
    Ok(Opened::reader(EntryReader::with_gaps(Labelbox, &opening, gaps)?))
}

#[derive(Clone)]
struct Labelbox;

/// A record.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Record {
    uuid: Option<String>,
    name: Option<String>,
    schema_id: Option<String>,
    data_row: DataRow,
    confidence: Option<f64>,
    #[serde(flatten)]
    drawn: Drawn,
    segments: Option<Vec<Segment>>,
    classifications: Vec<Classification>,
    answer: Option<Answer>,
    frames: Option<Vec<Range>>,
    relationship: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DataRow {
    global_key: Option<String>,
    id: Option<String>,
}

/// What is drawn: one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Drawn {
    bbox: Option<Bbox>,
    polygon: Option<Vec<Xy>>,
    line: Option<Vec<Xy>>,
    point: Option<Xy>,
    mask: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Bbox {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Xy {
    x: f64,
    y: f64,
}

#[derive(Debug, Deserialize)]
struct Segment {
    keyframes: Vec<VideoKeyframe>,
}

#[derive(Debug, Deserialize)]
struct VideoKeyframe {
    frame: u32,
    #[serde(flatten)]
    drawn: Drawn,
    #[serde(default)]
    classifications: Vec<Classification>,
}

/// A question with its answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Classification {
    name: Option<String>,
    schema_id: Option<String>,
    answer: Option<Answer>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Text(String),
    One(Choice),
    Many(Vec<Choice>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Choice {
    name: Option<String>,
    schema_id: Option<String>,
    confidence: Option<f64>,
    #[serde(default)]
    classifications: Vec<Classification>,
}

/// Frames, both included.
#[derive(Debug, Deserialize)]
struct Range {
    start: u32,
    end: u32,
}

impl Drawn {
    /// The shape and its numbers.
    fn figure(&self) -> std::result::Result<(Figure, Vec<f64>), Reason> {
        let coords = |points: &[Xy]| points.iter().flat_map(|point| [point.x, point.y]).collect::<Vec<_>>();
        match self {
            Self { bbox: Some(bbox), .. } => {
                let numbers = vec![bbox.left, bbox.top, bbox.width, bbox.height, 0.0];
                Ok((Figure::Rectangle, numbers))
            }
            Self {
                polygon: Some(points), ..
            } => Ok((Figure::Polygon, coords(points))),
            Self { line: Some(points), .. } => Ok((Figure::Polyline, coords(points))),
            Self { point: Some(point), .. } => Ok((Figure::Point, coords(&[*point]))),
            Self { mask: Some(_), .. } => Err(Reason::UnsupportedLabel {
                what: "a mask that is a picture",
            }),
            _ => Err(Reason::UnsupportedLabel {
                what: "an annotation without bbox, polygon, line, point, segments or answer",
            }),
        }
    }
}

impl Answer {
    /// Adds the answers to a question, and to those below its options.
    fn add(self, question: &str, given: &mut Vec<(String, Option<String>)>) {
        let choices = match self {
            Self::Text(text) => {
                given.push((question.to_owned(), Some(text)));
                return;
            }
            Self::One(choice) => vec![choice],
            // A checklist of which nothing is chosen.
            Self::Many(choices) if choices.is_empty() => {
                given.push((question.to_owned(), None));
                return;
            }
            Self::Many(choices) => choices,
        };
        for choice in choices {
            given.push((question.to_owned(), choice.name.or(choice.schema_id)));
            add_all(choice.classifications, given);
        }
    }

    /// The confidence of the answer itself.
    fn confidence(&self) -> Option<f64> {
        match self {
            Self::One(choice) => choice.confidence,
            Self::Many(choices) => choices.first().and_then(|choice| choice.confidence),
            Self::Text(_) => None,
        }
    }
}

fn add_all(classifications: Vec<Classification>, given: &mut Vec<(String, Option<String>)>) {
    for classification in classifications {
        let question = classification.name.or(classification.schema_id).unwrap_or_default();
        if let Some(answer) = classification.answer {
            answer.add(&question, given);
        }
    }
}

impl EntryFormat for Labelbox {
    const MEMBER: Option<&'static str> = None;
    const MAY_BE_LIST: bool = true;
    const MAY_BE_LINES: bool = true;
    type Record = ();

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        scanner.skip()
    }

    fn rows(&mut self, (): &(), _number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        let text = &rows.text()[rows.record.clone()];
        match serde_json::from_slice::<Record>(text) {
            Ok(record) => {
                if let Err(reason) = record.rows(xxh3_64(text), rows) {
                    rows.reject_record(reason);
                }
            }
            Err(cause) => rows.reject_record(Reason::BadField {
                field: "annotation",
                expected: "an annotation as Labelbox imports it",
                found: format!("not one: {}", shown(cause.to_string().as_bytes())),
            }),
        }
        Ok(())
    }
}

impl Record {
    /// Adds what the record says; `digest` is that of its text, which names a track without an id.
    fn rows(self, digest: u64, rows: &mut Rows<'_>) -> std::result::Result<(), Reason> {
        if self.relationship.is_some() {
            rows.leave_out("relation", 1);
            return Ok(());
        }
        let missing = |field| Reason::MissingField { field };
        let media = self
            .data_row
            .global_key
            .or(self.data_row.id)
            .ok_or(missing("dataRow"))?;
        let class = self.name.or(self.schema_id).ok_or(missing("name"))?;
        let mut attributes = Vec::new();
        add_all(self.classifications, &mut attributes);
        let at = rows.record.start;
        let object = Object {
            media,
            class,
            track: None,
            score: self.confidence,
            unit: Unit::Px,
            size_wh: [None; 2],
            figure: Figure::Point,
            attributes,
        };
        if let Some(answer) = self.answer {
            return answered(answer, object, self.frames, self.uuid.as_deref(), rows);
        }
        if let Some(segments) = self.segments {
            let track = self.uuid.unwrap_or_else(|| format!("{digest:016x}"));
            let object = Object {
                track: Some(track),
                ..object
            };
            segments.into_iter().for_each(|segment| segment.rows(&object, rows));
            return Ok(());
        }
        let (figure, numbers) = self.drawn.figure()?;
        let row = Annotation {
            annotation_id: self.uuid.as_deref(),
            ..object.row()
        };
        let mut room = Drawing::default();
        rows.push_with_attributes(at, &figure.draw(row, &numbers, &mut room), None, &object.answers());
        Ok(())
    }
}

/// Adds an answer: on each range of frames, or about all of the medium.
fn answered(
    answer: Answer,
    object: Object,
    frames: Option<Vec<Range>>,
    uuid: Option<&str>,
    rows: &mut Rows<'_>,
) -> std::result::Result<(), Reason> {
    let ranges = frames.unwrap_or_default();
    if let Some(range) = ranges.iter().find(|range| range.end < range.start) {
        return Err(Reason::BackwardRange {
            first: range.start.into(),
            last: range.end.into(),
        });
    }
    let score = object.score.or(answer.confidence());
    let mut given = Vec::new();
    answer.add("", &mut given);
    given.extend(object.attributes.iter().cloned());
    let given = answers(&given);
    let row = Annotation {
        annotation_id: uuid,
        kind: Kind::Answer,
        score,
        ..object.row()
    };
    let at = rows.record.start;
    if ranges.is_empty() {
        rows.push_with_attributes(at, &row, None, &given);
    }
    for Range { start, end } in ranges {
        let row = Annotation {
            frame_last: Some(end),
            ..row
        };
        rows.push_with_attributes(at, &row, Some(start), &given);
    }
    Ok(())
}

impl Segment {
    /// Adds the keyframes of a segment, and the frames between them.
    fn rows(mut self, object: &Object, rows: &mut Rows<'_>) {
        self.keyframes.sort_by_key(|keyframe| keyframe.frame);
        let at = rows.record.start;
        let mut before: Option<(Arc<Object>, u32, Vec<f64>)> = None;
        for keyframe in self.keyframes {
            let frame = keyframe.frame;
            let (figure, numbers) = match keyframe.drawn.figure() {
                Ok(drawn) => drawn,
                Err(reason) => {
                    rows.reject_row(at, &object.row(), Some(frame), reason);
                    before = None;
                    continue;
                }
            };
            let mut attributes = object.attributes.clone();
            add_all(keyframe.classifications, &mut attributes);
            let moving = Arc::new(Object {
                media: object.media.clone(),
                class: object.class.clone(),
                track: object.track.clone(),
                figure,
                attributes,
                ..*object
            });
            if let Some((object, last, from)) = before.take() {
                let gap = if object.figure == figure {
                    let from = Keyframe {
                        frame: last,
                        numbers: &from,
                    };
                    let to = Keyframe {
                        frame,
                        numbers: &numbers,
                    };
                    Gap::between(&object, [from, to], 1, "segments")
                } else {
                    Err(Reason::BadField {
                        field: "segments",
                        expected: "keyframes of one shape",
                        found: format!("shapes that differ on the frames {last} and {frame}"),
                    })
                };
                rows.fill(at, &object.row(), gap);
            }
            let mut room = Drawing::default();
            let row = figure.draw(moving.row(), &numbers, &mut room);
            rows.push_with_attributes(at, &row, Some(frame), &moving.answers());
            before = Some((moving, frame, numbers));
        }
    }
}
