//! The results of a prediction: regions, and what labels them or answers questions about them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::brush;
use super::region::{keyframes, Kind, Region};
use crate::batch::{Annotation, Kind as RowKind, RleOrder, Shape, Unit};
use crate::formats::figures::{Drawing, Figure};
use crate::formats::json_values::shown;
use crate::formats::keyframes::{answers, Gap, Keyframe, Object};
use crate::formats::list_entries::Rows;
use crate::json::Scan;
use crate::reject::Reason;
use crate::rle::Size;

/// The results of a prediction, by the regions that they are about.
pub(super) struct Results<'m> {
    media: &'m str,
    score: Option<f64>,
    results: Vec<Region>,
    /// By id, the numbers of the results that say what a region is, and answer questions about it.
    about: HashMap<String, Vec<usize>>,
    /// Whether it has a region that is drawn.
    drawn: HashSet<String>,
}

impl<'m> Results<'m> {
    /// Takes the results of a prediction of one score.
    pub fn of(media: &'m str, score: Option<f64>, results: Vec<Region>) -> Self {
        let (mut about, mut drawn) = (HashMap::<String, Vec<usize>>::new(), HashSet::new());
        for (at, result) in results.iter().enumerate() {
            match (&result.id, result.kind) {
                (Some(id), Kind::Labels | Kind::Answer) => about.entry(id.clone()).or_default().push(at),
                (Some(id), kind) if kind.draws() => drop(drawn.insert(id.clone())),
                _ => {}
            }
        }
        Self {
            media,
            score,
            results,
            about,
            drawn,
        }
    }

    /// Adds their rows.
    pub fn rows(&self, rows: &mut Rows<'_>) -> Scan<()> {
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
