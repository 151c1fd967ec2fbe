//! COCO JSON beside an oracle: a tree of the whole text. What holds for every format is in [`super::formats`].

use ropewalk_core::batch::Annotation;
use ropewalk_core::error::{Error, Result};
use ropewalk_core::formats::coco::{CocoKind, CocoOptions, CocoReader};
use ropewalk_core::formats::{Names, Reader};
use ropewalk_core::source::{Excerpts, SourceFile};
use ropewalk_testkit::coco::{self, Fate, NotRead, Row};
use ropewalk_testkit::json::{self, Fault, Json};

use crate::memory::within;

/// Bytes that are read at a time where the input does not say.
const CHUNK_BYTES: usize = 1 << 10;

/// Bytes that reading a file may hold. The most is a reject, some 220 bytes, for each item of two bytes (`1,`), in a list
/// that grows by doubling; that ends with the batch.
fn reading_bytes(len: usize, chunk_bytes: usize) -> usize {
    (200 * len).min(24 * len + MOST_REJECTS_BYTES) + 4 * chunk_bytes + (1 << 16)
}

/// Bytes of the rejects of a batch, of which the input asks for 255 rows at most.
const MOST_REJECTS_BYTES: usize = 1 << 18;

/// What a file gives, in a form that can be compared.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    kind: Option<CocoKind>,
    /// Each batch's indices, texts and places.
    batches: Vec<String>,
    rows: Vec<String>,
    codes: Vec<&'static str>,
    lines: Vec<String>,
    crowds: u64,
    tables: String,
}

/// Reads a file that is not compressed in batches of at most `batch_rows` rows and in chunks of two sizes, and compares.
pub(super) fn compare_with_oracle(text: &[u8], chunk_bytes: usize, batch_rows: usize) -> &'static str {
    let options = |chunk_bytes| CocoOptions {
        chunk_bytes,
        batch_rows,
        ..CocoOptions::default()
    };
    let file = SourceFile::bytes("file.json", text);
    let through = within(reading_bytes(text.len(), chunk_bytes), || {
        read_through(&file, &options(chunk_bytes))
    });
    let found = read(&file, &options(chunk_bytes));
    assert_eq!(through.is_ok(), found.is_ok());
    let whole = read(&file, &options(CHUNK_BYTES));
    assert_eq!(found, whole, "in chunks of {chunk_bytes} and of {CHUNK_BYTES}");
    compare(text, &whole)
}

/// Reads and forgets.
fn read_through(file: &SourceFile, options: &CocoOptions) -> Result<()> {
    let mut reader = CocoReader::open(file, "file", None, options)?;
    while reader.next_batch()?.is_some() {}
    Ok(())
}

fn read(file: &SourceFile, options: &CocoOptions) -> std::result::Result<Outcome, (u64, String)> {
    try_read(file, options).map_err(|error| match error {
        Error::Source { byte, message, .. } => (byte, message),
        other => panic!("{other}"),
    })
}

fn try_read(file: &SourceFile, options: &CocoOptions) -> Result<Outcome> {
    let mut reader = CocoReader::open(file, "file", None, options)?;
    let mut outcome = Outcome {
        kind: Some(reader.kind()),
        ..Outcome::default()
    };
    while let Some(found) = reader.next_batch()? {
        let rows = found.rows.len();
        let Names::Numbered { media, classes } = &found.names else {
            panic!("images and categories are numbered")
        };
        let mut batch = format!("{media:?} {classes:?}");
        assert!(rows.max(found.rejects.len()) <= options.batch_rows.max(1));
        assert_eq!((rows, rows), (media.len(), classes.len()));
        for (row, &class) in classes.iter().enumerate() {
            let annotation = found.rows.row(row);
            let span = found.texts.span_of(row);
            let text = found.texts.text_of(row).unwrap_or_default();
            assert_eq!(Excerpts::default().read(file, span.at, span.len as usize)?, text);
            let name = reader.tables().class(class as usize);
            assert_eq!(Some(annotation.class), name.name.or(name.id.as_deref()));
            outcome.rows.push(shown(&annotation));
            batch += &format!(" {}:{}", annotation.offset, String::from_utf8_lossy(text));
        }
        outcome
            .codes
            .extend(found.rejects.iter().map(|reject| reject.reason.code()));
        outcome
            .lines
            .extend(found.rejects.iter().map(|reject| reject.to_json_line()));
        outcome
            .lines
            .extend(found.row_rejects.iter().map(|row| row.to_json_line()));
        outcome.crowds += found.filtered.get("crowd").copied().unwrap_or_default();
        outcome.batches.push(batch);
    }
    let summary = reader.summary();
    assert_eq!(summary.rows, outcome.rows.len() as u64);
    assert_eq!(summary.filtered_crowd, outcome.crowds);
    assert_eq!(
        summary.annotations_read,
        summary.rows + summary.rejected + summary.filtered_crowd
    );
    outcome.tables = format!("{summary:?}");
    reader
        .tables()
        .media_names()
        .for_each(|name| outcome.tables += &format!("{name:?}"));
    reader
        .tables()
        .class_names()
        .for_each(|name| outcome.tables += &format!("{name:?}"));
    Ok(outcome)
}

/// A row in the oracle's form.
pub(super) fn shown(row: &Annotation<'_>) -> String {
    let rings = row.points.iter().flat_map(|points| points.iter().flatten());
    coco::row(&Row {
        annotation_id: row.annotation_id,
        media: row.media,
        frame: row.frame,
        class: row.class,
        track: row.track,
        score: row.score,
        bbox: row.bbox,
        polygons: rings.map(<[f64]>::to_vec).collect(),
        rle: row.rle,
        size_hw: [row.height_px, row.width_px],
    })
}

fn compare(text: &[u8], found: &std::result::Result<Outcome, (u64, String)>) -> &'static str {
    if serde_json::from_slice::<&serde_json::value::RawValue>(text).is_ok() {
        assert_ne!(json::parse(text), Err(Fault::Grammar), "serde_json reads it");
    }
    if let Ok(outcome) = found {
        outcome.lines.iter().for_each(|line| check_line(line));
        match outcome.kind {
            Some(CocoKind::Rejects) => return "rejects",
            Some(CocoKind::Lines) => return "lines",
            _ => {}
        }
    }
    match (coco::read(text), found) {
        (Err(NotRead::Unknown), _) => "unknown",
        (Err(NotRead::Blocked), Err((byte, _))) => {
            assert!(*byte <= text.len() as u64);
            "blocked"
        }
        (Ok(fates), Ok(outcome)) => {
            let rows = fates.iter().filter_map(|fate| match fate {
                Fate::Row(row) => Some(row),
                _ => None,
            });
            assert!(rows.eq(&outcome.rows), "{outcome:#?}, expected {fates:#?}");
            let codes = fates.iter().filter_map(|fate| match fate {
                Fate::Reject(code) => Some(*code),
                _ => None,
            });
            assert!(
                codes.eq(outcome.codes.iter().copied()),
                "{outcome:#?}, expected {fates:#?}"
            );
            let crowds = fates.iter().filter(|fate| matches!(fate, Fate::Crowd)).count();
            assert_eq!(crowds as u64, outcome.crowds);
            if outcome.kind == Some(CocoKind::Results) {
                "results"
            } else {
                "dataset"
            }
        }
        (expected, found) => panic!("read as {found:#?}, expected {expected:#?}"),
    }
}

/// A reject's line is one line of JSON, and a reject file that holds as many annotations.
fn check_line(line: &str) {
    assert_eq!(line.find('\n'), Some(line.len() - 1), "{line}");
    let parsed = json::parse(line.as_bytes());
    assert!(
        matches!(parsed, Ok(Json::Object(_)) | Err(Fault::Deep)),
        "not JSON: {line}"
    );
    let file = SourceFile::bytes("rejects.jsonl", line.as_bytes());
    match read(&file, &CocoOptions::default()) {
        Ok(again) => assert_eq!(
            (again.kind, again.rows.len() + again.lines.len()),
            (Some(CocoKind::Rejects), 1)
        ),
        Err((byte, message)) => panic!("byte {byte} of {line}: {message}"),
    }
}
