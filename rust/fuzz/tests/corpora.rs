//! Replays the seeds: each passes, and together they reach everything that a target can say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ropewalk_fuzz::seeds::{self, Seed};
use ropewalk_fuzz::targets::{file_formats, TARGETS};

/// What is in a folder.
fn names(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn replay(name: &str) {
    let (_, target, words) = *TARGETS
        .iter()
        .find(|target| target.0 == name)
        .expect("a target of this name");
    let (mut said, mut failed) = (BTreeSet::new(), Vec::new());
    for Seed { path, input } in seeds::of(name).expect("readable seeds") {
        let committed = path.starts_with(seeds::corpus());
        assert!(
            !committed || input.len() < 2048,
            "{} is large for a corpus",
            path.display()
        );
        match std::panic::catch_unwind(|| target(&input)) {
            Ok(word) => drop(said.insert(word)),
            Err(_) => failed.push(path),
        }
    }
    assert!(failed.is_empty(), "these fail: {failed:#?}");
    assert_eq!(said, words.iter().copied().collect());
    assert!(!target(&[]).is_empty());
}

#[test]
fn every_corpus_has_a_target() {
    let folders = names(&seeds::corpus());
    let expected = TARGETS.iter().map(|target| seeds::corpus().join(target.0));
    assert_eq!(folders, expected.collect());
    let formats: BTreeSet<PathBuf> = file_formats()
        .map(|format| seeds::corpus().join("formats").join(format.name))
        .collect();
    assert!(names(&seeds::corpus().join("formats")).is_subset(&formats));
}

#[test]
fn seeds_have_names_of_their_own() {
    for (target, ..) in TARGETS {
        let seeds = seeds::of(target).expect("readable seeds");
        let names: BTreeSet<String> = seeds.iter().map(Seed::name).collect();
        assert_eq!(names.len(), seeds.len(), "{target}");
    }
}

macro_rules! replays {
    ($($name:ident),+) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })+
    };
}

replays!(rle_string, rle_counts, polygon, formats, ir_table, label_rows);
