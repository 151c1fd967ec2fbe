//! Writes the inputs that fuzzing starts from into a folder: below it, one for each target.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_default());
    for (target, ..) in ropewalk_fuzz::targets::TARGETS {
        let seeds = folder.join(target);
        std::fs::create_dir_all(&seeds)?;
        for seed in ropewalk_fuzz::seeds::of(target)? {
            std::fs::write(seeds.join(seed.name()), seed.input)?;
        }
    }
    Ok(())
}
