//! Label Studio: a record is a task, with the regions that models predicted on its image or video.
//!
//! `[{"data": {"image" | "video": url}, "predictions": [{"score", "model_version", "result": [...]}], "annotations": [...]}]`. What
//! people annotated is left out. Results of one id are one region: one draws it, others label it or answer questions about it.
//! Coordinates are percent of the image.
//!
//! Source: label-studio-sdk 2.1.2, `converter/` and `label_studio_tools/postprocessing/video.py`.

mod brush;
mod region;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::figures::{Drawing, Figure};
use super::json_names::JSON_SUFFIXES;
use super::json_values::{member, name, place, score, shown, string, Wrong};
use super::keyframes::{answers, Gap, Gaps, Keyframe, Object};
use super::list_entries::{EntryFormat, EntryReader, Rows};
use super::{Files, Format, KnownNames, Opened, Opening, ReadOption};
use crate::batch::{Annotation, Kind as RowKind, RleOrder, Shape, Unit};
use crate::error::Result;
use crate::json::{plain, Scan, Scanner};
use crate::reject::Reason;
use crate::rle::Size;
use crate::source::{base_name, Frames};
use region::{begin, keyframes, Kind, Region};

/// Label Studio's JSON.
pub static FORMAT: Format = Format {
    name: "labelstudio",
    about: "Label Studio: tasks with the regions that models predicted",
    files: Files::Each(JSON_SUFFIXES),
    options: &[ReadOption::ModelVersion],
    frames: Frames::FROM_1,
    detect: |head| head.is_json("labelstudio"),
    open,
};

fn open(opening: Opening<'_>) -> Result<Opened> {
    let tasks = Tasks {
        model_version: opening.options.model_version.clone(),
        known: opening.project.map(|project| project.known_names()),
    };
    let gaps = Gaps::of(&opening, &FORMAT)?;
    Ok(Opened::reader(EntryReader::with_gaps(tasks, &opening, gaps)?))
}

/// What is known besides the tasks.
#[derive(Clone)]
struct Tasks {
    /// The model whose predictions are read; all of them if none.
    model_version: Option<String>,
    known: Option<Arc<KnownNames>>,
}

/// The fields of a task.
#[derive(Default)]
struct Task {
    /// Where its image or video is.
    media: Option<String>,
    /// Where the list of predictions begins.
    predictions: Option<usize>,
    /// Results that people made.
    human: u64,
    /// Why it cannot be read.
    odd: Option<Reason>,
}

/// What a prediction says of all of its results.
#[derive(Default)]
struct Prediction {
    score: Option<f64>,
    model_version: Option<String>,
    regions: Vec<Region>,
    odd: Option<Reason>,
}

impl EntryFormat for Tasks {
    const MEMBER: Option<&'static str> = None;
    const MAY_BE_LIST: bool = true;
    type Record = Task;

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<Task> {
        let mut task = Task::default();
        scanner.peek()?;
        let start = scanner.at;
        if !begin(scanner)? {
            task.odd = Some(Wrong::Expected("an object").reason("task", scanner.since(start)));
            return Ok(task);
        }
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let odd = &mut task.odd;
            match plain(scanner, key, &mut Vec::new()) {
                b"data" => task.media = media(scanner)?,
                b"predictions" => {
                    task.predictions = member(scanner, "predictions", odd, |scanner| place(scanner, b'['))?;
                }
                b"annotations" | b"completions" | b"drafts" => task.human += results(scanner)?,
                _ => scanner.skip()?,
            }
        }
        Ok(task)
    }

    fn rows(&mut self, task: &Task, _number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        rows.leave_out("human_annotation", task.human);
        let predictions = match (&task.odd, task.predictions) {
            (Some(reason), _) => {
                rows.reject_record(reason.clone());
                return Ok(());
            }
            (None, None) => return Ok(()),
            (None, Some(place)) => place,
        };
        let mut scanner = rows.scanner(predictions);
        let mut first = true;
        scanner.at += 1;
        while scanner.next_item(&mut first)? {
            scanner.peek()?;
            let start = scanner.at;
            let prediction = prediction(&mut scanner)?;
            let is_other = |wanted: &String| prediction.model_version.as_ref() != Some(wanted);
            if let Some(reason) = prediction.odd {
                rows.reject(start..scanner.at, reason);
            } else if self.model_version.as_ref().is_some_and(is_other) {
                rows.leave_out("model_version", prediction.regions.len() as u64);
            } else if let Some(media) = &task.media {
                let media = self.without_prefix(media);
                Results::of(&media, prediction).rows(rows)?;
            } else if !prediction.regions.is_empty() {
                rows.reject(start..scanner.at, Reason::MissingField { field: "data" });
            }
        }
        Ok(())
    }
}

impl Tasks {
    /// The name by which a medium is looked for: Label Studio puts eight hexadecimal digits in front of the names of files that
    /// are uploaded to it. They are left out where the project has the medium without them alone.
    fn without_prefix<'u>(&self, url: &'u str) -> Cow<'u, str> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let file = percent_decode_str(base_name(path)).decode_utf8_lossy();
        let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        let uploaded = file
            .split_once('-')
            .filter(|(digits, name)| digits.len() == 8 && digits.as_bytes().iter().all(is_digit) && !name.is_empty());
        let Some(((_, name), known)) = uploaded.zip(self.known.as_deref()) else {
            return url.into();
        };
        let has = |name: &str| known.has_title(name) || known.has_medium(name);
        if has(name) && !has(&file) && !has(url) {
            name.to_owned().into()
        } else {
            url.into()
        }
    }
}

/// The results of a prediction, by the regions that they are about.
struct Results<'m> {
    media: &'m str,
    score: Option<f64>,
    results: Vec<Region>,
    /// By id, the numbers of the results that say what a region is, and answer questions about it.
    about: HashMap<String, Vec<usize>>,
    /// Whether it has a region that is drawn.
    drawn: HashSet<String>,
}

impl<'m> Results<'m> {
    fn of(media: &'m str, prediction: Prediction) -> Self {
        let (mut about, mut drawn) = (HashMap::<String, Vec<usize>>::new(), HashSet::new());
        for (at, result) in prediction.regions.iter().enumerate() {
            match (&result.id, result.kind) {
                (Some(id), Kind::Labels | Kind::Answer) => about.entry(id.clone()).or_default().push(at),
                (Some(id), kind) if kind.draws() => drop(drawn.insert(id.clone())),
                _ => {}
            }
        }
        Self {
            media,
            score: prediction.score,
            results: prediction.regions,
            about,
            drawn,
        }
    }

    fn rows(&self, rows: &mut Rows<'_>) -> Scan<()> {
        for result in &self.results {
            let is_of_region = result.id.as_ref().is_some_and(|id| self.drawn.contains(id));
            let at = result.place.start;
            match result.kind {
                _ if result.odd.is_some() => {
                    let reason = result.odd.clone();
                    reason
                        .into_iter()
                        .for_each(|reason| self.reject(result, at, None, reason, rows));
                }
                // The region that they are about has them.
                Kind::Labels | Kind::Answer if is_of_region => {}
                Kind::Answer => self.answer(result, rows),
                Kind::Relation => rows.leave_out("relation", 1),
                Kind::Labels => self.reject(result, at, None, unsupported("labels without a shape"), rows),
                Kind::Other => {
                    let expected =
                        "a rectangle, ellipse, polygon, keypoint, brush, video rectangle, labels or an answer";
                    let found = format!("{:?}", result.type_name);
                    let field = "type";
                    self.reject(result, at, None, Reason::BadField { field, expected, found }, rows);
                }
                Kind::Video => self.video(result, rows)?,
                _ => {
                    if let Err(reason) = self.region(result, rows) {
                        self.reject(result, at, None, reason, rows);
                    }
                }
            }
        }
        Ok(())
    }

    /// What holds for all of a region that has a label.
    fn labelled(&self, result: &Region, figure: Figure) -> std::result::Result<Object, Reason> {
        let labels = self.labels(result);
        match labels[..] {
            [] => Err(Reason::MissingField { field: "labels" }),
            [_] => Ok(self.object(result, figure)),
            _ => Err(Reason::BadField {
                field: "labels",
                expected: "one label for each region",
                found: shown(format!("{labels:?}").as_bytes()),
            }),
        }
    }

    /// The labels of a region: its own, and those of other results about it.
    fn labels<'r>(&'r self, result: &'r Region) -> Vec<&'r str> {
        let about = self.about(result).filter(|other| other.kind == Kind::Labels);
        let mut labels: Vec<&str> = Vec::new();
        for label in result.labels.iter().chain(about.flat_map(|other| &other.labels)) {
            if !labels.contains(&label.as_str()) {
                labels.push(label);
            }
        }
        labels
    }

    /// The results that say what a region is, and answer questions about it.
    fn about<'r>(&'r self, result: &Region) -> impl Iterator<Item = &'r Region> {
        let about = result.id.as_ref().and_then(|id| self.about.get(id));
        about.into_iter().flatten().map(|&at| &self.results[at])
    }

    /// What holds for all of a region; its class is empty where it has none.
    fn object(&self, result: &Region, figure: Figure) -> Object {
        let answers = self.about(result).filter(|other| other.kind == Kind::Answer);
        let answered = answers.flat_map(|other| {
            let texts = other.answers.iter();
            texts.map(|text| (other.from_name.clone(), Some(text.clone())))
        });
        Object {
            media: self.media.to_owned(),
            class: self.labels(result).first().copied().unwrap_or_default().to_owned(),
            track: result.id.clone().filter(|_| result.kind == Kind::Video),
            score: result.score.or(self.score),
            unit: Unit::Frac,
            size_wh: result.size_wh,
            figure,
            attributes: answered.collect(),
        }
    }

    fn region(&self, result: &Region, rows: &mut Rows<'_>) -> std::result::Result<(), Reason> {
        let corner;
        let centre;
        let point;
        let (figure, numbers): (_, &[f64]) = match result.kind {
            Kind::Rectangle => {
                corner = result.corner_and_size()?;
                (Figure::TurnedAboutCorner(result.aspect(corner[4] != 0.0)?), &corner)
            }
            Kind::Ellipse => {
                centre = result.centre_and_radii()?;
                (Figure::Ellipse, &centre)
            }
            Kind::Keypoint => {
                point = result.centre()?;
                (Figure::Point, &point)
            }
            _ => (Figure::Polygon, &result.points),
        };
        let object = self.labelled(result, figure)?;
        let row = Annotation {
            annotation_id: result.id.as_deref(),
            ..object.row()
        };
        let (at, answers) = (result.place.start, object.answers());
        if result.kind == Kind::Brush {
            let (string, size) = mask(result)?;
            let drawn = Annotation {
                shape: Some(Shape::Bitmask),
                rle: Some(&string),
                rle_order: Some(RleOrder::RowMajor),
                width_px: Some(size.w()),
                height_px: Some(size.h()),
                ..row
            };
            rows.push_with_attributes(at, &drawn, None, &answers);
            return Ok(());
        }
        if numbers.is_empty() {
            return Err(Reason::MissingField { field: "points" });
        }
        let percent: Vec<f64> = match result.kind {
            Kind::Polygon => numbers.iter().map(|number| number / 100.0).collect(),
            _ => numbers.to_vec(),
        };
        let mut room = Drawing::default();
        rows.push_with_attributes(at, &figure.draw(row, &percent, &mut room), None, &answers);
        Ok(())
    }

    /// Adds the keyframes of a region, and the frames that are filled.
    fn video(&self, result: &Region, rows: &mut Rows<'_>) -> Scan<()> {
        let start = result.place.start;
        let Some(sequence) = result.sequence else {
            self.reject(result, start, None, Reason::MissingField { field: "sequence" }, rows);
            return Ok(());
        };
        let keyframes = match keyframes(rows.scanner(sequence))? {
            Ok(keyframes) => keyframes,
            Err((at, reason)) => {
                self.reject(result, at, None, reason, rows);
                return Ok(());
            }
        };
        let is_turned = keyframes.iter().any(|keyframe| keyframe.numbers[4] != 0.0);
        let aspect = result.aspect(is_turned);
        let object = aspect.and_then(|aspect| self.labelled(result, Figure::TurnedAboutCorner(aspect)));
        let object = match object {
            Ok(object) => Arc::new(object),
            Err(reason) => {
                self.reject(result, start, None, reason, rows);
                return Ok(());
            }
        };
        let (answers, mut room) = (object.answers(), Drawing::default());
        for (number, keyframe) in keyframes.iter().enumerate() {
            let row = object.figure.draw(object.row(), &keyframe.numbers, &mut room);
            rows.push_with_attributes(keyframe.at, &row, Some(keyframe.frame), &answers);
            if !keyframe.is_enabled {
                continue;
            }
            let from = Keyframe {
                frame: keyframe.frame,
                numbers: &keyframe.numbers,
            };
            let gap = match keyframes.get(number + 1) {
                Some(next) => {
                    let to = Keyframe {
                        frame: next.frame,
                        numbers: &next.numbers,
                    };
                    Gap::between(&object, [from, to], 1, "sequence")
                }
                None => Gap::behind(&object, from, result.frames.unwrap_or(0), "framesCount"),
            };
            rows.fill(keyframe.at, &object.row(), gap);
        }
        Ok(())
    }

    /// Adds an answer about all of the task.
    fn answer(&self, result: &Region, rows: &mut Rows<'_>) {
        let row = Annotation {
            annotation_id: result.id.as_deref(),
            kind: RowKind::Answer,
            score: result.score.or(self.score),
            ..Annotation::object("", 0, self.media, 0, &result.from_name)
        };
        let texts = result.answers.iter();
        let given: Vec<_> = texts.map(|text| (String::new(), Some(text.clone()))).collect();
        rows.push_with_attributes(result.place.start, &row, None, &answers(&given));
    }

    /// Rejects a result, of which its medium, class, track and score are known.
    fn reject(&self, result: &Region, at: usize, frame: Option<u32>, reason: Reason, rows: &mut Rows<'_>) {
        let object = self.object(result, Figure::Point);
        let row = Annotation {
            unit: Unit::Frac,
            annotation_id: result.id.as_deref(),
            ..object.row()
        };
        rows.reject_row(at, &row, frame, reason);
    }
}

/// The run-length string of a brush's mask, row by row.
fn mask(result: &Region) -> std::result::Result<(Vec<u8>, Size), Reason> {
    let missing = |field| Reason::MissingField { field };
    let [width, height] = result.size_wh;
    let width = width.ok_or(missing("original_width"))?;
    let height = height.ok_or(missing("original_height"))?;
    let size = Size::new(height.into(), width.into()).map_err(|cause| Reason::BadRle {
        code: cause.code(),
        message: cause.to_string(),
    })?;
    let bytes = result.rle.as_deref().ok_or(missing("rle"))?;
    let mut string = Vec::new();
    brush::decode(bytes, size)?.to_string_into(&mut string);
    Ok((string, size))
}

fn unsupported(what: &'static str) -> Reason {
    Reason::UnsupportedLabel { what }
}

/// Reads where the image or video of a task is: what `data` calls so, else its first text.
fn media(scanner: &mut Scanner<'_>) -> Scan<Option<String>> {
    if scanner.peek()? != b'{' {
        return member(scanner, "data", &mut None, name);
    }
    scanner.at += 1;
    let (mut first, mut named, mut any) = (true, None, None);
    while let Some(key) = scanner.next_key(&mut first)? {
        let is_named = matches!(plain(scanner, key, &mut Vec::new()), b"image" | b"video");
        if scanner.peek()? != b'"' {
            scanner.skip()?;
            continue;
        }
        let text = scanner.string()?;
        let text = string(scanner, text);
        if is_named {
            named = Some(text);
        } else {
            any = any.or(Some(text));
        }
    }
    Ok(named.or(any))
}

/// Counts the results of what people annotated.
fn results(scanner: &mut Scanner<'_>) -> Scan<u64> {
    if scanner.peek()? != b'[' {
        return scanner.skip().map(|()| 0);
    }
    scanner.at += 1;
    let (mut first, mut found) = (true, 0);
    while scanner.next_item(&mut first)? {
        if !begin(scanner)? {
            continue;
        }
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let is_list = plain(scanner, key, &mut Vec::new()) == b"result" && scanner.peek()? == b'[';
            if !is_list {
                scanner.skip()?;
                continue;
            }
            scanner.at += 1;
            let mut first = true;
            while scanner.next_item(&mut first)? {
                scanner.skip()?;
                found += 1;
            }
        }
    }
    Ok(found)
}

/// Reads a prediction.
fn prediction(scanner: &mut Scanner<'_>) -> Scan<Prediction> {
    let start = scanner.at;
    let mut prediction = Prediction::default();
    if !begin(scanner)? {
        prediction.odd = Some(Wrong::Expected("an object with a `result`").reason("predictions", scanner.since(start)));
        return Ok(prediction);
    }
    let mut first = true;
    while let Some(key) = scanner.next_key(&mut first)? {
        let odd = &mut prediction.odd;
        match plain(scanner, key, &mut Vec::new()) {
            b"score" => prediction.score = member(scanner, "score", odd, score)?,
            b"model_version" => prediction.model_version = member(scanner, "model_version", odd, name)?,
            b"result" => {
                if scanner.peek()? != b'[' {
                    member::<Option<usize>>(scanner, "result", odd, |scanner| place(scanner, b'['))?;
                    continue;
                }
                scanner.at += 1;
                let mut first = true;
                while scanner.next_item(&mut first)? {
                    prediction.regions.push(Region::read(scanner)?);
                }
            }
            _ => scanner.skip()?,
        }
    }
    Ok(prediction)
}
