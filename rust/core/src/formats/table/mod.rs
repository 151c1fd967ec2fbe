//! Tables: Parquet and Arrow files, and batches of Arrow from whoever makes them.

mod caught;
mod file;
mod file_rows;
mod ipc;
mod parquet;
mod rows;

use super::{Files, Format, Head, Opened, Opening, ReadOption, Sure};
use crate::error::{Error, Result};
use crate::source::{Frames, Source};

pub use file::{TableBatches, TableFile, TableKind};
pub use file_rows::FileRows;
pub use ipc::{ArrowBatches, ArrowFile};
pub use parquet::{ParquetBatches, ParquetFile};
pub use rows::TableRows;

/// Tables of Parquet.
pub static PARQUET: Format = Format {
    name: "parquet",
    about: "Tables with Ropewalk's columns, in Parquet files",
    files: Files::Tables(&[".parquet"]),
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    detect: |head| by(head, &[".parquet"], &[b"PAR1"]),
    open: |opening| open_file(opening, TableKind::Parquet),
};

/// Tables of Arrow IPC.
pub static ARROW: Format = Format {
    name: "arrow",
    about: "Tables with Ropewalk's columns, in Arrow IPC files",
    files: Files::Tables(&[".arrow", ".ipc", ".feather"]),
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    // A stream begins with the mark of its first message.
    detect: |head| by(head, &[".arrow", ".ipc", ".feather"], &[b"ARROW1", &[0xff; 4]]),
    open: |opening| open_file(opening, TableKind::Arrow),
};

/// Tables that a program gives.
pub static IN_MEMORY: Format = Format {
    name: "table",
    about: "Tables with Ropewalk's columns, from a program",
    files: Files::None,
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    detect: |_| Sure::No,
    open: open_table,
};

/// Tells a table by the name of its file, or by what it begins with.
fn by(head: &Head, suffixes: &[&str], begins: &[&[u8]]) -> Sure {
    let is_named = suffixes.iter().any(|suffix| head.file_name.ends_with(suffix));
    if is_named || begins.iter().any(|begin| head.text.starts_with(begin)) {
        Sure::Yes
    } else {
        Sure::No
    }
}

fn open_file(opening: Opening<'_>, kind: TableKind) -> Result<Opened> {
    let Source::File(file) = &opening.source else {
        return Err(opening.wrong_source("a file"));
    };
    let file = TableFile::open(file, kind)?;
    Ok(Opened::reader(FileRows::new(file, opening.label, opening.options.unit)))
}

fn open_table(opening: Opening<'_>) -> Result<Opened> {
    let Source::Table(table) = opening.source else {
        return Err(opening.wrong_source("a table in memory"));
    };
    let label = opening.label.to_owned();
    let batches = table.batches.map(move |batch| {
        batch.map_err(|cause| Error::Schema {
            message: format!("{label}: {cause}"),
        })
    });
    let rows = TableRows::new(opening.label, batches);
    Ok(Opened::reader(rows.unit(opening.options.unit)))
}
