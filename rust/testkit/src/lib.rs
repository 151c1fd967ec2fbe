//! Oracles written pixel by pixel, and generators.

pub mod masks;
pub mod polygons;
