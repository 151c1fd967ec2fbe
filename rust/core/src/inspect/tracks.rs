//! How many tracks there are.

use hashbrown::HashSet;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Tracks that are remembered.
const MOST_TRACKS: usize = 1 << 20;

/// The tracks seen so far. They are kept as hashes: of a million tracks, two count as one with a chance of 1 in 30 million.
#[derive(Default)]
pub(super) struct Tracks(HashSet<u64>);

impl Tracks {
    /// Whether a track of medium number `medium` was not seen before; false once as many are remembered as may be.
    pub fn is_new(&mut self, medium: usize, track: &str) -> bool {
        let hash = xxh3_64_with_seed(track.as_bytes(), medium as u64);
        if self.is_full() {
            return false;
        }
        self.0.insert(hash)
    }

    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Whether there may be more tracks than [`Self::len`].
    pub fn is_full(&self) -> bool {
        self.0.len() >= MOST_TRACKS
    }
}
