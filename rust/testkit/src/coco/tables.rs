//! The images, videos and categories that a file lists.

use std::collections::HashMap;

use super::values::{float, integer, read_id, Checked};
use crate::json::Json;

#[derive(Debug, PartialEq)]
pub(super) struct Image {
    pub name: Option<String>,
    pub video_id: Option<String>,
    pub frame: Option<i64>,
    pub size_hw: [Option<u32>; 2],
    /// Code of the rejects of its annotations, if it is not what it should be.
    pub odd: Option<&'static str>,
}

/// A category or a video.
#[derive(Debug, PartialEq)]
pub(super) struct Named {
    pub name: Option<String>,
    /// As that of an image.
    pub odd: Option<&'static str>,
}

/// Images and categories by id.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub images: HashMap<String, Image>,
    pub classes: HashMap<String, Named>,
    pub videos: HashMap<String, Named>,
}

impl Tables {
    pub fn read(images: &[Json], classes: &[Json], videos: &[Json]) -> Self {
        let mut tables = Self::default();
        images.iter().for_each(|entry| tables.add_image(entry));
        classes.iter().for_each(|entry| add_named(&mut tables.classes, entry));
        videos.iter().for_each(|entry| add_named(&mut tables.videos, entry));
        tables
    }

    fn add_image(&mut self, entry: &Json) {
        let Json::Object(fields) = entry else { return };
        let odd = fields.iter().find_map(|(name, value)| match name.as_str() {
            "id" | "video_id" => read_id(value).err(),
            "file_name" => text(value).err(),
            "frame_index" | "frame_id" => whole(value).err(),
            "width" | "height" => side(value).err(),
            _ => None,
        });
        let number = |name| whole(entry.get(name)).unwrap_or_default();
        let image = Image {
            name: text(entry.get("file_name")).unwrap_or_default(),
            video_id: read_id(entry.get("video_id")).unwrap_or_default(),
            frame: number("frame_index").or(number("frame_id")),
            size_hw: ["height", "width"].map(|name| side(entry.get(name)).unwrap_or_default()),
            odd,
        };
        let Ok(Some(id)) = read_id(entry.get("id")) else { return };
        match self.images.get_mut(&id) {
            Some(known) => {
                let same = (&known.name, &known.video_id, known.frame) == (&image.name, &image.video_id, image.frame);
                known.odd = known.odd.or(if same { odd } else { Some("repeated_id") });
            }
            None => drop(self.images.insert(id, image)),
        }
    }
}

fn add_named(into: &mut HashMap<String, Named>, entry: &Json) {
    let Json::Object(fields) = entry else { return };
    let odd = fields.iter().find_map(|(name, value)| match name.as_str() {
        "id" => read_id(value).err(),
        "name" | "file_name" => text(value).err(),
        _ => None,
    });
    let given = |name| text(entry.get(name)).unwrap_or_default();
    let name = given("name").or(given("file_name"));
    let Ok(Some(id)) = read_id(entry.get("id")) else { return };
    match into.get_mut(&id) {
        Some(known) => known.odd = known.odd.or(if known.name == name { odd } else { Some("repeated_id") }),
        None => drop(into.insert(id, Named { name, odd })),
    }
}

/// A name, also one that is a number.
fn text(value: &Json) -> Checked<Option<String>> {
    match value {
        Json::Null => Ok(None),
        Json::Text(text) => Ok(Some(text.clone())),
        Json::Number(text) => Ok(match integer(text) {
            Some(value) => Some(value.to_string()),
            None => float(text).is_finite().then(|| text.clone()),
        }),
        _ => Err("bad_field"),
    }
}

/// A whole number, also one that is given as text.
fn whole(value: &Json) -> Checked<Option<i64>> {
    match value {
        Json::Null => Ok(None),
        Json::Number(text) if integer(text).is_none() && float(text).is_finite() => Err("bad_field"),
        Json::Number(text) => Ok(integer(text)),
        Json::Text(text) => match text.trim_ascii().parse::<f64>() {
            Ok(value) if !value.is_finite() => Ok(None),
            Ok(value) if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 => Ok(Some(value as i64)),
            _ => Err("bad_field"),
        },
        _ => Err("bad_field"),
    }
}

fn side(value: &Json) -> Checked<Option<u32>> {
    match whole(value)? {
        None | Some(0) => Ok(None),
        Some(side) => {
            let side = u32::try_from(side).ok().filter(|&side| side < u32::MAX);
            side.map(Some).ok_or("bad_field")
        }
    }
}
