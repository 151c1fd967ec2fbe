//! YOLO text: a file an image or frame, in which a line is an object.
//!
//! `class`, then what is drawn in fractions of the image, then the confidence and the track where they were saved. Files are
//! called `<stem>.txt` for images and `<stem>_<n>.txt` for frames of videos, n from 1. No file is written for an image on
//! which nothing was found.
//!
//! Source: Ultralytics 8.4.190, `Results.save_txt` and the predictor that names the files.

mod columns;

use std::sync::Arc;

use hashbrown::HashSet;
use xxhash_rust::xxh3::xxh3_64;

use super::class_numbers::ClassNumbers;
use super::lines::{stem, LineFormat, LineReader, Rows};
use super::visibility::flags;
use super::{Files, Format, KnownNames, Opened, Opening, ReadOption, Sure};
use crate::batch::{Annotation, Points, Shape, Unit};
use crate::error::{Error, Result};
use crate::reject::Reason;
use crate::source::{ClassNames, Frames, Source};
use columns::Layout;
pub use columns::{YoloExtra, YoloKeypoints, YoloTask};

/// Files with the names of classes: Ultralytics', and that of older tools.
const CLASS_FILES: [&str; 2] = ["data.yaml", "classes.txt"];

/// Lines of a file that are compared with each other.
const MOST_LINES: usize = 1 << 16;

/// YOLO text.
pub static FORMAT: Format = Format {
    name: "yolo",
    about: "YOLO text (Ultralytics): a folder with a text file for each image or frame",
    files: Files::Folder {
        members: &[".txt", ".txt.gz", ".txt.zst"],
        beside: &CLASS_FILES,
    },
    options: &[
        ReadOption::Classes,
        ReadOption::YoloTask,
        ReadOption::YoloExtra,
        ReadOption::YoloKeypoints,
    ],
    frames: Frames::FROM_1,
    // A few numbers on a line may be anything.
    detect: |_| Sure::No,
    open: |opening| Ok(Opened::reader(LineReader::open(Yolo::new(&opening)?, &opening)?)),
};

/// What the lines of a folder do not say.
#[derive(Debug, Clone)]
struct Yolo {
    layout: Layout,
    classes: ClassNumbers,
    known: Option<Arc<KnownNames>>,
}

impl Yolo {
    fn new(opening: &Opening<'_>) -> Result<Self> {
        let options = opening.options;
        let classes = ClassNumbers::new(opening, || {
            let Source::Folder(folder) = &opening.source else {
                return Ok(None);
            };
            let found = CLASS_FILES.iter().find_map(|name| folder.companion(name));
            found.map(|file| ClassNames::read(&file)).transpose()
        })?;
        if classes.are_unknown() {
            return Err(Error::Plan(format!(
                "{}: its classes are numbers, and there is no data.yaml or classes.txt in the folder or beside it; give \
                 --classes FILE, or --class-map with the numbers",
                opening.label
            )));
        }
        Ok(Self {
            layout: Layout {
                task: options.yolo_task.unwrap_or_default(),
                extra: options.yolo_extra.unwrap_or_default(),
                keypoints: options.yolo_keypoints.unwrap_or_default(),
            },
            classes,
            known: opening.project.map(|project| project.known_names()),
        })
    }

    /// Whether a medium goes by this name.
    fn is_medium(&self, name: &str) -> bool {
        self.known
            .as_ref()
            .is_some_and(|known| known.has_title(name) || known.has_medium(name))
    }
}

/// The image or frame that a file is about.
struct Place {
    media: String,
    frame: Option<u32>,
    /// Hashes of its lines so far: versions before 8.3 appended to what an earlier run wrote.
    lines: HashSet<u64>,
}

impl Place {
    fn new(media: &str, frame: Option<u32>) -> Self {
        Self {
            media: media.to_owned(),
            frame,
            lines: HashSet::new(),
        }
    }

    /// Whether the file has had the same line before. Of a file that is longer than one of an image the rest is not looked at.
    fn is_repeated(&mut self, line: &str) -> bool {
        self.lines.len() < MOST_LINES && !self.lines.insert(xxh3_64(line.as_bytes()))
    }
}

/// Takes `<stem>_<n>` apart. Frames are written without zeros in front, which numbers of images often have.
fn video_and_frame(name: &str) -> Option<(&str, u32)> {
    let (video, digits) = name.rsplit_once('_')?;
    let is_number = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !video.is_empty()).then_some((video, digits.parse().ok()?))
}

impl LineFormat for Yolo {
    type File = Place;

    const LINES_ARE_ALONE: bool = false;

    fn file(&self, name: &str) -> Place {
        let name = stem(name);
        match video_and_frame(name).filter(|_| !self.is_medium(name)) {
            Some((video, frame)) => Place::new(video, Some(frame)),
            None => Place::new(name, None),
        }
    }

    fn line(&self, place: &mut Place, line: &str, rows: &mut Rows<'_>) -> std::result::Result<(), Reason> {
        if place.is_repeated(line) {
            rows.warn("repeated_line");
        }
        let line = self.layout.read(line)?;
        let values = line.values.as_slice();
        let row = Annotation {
            track: line.track,
            score: line.score,
            unit: Unit::Frac,
            ..Annotation::object("", 0, &place.media, 0, self.classes.class(line.class)?)
        };
        match self.layout.task {
            YoloTask::Detect => {
                let row = Annotation {
                    shape: Some(Shape::BoundingBox),
                    bbox: Some(around_centre(values)),
                    ..row
                };
                rows.push(&row, place.frame);
            }
            // Of a mask without an outline.
            YoloTask::Segment if values.is_empty() => rows.leave_out("empty_mask"),
            // Four corners in px make a turned box where the class is one: fractions of width and height do not.
            YoloTask::Segment | YoloTask::Obb => {
                let ends = [0, values.len() as i32];
                let row = Annotation {
                    shape: Some(Shape::Polygon),
                    points: Some(Points {
                        coords: values,
                        rings: &ends,
                        parts: &[0, 1],
                    }),
                    ..row
                };
                rows.push(&row, place.frame);
            }
            YoloTask::Pose => self.push_pose(values, row, place.frame, rows),
        }
        Ok(())
    }
}

impl Yolo {
    /// Adds a box with keypoints.
    fn push_pose(&self, values: &[f64], row: Annotation<'_>, frame: Option<u32>, rows: &mut Rows<'_>) {
        let (bbox, keypoints) = values.split_at(4);
        let columns = self.layout.keypoints.columns();
        let keypoints = keypoints.chunks_exact(columns);
        let coords: Vec<f64> = keypoints.clone().flat_map(|point| &point[..2]).copied().collect();
        let mut visibility: Vec<u8> = match self.layout.keypoints {
            YoloKeypoints::Xy => vec![2; keypoints.len()],
            YoloKeypoints::Xyv => flags(keypoints.map(|point| point[2])).collect(),
        };
        // Points that were not found are at the corner, whatever their confidence.
        for (flag, point) in visibility.iter_mut().zip(coords.chunks_exact(2)) {
            if *point == [0.0, 0.0] {
                *flag = 0;
            }
        }
        let ends = [0, coords.len() as i32];
        let row = Annotation {
            shape: Some(Shape::Skeleton),
            bbox: Some(around_centre(bbox)),
            points: Some(Points {
                coords: &coords,
                rings: &ends,
                parts: &[0, 1],
            }),
            visibility: Some(&visibility),
            ..row
        };
        rows.push(&row, frame);
    }
}

/// x, y, width, height of a box whose centre is given.
fn around_centre(values: &[f64]) -> [f64; 4] {
    let at = |place: usize| values.get(place).copied().unwrap_or_default();
    let (width, height) = (at(2), at(3));
    [at(0) - width / 2.0, at(1) - height / 2.0, width, height]
}
