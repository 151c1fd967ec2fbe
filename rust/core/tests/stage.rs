//! The stage: whatever the order and the budget, the same rows come out, sorted, each track once on a frame.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use ropewalk_core::answers::Answers;
use ropewalk_core::batch::{Points, Unit};
use ropewalk_core::geometry::Geometry;
use ropewalk_core::source::TextSpan;
use ropewalk_core::stage::record::{Key, StagedRow};
use ropewalk_core::stage::{StageBuilder, Staged, StagedRows};

/// A row as a test thinks of it.
#[derive(Debug, Clone)]
struct Row {
    label_row: u32,
    frame: u32,
    object: u128,
    feature: u32,
    track: Option<String>,
    shape: u8,
    offset: u64,
    score: f64,
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0u32..4, 0u32..5, 0u128..3, 0u32..2, any::<bool>(), 0u8..4, 0u8..4);
    prop::collection::vec(row, 0..300).prop_map(|rows| {
        let numbered = (0u64..).zip(rows);
        let named = numbered.map(
            |(offset, (label_row, frame, object, feature, tracked, shape, quarters))| Row {
                label_row,
                frame,
                // Identity holds class and track, so that rows of one object have both in common.
                object: object + 10 * u128::from(feature) + if tracked { 100 } else { 0 },
                feature,
                track: tracked.then(|| format!("track {object}")),
                shape,
                offset,
                score: f64::from(quarters) / 4.0,
            },
        );
        named.collect()
    })
}

/// Makes the borrowed form of a row and hands it on.
fn with_staged<T>(row: &Row, use_it: impl FnOnce(&StagedRow<'_>) -> T) -> T {
    let at = row.offset as f64;
    let coords = [at, 1.5, 2.25, at, 9.0, 0.1, 4.0, 4.0, 5.0, 4.0, 4.5, 5.0];
    let points = Points {
        coords: &coords,
        rings: &[0, 6, 12],
        parts: &[0, 2],
    };
    let geometry = match row.shape {
        0 => Geometry::BoundingBox([at, 2.0, 3.5, 4.0]),
        1 => Geometry::Polygon(points),
        2 => Geometry::Bitmask(b"02203\\o"),
        _ => Geometry::RotatableBoundingBox([at, 2.0, 3.5, 4.0], 33.5),
    };
    use_it(&StagedRow {
        key: Key {
            label_row: row.label_row,
            frame: row.frame,
            object: row.object,
            source: 0,
            offset: row.offset,
        },
        feature: row.feature,
        annotation_id: Some("an id"),
        track: row.track.as_deref(),
        score: row.score,
        unit: if row.shape == 3 { Unit::Frac } else { Unit::Px },
        width_px: 641,
        height_px: 47,
        geometry,
        answers: Answers::default(),
    })
}

fn staged(rows: &[Row], work_dir: Option<&Path>, budget_bytes: usize) -> Staged {
    staged_at_most(None, rows, work_dir, budget_bytes)
}

fn staged_at_most(most: Option<u64>, rows: &[Row], work_dir: Option<&Path>, budget_bytes: usize) -> Staged {
    let mut builder = StageBuilder::new(work_dir.map(Path::to_path_buf), budget_bytes).max_per_frame(most);
    for some in rows.chunks(7) {
        let mut batch = StagedRows::default();
        for row in some {
            with_staged(row, |staged| {
                batch.push(
                    staged,
                    TextSpan {
                        at: row.offset * 10,
                        len: 9,
                    },
                )
            });
        }
        builder.append(batch).unwrap();
    }
    builder.finish().unwrap()
}

/// Everything that comes out, as text: rows by label row, and what was left out.
fn told(staged: &Staged) -> Vec<String> {
    let mut out = Vec::new();
    for label_row in staged.label_rows() {
        let mut rows = 0;
        out.push(format!("label row {}", label_row.medium));
        staged
            .for_each(label_row, |row, text| {
                // Points hold offsets into shared buffers; their rings are what counts.
                let rings = match row.geometry {
                    Geometry::Polygon(points) => points.iter().map(|p| p.map(<[f64]>::to_vec).collect()).collect(),
                    _ => Vec::<Vec<Vec<f64>>>::new(),
                };
                let plain = StagedRow {
                    geometry: Geometry::BoundingBox([0.0; 4]),
                    ..*row
                };
                let drawn = if rings.is_empty() {
                    format!("{:?}", row.geometry)
                } else {
                    format!("{rings:?}")
                };
                out.push(format!("{plain:?} {text:?} {drawn}"));
                assert_eq!(row.key.label_row, label_row.medium);
                rows += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(rows, label_row.annotations);
    }
    out.push(format!(
        "{:?} {} {}",
        staged.duplicates(),
        staged.identical(),
        staged.split_tracks()
    ));
    out
}

/// On each medium: objects of their own, two that have 48 bits in common, a track among others, none that repeats.
#[test]
fn label_rows_know_whether_their_hashes_differ() {
    let row = |label_row, frame, object: u128, track: Option<&str>| Row {
        label_row,
        frame,
        object,
        feature: 0,
        track: track.map(str::to_owned),
        shape: 0,
        offset: object as u64,
        score: 1.0,
    };
    let rows = [
        row(0, 0, 7, None),
        row(0, 3, 8 | 1 << 47, None),
        row(1, 0, 7, None),
        row(1, 1, 9, None),
        row(1, 3, 7 | 1 << 48, None),
        row(2, 0, 11, None),
        row(2, 1, 12, Some("t")),
        row(3, 0, 7, None),
        row(3, 0, 8, None),
    ];
    let dir = tempfile::tempdir().unwrap();
    for (work_dir, budget_bytes) in [(None, usize::MAX), (Some(dir.path()), 1)] {
        let staged = staged(&rows, work_dir, budget_bytes);
        let distinct: Vec<_> = staged.label_rows().iter().map(|label_row| label_row.distinct).collect();
        assert_eq!(distinct, [true, false, false, true]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_and_budget_do_not_matter(rows in any_rows(), seed in any::<u64>()) {
        let folder = tempfile::tempdir().unwrap();
        let expected = told(&staged(&rows, None, 0));
        let mut shuffled = rows.clone();
        let mut state = seed | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(at, (state >> 33) as usize % (at + 1));
        }
        prop_assert_eq!(&told(&staged(&shuffled, None, 0)), &expected);
        // A budget of nothing spills after each batch; up to 43 runs are merged at once.
        prop_assert_eq!(&told(&staged(&shuffled, Some(folder.path()), 0)), &expected);
        prop_assert_eq!(&told(&staged(&shuffled, Some(folder.path()), 5000)), &expected);
        prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "runs are removed");
    }

    #[test]
    fn a_frame_keeps_the_annotations_that_score_highest(rows in any_rows(), most in 1u64..6) {
        let folder = tempfile::tempdir().unwrap();
        let all = staged(&rows, None, 0);
        let capped = staged_at_most(Some(most), &rows, None, 0);
        prop_assert_eq!(&told(&staged_at_most(Some(most), &rows, Some(folder.path()), 0)), &told(&capped));
        prop_assert_eq!(capped.duplicates(), all.duplicates(), "they take no place");

        let keys = |staged: &Staged| {
            let mut keys = Vec::new();
            for span in staged.label_rows() {
                staged.for_each(span, |row, _| { keys.push((row.key, row.score)); Ok(()) }).unwrap();
            }
            keys
        };
        let mut frames = BTreeMap::<_, Vec<_>>::new();
        for (key, score) in keys(&all) {
            frames.entry((key.label_row, key.frame)).or_default().push((key, score));
        }
        let mut expected = Vec::new();
        for mut frame in frames.into_values() {
            // A stable sort: of equal scores the first ones stay.
            frame.sort_by(|a, b| b.1.total_cmp(&a.1));
            frame.truncate(most as usize);
            frame.sort_by_key(|(key, _)| *key);
            expected.extend(frame);
        }
        let left_out = keys(&all).len() - expected.len();
        prop_assert_eq!(keys(&capped), expected);
        prop_assert_eq!(capped.left_out(), left_out as u64);
    }

    #[test]
    fn of_a_track_the_most_confident_row_of_a_frame_stays(rows in any_rows()) {
        let staged = staged(&rows, None, 0);
        let mut rivals = BTreeMap::<_, Vec<&Row>>::new();
        for row in rows.iter().filter(|row| row.track.is_some()) {
            rivals.entry((row.label_row, row.frame, row.object)).or_default().push(row);
        }
        let (mut expected, mut identical, mut rejected) = (Vec::new(), 0, 0);
        for rows in rivals.values() {
            // All masks are one mask; other shapes have the offset in them.
            let says = |row: &&Row| (row.score.to_bits(), row.shape, if row.shape == 2 { 0 } else { row.offset });
            let different = rows.iter().map(says).collect::<BTreeSet<_>>().len();
            (identical, rejected) = (identical + rows.len() - different, rejected + different - 1);
            let best = rows.iter().max_by(|a, b| a.score.total_cmp(&b.score).then(b.offset.cmp(&a.offset)));
            expected.push(best.unwrap().offset);
        }
        let mut kept = Vec::new();
        for span in staged.label_rows() {
            staged.for_each(span, |row, _| { kept.extend(row.track.map(|_| row.key.offset)); Ok(()) }).unwrap();
        }
        kept.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(kept, expected);
        prop_assert_eq!(staged.identical(), identical as u64);
        prop_assert_eq!(staged.duplicates().len(), rejected);
        for duplicate in staged.duplicates() {
            prop_assert_eq!(duplicate.text.at, duplicate.key.offset * 10);
        }
        let all: u64 = staged.label_rows().iter().map(|label_row| label_row.annotations).sum();
        prop_assert_eq!(all as usize + identical + rejected, rows.len(), "nothing is lost");
    }
}

#[test]
fn more_runs_than_are_merged_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let row = |offset: u64| Row {
        label_row: (offset * 7 % 11) as u32,
        frame: (offset * 5 % 13) as u32,
        object: u128::from(offset),
        feature: 0,
        track: None,
        shape: (offset % 4) as u8,
        offset,
        score: 1.0 / (offset as f64 + 3.0),
    };
    let rows: Vec<Row> = (0..1000).map(row).collect();
    // 143 runs of 7 rows: three passes.
    assert_eq!(
        told(&staged(&rows, Some(folder.path()), 0)),
        told(&staged(&rows, None, 0))
    );
}

#[test]
fn tracks_whose_class_changes_are_counted_once_each() {
    let row = |offset: u64, frame: u32, feature: u32, track: &str| Row {
        label_row: 0,
        frame,
        object: u128::from(feature) * 10 + track.len() as u128,
        feature,
        track: Some(track.to_owned()),
        shape: 0,
        offset,
        score: 0.5,
    };
    let rows = [
        row(0, 0, 0, "a"),
        row(1, 1, 1, "a"),
        row(2, 2, 0, "a"),
        row(6, 3, 1, "a"),
        row(3, 0, 0, "bb"),
        row(4, 1, 0, "bb"),
    ];
    assert_eq!(staged(&rows, None, 0).split_tracks(), 1);
    let on_another_medium = Row {
        label_row: 1,
        ..row(5, 0, 1, "bb")
    };
    let rows = [row(3, 0, 0, "bb"), on_another_medium];
    assert_eq!(staged(&rows, None, 0).split_tracks(), 0);
}
