//! Ropewalk's core: predictions in, Encord label rows out.
//!
//! Reading, resolving, staging and encoding are pure functions of their input: no clock, no randomness,
//! no network, no printing. The Python package `ropewalk` drives them through the crate `ropewalk-py`.

pub mod answers;
pub mod batch;
pub mod error;
pub mod formats;
pub mod geometry;
mod identity;
pub mod inspect;
pub mod intake;
mod json;
pub mod label_row;
mod media;
mod ontology;
pub mod plan;
pub mod polygon;
mod reason;
mod rectangle;
pub mod reject;
pub mod resolve;
pub mod rle;
mod sizes;
pub mod source;
pub mod stage;
pub mod staged_import;
