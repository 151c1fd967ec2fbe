//! The COCO writer: batches of the IR become one dataset, written as they come.
//!
//! What is kept meanwhile is a line for each image, class and track. Ids are given in order of first appearance, from 1.
//! The text is that of Python's `json.dumps`: ASCII, with the shortest numbers.

mod json;
mod names;
mod place;
mod sections;

use std::collections::HashMap;
use std::io::{self, Write};

use json::{push_list, push_numbers, push_text, Object};
use names::{Categories, Media, Place};
use place::{place, size_of, Drawn, Placed, SizeWh};

use crate::batch::{row_json, Annotation, AnnotationBatch, AttributeValue, Kind, Shape};
use crate::formats::known::KnownProject;
use crate::label_row::number::{push_f64, push_u64};
use crate::reject::{Counts, Origin, Reason, Reject};
use crate::rle::Scratch;

/// Text that is written at once, bytes.
const BLOCK_BYTES: usize = 1 << 20;

/// Scratch memory that is kept from batch to batch, bytes.
const MAX_KEPT_BYTES: usize = 32 << 20;

/// Under `attributes` these have a meaning of their own to whoever reads the file.
const RESERVED: [&str; 4] = ["rotation", "track", "track_id", "score"];

/// What became of the rows that were not rejected.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Annotations written.
    pub annotations: u64,
    /// Answers and lines, which have no place in COCO.
    pub left_out: u64,
    /// Written with less than they had: `round_as_box` (circles and ellipses), `attribute_left_out` (attributes whose
    /// name COCO uses).
    pub warnings: Counts,
}

impl Written {
    /// Counts what is written with less than it had.
    fn warn(&mut self, name: &'static str) {
        *self.warnings.entry(name).or_default() += 1;
    }
}

/// Writes batches as a COCO dataset.
#[derive(Debug)]
pub struct CocoWriter {
    media: Media,
    categories: Categories,
    images: Vec<Image>,
    /// Place in `images` by medium and frame.
    places: HashMap<(usize, u32), usize>,
    tracks: u64,
    written: Written,
    /// Text that is not written yet.
    text: Vec<u8>,
    scratch: Scratch,
}

/// An image; its size is the first one that is told.
#[derive(Debug)]
struct Image {
    medium: usize,
    frame: u32,
    size: Option<SizeWh>,
}

impl CocoWriter {
    /// Begins a dataset; `project` puts names in the place of hashes.
    pub fn new(project: KnownProject) -> Self {
        Self {
            media: Media::of(&project),
            categories: Categories::of(project.objects),
            images: Vec::new(),
            places: HashMap::new(),
            tracks: 0,
            written: Written::default(),
            // Annotations come first, for they are what is not kept; readers take sections in any order.
            text: b"{\"info\": {\"description\": \"written by Ropewalk\"},\n\"annotations\": [".to_vec(),
            scratch: Scratch::default(),
        }
    }

    /// What became of the rows so far.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// Writes a batch to `out`, and gives the rows that cannot be written.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn write(&mut self, batch: &AnnotationBatch, out: &mut dyn Write) -> io::Result<Vec<Reject>> {
        let mut rejects = Vec::new();
        for number in 0..batch.len() {
            let row = batch.row(number);
            if row.kind == Kind::Answer || matches!(row.shape, Some(Shape::Polyline | Shape::Cuboid2d)) {
                self.written.left_out += 1;
            } else if let Err(reason) = self.annotation(&row, batch.attributes(number)) {
                rejects.push(reject(reason, batch, number));
            }
            leave(&mut self.text, BLOCK_BYTES, out)?;
        }
        leave(&mut self.text, 0, out)?;
        self.scratch.release_above(MAX_KEPT_BYTES);
        Ok(rejects)
    }

    /// Writes the sections that are known at the end.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn finish(mut self, out: &mut dyn Write) -> io::Result<Written> {
        self.text.extend_from_slice(b"\n]");
        self.write_sections(out)?;
        self.text.extend_from_slice(b"}\n");
        leave(&mut self.text, 0, out)?;
        Ok(self.written)
    }

    fn annotation<'a>(
        &mut self,
        row: &Annotation<'a>,
        attributes: impl Iterator<Item = AttributeValue<'a>>,
    ) -> Result<(), Reason> {
        let at = self.media.place(row.media, row.frame);
        let found = self.places.get(&(at.medium, at.frame)).copied();
        let known = self.media.get(at.medium).known.as_ref();
        let size = found
            .and_then(|image| self.images[image].size)
            .or_else(|| size_of(row))
            .or_else(|| known.and_then(|known| known.size));
        let placed = place(row, size, &mut self.scratch)?;
        // Only what is written has an image, a category and a track.
        let image = found.unwrap_or_else(|| self.add_image(at));
        self.images[image].size = self.images[image].size.or(size);
        let category = self.categories.number(row.class, row.shape);
        if let Drawn::Keypoints { flags, .. } = &placed.drawn {
            let most = &mut self.categories.all[category].keypoints;
            *most = flags.len().max(*most);
        }
        self.text
            .extend_from_slice(if self.written.annotations > 0 { b",\n" } else { b"\n" });
        self.written.annotations += 1;
        let mut object = Object::open(&mut self.text);
        object.whole("id", self.written.annotations);
        object.whole("image_id", image as u64 + 1);
        object.whole("category_id", category as u64 + 1);
        push_placed(&mut object, &placed);
        object.whole("iscrowd", 0_u64);
        if let Some(score) = row.score {
            object.number("score", score);
        }
        if let Some(track) = row.track {
            let tracks = &mut self.media.get_mut(at.tracks_of).tracks;
            let id = match tracks.get(track) {
                Some(&id) => id,
                None => {
                    self.tracks += 1;
                    tracks.insert(track.to_owned(), self.tracks);
                    self.tracks
                }
            };
            object.whole("track_id", id);
        }
        push_attributes(&mut object, row, attributes, &mut self.written);
        object.close();
        if matches!(row.shape, Some(Shape::Circle | Shape::Ellipse)) {
            self.written.warn("round_as_box");
        }
        Ok(())
    }

    fn add_image(&mut self, Place { medium, frame, .. }: Place) -> usize {
        let number = self.images.len();
        self.images.push(Image {
            medium,
            frame,
            size: None,
        });
        self.places.insert((medium, frame), number);
        let medium = self.media.get_mut(medium);
        medium.images += 1;
        medium.later |= frame > 0;
        number
    }
}

/// The reject of a row, as a row of a table.
fn reject(reason: Reason, batch: &AnnotationBatch, number: usize) -> Reject {
    let row = batch.row(number);
    let attributes: Vec<_> = batch.attributes(number).collect();
    let text = row_json(&row, &attributes);
    let origin = Origin::of(row.source);
    Reject::new(reason, &origin, row.offset, row.annotation_id, Some(text.as_bytes()))
}

/// Hands text over where it is more than `len_bytes`.
fn leave(text: &mut Vec<u8>, len_bytes: usize, out: &mut dyn Write) -> io::Result<()> {
    if text.len() > len_bytes {
        out.write_all(text)?;
        text.clear();
    }
    Ok(())
}

fn push_placed(object: &mut Object<'_>, placed: &Placed<'_>) {
    push_numbers(object.member("bbox"), &placed.bbox);
    if let Drawn::Keypoints { coords, flags } = &placed.drawn {
        let points = coords.chunks_exact(2).zip(flags);
        push_list(object.member("keypoints"), points, |text, (point, &flag)| {
            for &value in point {
                push_f64(text, value);
                text.extend_from_slice(b", ");
            }
            push_u64(text, flag.into());
        });
        let labelled = flags.iter().filter(|&&flag| flag != 0).count();
        object.whole("num_keypoints", labelled as u64);
    }
    object.number("area", placed.area);
    match &placed.drawn {
        Drawn::Box | Drawn::Keypoints { .. } => {}
        Drawn::Rings(rings) => push_list(object.member("segmentation"), rings, |text, ring| {
            push_numbers(text, ring)
        }),
        Drawn::Mask { size, counts } => {
            let mut mask = Object::open(object.member("segmentation"));
            push_list(mask.member("size"), [size.h(), size.w()], |text, side| {
                push_u64(text, side.into());
            });
            mask.string("counts", &String::from_utf8_lossy(counts));
            mask.close();
        }
    }
}

/// Writes the answers of a row, its track and its rotation. Several answers of one name are a list.
fn push_attributes<'a>(
    object: &mut Object<'_>,
    row: &Annotation<'a>,
    attributes: impl Iterator<Item = AttributeValue<'a>>,
    written: &mut Written,
) {
    let mut given: Vec<(&str, Vec<Option<&str>>)> = Vec::new();
    let mut places = HashMap::new();
    for attribute in attributes {
        if RESERVED.contains(&attribute.name) {
            written.warn("attribute_left_out");
            continue;
        }
        let place = *places.entry(attribute.name).or_insert(given.len());
        match given.get_mut(place) {
            Some((_, values)) => values.push(attribute.value),
            None => given.push((attribute.name, vec![attribute.value])),
        }
    }
    let rotation = (row.shape == Some(Shape::RotatableBoundingBox)).then(|| row.theta.unwrap_or_default());
    if given.is_empty() && row.track.is_none() && rotation.is_none() {
        return;
    }
    let mut members = Object::open(object.member("attributes"));
    for (name, values) in given {
        let text = members.member(name);
        match values[..] {
            [value] => push_text(text, value),
            _ => push_list(text, values, push_text),
        }
    }
    if let Some(track) = row.track {
        members.string("track", track);
    }
    if let Some(theta) = rotation {
        // What would be -0.0 is 0.0.
        members.number("rotation", theta + 0.0);
    }
    members.close();
}
