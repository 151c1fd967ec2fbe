//! Run lengths as lists: COCO's uncompressed counts, as numbers and as JSON.
//!
//! Input: flags (as for strings), h and w (u32), the counts: bytes up to 247 as they are, and after a higher one an i64.

use ropewalk_core::formats::coco::{CocoOptions, CocoReader};
use ropewalk_core::formats::Reader;
use ropewalk_core::rle::{ColumnMajor, Order, Rle, RowMajor, Size};
use ropewalk_core::source::SourceFile;
use ropewalk_testkit::coco;

use super::mask::compare;
use super::rle_string::size;
use crate::bytes::Bytes;
use crate::memory::within;

pub(super) const WORDS: &[&str] = &["mask", "rle_negative", "rle_size", "rle_sum"];

/// Reads a list of counts of any declared size.
pub fn rle_counts(input: &[u8]) -> &'static str {
    let mut bytes = Bytes(input);
    let (flags, h, w) = (bytes.byte(), bytes.u32(), bytes.u32());
    let mut counts = Vec::new();
    while !bytes.is_empty() {
        counts.push(match bytes.byte() {
            small @ 0..248 => i64::from(small),
            _ => bytes.i64(),
        });
    }
    read_json(&counts, (h, w));
    let expected: Vec<i128> = counts.iter().map(|&count| i128::from(count)).collect();
    let Some(size) = size(flags & 2 != 0, (h, w), &expected) else {
        return "rle_size";
    };
    let expected = if counts.iter().any(|&count| count < 0) {
        Err("rle_negative")
    } else {
        Ok(expected)
    };
    if flags & 1 == 0 {
        read::<ColumnMajor>(&counts, size, &expected)
    } else {
        read::<RowMajor>(&counts, size, &expected)
    }
}

fn read<O: Order>(counts: &[i64], size: Size, expected: &Result<Vec<i128>, &'static str>) -> &'static str {
    let most = 4 * counts.len() + 64;
    compare(&within(most, || Rle::<O>::from_counts(counts, size)), expected, size)
}

/// A COCO file with the list: its row has the string, or it is a reject.
fn read_json(counts: &[i64], (h, w): (u32, u32)) {
    let text = format!(r#"[{{"image_id":1,"category_id":2,"segmentation":{{"counts":{counts:?},"size":[{h},{w}]}}}}]"#);
    let input = SourceFile::bytes("counts.json", text.as_bytes());
    let batch = CocoReader::open(&input, "", None, &CocoOptions::default()).and_then(|mut reader| reader.next_batch());
    let Ok(Some(batch)) = batch else {
        panic!("{text} gave {batch:?}")
    };
    let fates = coco::read(text.as_bytes());
    match fates.as_deref() {
        Ok([coco::Fate::Reject(code)]) => assert_eq!(batch.rejects[0].reason.code(), *code),
        Ok([coco::Fate::Row(row)]) => assert_eq!(super::coco::shown(&batch.rows.row(0)), *row),
        other => panic!("{text}: {other:?}"),
    }
}
