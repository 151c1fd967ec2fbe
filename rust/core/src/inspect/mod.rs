//! What a source holds: counted row by row, before anything is resolved.
//!
//! A [`Survey`] takes batches as they are read and keeps sums, so that its memory does not grow with the rows: the media and
//! classes that are told apart, the frames and tracks that are remembered, are limited, and the survey says where it
//! reached a limit. What the numbers mean, such as boxes that look like corners, is for the caller to judge.

mod frames;
mod looks;
mod media;
mod names;
mod tracks;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::batch::{Annotation, AnnotationBatch, Shape};
use frames::Pages;
use looks::Looks;
use media::Media;
use names::Names;
use tracks::Tracks;

/// Classes that are told apart.
const MOST_CLASSES: usize = 10_000;

/// What the rows of a source have in common.
#[derive(Default)]
pub struct Survey {
    annotations: u64,
    tracked: u64,
    media: Media,
    classes: Names<Class>,
    tracks: Tracks,
    scores: Scores,
    looks: Looks,
    /// Pages of frames that all media have together.
    pages: Pages,
}

/// Annotations of a class by their shape, in the order of [`SHAPES`]; then those that draw nothing.
#[derive(Default)]
struct Class([u64; SHAPES.len() + 1]);

const SHAPES: [Shape; 10] = [
    Shape::BoundingBox,
    Shape::RotatableBoundingBox,
    Shape::Polygon,
    Shape::Polyline,
    Shape::Point,
    Shape::Bitmask,
    Shape::Skeleton,
    Shape::Circle,
    Shape::Ellipse,
    Shape::Cuboid2d,
];

/// What rows that draw nothing are.
const ANSWER: &str = "answer";

/// The confidences.
#[derive(Default, Serialize)]
struct Scores {
    given: u64,
    min: Option<f64>,
    max: Option<f64>,
    below_zero: u64,
    above_one: u64,
    not_numbers: u64,
}

/// What a survey came to.
#[derive(Serialize)]
pub struct Surveyed<'a> {
    /// Rows.
    annotations: u64,
    /// Rows on media, or of classes, beyond those that are told apart.
    on_other_media: u64,
    of_other_classes: u64,
    media: Vec<media::Surveyed<'a>>,
    classes: Vec<SurveyedClass<'a>>,
    /// Rows with a track, and different tracks of all media; the latter may be more where a limit was reached.
    tracked: u64,
    tracks: u64,
    more_tracks: bool,
    scores: &'a Scores,
    looks: &'a Looks,
}

#[derive(Serialize)]
struct SurveyedClass<'a> {
    name: &'a str,
    /// Annotations by shape.
    shapes: BTreeMap<&'static str, u64>,
}

impl Survey {
    /// Takes the rows of a batch.
    pub fn add(&mut self, rows: &AnnotationBatch) {
        self.annotations += rows.len() as u64;
        for score in rows.scores().iter().flatten() {
            self.scores.add(score);
        }
        for index in 0..rows.len() {
            self.add_row(&rows.row(index));
        }
    }

    fn add_row(&mut self, row: &Annotation<'_>) {
        self.looks.add(row);
        if let Some(class) = self.classes.get(row.class, MOST_CLASSES) {
            let shape = row
                .shape
                .and_then(|shape| SHAPES.iter().position(|known| *known == shape));
            class.0[shape.unwrap_or(SHAPES.len())] += 1;
        }
        let Some((number, medium)) = self.media.of(row.media) else {
            self.tracked += u64::from(row.track.is_some());
            return;
        };
        medium.add(row, &mut self.pages);
        if let Some(track) = row.track {
            self.tracked += 1;
            medium.tracks += u64::from(self.tracks.is_new(number, track));
        }
    }

    /// What the rows so far came to.
    pub fn surveyed(&self) -> Surveyed<'_> {
        Surveyed {
            annotations: self.annotations,
            on_other_media: self.media.others(),
            of_other_classes: self.classes.others,
            media: self.media.iter().map(|(name, medium)| medium.surveyed(name)).collect(),
            classes: self.classes.iter().map(|(name, class)| class.surveyed(name)).collect(),
            tracked: self.tracked,
            tracks: self.tracks.len(),
            more_tracks: self.tracks.is_full(),
            scores: &self.scores,
            looks: &self.looks,
        }
    }
}

impl Class {
    fn surveyed<'a>(&self, name: &'a str) -> SurveyedClass<'a> {
        let shapes = SHAPES.iter().map(|shape| shape.as_str()).chain([ANSWER]);
        let counts = shapes.zip(self.0).filter(|(_, count)| *count > 0);
        SurveyedClass {
            name,
            shapes: counts.collect(),
        }
    }
}

impl Scores {
    fn add(&mut self, score: f64) {
        self.given += 1;
        if score.is_nan() {
            self.not_numbers += 1;
            return;
        }
        self.min = Some(self.min.map_or(score, |min| min.min(score)));
        self.max = Some(self.max.map_or(score, |max| max.max(score)));
        self.below_zero += u64::from(score < 0.0);
        self.above_one += u64::from(score > 1.0);
    }
}
