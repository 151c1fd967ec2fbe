//! What the COCO reader must make of a file, the slow way: the whole text as a tree, every rule written down once.

use std::collections::HashMap;

use crate::json::{parse, Fault, Json};

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
    /// Not for this oracle: a reject file, or JSON so deep that readers differ.
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

type Checked<T> = Result<T, &'static str>;

/// The fates of a file's annotations, in order.
pub fn read(text: &[u8]) -> Result<Vec<Fate>, NotRead> {
    let document = parse(text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)).map_err(|fault| match fault {
        Fault::Grammar => NotRead::Blocked,
        Fault::Deep => NotRead::Unknown,
    })?;
    match &document {
        Json::List(annotations) => Ok(fates(annotations, &Tables::default())),
        Json::Object(sections) => dataset(sections),
        _ => Err(NotRead::Blocked),
    }
}

fn dataset(sections: &[(String, Json)]) -> Result<Vec<Fate>, NotRead> {
    let mut lists: HashMap<&str, &[Json]> = HashMap::new();
    for (name, value) in sections {
        match name.as_str() {
            "annotation" if lists.is_empty() => return Err(NotRead::Unknown),
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
    let tables = Tables::read(list("images"), list("categories"), list("videos"))?;
    Ok(fates(list("annotations"), &tables))
}

/// The number that a text is, correctly rounded.
fn float(text: &str) -> f64 {
    match text {
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // An integer, which has no sign at zero.
        "-0" => 0.0,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

/// Whether a number is written without fraction and exponent.
fn is_plain(text: &str) -> bool {
    text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
}

/// The integer that a number is, also one written as 3.0 where that is exact.
fn integer(text: &str) -> Option<i64> {
    if is_plain(text) {
        // The reader takes the magnitude by itself, which for the smallest i64 does not fit.
        return text.parse().ok().filter(|&value| value != i64::MIN);
    }
    let value = float(text);
    (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i64)
}

/// The JSON of an id as the text by which it is compared: 3, 3.0 and "3" are one. None where it is no id.
pub fn id(json: &str) -> Option<String> {
    read_id(&parse(json.as_bytes()).ok()?).ok()?
}

fn read_id(value: &Json) -> Checked<Option<String>> {
    match value {
        Json::Null => Ok(None),
        Json::Text(text) => Ok(Some(text.clone())),
        Json::Number(text) => match integer(text) {
            Some(value) => Ok(Some(value.to_string())),
            None if is_plain(text) => Ok(Some(text.clone())),
            None if !float(text).is_finite() => Err("not_finite"),
            None => Err("bad_field"),
        },
        _ => Err("bad_field"),
    }
}

#[derive(Debug)]
struct Image {
    name: Option<String>,
    video_id: Option<String>,
    frame: Option<i64>,
    size_hw: [Option<u32>; 2],
}

/// Images and categories by id.
#[derive(Debug, Default)]
struct Tables {
    images: HashMap<String, Image>,
    classes: HashMap<String, Option<String>>,
    videos: HashMap<String, Option<String>>,
}

impl Tables {
    fn read(images: &[Json], classes: &[Json], videos: &[Json]) -> Result<Self, NotRead> {
        let mut tables = Self::default();
        let mut names_videos = false;
        for entry in images {
            names_videos |= tables.add_image(entry).ok_or(NotRead::Blocked)?;
        }
        for entry in classes {
            add_named(&mut tables.classes, entry).ok_or(NotRead::Blocked)?;
        }
        for entry in videos {
            // Where no image names a video, videos after the annotations are passed over.
            let otherwise = if names_videos {
                NotRead::Blocked
            } else {
                NotRead::Unknown
            };
            add_named(&mut tables.videos, entry).ok_or(otherwise)?;
        }
        Ok(tables)
    }

    /// Adds an image and says whether it names a video; none where that cannot be.
    fn add_image(&mut self, entry: &Json) -> Option<bool> {
        let Json::Object(fields) = entry else { return None };
        let (mut index, mut other_index) = (None, None);
        for (name, value) in fields {
            match name.as_str() {
                "id" | "video_id" => drop(table_id(value)?),
                "file_name" => drop(text(value)?),
                "frame_index" => index = whole(value)?,
                "frame_id" => other_index = whole(value)?,
                "width" | "height" => drop(side(value)?),
                _ => {}
            }
        }
        let image = Image {
            name: text(entry.get("file_name"))?,
            video_id: table_id(entry.get("video_id"))?,
            frame: index.or(other_index),
            size_hw: [side(entry.get("height"))?, side(entry.get("width"))?],
        };
        let names_video = image.video_id.is_some();
        let Some(id) = table_id(entry.get("id"))? else {
            return Some(names_video);
        };
        match self.images.get(&id) {
            Some(known) => {
                let same = (&known.name, &known.video_id, known.frame) == (&image.name, &image.video_id, image.frame);
                same.then_some(names_video)
            }
            None => {
                self.images.insert(id, image);
                Some(names_video)
            }
        }
    }
}

fn add_named(into: &mut HashMap<String, Option<String>>, entry: &Json) -> Option<()> {
    let Json::Object(fields) = entry else { return None };
    for (name, value) in fields {
        match name.as_str() {
            "id" => drop(table_id(value)?),
            "name" | "file_name" => drop(text(value)?),
            _ => {}
        }
    }
    let name = text(entry.get("name"))?.or(text(entry.get("file_name"))?);
    let Some(id) = table_id(entry.get("id"))? else {
        return Some(());
    };
    match into.get(&id) {
        Some(known) => (*known == name).then_some(()),
        None => {
            into.insert(id, name);
            Some(())
        }
    }
}

fn table_id(value: &Json) -> Option<Option<String>> {
    read_id(value).ok()
}

fn text(value: &Json) -> Option<Option<String>> {
    match value {
        Json::Null => Some(None),
        Json::Text(text) => Some(Some(text.clone())),
        _ => None,
    }
}

fn whole(value: &Json) -> Option<Option<i64>> {
    match value {
        Json::Null => Some(None),
        Json::Number(text) if integer(text).is_none() && float(text).is_finite() => None,
        Json::Number(text) => Some(integer(text)),
        _ => None,
    }
}

fn side(value: &Json) -> Option<Option<u32>> {
    match whole(value)? {
        None | Some(0) => Some(None),
        Some(side) => u32::try_from(side).ok().filter(|&side| side < u32::MAX).map(Some),
    }
}

fn fates(annotations: &[Json], tables: &Tables) -> Vec<Fate> {
    let fate = |annotation| fate(annotation, tables).unwrap_or_else(Fate::Reject);
    annotations.iter().map(fate).collect()
}

#[derive(Default)]
struct Segmentation {
    polygons: Vec<Vec<f64>>,
    counts: Option<Vec<u8>>,
    size_hw: [Option<u32>; 2],
    /// Whether it is a ring of one point.
    lone_point: bool,
}

fn fate(annotation: &Json, tables: &Tables) -> Checked<Fate> {
    let Json::Object(fields) = annotation else {
        return Err("bad_field");
    };
    let (mut problem, mut crowd) = (None, false);
    let (mut image, mut category, mut bbox, mut drawn) = (None, None, None, Segmentation::default());
    let mut points = Ok(Vec::new());
    let (mut score, mut track, mut own_score, mut own_track) = (Ok(None), Ok(None), Ok(None), Ok(None));
    for (name, value) in fields {
        let mut note = |code| {
            problem.get_or_insert(code);
        };
        match name.as_str() {
            "image_id" => image = read_id(value).map_err(&mut note).unwrap_or_default(),
            "category_id" => category = read_id(value).map_err(&mut note).unwrap_or_default(),
            "bbox" => bbox = read_bbox(value).map_err(&mut note).unwrap_or_default(),
            "segmentation" => drawn = segmentation(value).map_err(&mut note).unwrap_or_default(),
            "keypoints" => points = keypoints(value),
            "iscrowd" => crowd = flag(value).map_err(&mut note).unwrap_or_default(),
            "score" => score = read_score(value),
            "track_id" => track = read_id(value),
            "attributes" => {
                let Json::Object(attributes) = value else { continue };
                for (name, value) in attributes {
                    match name.as_str() {
                        "score" => own_score = read_score(value),
                        "track_id" => own_track = read_id(value),
                        "rotation" => drop(angle(value).map_err(&mut note)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if crowd {
        return Ok(Fate::Crowd);
    }
    if let Some(code) = problem {
        return Err(code);
    }
    let (image, category) = (image.ok_or("missing_field")?, category.ok_or("missing_field")?);
    let score = if score == Ok(None) { own_score? } else { score? };
    let track = if track == Ok(None) { own_track? } else { track? };
    if drawn.counts.is_none() && drawn.polygons.is_empty() {
        match points {
            Err(code) if bbox.is_none() => return Err(code),
            Ok(points) if !points.is_empty() => drawn.polygons.push(points),
            _ if drawn.lone_point => return Err("bad_polygon"),
            _ if bbox.is_none() => return Err("no_geometry"),
            _ => {}
        }
    }
    let known = tables.images.get(&image);
    let video = known.and_then(|known| tables.videos.get(known.video_id.as_ref()?)?.as_deref());
    let own_name = known.and_then(|known| known.name.as_deref());
    let class = tables.classes.get(&category).and_then(Option::as_deref);
    let size_of_image = known.map_or([None; 2], |known| known.size_hw);
    Ok(Fate::Row(row(&Row {
        annotation_id: read_id(annotation.get("id")).unwrap_or_default().as_deref(),
        media: video.or(own_name).unwrap_or(&image),
        frame: known.and_then(|known| u32::try_from(known.frame?).ok()).unwrap_or(0),
        class: class.unwrap_or(&category),
        track: track.as_deref(),
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

/// The numbers of a list; a code for anything else among them, and for more than `most`.
fn numbers(value: &Json, most: usize) -> Checked<Vec<f64>> {
    let Json::List(items) = value else {
        return Err("bad_field");
    };
    let number = |item: &Json| match item {
        Json::Number(text) => Ok(float(text)),
        _ => Err("bad_field"),
    };
    if items.len() > most {
        return Err("bad_field");
    }
    items.iter().map(number).collect()
}

fn read_bbox(value: &Json) -> Checked<Option<[f64; 4]>> {
    if *value == Json::Null {
        return Ok(None);
    }
    let found = numbers(value, 4)?;
    if found.is_empty() {
        return Ok(None);
    }
    let [x, y, w, h] = found[..].try_into().map_err(|_| "bad_field")?;
    match [x, y, w, h] {
        values if !values.iter().all(|value| value.is_finite()) => Err("not_finite"),
        _ if w < 0.0 || h < 0.0 => Err("negative_box"),
        values => Ok(Some(values)),
    }
}

/// x, y, x, y, ... of keypoints; none where all numbers are zero.
fn keypoints(value: &Json) -> Checked<Vec<f64>> {
    if *value == Json::Null {
        return Ok(Vec::new());
    }
    let found = numbers(value, usize::MAX)?;
    if !found.len().is_multiple_of(3) {
        return Err("bad_field");
    }
    if !found.iter().all(|value| value.is_finite()) {
        return Err("not_finite");
    }
    let labelled = found.iter().any(|value| *value != 0.0);
    Ok(found
        .chunks(3)
        .filter(|_| labelled)
        .flat_map(|point| [point[0], point[1]])
        .collect())
}

fn angle(value: &Json) -> Checked<()> {
    match value {
        Json::Null => Ok(()),
        Json::Number(text) if float(text).is_finite() => Ok(()),
        Json::Number(_) => Err("not_finite"),
        _ => Err("bad_field"),
    }
}

fn read_score(value: &Json) -> Checked<Option<f64>> {
    match value {
        Json::Null => Ok(None),
        Json::Number(text) => match float(text) {
            score if !score.is_finite() => Err("not_finite"),
            score if (0.0..=1.0).contains(&score) => Ok(Some(score)),
            _ => Err("score_range"),
        },
        _ => Err("bad_field"),
    }
}

fn flag(value: &Json) -> Checked<bool> {
    match value {
        Json::Null => Ok(false),
        Json::Bool(set) => Ok(*set),
        Json::Number(text) if float(text).is_finite() => Ok(float(text) != 0.0),
        Json::Number(_) => Err("not_finite"),
        _ => Err("bad_field"),
    }
}

fn segmentation(value: &Json) -> Checked<Segmentation> {
    let mut found = Segmentation::default();
    match value {
        Json::Null => {}
        Json::List(rings) => {
            for ring in rings {
                let ring = numbers(ring, usize::MAX)?;
                if ring.len() == 2 && found.polygons.is_empty() {
                    found.lone_point = true;
                    return Ok(found);
                }
                if ring.len() < 6 || ring.len() % 2 == 1 {
                    return Err("bad_polygon");
                }
                found.polygons.push(ring);
            }
            if !found.polygons.iter().flatten().all(|value| value.is_finite()) {
                return Err("not_finite");
            }
        }
        Json::Object(fields) => {
            let mut size_hw = None;
            for (name, value) in fields {
                match name.as_str() {
                    "counts" => found.counts = counts(value)?,
                    "size" => size_hw = size(value)?,
                    _ => {}
                }
            }
            found.counts.as_ref().ok_or("missing_field")?;
            found.size_hw = size_hw.ok_or("missing_field")?.map(Some);
        }
        _ => return Err("bad_field"),
    }
    Ok(found)
}

fn counts(value: &Json) -> Checked<Option<Vec<u8>>> {
    let items = match value {
        Json::Null => return Ok(None),
        Json::Text(text) => return Ok(Some(text.clone().into_bytes())),
        Json::List(items) => items,
        _ => return Err("bad_field"),
    };
    let run = |item: &Json| {
        let Json::Number(text) = item else {
            return Err("bad_field");
        };
        let value = float(text);
        match integer(text).map(u32::try_from) {
            Some(Ok(run)) => Ok(run),
            _ if !value.is_finite() => Err("not_finite"),
            _ if value < 0.0 => Err("rle_negative"),
            _ if value.fract() != 0.0 => Err("rle_fraction"),
            _ => Err("rle_overflow"),
        }
    };
    let runs = items.iter().map(run).collect::<Checked<Vec<u32>>>()?;
    Ok(Some(crate::masks::rle_string(&runs).into_bytes()))
}

fn size(value: &Json) -> Checked<Option<[u32; 2]>> {
    if *value == Json::Null {
        return Ok(None);
    }
    let found = numbers(value, 2)?;
    let [h, w]: [f64; 2] = found[..].try_into().map_err(|_| "bad_field")?;
    if !(h.is_finite() && w.is_finite()) {
        return Err("not_finite");
    }
    let fits = |side: f64| side.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&side);
    match fits(h) && fits(w) {
        true => Ok(Some([h as u32, w as u32])),
        false => Err("rle_size"),
    }
}
