//! What a project knows of names: it puts titles in the place of hashes, and tells sizes and the names of keypoints.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::plan::Medium;

/// The names of a project, for writers of files. Python hands it over as JSON.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownProject {
    /// Media, as the plan of an import has them.
    pub media: Vec<Medium>,
    /// Objects of the ontology.
    pub objects: Vec<KnownObject>,
}

/// An object of the ontology by its names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownObject {
    /// Display name.
    pub name: String,
    /// feature_node_hash.
    pub feature_hash: String,
    /// Names of the points of a skeleton, in the order of its template; none for other shapes.
    pub points: Vec<String>,
}

impl KnownProject {
    /// Reads the project that Python hands over.
    ///
    /// # Errors
    /// [`Error::Plan`] with the JSON error's own words.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|cause| Error::Plan(format!("the project: {cause}")))
    }
}
