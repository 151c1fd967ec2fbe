//! Geometries with holes, which COCO's polygons cannot have, and rows whose size only their label row tells.

#![allow(clippy::unwrap_used)]

use ropewalk_core::answers::Answers;
use std::borrow::Cow;
use std::sync::Arc;

use ropewalk_core::batch::{Annotation, Points, Shape, Unit};
use ropewalk_core::geometry::Geometry;
use ropewalk_core::plan::{OffImage, Plan};
use ropewalk_core::polygon::extent;
use ropewalk_core::reject::Reason;
use ropewalk_core::resolve::{fit, Resolved, Resolver, Scratch, SourceResolver, Verdict};
use ropewalk_core::rle::{Rle, RowMajor, Size};
use ropewalk_core::source::{ClassName, Frames, MediaName, TextSpan};
use ropewalk_core::stage::record::{Key, StagedRow};
use ropewalk_core::stage::StageBuilder;

const PLAN: &str = r##"{
  "branch": "b",
  "ontology": [
    {"feature_hash": "road0000", "name": "road", "color": "#222222", "shape": "polygon"},
    {"feature_hash": "tree0000", "name": "tree", "color": "#333333", "shape": "bitmask"},
    {"feature_hash": "crate000", "name": "crate", "color": "#444444", "shape": "bounding_box"}
  ],
  "media": [{"data_hash": "i", "title": "still.jpg", "data_type": "image", "dataset_hash": "d", "dataset_title": "",
             "width": 7, "height": 5, "frames": 1}]
}"##;

/// Resolves an annotation of `class` that has one part, an outer ring and holes, and shows what is staged to `visit`.
fn resolve(class: &str, rings: &[&[f64]], visit: impl FnMut(&Geometry<'_>)) {
    assert_eq!(verdict(class, rings, visit), Verdict::Found(()));
}

/// As [`resolve`], for an annotation that may not be staged.
fn verdict(class: &str, rings: &[&[f64]], mut visit: impl FnMut(&Geometry<'_>)) -> Verdict<()> {
    let plan = Arc::new(Plan::from_json(PLAN).unwrap());
    let ends = rings.iter().scan(0, |end, ring| {
        *end += ring.len() as i32;
        Some(*end)
    });
    let (coords, offsets) = (rings.concat(), std::iter::once(0).chain(ends).collect::<Vec<i32>>());
    let parts = [0, rings.len() as i32];
    let mut row = Annotation::object("preds", 0, "still.jpg", 0, class);
    row.shape = Some(Shape::Polygon);
    row.points = Some(Points {
        coords: &coords,
        rings: &offsets,
        parts: &parts,
    });
    let (mut rules, mut source) = (
        Resolver::new(&plan).unwrap(),
        SourceResolver::new(0, "preds", Frames::FROM_0),
    );
    let media = || MediaName {
        image_id: Some(Cow::Borrowed("1")),
        file_name: Some("still.jpg"),
        video: None,
        title: None,
        frame_index: None,
        width: None,
        height: None,
        declared: true,
        id_is_name: false,
        may_be_whole: false,
    };
    let named = || {
        let name = ClassName {
            id: None,
            name: Some(class),
            keypoints: &[],
            declared: true,
        };
        (name, row.kind)
    };
    source.learn_medium(&mut rules, 0, media);
    source.learn_class(&rules, 0, named);
    let mut resolved = Resolved::default();
    let verdict = source.resolve(
        &plan,
        &row,
        &[],
        &[],
        (0, 0),
        TextSpan::default(),
        &mut Scratch::default(),
        &mut resolved,
    );
    if verdict != Verdict::Found(()) {
        return verdict;
    }
    let mut builder = StageBuilder::new(None, 0);
    builder.append(resolved.rows).unwrap();
    let staged = builder.finish().unwrap();
    let visited = staged.for_each(&staged.label_rows()[0], |row, _| {
        visit(&row.geometry);
        Ok(())
    });
    visited.unwrap();
    verdict
}

/// Extents of the rings of a class's one part.
fn extents(rings: &[&[f64]]) -> Vec<[f64; 4]> {
    let mut found = Vec::new();
    resolve("road", rings, |geometry| {
        let Geometry::Polygon(points) = geometry else {
            panic!("{geometry:?}")
        };
        assert_eq!(points.iter().count(), 1);
        found = points
            .iter()
            .flatten()
            .map(|ring| extent([ring].into_iter()).unwrap())
            .collect();
    });
    found
}

#[test]
fn a_hole_is_no_part_of_the_mask() {
    let outer = [1.0, 1.0, 6.0, 1.0, 6.0, 4.0, 1.0, 4.0];
    let hole = [2.0, 2.0, 4.0, 2.0, 4.0, 3.0, 2.0, 3.0];
    let size = Size::new(5, 7).unwrap();
    let expected = Rle::<RowMajor>::from_counts(&[8, 5, 2, 1, 2, 2, 2, 5, 8], size).unwrap();
    resolve("tree", &[&outer, &hole], |geometry| {
        assert_eq!(*geometry, Geometry::Bitmask(expected.to_rle_string().as_bytes()));
    });
}

#[test]
fn holes_are_cut_at_the_images_edge_too() {
    let outer = [1.0, 1.0, 9.0, 1.0, 9.0, 4.0, 1.0, 4.0];
    let across = [2.0, 2.0, 8.0, 2.0, 8.0, 3.0, 2.0, 3.0];
    let outside = [7.5, 2.0, 8.0, 2.0, 8.0, 3.0, 7.5, 3.0];
    let cut = [1.0, 1.0, 6.0, 3.0];
    assert_eq!(extents(&[&outer, &across]), [cut, [2.0, 2.0, 5.0, 1.0]]);
    assert_eq!(extents(&[&outer, &outside]), [cut]);
}

#[test]
fn a_box_whose_sides_are_no_numbers_is_rejected() {
    let ring = [-1.7e308, 1.0, 1.7e308, 1.0, 3.0, 4.0];
    let reject = Verdict::Reject(Reason::NotFinite { field: "bbox" });
    assert_eq!(verdict("crate", &[&ring], |_| ()), reject);
}

#[test]
fn a_row_takes_the_size_that_its_label_row_tells() {
    let row = |geometry, (width_px, height_px)| StagedRow {
        key: Key {
            label_row: 0,
            frame: 0,
            object: 1,
            source: 0,
            offset: 0,
        },
        feature: 0,
        annotation_id: None,
        track: None,
        score: 1.0,
        unit: Unit::Px,
        width_px,
        height_px,
        geometry,
        answers: Answers::default(),
    };
    let over = row(Geometry::BoundingBox([-1.0, 3.0, 4.0, 4.0]), (0, 0));
    let fitted = |size, policy| {
        let mut scratch = Scratch::default();
        fit(&over, size, policy, &mut scratch).map(|row| (row.geometry == over.geometry, row.width_px, row.height_px))
    };
    assert_eq!(fitted(Some((7, 5)), OffImage::Clip), Ok((false, 7, 5)));
    assert_eq!(fitted(Some((7, 5)), OffImage::Keep), Ok((true, 7, 5)));
    assert_eq!(fitted(Some((7, 5)), OffImage::Reject), Err(Reason::OffImage));
    assert!(matches!(fitted(None, OffImage::Clip), Err(Reason::NoSize { .. })));

    let mask = row(Geometry::Bitmask(b"825O106"), (7, 5));
    let mut scratch = Scratch::default();
    assert_eq!(fit(&mask, Some((7, 5)), OffImage::Clip, &mut scratch), Ok(mask));
    let turned = fit(&mask, Some((5, 7)), OffImage::Clip, &mut scratch);
    assert!(matches!(
        turned,
        Err(Reason::MaskSize {
            mask: (5, 7),
            media: (7, 5)
        })
    ));
}
