//! The inputs that fuzzing starts from and that the tests replay: files in `corpus/`, and the examples of the formats.

use std::io::Result;
use std::path::{Path, PathBuf};

use ropewalk_core::source::{Folder, Member};
use ropewalk_testkit::examples;

use crate::targets::{file_formats, formats_input, Content};

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
            seeds.extend(of_source(path, number, format.is_of_folders())?);
        }
    }
    Ok(seeds)
}

/// The seeds for a source of format `number`: one for a file, and for each file of a folder that is not one source.
fn of_source(path: PathBuf, number: usize, is_of_folders: bool) -> Result<Vec<Seed>> {
    let of_file = |path| {
        let Seed { path, input } = read(path)?;
        let input = formats_input(number, Content::File(&input));
        Ok(Seed { path, input })
    };
    if !path.is_dir() {
        return Ok(vec![of_file(path)?]);
    }
    let members = Folder::at(&path).map_err(std::io::Error::other)?;
    let names = members.files().iter().map(Member::shown);
    if !is_of_folders {
        return names.map(|name| of_file(path.join(name))).collect();
    }
    let files = names.map(|name| std::fs::read(path.join(&name)).map(|content| (name, content)));
    let files = files.collect::<Result<Vec<_>>>()?;
    let input = formats_input(number, Content::Folder(&files));
    Ok(vec![Seed { path, input }])
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
