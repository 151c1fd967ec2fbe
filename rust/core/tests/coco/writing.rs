//! What the writer makes of a file reads back as the file did.

use std::io::{self, Write};

use ropewalk_core::batch::AnnotationBatch;
use ropewalk_core::formats::coco::{CocoOptions, CocoWriter, Written};
use ropewalk_core::formats::known::KnownProject;
use ropewalk_core::formats::Reader;

use crate::support::{open, options};

/// Boxes, rings, masks and keypoints on an image and on frames, none of them square.
const GIVEN: &str = r#"{"images":[{"id":7,"file_name":"gr\u00fcn \ud83d\ude80.png","width":64,"height":40},
{"id":8,"file_name":"clip/4.jpg","video_id":2,"frame_index":4,"width":10,"height":9},
{"id":9,"file_name":"clip/2.jpg","video_id":2,"frame_index":2,"width":10,"height":9}],
"videos":[{"id":2,"name":"yard.mp4"}],"categories":[{"id":3,"name":"crate"},{"id":9,"name":"rope \\ coil"}],
"annotations":[
{"id":1,"image_id":8,"category_id":9,"bbox":[0.1,2.25,1e-7,4],"score":0.625,"track_id":5},
{"id":2,"image_id":7,"category_id":3,"segmentation":[[1,2,9.5,2,9.5,7],[12,3,14,3,14,8,12,8.125]],"track_id":"t"},
{"id":3,"image_id":9,"category_id":3,"segmentation":{"counts":[6,1,40,4,5,4,5,4,21],"size":[9,10]},"track_id":5},
{"id":4,"image_id":7,"category_id":3,"bbox":[1,2,3,4],"attributes":{"rotation":30.5}},
{"id":5,"image_id":7,"category_id":9,"keypoints":[1,2,2,0,0,0,5.5,6,1],"num_keypoints":2}]}"#;

/// Reads a file in batches of `batch_rows` rows.
fn batches(text: &[u8], batch_rows: usize) -> Vec<AnnotationBatch> {
    let mut reader = open(
        text,
        None,
        &CocoOptions {
            batch_rows,
            ..options()
        },
    )
    .unwrap();
    std::iter::from_fn(|| reader.next_batch().unwrap().map(|found| found.rows)).collect()
}

fn write(batches: &[AnnotationBatch]) -> (Vec<u8>, Written) {
    let mut out = Vec::new();
    let mut writer = CocoWriter::new(KnownProject::default());
    for batch in batches {
        assert!(writer.write(batch, &mut out).unwrap().is_empty());
    }
    let written = writer.finish(&mut out).unwrap();
    (out, written)
}

/// Rows without their places in the file, the names of their tracks and their boxes, which a mask has in COCO only.
fn shown(batches: &[AnnotationBatch]) -> Vec<String> {
    let rows = batches
        .iter()
        .flat_map(|batch| (0..batch.len()).map(|row| batch.row(row)));
    rows.map(|row| {
        let points: Option<Vec<Vec<&[f64]>>> = row.points.map(|points| points.iter().map(Iterator::collect).collect());
        let drawn = (row.shape, row.theta, points, row.visibility, row.rle);
        format!(
            "{:?}",
            (row.media, row.frame, row.class, row.score, row.track.is_some(), drawn)
        )
    })
    .collect()
}

#[test]
fn a_dataset_reads_back_as_it_was() {
    let read = batches(GIVEN.as_bytes(), 1000);
    let (document, written) = write(&read);
    assert_eq!(written.annotations, 5);
    assert_eq!(shown(&batches(&document, 1000)), shown(&read));
    // The text does not depend on the batches.
    assert_eq!(write(&batches(GIVEN.as_bytes(), 1)).0, document);
}

#[test]
fn what_the_file_fails_with_is_returned() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer = CocoWriter::new(KnownProject::default());
    let error = writer
        .write(&batches(GIVEN.as_bytes(), 1000)[0], &mut Full)
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(CocoWriter::new(KnownProject::default()).finish(&mut Full).is_err());
}
