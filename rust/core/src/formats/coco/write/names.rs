//! Media and classes by number: one each, whether a source calls it by its name or by its hash.

use std::collections::HashMap;

use super::place::{known_size, SizeWh};
use crate::batch::Shape;
use crate::formats::known::{KnownObject, KnownProject};

/// A medium that has frames, or an image (also one of an image group).
#[derive(Debug)]
pub(super) struct Medium {
    /// What the dataset calls it.
    pub title: String,
    /// What the project knows of it.
    pub known: Option<KnownMedium>,
    /// Images of it in the dataset.
    pub images: u32,
    /// Whether one of these is not its first frame.
    pub later: bool,
    /// Ids of tracks by the source's names.
    pub tracks: HashMap<String, u64>,
}

#[derive(Debug)]
pub(super) struct KnownMedium {
    pub data_hash: String,
    pub size: Option<SizeWh>,
    pub frames: u64,
}

impl Medium {
    /// Whether its images are frames.
    pub fn has_frames(&self) -> bool {
        match &self.known {
            Some(known) => known.frames > 1,
            None => self.later || self.images > 1,
        }
    }
}

/// Where a row belongs: the numbers of its medium and of that whose tracks it has part in, and its frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub medium: usize,
    pub tracks_of: usize,
    pub frame: u32,
}

/// The project's media, and those that rows name besides.
#[derive(Debug, Default)]
pub(super) struct Media {
    all: Vec<Medium>,
    /// By data_hash, by title where one medium has it, and by the name in the source.
    numbers: HashMap<String, usize>,
    /// Image groups, each the numbers of its images.
    groups: Vec<Vec<usize>>,
    /// By the group's data_hash, and by its title where one medium has it.
    group_numbers: HashMap<String, usize>,
}

impl Media {
    /// The media of a project. An image group is its images.
    pub fn of(project: &KnownProject) -> Self {
        let mut media = Self::default();
        let mut titles = Vec::new();
        for medium in &project.media {
            if medium.units.is_empty() {
                let size = known_size(medium.width, medium.height);
                titles.push((&*medium.title, media.know(&medium.data_hash, size, medium.frames)));
            }
            let mut images = Vec::with_capacity(medium.units.len());
            for unit in &medium.units {
                let image = media.know(&unit.data_hash, known_size(unit.width, unit.height), 1);
                titles.push((&*unit.title, image));
                images.push(image);
            }
            media.groups.push(images);
        }
        for (title, number) in used_once(&titles) {
            media.numbers.entry(title.to_owned()).or_insert(number);
        }
        for (title, number) in titles {
            // A title that several media have would make them one.
            if media.numbers.contains_key(title) {
                title.clone_into(&mut media.all[number].title);
            }
        }
        let titles: Vec<_> = project.media.iter().map(|medium| &*medium.title).zip(0..).collect();
        let hashes = project.media.iter().map(|medium| &*medium.data_hash).zip(0..);
        for (name, group) in used_once(&titles).chain(hashes) {
            if !media.groups[group].is_empty() {
                media.group_numbers.insert(name.to_owned(), group);
            }
        }
        media
    }

    /// Adds a medium of the project, known by its hash.
    fn know(&mut self, data_hash: &str, size: Option<SizeWh>, frames: u64) -> usize {
        let number = self.number(data_hash);
        self.all[number].known = Some(KnownMedium {
            data_hash: data_hash.to_owned(),
            size,
            frames,
        });
        number
    }

    /// Finds the medium and frame that a row names.
    pub fn place(&mut self, name: &str, frame: u32) -> Place {
        let group = self.group_numbers.get(name);
        let group = group.map_or(&[][..], |&number| self.groups[number].as_slice());
        // A track may go over the images of a group.
        let first = group.first().copied();
        let (medium, frame) = match group.get(frame as usize) {
            Some(&image) => (image, 0),
            None => (self.number(name), frame),
        };
        Place {
            medium,
            tracks_of: first.unwrap_or(medium),
            frame,
        }
    }

    fn number(&mut self, name: &str) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        self.numbers.insert(name.to_owned(), self.all.len());
        self.all.push(Medium {
            title: name.to_owned(),
            known: None,
            images: 0,
            later: false,
            tracks: HashMap::new(),
        });
        self.all.len() - 1
    }

    pub fn get(&self, number: usize) -> &Medium {
        &self.all[number]
    }

    pub fn get_mut(&mut self, number: usize) -> &mut Medium {
        &mut self.all[number]
    }
}

/// A class that rows name.
#[derive(Debug)]
pub(super) struct Category {
    /// Its name, or the source's where the project does not know it.
    pub name: String,
    pub known: Option<KnownObject>,
    /// Shape of its first annotation. COCO has a group of categories here; Encord's own export says the shape.
    pub shape: Option<Shape>,
    /// Most keypoints that an annotation of it has.
    pub keypoints: usize,
}

/// The classes of the rows that are written, in order of first appearance.
#[derive(Debug, Default)]
pub(super) struct Categories {
    pub all: Vec<Category>,
    /// By the name in the source.
    numbers: HashMap<String, usize>,
    objects: Vec<KnownObject>,
    /// By feature hash, and by name where one object has it.
    known: HashMap<String, usize>,
    /// Number of the category of each object that has one.
    of_objects: HashMap<usize, usize>,
}

impl Categories {
    /// None yet; the classes of a project are known by name and by hash.
    pub fn of(objects: Vec<KnownObject>) -> Self {
        let names: Vec<_> = objects.iter().map(|object| object.name.as_str()).zip(0..).collect();
        let mut known: HashMap<_, _> = used_once(&names).map(|(name, at)| (name.to_owned(), at)).collect();
        known.extend(objects.iter().map(|object| object.feature_hash.clone()).zip(0..));
        Self {
            objects,
            known,
            ..Self::default()
        }
    }

    /// Number of the category of a class; a new one where it had none.
    pub fn number(&mut self, class: &str, shape: Option<Shape>) -> usize {
        if let Some(&number) = self.numbers.get(class) {
            return number;
        }
        let object = self.known.get(class).copied();
        let new = self.all.len();
        let number = object.map_or(new, |object| *self.of_objects.entry(object).or_insert(new));
        if number == new {
            let known = object.map(|object| self.objects[object].clone());
            self.all.push(Category {
                name: known.as_ref().map_or(class, |known| &known.name).to_owned(),
                known,
                shape,
                keypoints: 0,
            });
        }
        self.numbers.insert(class.to_owned(), number);
        number
    }
}

/// The names that are there once, with what they name.
fn used_once<'a>(names: &[(&'a str, usize)]) -> impl Iterator<Item = (&'a str, usize)> {
    let mut found: HashMap<&str, Option<usize>> = HashMap::new();
    for &(name, number) in names {
        found
            .entry(name)
            .and_modify(|number| *number = None)
            .or_insert(Some(number));
    }
    found.into_iter().filter_map(|(name, number)| Some((name, number?)))
}
