//! What follows the annotations: images, videos and categories.

use std::collections::HashMap;
use std::io::{self, Write};

use super::json::{push_list, push_text, Object};
use super::names::{Category, Medium};
use super::{leave, CocoWriter, Image, BLOCK_BYTES};
use crate::batch::Shape;
use crate::label_row::push_string;

impl CocoWriter {
    /// Writes the sections that are known at the end.
    pub(super) fn write_sections(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Self { media, text, .. } = self;
        // Media that have frames, in order of their first image, and their ids.
        let mut videos = Vec::new();
        let mut ids = HashMap::new();
        for image in &self.images {
            if media.get(image.medium).has_frames() && !ids.contains_key(&image.medium) {
                videos.push(image.medium);
                ids.insert(image.medium, videos.len() as u64);
            }
        }
        push_section(text, out, "images", &self.images, |object, image| {
            push_image(object, image, media.get(image.medium), ids.get(&image.medium));
        })?;
        if !videos.is_empty() {
            push_section(text, out, "videos", &videos, |object, &video| {
                let medium = media.get(video);
                object.string("name", &medium.title);
                push_data_hash(object, medium);
            })?;
        }
        push_section(text, out, "categories", &self.categories.all, push_category)
    }
}

/// Writes a list of objects. `push` adds the members after the id; ids count from 1.
fn push_section<T>(
    text: &mut Vec<u8>,
    out: &mut dyn Write,
    name: &str,
    items: &[T],
    push: impl Fn(&mut Object<'_>, &T),
) -> io::Result<()> {
    text.extend_from_slice(b",\n");
    push_string(text, name);
    text.extend_from_slice(b": [");
    for (item, id) in items.iter().zip(1_u64..) {
        text.extend_from_slice(if id > 1 { b",\n" } else { b"\n" });
        let mut object = Object::open(text);
        object.whole("id", id);
        push(&mut object, item);
        object.close();
        leave(text, BLOCK_BYTES, out)?;
    }
    text.extend_from_slice(b"\n]");
    Ok(())
}

fn push_image(object: &mut Object<'_>, image: &Image, medium: &Medium, video: Option<&u64>) {
    match video {
        Some(_) => object.string("file_name", &format!("{}/{:06}.jpg", medium.title, image.frame)),
        None => object.string("file_name", &medium.title),
    }
    if let Some((width, height)) = image.size {
        object.whole("width", width);
        object.whole("height", height);
    }
    match video {
        Some(&id) => {
            object.whole("video_id", id);
            object.whole("frame_index", image.frame);
        }
        None => push_data_hash(object, medium),
    }
}

fn push_data_hash(object: &mut Object<'_>, medium: &Medium) {
    if let Some(known) = &medium.known {
        object.string("data_hash", &known.data_hash);
    }
}

fn push_category(object: &mut Object<'_>, category: &Category) {
    object.string("name", &category.name);
    push_text(object.member("supercategory"), category.shape.map(Shape::as_str));
    if let Some(known) = &category.known {
        object.string("feature_hash", &known.feature_hash);
    }
    let template = category.known.as_ref().map_or(&[][..], |known| known.points.as_slice());
    let points = match category.keypoints {
        0 => return,
        n if n == template.len() => template,
        1 if category.shape == Some(Shape::Point) => std::slice::from_ref(&category.name),
        _ => return,
    };
    push_list(object.member("keypoints"), points, |text, name| push_string(text, name));
    object.member("skeleton").extend_from_slice(b"[]");
}
