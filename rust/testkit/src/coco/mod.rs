//! What the COCO reader must make of a file, the slow way: the whole text as a tree, every rule written down once.

mod segmentation;
mod tables;
mod values;

use std::collections::HashMap;

use crate::json::{parse, Fault, Json};
use segmentation::{segmentation, Segmentation};
use tables::Tables;
pub use values::id;
use values::{flag, keypoints, read_bbox, read_id, read_score, read_track, Checked};

/// What becomes of one annotation.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// A row, its values in [`row`]'s form.
    Row(String),
    /// A reject with this code.
    Reject(&'static str),
    /// Left out, as a crowd.
    Crowd,
}

/// Why there is no list of fates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRead {
    /// The reader must refuse the file.
    Blocked,
    /// Not for this oracle: a reject file, lines of annotations, or JSON so deep that readers differ.
    Unknown,
}

/// The values of a row that [`read`] knows, as text.
#[derive(Clone, Debug, Default)]
pub struct Row<'a> {
    /// The annotation's id.
    pub annotation_id: Option<&'a str>,
    /// Video, file name or id of the image.
    pub media: &'a str,
    /// Frame of the video.
    pub frame: u32,
    /// Name or id of the category.
    pub class: &'a str,
    /// Track.
    pub track: Option<&'a str>,
    /// Confidence.
    pub score: Option<f64>,
    /// x, y, width, height.
    pub bbox: Option<[f64; 4]>,
    /// Rings.
    pub polygons: Vec<Vec<f64>>,
    /// Run-length string.
    pub rle: Option<&'a [u8]>,
    /// Height and width, px.
    pub size_hw: [Option<u32>; 2],
}

/// A row as text, to be compared.
pub fn row(row: &Row<'_>) -> String {
    // Floats are shown in their shortest form: equal texts are equal values, -0.0 and 0.0 told apart.
    format!("{row:?}")
}

/// The fates of a file's annotations, in order.
pub fn read(text: &[u8]) -> Result<Vec<Fate>, NotRead> {
    let document = parse(text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)).map_err(|fault| match fault {
        Fault::Grammar => NotRead::Blocked,
        Fault::Deep => NotRead::Unknown,
    })?;
    match &document {
        Json::List(annotations) => Ok(fates(annotations, &Tables::default(), false)),
        Json::Object(sections) => dataset(sections),
        _ => Err(NotRead::Blocked),
    }
}

fn dataset(sections: &[(String, Json)]) -> Result<Vec<Fate>, NotRead> {
    let mut lists: HashMap<&str, &[Json]> = HashMap::new();
    for (name, value) in sections {
        match name.as_str() {
            "annotation" | "image_id" | "category_id" if lists.is_empty() => return Err(NotRead::Unknown),
            "images" | "categories" | "videos" | "annotations" => {
                let Json::List(items) = value else {
                    return Err(NotRead::Blocked);
                };
                if lists.insert(name, items).is_some() {
                    return Err(NotRead::Blocked);
                }
            }
            _ => {}
        }
    }
    if lists.is_empty() {
        return Err(NotRead::Blocked);
    }
    let list = |name: &str| lists.get(name).copied().unwrap_or_default();
    let tables = Tables::read(list("images"), list("categories"), list("videos"));
    Ok(fates(list("annotations"), &tables, true))
}

fn fates(annotations: &[Json], tables: &Tables, are_labels: bool) -> Vec<Fate> {
    let fate = |annotation| fate(annotation, tables, are_labels).unwrap_or_else(Fate::Reject);
    annotations.iter().map(fate).collect()
}

/// The fate of an annotation; `are_labels` if they may be labels, whose crowds are left out.
fn fate(annotation: &Json, tables: &Tables, are_labels: bool) -> Checked<Fate> {
    let Json::Object(fields) = annotation else {
        return Err("bad_field");
    };
    let (mut problem, mut crowd) = (None, Ok(false));
    let (mut image, mut category) = (None, None);
    // What is drawn, and the codes of what of it cannot be used, in the order of the text.
    let (mut bbox, mut drawn, mut points) = (None, Segmentation::default(), Vec::new());
    let mut wrong: Vec<&'static str> = Vec::new();
    let (mut score, mut track, mut own_score, mut own_track) = (Ok(None), Ok(None), Ok(None), Ok(None));
    for (name, value) in fields {
        let mut note = |code| {
            problem.get_or_insert(code);
        };
        let mut spoilt = |code| wrong.push(code);
        match name.as_str() {
            "image_id" => image = read_id(value).map_err(&mut note).unwrap_or_default(),
            "category_id" => category = read_id(value).map_err(&mut note).unwrap_or_default(),
            "bbox" => bbox = read_bbox(value).map_err(&mut spoilt).unwrap_or_default(),
            "segmentation" => drawn = segmentation(value).map_err(&mut spoilt).unwrap_or_default(),
            "keypoints" => points = keypoints(value).map_err(&mut spoilt).unwrap_or_default(),
            "iscrowd" => crowd = flag(value),
            "score" => score = read_score(value),
            "track_id" => track = read_track(value),
            "attributes" => {
                let Json::Object(attributes) = value else { continue };
                for (name, value) in attributes {
                    match name.as_str() {
                        "score" => own_score = read_score(value),
                        "track_id" => own_track = read_track(value),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if are_labels && score == Ok(None) && own_score == Ok(None) {
        match crowd {
            Ok(true) => return Ok(Fate::Crowd),
            Ok(false) => {}
            Err(code) => drop(problem.get_or_insert(code)),
        }
    }
    if let Some(code) = problem {
        return Err(code);
    }
    let (image, category) = (image.ok_or("missing_field")?, category.ok_or("missing_field")?);
    let score = if score == Ok(None) { own_score? } else { score? };
    let track = if track == Ok(None) { own_track? } else { track? };
    if drawn.counts.is_none() && drawn.polygons.is_empty() && !points.is_empty() {
        drawn.polygons.push(points);
    }
    if drawn.counts.is_none() && drawn.polygons.is_empty() && bbox.is_none() {
        let told = wrong.iter().find(|code| **code != "no_keypoints").or(wrong.first());
        return Err(told.copied().unwrap_or("no_geometry"));
    }
    let known = tables.images.get(&image);
    let known_video = known.and_then(|known| tables.videos.get(known.video_id.as_ref()?));
    let known_class = tables.classes.get(&category);
    let odd = [
        known.and_then(|known| known.odd),
        known_video.and_then(|known| known.odd),
        known_class.and_then(|known| known.odd),
    ];
    if let Some(code) = odd.into_iter().flatten().next() {
        return Err(code);
    }
    let video = known_video.and_then(|known| known.name.as_deref());
    let own_name = known.and_then(|known| known.name.as_deref());
    let class = known_class.and_then(|known| known.name.as_deref());
    let size_of_image = known.map_or([None; 2], |known| known.size_hw);
    Ok(Fate::Row(row(&Row {
        annotation_id: read_id(annotation.get("id")).unwrap_or_default().as_deref(),
        media: video.or(own_name).unwrap_or(&image),
        frame: known.and_then(|known| u32::try_from(known.frame?).ok()).unwrap_or(0),
        class: class.unwrap_or(&category),
        track: track.as_deref().filter(|track| !["", "-1"].contains(track)),
        score,
        bbox,
        polygons: drawn.polygons,
        rle: drawn.counts.as_deref(),
        size_hw: if drawn.counts.is_some() {
            drawn.size_hw
        } else {
            size_of_image
        },
    })))
}
