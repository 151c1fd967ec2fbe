//! Compressed sources: the same rows as from the plain text, and a clear error where they are damaged or made to exhaust.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::write::GzEncoder;
use ropewalk_core::formats::coco::{CocoOptions, CocoReader};
use ropewalk_core::formats::Reader;
use ropewalk_core::source::{Excerpts, SourceFile};

fn dataset(annotations: usize) -> Vec<u8> {
    let images: Vec<_> = (0..7)
        .map(|n| format!(r#"{{"id": {n}, "file_name": "{n}.jpg", "width": 50, "height": 30}}"#))
        .collect();
    let rows: Vec<_> = (0..annotations)
        .map(|n| {
            format!(
                r#"{{"id": {n}, "image_id": {}, "category_id": 1, "bbox": [{n}, 2, 3.5, 4]}}"#,
                n % 7
            )
        })
        .collect();
    // Annotations first: what they refer to is found before they are read, in a second pass.
    format!(
        r#"{{"annotations": [{}], "images": [{}], "categories": [{{"id": 1, "name": "Car"}}]}}"#,
        rows.join(", "),
        images.join(", ")
    )
    .into_bytes()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap()
}

/// Rows as text, or the error.
fn read(content: &[u8], chunk_bytes: usize) -> Result<Vec<String>, String> {
    let input = SourceFile::bytes("p.json", content.to_vec());
    let options = CocoOptions {
        chunk_bytes,
        ..CocoOptions::default()
    };
    let mut reader = CocoReader::open(&input, "p.json", None, &options).map_err(|e| e.to_string())?;
    let mut rows = Vec::new();
    while let Some(batch) = reader.next_batch().map_err(|e| e.to_string())? {
        rows.extend((0..batch.rows.len()).map(|row| format!("{:?}", batch.rows.row(row))));
    }
    Ok(rows)
}

#[test]
fn rows_are_those_of_the_plain_text() {
    let text = dataset(500);
    let plain = read(&text, 1 << 16).unwrap();
    assert_eq!(plain.len(), 500);
    let half = text.len() / 2;
    let in_two_members = [gzip(&text[..half]), gzip(&text[half..])].concat();
    let in_two_frames = [zstd(&text[..half]), zstd(&text[half..])].concat();
    for content in [gzip(&text), zstd(&text), in_two_members, in_two_frames] {
        assert!(content.len() < text.len() / 4);
        for chunk_bytes in [1, 97, 1 << 16] {
            assert_eq!(read(&content, chunk_bytes).unwrap(), plain);
        }
    }
}

#[test]
fn positions_are_those_of_the_plain_text() {
    let text = dataset(300);
    let broken = [&text[..text.len() - 40], b"\x01", &text[text.len() - 40..]].concat();
    let plain = read(&broken, 1 << 16).unwrap_err();
    assert!(plain.contains(&format!("byte {}", broken.len() - 41)), "{plain}");
    for content in [gzip(&broken), zstd(&broken)] {
        assert_eq!(read(&content, 1 << 16).unwrap_err(), plain);
    }
}

#[test]
fn pieces_are_read_in_any_order() {
    let text = dataset(300);
    for content in [text.clone(), gzip(&text), zstd(&text)] {
        let input = SourceFile::bytes("p.json", content);
        let mut pieces = Excerpts::default();
        for (at, len) in [(0, 5), (100, 20), (120, 3), (110, 400), (20, 1), (text.len() - 3, 3)] {
            assert_eq!(pieces.read(&input, at as u64, len).unwrap(), &text[at..at + len]);
        }
        assert_eq!(pieces.read(&input, text.len() as u64 - 1, 9).unwrap(), b"}");
        assert_eq!(pieces.read(&input, text.len() as u64 + 5, 9).unwrap(), b"");
    }
}

#[test]
fn damage_is_an_error() {
    let text = dataset(200);
    for content in [gzip(&text), zstd(&text)] {
        for len in 4..content.len() {
            let said = read(&content[..len], 1 << 16).unwrap_err();
            assert!(said.contains("p.json") && said.contains("byte "), "{len}: {said}");
            assert!(said.contains("its compressed data"), "{len}: {said}");
        }
        // zstd's own tools write checksums; where there is none a flipped bit may give other text, never a panic.
        for at in 4..content.len() {
            let mut flipped = content.clone();
            flipped[at] ^= 0x10;
            drop(read(&flipped, 1 << 16));
        }
    }
}

#[test]
fn what_is_made_to_exhaust_is_refused() {
    let mut text = dataset(3);
    text.truncate(text.len() - 1);
    text.extend(std::iter::repeat_n(b' ', 200 << 20));
    text.push(b'}');
    for content in [gzip(&text), zstd(&text)] {
        let said = read(&content, 1 << 16).unwrap_err();
        assert!(
            said.contains("more than 250 times its size; decompress it first"),
            "{said}"
        );
    }
}
