//! Ropewalk's core: predictions in, Encord label rows out.
//!
//! Reading, resolving, staging and encoding are pure functions of their input: no clock, no randomness,
//! no network, no printing. The Python package `ropewalk` drives them through the crate `ropewalk-py`.

pub mod answers;
pub mod batch;
pub mod coco;
pub mod encord;
pub mod error;
pub mod intake;
pub mod known;
pub mod label_row;
pub mod label_rows;
pub mod ndjson;
pub mod ontology;
pub mod plan;
pub mod polygon;
pub mod reject;
pub mod resolve;
pub mod rle;
mod sizes;
pub mod sniff;
pub mod stage;
pub mod table;
pub mod unwritten;
