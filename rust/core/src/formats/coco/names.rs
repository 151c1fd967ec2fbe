//! A compact table of ids and names: names in one string, ids found by hash.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use xxhash_rust::xxh3::{xxh3_64_with_seed, Xxh3};

use super::packed::Ends;

/// An id as COCO files have it. Text that reads as an integer is [`Id::Int`], so that 3 and "3" are one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id<'a> {
    Int(i64),
    Text(&'a str),
}

impl<'a> Id<'a> {
    /// The id that `text` is.
    pub fn parse(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let canonical = matches!(bytes, [b'0'] | [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..]);
        match text.parse() {
            Ok(value) if canonical => Self::Int(value),
            _ => Self::Text(text),
        }
    }
}

/// An entry cannot be added: there are more than 32 bits count.
#[derive(Debug)]
pub(super) struct TooMany;

const TEXT_ID: u8 = 1;
const NAMED: u8 = 2;
const NO_ID: u8 = 4;
const DECLARED: u8 = 8;

/// Slot of the index that holds nothing.
const FREE: u32 = u32::MAX;

/// Ids with names.
#[derive(Debug)]
pub(super) struct Names {
    /// The first entry's id, while all are numbers one by one: then neither `ids` nor `index` is needed.
    first: Option<i64>,
    /// The id, or for [`TEXT_ID`] how many bytes of the entry's text it takes.
    ids: Vec<i64>,
    /// Where each entry's text ends in `text`: the id if it is text, then the name, or the number's digits if it has none.
    ends: Ends,
    flags: Vec<u8>,
    text: String,
    /// Open addressing with linear probing, its size a power of two.
    index: Vec<u32>,
    /// Random, so that no file can be made that collides; it decides nothing but the order of probes.
    seed: u64,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            first: None,
            ids: Vec::new(),
            ends: Ends::default(),
            flags: Vec::new(),
            text: String::new(),
            index: Vec::new(),
            seed: RandomState::new().hash_one(0),
        }
    }
}

impl Names {
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    fn value(&self, entry: usize) -> i64 {
        self.first.map_or_else(|| self.ids[entry], |first| first + entry as i64)
    }

    fn text(&self, entry: usize) -> &str {
        let start = entry.checked_sub(1).map_or(0, |before| self.ends.get(before));
        &self.text[start as usize..self.ends.get(entry) as usize]
    }

    fn has(&self, entry: usize, flag: u8) -> bool {
        self.flags[entry] & flag != 0
    }

    /// The entry's id.
    pub fn key(&self, entry: usize) -> Option<Id<'_>> {
        if self.has(entry, NO_ID) {
            None
        } else if self.has(entry, TEXT_ID) {
            Some(Id::Text(&self.text(entry)[..self.ids[entry] as usize]))
        } else {
            Some(Id::Int(self.value(entry)))
        }
    }

    /// Feeds ids and names to a digest.
    pub fn digest(&self, into: &mut Xxh3) {
        (0..self.len()).for_each(|entry| into.update(&self.value(entry).to_le_bytes()));
        (0..self.len()).for_each(|entry| into.update(&self.ends.get(entry).to_le_bytes()));
        into.update(self.text.as_bytes());
    }

    /// The entry's id as text.
    pub fn id(&self, entry: usize) -> Option<Cow<'_, str>> {
        Some(match self.key(entry)? {
            Id::Int(value) => Cow::Owned(value.to_string()),
            Id::Text(text) => Cow::Borrowed(text),
        })
    }

    /// The entry's name.
    pub fn name(&self, entry: usize) -> Option<&str> {
        self.has(entry, NAMED).then(|| {
            let id_bytes = if self.has(entry, TEXT_ID) {
                self.ids[entry] as usize
            } else {
                0
            };
            &self.text(entry)[id_bytes..]
        })
    }

    /// The entry's name, else its id.
    pub fn label(&self, entry: usize) -> &str {
        self.name(entry).unwrap_or_else(|| self.text(entry))
    }

    /// Whether the entry was added as declared.
    pub fn declared(&self, entry: usize) -> bool {
        self.has(entry, DECLARED)
    }

    fn slot(&self, id: Id<'_>) -> usize {
        let hash = match id {
            Id::Int(value) => xxh3_64_with_seed(&value.to_le_bytes(), self.seed),
            Id::Text(text) => xxh3_64_with_seed(text.as_bytes(), self.seed),
        };
        hash as usize & (self.index.len() - 1)
    }

    /// The entry with an id.
    pub fn find(&self, id: Id<'_>) -> Option<usize> {
        if let Some(first) = self.first {
            let Id::Int(value) = id else { return None };
            let entry = usize::try_from(value.checked_sub(first)?).ok()?;
            return (entry < self.len()).then_some(entry);
        }
        if self.index.is_empty() {
            return None;
        }
        let mut slot = self.slot(id);
        loop {
            let entry = self.index[slot];
            if entry == FREE {
                return None;
            }
            if self.key(entry as usize) == Some(id) {
                return Some(entry as usize);
            }
            slot = (slot + 1) & (self.index.len() - 1);
        }
    }

    /// Adds an entry whose id is not there yet and gives its index.
    pub fn add(&mut self, id: Option<Id<'_>>, name: Option<&str>, declared: bool) -> Result<usize, TooMany> {
        let entry = self.len();
        if entry >= FREE as usize {
            return Err(TooMany);
        }
        let (value, mut flags) = match id {
            None => (0, NO_ID),
            Some(Id::Int(value)) => (value, 0),
            Some(Id::Text(text)) => {
                self.text.push_str(text);
                (text.len() as i64, TEXT_ID)
            }
        };
        match (name, id) {
            (Some(name), _) => {
                self.text.push_str(name);
                flags |= NAMED;
            }
            (None, Some(Id::Int(value))) => self.text.push_str(&value.to_string()),
            (None, _) => {}
        }
        if declared {
            flags |= DECLARED;
        }
        if self.goes_on(id) {
            self.first.get_or_insert(value);
        } else {
            self.list_ids();
            self.ids.push(value);
        }
        self.ends.push(self.text.len() as u64);
        self.flags.push(flags);
        if self.first.is_none() {
            self.enter(entry);
        }
        Ok(entry)
    }

    /// Whether an id continues ids that are numbers one by one.
    fn goes_on(&self, id: Option<Id<'_>>) -> bool {
        match (id, self.first) {
            (Some(Id::Int(value)), Some(first)) => first.checked_add(self.len() as i64) == Some(value),
            (Some(Id::Int(_)), None) => self.len() == 0,
            _ => false,
        }
    }

    /// Writes out the ids that were numbers one by one.
    fn list_ids(&mut self) {
        if let Some(first) = self.first.take() {
            self.ids = (0..self.len()).map(|entry| first + entry as i64).collect();
        }
    }

    /// Puts a new entry into the index, which is rebuilt when it is more than three quarters full.
    fn enter(&mut self, entry: usize) {
        let first = if self.len() * 4 > self.index.len() * 3 {
            let size = (self.len() * 4 / 3 + 1).next_power_of_two().max(16);
            self.index.clear();
            self.index.resize(size, FREE);
            0
        } else {
            entry
        };
        for entry in first..=entry {
            let Some(id) = self.key(entry) else { continue };
            let mut slot = self.slot(id);
            while self.index[slot] != FREE {
                slot = (slot + 1) & (self.index.len() - 1);
            }
            self.index[slot] = entry as u32;
        }
    }

    /// Gives back what growing took too much.
    pub fn shrink_to_fit(&mut self) {
        self.ids.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.flags.shrink_to_fit();
        self.text.shrink_to_fit();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const INTEGERS: [Id<'_>; 3] = [Id::Int(-1), Id::Int(0), Id::Int(1)];

    fn names<'a>(ids: impl IntoIterator<Item = Option<Id<'a>>>) -> Names {
        let mut names = Names::default();
        for (at, id) in ids.into_iter().enumerate() {
            let name = format!("name {at}");
            assert_eq!(names.add(id, (at % 3 > 0).then_some(name.as_str()), true).unwrap(), at);
        }
        names
    }

    #[test]
    fn ids_are_found_whether_they_are_numbered_one_by_one_or_not() {
        let breaks = [None, Some(Id::Int(7)), Some(Id::Text("a")), Some(Id::Int(i64::MIN))];
        for (before, id) in (0..40).flat_map(|before| breaks.map(|id| (before, id))) {
            let first = (0..before).map(|n| Some(Id::Int(n - 100)));
            let ids: Vec<_> = first.chain([id, Some(Id::Int(200)), Some(Id::Text("b"))]).collect();
            let names = names(ids.iter().copied());
            for (at, &id) in ids.iter().enumerate() {
                assert_eq!(names.key(at), id);
                assert_eq!(id.map_or(Some(at), |id| names.find(id)), Some(at));
                let name = (at % 3 > 0).then(|| format!("name {at}"));
                assert_eq!(names.name(at), name.as_deref());
            }
            assert!(INTEGERS
                .into_iter()
                .chain([Id::Text("name 1")])
                .all(|id| names.find(id).is_none()));
        }
    }

    #[test]
    fn numbers_one_by_one_take_neither_ids_nor_an_index() {
        let names = names((0..5000).map(|n| Some(Id::Int(i64::MAX - 5000 + n))));
        assert!(names.ids.is_empty() && names.index.is_empty());
        assert_eq!(names.find(Id::Int(i64::MAX - 1)), Some(4999));
        assert!([i64::MAX, i64::MAX - 5001, i64::MIN]
            .into_iter()
            .all(|id| names.find(Id::Int(id)).is_none()));
    }

    #[test]
    fn a_digest_does_not_tell_how_ids_are_kept() {
        let digest = |names: &Names| {
            let mut digest = Xxh3::new();
            names.digest(&mut digest);
            digest.digest()
        };
        let packed = names((0..50).map(|n| Some(Id::Int(n))));
        let mut listed = names((0..50).map(|n| Some(Id::Int(n))));
        listed.list_ids();
        assert!(packed.ids.is_empty() && !listed.ids.is_empty());
        assert_eq!(digest(&packed), digest(&listed));
    }
}
