//! Label rows as the server answers them: their headers, and what an import finds stored in them.
//!
//! Input: the JSON of a label row. An import of three boxes is written with its header, and compared with what it holds.

use ropewalk_core::answers::Answers;
use ropewalk_core::batch::Unit;
use ropewalk_core::error::{Error, Result};
use ropewalk_core::geometry::Geometry;
use ropewalk_core::label_row::{compare, reconcile, Joined, OnExisting, RowHeader, RowWriter, Templates, Verdict};
use ropewalk_core::plan::{DataType, OntologyObject};
use ropewalk_core::stage::record::{Key, StagedRow};

use crate::memory::within;

pub(super) const WORDS: &[&str] = &[
    "already there",
    "no label row",
    "refused",
    "saved",
    "skipped",
    "unwritable",
];

/// Bytes that taking rows of so many bytes apart, and putting them together, may hold: an entry of a list for every few.
fn taking_bytes(len: usize) -> usize {
    200 * len + (1 << 18)
}

/// Takes a row apart, and reconciles an import with it under every policy.
pub fn label_rows(existing: &[u8]) -> &'static str {
    let most = taking_bytes(existing.len());
    let header = match within(most, || RowHeader::from_server(existing)) {
        Ok(header) => header,
        Err(Error::LabelRow { .. }) => return "no label row",
        Err(other) => panic!("{other}"),
    };
    let ours = match within(most, || import(&header)) {
        Ok(ours) => ours,
        Err(Error::LabelRow { .. } | Error::Stage(_)) => return "unwritable",
        Err(other) => panic!("{other}"),
    };
    let most = taking_bytes(existing.len() + ours.len());
    let compared = within(most, || compare(existing, &ours, &Joined::new()));
    let mut said = "refused";
    for policy in [
        OnExisting::Fail,
        OnExisting::Replace,
        OnExisting::Merge,
        OnExisting::Skip,
    ] {
        let reconciled = within(most, || reconcile(existing, &ours, &Joined::new(), policy));
        let (reconciled, compared) = match (reconciled, &compared) {
            (Ok(reconciled), Ok(compared)) => (reconciled, compared),
            (Err(Error::LabelRow { .. }), Err(Error::LabelRow { .. })) => return "refused",
            other => panic!("{other:?}"),
        };
        assert_eq!(reconciled.already_there, compared.equal);
        assert_eq!(reconciled.body.is_some(), reconciled.verdict == Verdict::Save);
        if let Some(body) = &reconciled.body {
            let again = reconcile(body, &ours, &Joined::new(), OnExisting::Merge);
            let verdict = again.map(|again| again.verdict).map_err(|error| error.to_string());
            assert_eq!(verdict, Ok(Verdict::AlreadyThere), "{}", String::from_utf8_lossy(body));
        }
        said = match reconciled.verdict {
            Verdict::Save => "saved",
            Verdict::AlreadyThere => "already there",
            Verdict::Skipped => "skipped",
            Verdict::Refused => "refused",
        };
    }
    said
}

/// Writes an import of three boxes on the first one or two frames that the row has: a track, and an object of its own.
fn import(header: &RowHeader) -> Result<Vec<u8>> {
    let ontology = [OntologyObject {
        feature_hash: "feature".to_owned(),
        name: "Car".to_owned(),
        color: "#123456".to_owned(),
        shape: "bounding_box".to_owned(),
        ..OntologyObject::default()
    }];
    let templates = Templates::new(&ontology, &[], "Sat, 21 Nov 2026 23:48:11 UTC");
    let frames: Vec<u32> = match header.data_type() {
        DataType::Image | DataType::ImgGroup => header.units().iter().map(|unit| unit.sequence()).collect(),
        _ => vec![0, 1],
    };
    let first = frames.first().copied().unwrap_or(0);
    let second = frames.get(1).copied();
    let tracked = [(first, 7, Some("t"), 10.0)].into_iter();
    let more = second
        .into_iter()
        .flat_map(|frame| [(frame, 7, Some("t"), 11.0), (frame, 8, None, 12.0)]);
    let mut out = Vec::new();
    let mut writer = RowWriter::new(&templates, header, |text: &mut Vec<u8>| out.append(text));
    for (frame, object, track, x) in tracked.chain(more) {
        writer.push(&StagedRow {
            key: Key {
                label_row: 0,
                frame,
                object,
                source: 0,
                offset: 0,
            },
            feature: 0,
            annotation_id: None,
            track,
            score: 1.0,
            unit: Unit::Px,
            width_px: 210,
            height_px: 90,
            geometry: Geometry::BoundingBox([x, 0.0, 210.0, 4.5]),
            answers: Answers::default(),
        })?;
    }
    writer.finish()?;
    Ok(out)
}
