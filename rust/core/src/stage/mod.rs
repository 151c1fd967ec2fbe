//! The stage: resolved annotations sorted by (label row, frame, object), in memory while small, else merged from runs
//! on disk. Encoding, rejects and later resume and verification read the stage, not the source.

pub mod record;
