//! The COCO reader from outside: what becomes of each annotation of valid, odd and broken files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod lists;
mod malformed;
mod naming;
mod oracle;
mod rare_fields;
mod rejects_file;
mod support;
mod valid;
mod writing;
