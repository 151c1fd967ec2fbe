//! Replays the corpora: each file passes, and together they reach everything that a target can say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ropewalk_fuzz::targets::TARGETS;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Files of a folder that were committed with it, by name.
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
    for path in names(&corpora().join(name)) {
        let input = std::fs::read(&path).expect("a readable file");
        assert!(input.len() < 2048, "{} is large for a corpus", path.display());
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
    let folders = names(&corpora());
    assert_eq!(folders, TARGETS.iter().map(|target| corpora().join(target.0)).collect());
}

macro_rules! replays {
    ($($name:ident),+) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })+
    };
}

replays!(rle_string, rle_counts, polygon, coco_json, ir_table);
