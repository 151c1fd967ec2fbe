//! Oracles written pixel by pixel, and generators.

pub mod coco;
pub mod examples;
pub mod json;
pub mod masks;
pub mod polygons;
