//! The inputs that fuzzing starts from and that the tests replay: files in `corpus/`, and the examples of the formats.

use std::io::Result;
use std::path::{Path, PathBuf};

use ropewalk_testkit::examples;

use crate::targets::{file_formats, formats_input};

/// An input of a target.
pub struct Seed {
    /// The file that it was made of.
    pub path: PathBuf,
    /// The bytes.
    pub input: Vec<u8>,
}

impl Seed {
    /// A name that no other seed of the target has.
    pub fn name(&self) -> String {
        let parts = self.path.iter().rev().take(4).map(|part| part.to_string_lossy());
        parts.collect::<Vec<_>>().join("-")
    }
}

/// The folder of committed inputs.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Seeds of a target. Those of `formats` are files as users have them, in a folder of the format's name.
///
/// # Errors
/// When a file cannot be read.
pub fn of(target: &str) -> Result<Vec<Seed>> {
    let folder = corpus().join(target);
    if target != "formats" {
        return files(&folder)?.into_iter().map(read).collect();
    }
    let mut seeds = Vec::new();
    for (number, format) in file_formats().enumerate() {
        let own = folder.join(format.name);
        let mut paths = if own.is_dir() { files(&own)? } else { Vec::new() };
        paths.extend(examples::good(format.name));
        paths.extend(examples::malformed(format.name).into_iter().map(|found| found.path));
        for path in paths {
            let Seed { path, input } = read(path)?;
            seeds.push(Seed {
                path,
                input: formats_input(number, &input),
            });
        }
    }
    Ok(seeds)
}

fn read(path: PathBuf) -> Result<Seed> {
    let input = std::fs::read(&path)?;
    Ok(Seed { path, input })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}
