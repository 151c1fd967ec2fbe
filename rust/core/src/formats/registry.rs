//! The table of formats.

use super::{
    active_pkl, bdd_bitmask, burst, coco, cvat, davis, encord, kitti, kitti_tracking, labelbox, labelme, labelstudio,
    masks, mmdet, mmpose, mot, mots, ndjson, openimages, sav, scalabel, supervision, table, yolo, youtube_vis, Format,
};
use crate::error::{Error, Result};

/// All formats. A new one is a line here.
pub static FORMATS: &[&Format] = &[
    &coco::FORMAT,
    &encord::FORMAT,
    &ndjson::FORMAT,
    &table::PARQUET,
    &table::ARROW,
    &table::IN_MEMORY,
    &kitti::FORMAT,
    &kitti_tracking::FORMAT,
    &mot::FORMAT,
    &mots::FORMAT,
    &masks::FORMAT,
    &davis::FORMAT,
    &bdd_bitmask::FORMAT,
    &coco::panoptic::FORMAT,
    &openimages::FORMAT,
    &supervision::FORMAT,
    &yolo::FORMAT,
    &coco::tao::FORMAT,
    &burst::FORMAT,
    &sav::FORMAT,
    &scalabel::FORMAT,
    &youtube_vis::FORMAT,
    &labelstudio::FORMAT,
    &cvat::FORMAT,
    &labelbox::FORMAT,
    &active_pkl::FORMAT,
    &mmdet::FORMAT,
    &mmpose::FORMAT,
    &labelme::FORMAT,
];

/// The format with a name.
///
/// # Errors
/// [`Error::Plan`] names those that there are.
pub fn named(name: &str) -> Result<&'static Format> {
    let found = FORMATS.iter().copied().find(|format| format.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        Error::Plan(format!("unknown format {name:?}; expected one of {}", names.join(", ")))
    })
}
