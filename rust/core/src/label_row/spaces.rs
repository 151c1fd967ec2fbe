//! The spaces of a data group's label row: what stands in `spaces` besides their labels.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::labels::{read, RawMembers};
use super::text::{push_json, push_string, Members};
use super::unit::{Layout, UnitHeader};
use crate::error::Result;

/// Members of a space that a label row is read with, and that the SDK does not send back.
const READ_ONLY: [&str; 4] = ["labels", "child_info", "root_info", "scene_info"];

#[derive(Deserialize)]
struct Known {
    space_type: String,
    width: Option<u32>,
    height: Option<u32>,
}

/// Makes a space's header from its entry in `spaces`.
///
/// # Errors
/// [`crate::error::Error::LabelRow`] where that is not a space.
pub(super) fn unit(id: &str, info: &RawValue) -> Result<UnitHeader> {
    let place = format!("space {id:?}");
    let Known {
        space_type,
        width,
        height,
    } = read("from the server", &place, info.get())?;
    let members: RawMembers<'_> = read("from the server", &place, info.get())?;
    let mut before = Vec::new();
    push_string(&mut before, id);
    before.extend_from_slice(b":{");
    let mut written = Members(&mut before);
    for (name, value) in members.0.iter().filter(|(name, _)| !READ_ONLY.contains(&name.as_str())) {
        push_json(written.name(name), value.get());
    }
    written.name("labels");
    let known = |size: Option<u32>| size.filter(|&size| size > 0);
    Ok(UnitHeader {
        layout: match space_type.as_str() {
            "audio" | "text" | "time_series" | "html" => Layout::InAnswers,
            "scene_image" | "point_cloud" => Layout::Whole,
            _ => Layout::ByFrame,
        },
        sequence: 0,
        data_hash: id.to_owned(),
        width: known(width),
        height: known(height),
        before,
        after: b"}".to_vec(),
    })
}
