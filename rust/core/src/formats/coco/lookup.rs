//! Images by what annotations may call them instead of their ids: names of files, and the numbers that these are.

use std::collections::HashMap;

use crate::source::{base_name, stem};

/// Images by name and number. Made for the first annotation whose id is not one of an image.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// By file name, by base name and by stem; none where several images have it.
    names: HashMap<Box<str>, Option<u32>>,
    /// By the number that an id or a stem is, with any zeros in front; likewise.
    numbers: HashMap<i64, Option<u32>>,
}

impl Lookup {
    /// Adds an image with its id, where that is a text, and its file name.
    pub fn add(&mut self, image: u32, id: Option<&str>, file_name: Option<&str>) {
        let names = file_name.map(|name| [name, base_name(name), stem(name)]);
        for name in names.into_iter().flatten().filter(|name| !name.is_empty()) {
            let known = self.names.entry(name.into()).or_insert(Some(image));
            *known = known.filter(|known| *known == image);
        }
        for number in id.into_iter().chain(file_name.map(stem)).filter_map(whole) {
            let known = self.numbers.entry(number).or_insert(Some(image));
            *known = known.filter(|known| *known == image);
        }
    }

    /// The one image with this file name, base name or stem.
    pub fn named(&self, name: &str) -> Option<u32> {
        let found = [name, base_name(name), stem(name)];
        found.into_iter().find_map(|name| self.names.get(name).copied())?
    }

    /// The one image whose id or stem is this number.
    pub fn numbered(&self, number: i64) -> Option<u32> {
        self.numbers.get(&number).copied()?
    }
}

/// The number that digits alone are.
pub(super) fn whole(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(images: &[(Option<&str>, &str)]) -> Lookup {
        let mut lookup = Lookup::default();
        for (number, (id, name)) in (0..).zip(images) {
            lookup.add(number, *id, Some(name));
        }
        lookup
    }

    #[test]
    fn images_go_by_name_and_number_where_one_alone_has_it() {
        let lookup = lookup(&[
            (None, "a/frame_7.jpg"),
            (Some("000043"), "x.jpg"),
            (None, "b/000012.png"),
            (None, "folder/"),
        ]);
        for name in ["a/frame_7.jpg", "frame_7.jpg", "frame_7", "other/frame_7.png"] {
            assert_eq!(lookup.named(name), Some(0), "{name}");
        }
        assert_eq!((lookup.numbered(43), lookup.numbered(12)), (Some(1), Some(2)));
        assert_eq!(
            (lookup.named("frame_8"), lookup.named(""), lookup.numbered(7)),
            (None, None, None)
        );
    }

    #[test]
    fn what_several_images_have_names_none() {
        let lookup = lookup(&[(None, "a/1.jpg"), (None, "b/1.jpg")]);
        assert_eq!((lookup.named("1.jpg"), lookup.numbered(1)), (None, None));
        assert_eq!(lookup.named("b/1.jpg"), Some(1));
    }
}
