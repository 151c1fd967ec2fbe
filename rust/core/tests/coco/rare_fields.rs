//! What few annotations have: keypoints, and boxes that are turned.

use ropewalk_core::batch::Shape;
use ropewalk_core::formats::coco::{CocoOptions, CocoReader, RotatedBox};
use ropewalk_core::formats::Reader;

use super::support::*;

/// What the only annotation with such fields becomes: shape, box, angle, coordinates and visibility.
type Row = (Shape, Option<[f64; 4]>, Option<f64>, Vec<f64>, Option<Vec<u8>>);

fn row_with(
    fields: &str,
    options: &CocoOptions,
    prepare: impl Fn(&mut CocoReader),
) -> Result<Row, (&'static str, String)> {
    let text = dataset(&format!(r#"{{"image_id":7,"category_id":3,{fields}}}"#));
    let mut reader = open(text.as_bytes(), None, options).unwrap();
    prepare(&mut reader);
    let found = reader.next_batch().unwrap().unwrap();
    if let Some(reject) = found.rejects.first() {
        return Err((reject.reason.code(), reject.reason.to_string()));
    }
    let row = found.rows.row(0);
    let coords = row
        .points
        .map(|points| points.iter().flatten().flatten().copied().collect());
    Ok((
        row.shape.unwrap(),
        row.bbox,
        row.theta,
        coords.unwrap_or_default(),
        row.visibility.map(<[u8]>::to_vec),
    ))
}

fn row(fields: &str) -> Row {
    row_with(fields, &options(), |_| ()).unwrap()
}

fn turned(format: RotatedBox, numbers: &str) -> Result<([f64; 4], f64), (&'static str, String)> {
    let options = CocoOptions {
        rotated_boxes: Some(format),
        ..options()
    };
    let row = row_with(&format!(r#""bbox":{numbers}"#), &options, |_| ())?;
    assert_eq!(row.0, Shape::RotatableBoundingBox);
    Ok((row.1.unwrap(), row.2.unwrap()))
}

#[test]
fn keypoints_are_a_skeleton_beside_the_box() {
    let (shape, bbox, theta, coords, visibility) = row(r#""keypoints":[1,2,2, 3.5,4,1 ,0,0,0],"bbox":[1,2,3,4]"#);
    assert_eq!(
        (shape, bbox, theta),
        (Shape::Skeleton, Some([1.0, 2.0, 3.0, 4.0]), None)
    );
    assert_eq!(coords, [1.0, 2.0, 3.5, 4.0, 0.0, 0.0]);
    assert_eq!(visibility, Some(vec![2, 1, 0]));
}

#[test]
fn scores_in_the_place_of_visibility_say_what_is_seen() {
    let scored = row(r#""keypoints":[1,2,0.25,3,4,1,5,6,-0.5,0,0,0]"#);
    assert_eq!(scored.4, Some(vec![2, 2, 0, 0]));
}

#[test]
fn zeros_and_nothing_are_no_keypoints() {
    for none in ["null", "[]", "[0,0,0,0,0,0]"] {
        let row = row(&format!(r#""bbox":[1,2,3,4],"keypoints":{none}"#));
        assert_eq!((row.0, row.4), (Shape::BoundingBox, None), "{none}");
    }
    let reject = row_with(r#""keypoints":[0,0,0]"#, &options(), |_| ()).unwrap_err();
    assert_eq!(reject.0, "no_keypoints");
}

#[test]
fn a_segmentation_comes_before_keypoints_unless_the_class_is_drawn_from_them() {
    let both = r#""segmentation":[[1,2,9,2,9,7]],"keypoints":[3,4,2]"#;
    let kept = row(both);
    assert_eq!((kept.0, kept.3.len(), kept.4), (Shape::Polygon, 6, None));
    let drawn = row_with(both, &options(), |reader| reader.draw_from_keypoints(vec![true])).unwrap();
    assert_eq!((drawn.0, drawn.3), (Shape::Skeleton, vec![3.0, 4.0]));
    let rle = r#""segmentation":{"size":[2,3],"counts":[2,4]},"keypoints":[3,4,2]"#;
    assert_eq!(row(rle).0, Shape::Bitmask);
}

#[test]
fn bad_keypoints_matter_where_they_are_wanted() {
    assert_eq!(row(r#""bbox":[1,2,3,4],"keypoints":[1,2]"#).0, Shape::BoundingBox);
    let reject = row_with(r#""keypoints":[1,2]"#, &options(), |_| ()).unwrap_err();
    assert!(reject.0 == "bad_field" && reject.1.contains("in threes"), "{reject:?}");
}

#[test]
fn a_ring_of_one_point_beside_a_keypoint_is_that_point() {
    let point = row(r#""bbox":[5,6,0,0],"segmentation":[[5,6]],"keypoints":[5,6,2]"#);
    assert_eq!(
        (point.0, point.3, point.4),
        (Shape::Skeleton, vec![5.0, 6.0], Some(vec![2]))
    );
    assert_eq!(row(r#""bbox":[5,6,0,0],"segmentation":[[5,6]]"#).0, Shape::BoundingBox);
    let reject = row_with(r#""segmentation":[[5,6]]"#, &options(), |_| ()).unwrap_err();
    assert_eq!(reject.0, "bad_polygon");
}

#[test]
fn the_last_of_two_members_counts() {
    let polygon = row(r#""segmentation":[[5,6]],"segmentation":[[1,2,9,2,9,7]],"keypoints":[5,6,2]"#);
    assert_eq!(polygon.0, Shape::Polygon);
    let boxed = row(r#""keypoints":[5,6,2],"bbox":[1,2,3,4],"keypoints":null"#);
    assert_eq!((boxed.0, boxed.3), (Shape::BoundingBox, vec![]));
    let reject = row_with(
        r#""segmentation":[[1,2,9,2,9,7]],"segmentation":[[1,2]]"#,
        &options(),
        |_| (),
    );
    assert_eq!(reject.unwrap_err().0, "bad_polygon");
}

#[test]
fn nothing_rare_is_left_over_for_the_next_annotation() {
    let of = |fields| format!(r#"{{"image_id":7,"category_id":3,{fields}}}"#);
    let first = of(r#""bbox":[1,2,3,4],"attributes":{"rotation":30},"keypoints":[1,2,2],"segmentation":[[1,2]]"#);
    let text = dataset(&[first, of(r#""bbox":[1,2,3,4]"#), of(r#""segmentation":[[1,2]]"#)].join(","));
    let found = open(text.as_bytes(), None, &options())
        .unwrap()
        .next_batch()
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.rows.row(0).shape, found.rows.row(0).theta),
        (Some(Shape::Skeleton), Some(30.0))
    );
    assert_eq!(
        (found.rows.row(1).shape, found.rows.row(1).theta),
        (Some(Shape::BoundingBox), None)
    );
    assert_eq!(found.rejects[0].reason.code(), "bad_polygon");
}

#[test]
fn an_attribute_turns_the_box() {
    let boxed = row(r#""bbox":[1,2,3,4],"attributes":{"rotation":-30.5,"other":[1]}"#);
    assert_eq!(
        (boxed.0, boxed.1, boxed.2),
        (Shape::RotatableBoundingBox, Some([1.0, 2.0, 3.0, 4.0]), Some(-30.5))
    );
    // Encord's exporter draws the box that is not turned as a polygon beside it.
    let both = row(r#""bbox":[1,2,3,4],"segmentation":[[1,2,4,2,4,6,1,6]],"attributes":{"rotation":30.5}"#);
    assert_eq!(
        (both.0, both.1, both.2),
        (Shape::Polygon, Some([1.0, 2.0, 3.0, 4.0]), Some(30.5))
    );
}

#[test]
fn five_numbers_are_centre_size_and_angle() {
    let cxcywha = |numbers| turned(RotatedBox::Cxcywha, numbers);
    assert_eq!(cxcywha("[10, 20, 8, 4, 390]"), Ok(([6.0, 18.0, 8.0, 4.0], 390.0)));
    for (numbers, code) in [
        ("[1,2,3,4]", "bad_field"),
        ("[1,2,3,4,5,6]", "bad_field"),
        ("[1,2,-3,4,5]", "negative_box"),
        ("[1,NaN,3,4,5]", "not_finite"),
        ("[]", "no_geometry"),
        ("null", "no_geometry"),
        ("[1,2,3,4,5,6,7,8,9]", "bad_field"),
    ] {
        assert_eq!(cxcywha(numbers).unwrap_err().0, code, "{numbers}");
    }
}

#[test]
fn eight_numbers_are_the_corners_of_a_rectangle() {
    let near = |numbers: &str, expected: ([f64; 4], f64)| {
        let (found, theta) = turned(RotatedBox::Corners, numbers).unwrap();
        let far = found.iter().zip(&expected.0).any(|(a, b)| (a - b).abs() > 1e-9);
        assert!(
            !far && (theta - expected.1).abs() < 1e-9,
            "{numbers}: {found:?} {theta}"
        );
    };
    near("[6,18,14,18,14,22,6,22]", ([6.0, 18.0, 8.0, 4.0], 0.0));
    // The upper side goes down on the right: turned clockwise.
    near("[12,16,12,24,8,24,8,16]", ([6.0, 18.0, 8.0, 4.0], 90.0));
    near("[14,22,6,22,6,18,14,18]", ([6.0, 18.0, 8.0, 4.0], 180.0));
    near("[0,5,3,1,11,7,8,11]", ([3.0, 1.0, 5.0, 10.0], 306.869_897_645_844_05));
    // Listed the other way round it is the same rectangle.
    near("[6,22,14,22,14,18,6,18]", ([6.0, 18.0, 8.0, 4.0], 0.0));
    for numbers in [
        "[0,0,40,0,60,20,20,20]",
        "[0,0,1e308,0,1e308,1e308,0,1e308]",
        "[0,0,4,0,4,4]",
        "[1,2,3,4]",
    ] {
        assert_eq!(
            turned(RotatedBox::Corners, numbers).unwrap_err().0,
            "bad_field",
            "{numbers}"
        );
    }
}
