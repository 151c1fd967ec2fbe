//! Images, categories and videos of a COCO file, compact: 17 bytes an image besides its name, where
//! images are numbered one by one, and some 20 more where they are not.
//!
//! Ids are compared as text: 3, 3.0 and "3" are one id, as they are in the JSON keys of media and class maps.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use xxhash_rust::xxh3::Xxh3;

use super::lookup::{whole, Lookup};
use super::names::{Id, Names, TooMany};
use super::odd::{add_once, keep, repeated, OddEntries};
use super::packed::Numbers;
use super::titled::Titled;
use crate::formats::Lists;
use crate::reject::Reason;
use crate::sizes::Sizes;
use crate::source::{base_name, ClassName, MediaName};

/// What stands for "none" in the packed columns.
const NONE: u32 = u32::MAX;

/// An image as it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Image<'a> {
    pub id: Option<Id<'a>>,
    pub file_name: Option<&'a str>,
    /// Title of the medium, beside a file name that was made for the file.
    pub title: Option<&'a str>,
    pub video: Option<Id<'a>>,
    pub frame_index: Option<i64>,
    pub width: Option<u32>,
    pub height: Option<u32>,
}

/// What an annotation's row takes from its image.
#[derive(Debug, Clone, Copy)]
pub(super) struct MediaRow {
    pub in_video: bool,
    pub frame: u32,
    pub width: Option<u32>,
    pub height: Option<u32>,
}

/// Images, categories and videos of one file, and what another file (`--annotations`) knows besides.
///
/// Entries of the other file come first in the numbering; a file's own entries are found before them.
#[derive(Debug, Default)]
pub struct CocoTables {
    base: Option<Arc<CocoTables>>,
    /// Name of the file.
    name: Option<Arc<str>>,
    images: Names,
    titled: Titled,
    /// Images by what annotations may call them besides their ids.
    lookup: OnceLock<Lookup>,
    /// Images by what annotations called them.
    called: HashMap<Box<str>, u32>,
    frames: Numbers,
    /// Index into `video_refs`.
    videos_of: Vec<u32>,
    /// Number in `sizes`.
    size_of: Vec<u32>,
    sizes: Sizes,
    classes: Names,
    /// Names of keypoints, of the few classes that have some.
    keypoints: HashMap<usize, Box<[Box<str>]>>,
    /// Ids of videos that images name, in order of appearance.
    video_refs: Names,
    /// Index into `videos` of each of them, once all are read.
    video_of_ref: Vec<u32>,
    videos: Names,
    /// Entries that are not what they should be.
    odd: OddEntries,
}

impl CocoTables {
    /// Tables of the file `name` that fall back to those of another file.
    pub(super) fn on(base: Option<Arc<CocoTables>>, name: Option<Arc<str>>) -> Self {
        Self {
            base,
            name,
            ..Self::default()
        }
    }

    /// Number of images, those that only annotations name included.
    pub fn media_len(&self) -> usize {
        self.media_base() + self.images.len()
    }

    /// Number of categories, those that only annotations name included.
    pub fn class_len(&self) -> usize {
        self.class_base() + self.classes.len()
    }

    /// File whose images and categories the ids are: this one, or without any images the one it falls back to. Its name
    /// and a digest of what it lists, so that a copy under another name is known again.
    pub(super) fn ids_from(&self) -> Option<String> {
        if self.images.len() == 0 {
            return self.base.as_ref().and_then(|base| base.ids_from());
        }
        let mut digest = Xxh3::new();
        [&self.images, &self.classes]
            .into_iter()
            .for_each(|names| names.digest(&mut digest));
        Some(format!(
            "{}#{:016x}",
            self.name.as_deref().unwrap_or_default(),
            digest.digest()
        ))
    }

    fn media_base(&self) -> usize {
        self.base.as_ref().map_or(0, |base| base.media_len())
    }

    fn class_base(&self) -> usize {
        self.base.as_ref().map_or(0, |base| base.class_len())
    }

    /// Image `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Self::media_len`].
    pub fn media(&self, index: usize) -> MediaName<'_> {
        let first = self.media_base();
        match &self.base {
            Some(base) if index < first => base.media(index),
            _ => {
                let own = index - first;
                let (width, height) = self.sizes.get(self.size_of[own]);
                MediaName {
                    may_be_whole: false,
                    image_id: self.images.id(own),
                    file_name: self.images.name(own),
                    video: self.video(own),
                    title: self.titled.get(own),
                    frame_index: self.frames.get(own),
                    width,
                    height,
                    declared: self.images.declared(own),
                    // Numbers are names of files where they are not those of listed images.
                    id_is_name: match self.images.key(own) {
                        Some(Id::Int(_)) => !self.lists_images(),
                        Some(Id::Text(_)) => true,
                        None => false,
                    },
                }
            }
        }
    }

    /// Whether images are listed, here or in the other file.
    fn lists_images(&self) -> bool {
        let own = self.images.len() > 0 && self.images.declared(0);
        own || self.base.as_ref().is_some_and(|base| base.lists_images())
    }

    /// Category `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Self::class_len`].
    pub fn class(&self, index: usize) -> ClassName<'_> {
        let first = self.class_base();
        match &self.base {
            Some(base) if index < first => base.class(index),
            _ => {
                let own = index - first;
                ClassName {
                    id: self.classes.id(own),
                    name: self.classes.name(own),
                    keypoints: self.keypoints.get(&own).map_or(&[], |names| names),
                    declared: self.classes.declared(own),
                }
            }
        }
    }

    /// All images in the order of their indices.
    pub fn media_names(&self) -> impl Iterator<Item = MediaName<'_>> {
        (0..self.media_len()).map(|index| self.media(index))
    }

    /// All categories in the order of their indices.
    pub fn class_names(&self) -> impl Iterator<Item = ClassName<'_>> {
        (0..self.class_len()).map(|index| self.class(index))
    }

    fn video(&self, own: usize) -> Option<&str> {
        let known = |value: u32| (value != NONE).then_some(value as usize);
        let video = known(*self.video_of_ref.get(known(self.videos_of[own])?)?)?;
        self.videos.name(video)
    }

    /// Whether images name videos.
    pub(super) fn names_videos(&self) -> bool {
        self.video_refs.len() > 0
    }

    /// Whether images are frames of videos.
    pub(in crate::formats) fn lists_frames(&self) -> bool {
        self.names_videos() && (0..self.images.len()).any(|image| self.frames.get(image).is_some())
    }

    /// Adds an image, which is odd for a reason if there is one.
    pub(super) fn add_image(&mut self, image: Image<'_>, odd: Option<Reason>) -> Result<(), TooMany> {
        if let Some(known) = image.id.and_then(|id| self.images.find(id)) {
            let (name, video) = (self.images.name(known), self.videos_of[known]);
            let same_video = match image.video {
                Some(id) => self.video_refs.find(id).map(|i| i as u32) == Some(video),
                None => video == NONE,
            };
            let same = name == image.file_name && same_video && self.frames.get(known) == image.frame_index;
            let odd = if same { odd } else { Some(repeated("images", image.id)) };
            keep(&mut self.odd.images, &mut self.odd.nameless, known, image.id, odd);
            return Ok(());
        }
        let video = match image.video {
            None => NONE,
            Some(id) => match self.video_refs.find(id) {
                Some(known) => known as u32,
                None => self.video_refs.add(Some(id), None, false)? as u32,
            },
        };
        let index = self.push_image(image, video, true)?;
        keep(&mut self.odd.images, &mut self.odd.nameless, index, image.id, odd);
        Ok(())
    }

    fn push_image(&mut self, image: Image<'_>, video: u32, declared: bool) -> Result<usize, TooMany> {
        let index = self.images.add(image.id, image.file_name, declared)?;
        if let Some(title) = image.title {
            self.titled.set(index, title)?;
        }
        self.frames.push(image.frame_index);
        self.videos_of.push(video);
        self.size_of.push(self.sizes.number((image.width, image.height)));
        Ok(index)
    }

    pub(super) fn add_class(
        &mut self,
        id: Option<Id<'_>>,
        name: Option<&str>,
        keypoints: Vec<Box<str>>,
        odd: Option<Reason>,
    ) -> Result<(), TooMany> {
        let known = self.classes.len();
        let (entry, odd) = add_once(&mut self.classes, "categories", id, name, odd)?;
        keep(&mut self.odd.classes, &mut self.odd.nameless, entry, id, odd);
        if self.classes.len() > known && !keypoints.is_empty() {
            self.keypoints.insert(known, keypoints.into());
        }
        Ok(())
    }

    pub(super) fn add_video(
        &mut self,
        id: Option<Id<'_>>,
        name: Option<&str>,
        odd: Option<Reason>,
    ) -> Result<(), TooMany> {
        let (entry, odd) = add_once(&mut self.videos, "videos", id, name, odd)?;
        keep(&mut self.odd.videos, &mut self.odd.nameless, entry, id, odd);
        Ok(())
    }

    /// Counts an entry that is not an object.
    pub(super) fn add_nameless(&mut self) {
        self.odd.nameless += 1;
    }

    /// How many entries are odd.
    pub(super) fn odd_len(&self) -> u64 {
        self.odd.len() + self.base.as_ref().map_or(0, |base| base.odd_len())
    }

    /// Why the annotations of image `index` cannot be written, if they cannot.
    pub(super) fn odd_image(&self, index: usize) -> Option<&Reason> {
        let first = self.media_base();
        match &self.base {
            Some(base) if index < first => base.odd_image(index),
            _ => self.odd.images.get(&(index - first)),
        }
    }

    /// Why the annotations of category `index` cannot be written, if they cannot.
    pub(super) fn odd_class(&self, index: usize) -> Option<&Reason> {
        let first = self.class_base();
        match &self.base {
            Some(base) if index < first => base.odd_class(index),
            _ => self.odd.classes.get(&(index - first)),
        }
    }

    /// Joins images to videos; called when both are read.
    pub(super) fn finish(&mut self) {
        let refs = 0..self.video_refs.len();
        let find = |index| self.video_refs.key(index).and_then(|id| self.videos.find(id));
        self.video_of_ref = refs
            .map(|index| find(index).map_or(NONE, |video| video as u32))
            .collect();
        self.spread_odd_videos();
        self.frames.shrink_to_fit();
        self.videos_of.shrink_to_fit();
        self.size_of.shrink_to_fit();
        [&mut self.images, &mut self.classes, &mut self.videos]
            .into_iter()
            .for_each(Names::shrink_to_fit);
    }

    /// The images of an odd video are odd.
    fn spread_odd_videos(&mut self) {
        if self.odd.videos.is_empty() {
            return;
        }
        for image in 0..self.images.len() {
            let video = self.video_of_ref.get(self.videos_of[image] as usize);
            if let Some(reason) = video.and_then(|&video| self.odd.videos.get(&(video as usize))) {
                self.odd.images.entry(image).or_insert_with(|| reason.clone());
            }
        }
        self.odd.videos.clear();
    }

    /// The image that an annotation is on, by its id and the file name that it gives itself; one that no file lists gets an
    /// entry.
    pub(super) fn media_of(&mut self, id: Id<'_>, file_name: Option<&str>, last: &mut u32) -> Result<u32, TooMany> {
        let first = self.media_base();
        let own = (*last as usize).checked_sub(first);
        let is_last =
            file_name.is_none() && own.is_some_and(|own| own < self.images.len() && self.images.key(own) == Some(id));
        if !is_last {
            let index = match (file_name, self.find_media(id)) {
                (None, Some(index)) => index,
                (None, None) => self.called_by_id(id)?,
                (Some(file_name), by_id) => self.called(file_name, id, by_id)?,
            };
            *last = u32::try_from(index).map_err(|_| TooMany)?;
        }
        Ok(*last)
    }

    /// The image whose name, or number, is an id that no image has.
    fn called_by_id(&mut self, id: Id<'_>) -> Result<usize, TooMany> {
        let (name, number) = match id {
            Id::Int(number) => (None, Some(number)),
            Id::Text(text) => (Some(text), whole(text)),
        };
        let named = name.and_then(|name| self.look_up(&|lookup| lookup.named(name)));
        let by_id = || self.find_media(Id::Int(number?));
        let numbered = || self.look_up(&|lookup| lookup.numbered(number?));
        if let Some(index) = named.or_else(by_id).or_else(numbered) {
            return Ok(index);
        }
        let image = Image {
            id: Some(id),
            ..Image::default()
        };
        Ok(self.media_base() + self.push_image(image, NONE, false)?)
    }

    /// The image that an annotation calls by a file name: the one with its id, unless that is another file, or the one with
    /// this name.
    fn called(&mut self, file_name: &str, id: Id<'_>, by_id: Option<usize>) -> Result<usize, TooMany> {
        if let Some(known) = self.called.get(file_name) {
            return Ok(*known as usize);
        }
        let name_of = |index: usize| {
            self.media(index)
                .file_name
                .map(|name| base_name(name) == base_name(file_name))
        };
        let same = by_id.filter(|index| name_of(*index).unwrap_or(true));
        let index = match same.or_else(|| self.look_up(&|lookup| lookup.named(file_name))) {
            Some(index) => index,
            None => {
                let image = Image {
                    id: by_id.is_none().then_some(id),
                    file_name: Some(file_name),
                    ..Image::default()
                };
                self.media_base() + self.push_image(image, NONE, false)?
            }
        };
        self.called
            .insert(file_name.into(), u32::try_from(index).map_err(|_| TooMany)?);
        Ok(index)
    }

    /// What is found among the images that this file lists, else among those of the other.
    fn look_up(&self, find: &dyn Fn(&Lookup) -> Option<u32>) -> Option<usize> {
        let lookup = self.lookup.get_or_init(|| {
            let mut lookup = Lookup::default();
            for own in (0..self.images.len()).filter(|own| self.images.declared(*own)) {
                let id = match self.images.key(own) {
                    Some(Id::Text(text)) => Some(text),
                    _ => None,
                };
                lookup.add(own as u32, id, self.images.name(own));
            }
            lookup
        });
        let base = || self.base.as_ref().and_then(|base| base.look_up(find));
        find(lookup).map(|own| self.media_base() + own as usize).or_else(base)
    }

    /// The category with an id; one that no file lists gets an entry.
    pub(super) fn class_of(&mut self, id: Id<'_>) -> Result<u32, TooMany> {
        let first = self.class_base();
        let index = match self.classes.find(id) {
            Some(own) => first + own,
            None => match self.base.as_ref().and_then(|base| base.find_class(id)) {
                Some(index) => index,
                None => first + self.classes.add(Some(id), None, false)?,
            },
        };
        u32::try_from(index).map_err(|_| TooMany)
    }

    fn find_media(&self, id: Id<'_>) -> Option<usize> {
        let base = || self.base.as_ref().and_then(|base| base.find_media(id));
        self.images.find(id).map(|own| self.media_base() + own).or_else(base)
    }

    /// The category with an id, if there is one.
    pub(super) fn find_class(&self, id: Id<'_>) -> Option<usize> {
        let base = || self.base.as_ref().and_then(|base| base.find_class(id));
        self.classes.find(id).map(|own| self.class_base() + own).or_else(base)
    }

    /// What a row takes from image `index`.
    pub(super) fn media_row(&self, index: u32) -> MediaRow {
        let first = self.media_base();
        match &self.base {
            Some(base) if (index as usize) < first => base.media_row(index),
            _ => {
                let own = index as usize - first;
                let (width, height) = self.sizes.get(self.size_of[own]);
                MediaRow {
                    in_video: self.video(own).is_some(),
                    frame: self
                        .frames
                        .get(own)
                        .and_then(|frame| u32::try_from(frame).ok())
                        .unwrap_or(0),
                    width,
                    height,
                }
            }
        }
    }

    /// Name of the video of image `index`, else the image's own name, else its id.
    pub(super) fn media_label(&self, index: u32) -> &str {
        let first = self.media_base();
        match &self.base {
            Some(base) if (index as usize) < first => base.media_label(index),
            _ => {
                let own = index as usize - first;
                self.video(own).unwrap_or_else(|| self.images.label(own))
            }
        }
    }

    /// Name of category `index`, else its id.
    pub(super) fn class_label(&self, index: u32) -> &str {
        let first = self.class_base();
        match &self.base {
            Some(base) if (index as usize) < first => base.class_label(index),
            _ => self.classes.label(index as usize - first),
        }
    }
}

impl Lists for CocoTables {
    fn media_len(&self) -> usize {
        self.media_len()
    }

    fn own_media(&self) -> std::ops::Range<usize> {
        self.media_base()..self.media_len()
    }

    fn media(&self, number: usize) -> MediaName<'_> {
        self.media(number)
    }

    fn class_len(&self) -> usize {
        self.class_len()
    }

    fn class(&self, number: usize) -> ClassName<'_> {
        self.class(number)
    }
}
