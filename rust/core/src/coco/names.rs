//! A compact table of ids and names: names in one string, ids found by hash.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use xxhash_rust::xxh3::{xxh3_64_with_seed, Xxh3};

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

/// Why an entry cannot be added.
#[derive(Debug)]
pub(super) enum Refused {
    /// The id stands for something else already.
    Conflict,
    /// More entries than 32 bits count.
    TooMany,
}

const TEXT_ID: u8 = 1;
const NAMED: u8 = 2;
const NO_ID: u8 = 4;
const DECLARED: u8 = 8;

/// Slot of the index that holds nothing.
const FREE: u32 = u32::MAX;

/// Ids with names.
#[derive(Debug)]
pub(super) struct Names {
    /// The id, or for [`TEXT_ID`] how many bytes of the entry's text it takes.
    ids: Vec<i64>,
    /// Where each entry's text ends in `text`: the id if it is text, then the name, or the number's digits if it has none.
    ends: Vec<u64>,
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
            ids: Vec::new(),
            ends: Vec::new(),
            flags: Vec::new(),
            text: String::new(),
            index: Vec::new(),
            seed: RandomState::new().hash_one(0),
        }
    }
}

impl Names {
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    fn text(&self, entry: usize) -> &str {
        let start = entry.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[entry] as usize]
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
            Some(Id::Int(self.ids[entry]))
        }
    }

    /// Feeds ids and names to a digest.
    pub fn digest(&self, into: &mut Xxh3) {
        self.ids.iter().for_each(|id| into.update(&id.to_le_bytes()));
        self.ends.iter().for_each(|end| into.update(&end.to_le_bytes()));
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
        if self.index.is_empty() {
            return None;
        }
        // Most files number their entries one by one: the id says where its entry stands.
        if let (Id::Int(value), Some(&first)) = (id, self.ids.first()) {
            let guess = usize::try_from(value.wrapping_sub(first)).unwrap_or(usize::MAX);
            if guess < self.len() && self.key(guess) == Some(id) {
                return Some(guess);
            }
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
    pub fn add(&mut self, id: Option<Id<'_>>, name: Option<&str>, declared: bool) -> Result<usize, Refused> {
        let entry = self.len();
        if entry >= FREE as usize {
            return Err(Refused::TooMany);
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
        self.ids.push(value);
        self.ends.push(self.text.len() as u64);
        self.flags.push(flags);
        self.enter(entry);
        Ok(entry)
    }

    /// Puts a new entry into the index, which is rebuilt when it is more than three quarters full.
    fn enter(&mut self, entry: usize) {
        let first = if self.len() * 4 > self.index.len() * 3 {
            let size = (self.index.len() * 2).max(16);
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
