//! What paths end in: their last parts, and these without a suffix. Kept as digests, since titles may be many and long.

use std::collections::hash_map::Entry;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::source::{base_name, stems};

/// The targets that something fits: how many, and the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub first: u32,
    /// Another one, where there are several.
    pub second: u32,
    pub count: u32,
}

impl Hit {
    pub fn one(target: u32) -> Self {
        Self {
            first: target,
            second: target,
            count: 1,
        }
    }

    /// Adds a target to those of an entry.
    pub fn note<K: Hash + Eq>(entry: Entry<'_, K, Self>, target: u32) {
        entry
            .and_modify(|hit| *hit = hit.and(Self::one(target)))
            .or_insert(Self::one(target));
    }

    /// These targets and others. One that goes by several names is one target.
    pub fn and(self, other: Self) -> Self {
        if other.count == 1 && (other.first == self.first || other.first == self.second) {
            return self;
        }
        let second = if self.count > 1 { self.second } else { other.first };
        Self {
            second,
            count: self.count + other.count,
            ..self
        }
    }
}

/// What the paths of targets end in.
pub(super) struct Ends {
    wholes: HashMap<u128, Hit>,
    ends: HashMap<u128, Hit>,
    stems: HashMap<u128, Hit>,
    /// Random, so that no names can be made that collide.
    seed: u64,
}

impl Default for Ends {
    fn default() -> Self {
        Self {
            wholes: HashMap::new(),
            ends: HashMap::new(),
            stems: HashMap::new(),
            seed: RandomState::new().hash_one(0),
        }
    }
}

impl Ends {
    /// Adds the path of a target, which is not `before`; nothing that ends as that did.
    pub fn add(&mut self, target: u32, path: &str, before: Option<&str>) {
        self.add_title(target, path);
        let mut starts_before = before.into_iter().flat_map(starts_from_the_end);
        for start in starts_from_the_end(path) {
            let end = &path[start..];
            let end_before = starts_before.next().and_then(|start| Some(&before?[start..]));
            if Some(end) == end_before {
                continue;
            }
            Hit::note(self.ends.entry(self.key(end)), target);
            let (inner, stem) = without_suffix(end);
            let (inner_before, stem_before) = end_before.map(without_suffix).unzip();
            for (of, is_new) in [(inner, true), (stem, stem != inner)] {
                if is_new && Some(of) != inner_before && Some(of) != stem_before {
                    Hit::note(self.stems.entry(self.key(of)), target);
                }
            }
        }
    }

    /// Adds another name of a target, such as the title of an image inside a group, whose path is longer.
    pub fn add_title(&mut self, target: u32, title: &str) {
        Hit::note(self.wholes.entry(self.key(title)), target);
    }

    /// The targets whose title, or path, is this.
    pub fn whole(&self, path: &str) -> Option<Hit> {
        self.wholes.get(&self.key(path)).copied()
    }

    /// The targets whose path ends in these whole parts.
    pub fn end(&self, end: &str) -> Option<Hit> {
        self.ends.get(&self.key(end)).copied()
    }

    /// The targets whose path ends so, but for its suffix.
    pub fn stem(&self, end: &str) -> Option<Hit> {
        self.stems.get(&self.key(end)).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn key(&self, text: &str) -> u128 {
        xxh3_128_with_seed(text.as_bytes(), self.seed)
    }
}

/// A path without the last suffix of its file, and without all of a double one.
fn without_suffix(path: &str) -> (&str, &str) {
    let (inner, stem) = stems(path);
    let cut = |to: &str| &path[..path.len() - base_name(path).len() + to.len()];
    (cut(inner), cut(stem))
}

/// Where the last part of a path begins, the last two, and so on.
fn starts_from_the_end(path: &str) -> impl Iterator<Item = usize> + '_ {
    let parts = path.rmatch_indices('/').map(|(at, _)| at + 1);
    parts.chain(std::iter::once(0))
}

/// Where the parts of a path begin, in order.
pub(super) fn starts(path: &str) -> impl Iterator<Item = usize> + '_ {
    std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1))
}

/// The folder that a path is in, and its last part.
pub(super) fn split_folder(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The folders that a path is in, the outermost first.
pub(super) fn folders(path: &str) -> impl Iterator<Item = &str> {
    let (folder, _) = split_folder(path);
    folder.split('/').filter(|part| !part.is_empty())
}
