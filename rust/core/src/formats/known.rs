//! What a project knows of names: it puts titles in the place of hashes, and tells sizes and the names of keypoints.

use crate::plan::{Medium, Plan};

/// The names of a project, for writers of files.
#[derive(Debug, Clone, Default)]
pub struct KnownProject {
    /// Media, as the plan of an import has them.
    pub media: Vec<Medium>,
    /// Objects of the ontology.
    pub objects: Vec<KnownObject>,
}

/// An object of the ontology by its names.
#[derive(Debug, Clone)]
pub struct KnownObject {
    /// Display name.
    pub name: String,
    /// feature_node_hash.
    pub feature_hash: String,
    /// Names of the points of a skeleton, in the order of its template; none for other shapes.
    pub points: Vec<String>,
}

impl KnownProject {
    /// The project of a plan.
    pub fn of(plan: &Plan) -> Self {
        let objects = plan.ontology.iter().map(|object| KnownObject {
            name: object.name.clone(),
            feature_hash: object.feature_hash.clone(),
            points: object.skeleton.iter().map(|point| point.name.clone()).collect(),
        });
        Self {
            media: plan.media.clone(),
            objects: objects.collect(),
        }
    }
}
