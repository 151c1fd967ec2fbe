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
    pub count: usize,
}

impl Hit {
    fn one(target: u32) -> Self {
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

    /// These targets and others.
    pub fn and(self, other: Self) -> Self {
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
    /// Under an end its own targets; under one with `/` before it those whose title it is.
    ends: HashMap<u128, Hit>,
    stems: HashMap<u128, Hit>,
    /// Random, so that no names can be made that collide.
    seed: u64,
}

impl Default for Ends {
    fn default() -> Self {
        Self {
            ends: HashMap::new(),
            stems: HashMap::new(),
            seed: RandomState::new().hash_one(0),
        }
    }
}

impl Ends {
    /// Adds a target with its path and its title; nothing that ends as `before` did.
    pub fn add(&mut self, target: u32, (path, title): (&str, &str), before: Option<(&str, &str)>) {
        if before == Some((path, title)) {
            return;
        }
        let (path_before, title_before) = before.unzip();
        for whole in [path, title] {
            if Some(whole) != path_before && Some(whole) != title_before {
                Hit::note(self.ends.entry(self.key(&format!("/{whole}"))), target);
            }
            if path == title {
                break;
            }
        }
        let starts_before: Vec<usize> = path_before.map_or_else(Vec::new, |path| starts(path).collect());
        let parts: Vec<usize> = starts(path).collect();
        for (n, &start) in parts.iter().rev().enumerate() {
            let end = &path[start..];
            let end_before = path_before.and_then(|path| {
                let start = starts_before.iter().rev().nth(n)?;
                Some(&path[*start..])
            });
            if Some(end) == end_before {
                continue;
            }
            Hit::note(self.ends.entry(self.key(end)), target);
            let cut = |end: &str| -> [usize; 2] {
                let (inner, stem) = stems(end);
                [inner, stem].map(|stem| end.len() - (base_name(end).len() - stem.len()))
            };
            let [inner, stem] = cut(end);
            let before = end_before.map(|before| cut(before).map(|at| &before[..at]));
            let both = [inner, stem];
            for at in &both[..if inner == stem { 1 } else { 2 }] {
                let end = &end[..*at];
                if !before.is_some_and(|before| before.contains(&end)) {
                    Hit::note(self.stems.entry(self.key(end)), target);
                }
            }
        }
    }

    /// The targets whose title, or path, is this.
    pub fn whole(&self, path: &str) -> Option<Hit> {
        self.ends.get(&self.key(&format!("/{path}"))).copied()
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
