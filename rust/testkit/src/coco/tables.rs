//! The images, videos and categories that a file lists.

use std::collections::HashMap;

use super::values::{float, integer, read_id};
use super::NotRead;
use crate::json::Json;

#[derive(Debug)]
pub(super) struct Image {
    pub name: Option<String>,
    pub video_id: Option<String>,
    pub frame: Option<i64>,
    pub size_hw: [Option<u32>; 2],
}

/// Images and categories by id.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub images: HashMap<String, Image>,
    pub classes: HashMap<String, Option<String>>,
    pub videos: HashMap<String, Option<String>>,
}

impl Tables {
    pub fn read(images: &[Json], classes: &[Json], videos: &[Json]) -> Result<Self, NotRead> {
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
