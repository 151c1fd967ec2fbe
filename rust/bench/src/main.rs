//! Runs one piece of the core's work by name, once for it to grow its buffers and once to be counted.
//!
//! `ropewalk-bench` lists the names; `ropewalk-bench NAME` prints how many items the work was done on.
//! `benches/instructions.py` runs this under callgrind.

mod inputs;
mod work;

use std::error::Error;
use std::hint::black_box;
use std::io::{stdout, Write};

use work::{Run, PIECES};

/// Whatever goes wrong; inputs are our own, so nobody needs to tell one kind from another.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let Some(name) = std::env::args().nth(1) else {
        for piece in PIECES {
            writeln!(stdout(), "{}", piece.name)?;
        }
        return Ok(());
    };
    let piece = PIECES.iter().find(|piece| piece.name == name);
    let piece = piece.ok_or_else(|| format!("no piece of work is named {name}; without a name they are listed"))?;
    let mut work = (piece.prepare)()?;
    (work.run)()?;
    counted(&mut work.run)?;
    writeln!(stdout(), "{}", work.items)?;
    Ok(())
}

/// What callgrind counts: it is told to by this function's name.
#[inline(never)]
fn counted(run: &mut Run) -> Result<usize> {
    // Hidden, so that there is a call to come back from.
    black_box(run())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_piece_of_work_has_a_name_and_does_the_same_each_time() {
        let names: HashSet<_> = PIECES.iter().map(|piece| piece.name).collect();
        assert_eq!(names.len(), PIECES.len());
        for piece in PIECES {
            let [mut one, mut other] = [(piece.prepare)().unwrap(), (piece.prepare)().unwrap()];
            let made = (one.run)().unwrap();
            assert!(one.items > 0 && made >= one.items, "{}: {made}", piece.name);
            assert_eq!(counted(&mut one.run).unwrap(), made, "{}", piece.name);
            assert_eq!(
                ((other.run)().unwrap(), other.items),
                (made, one.items),
                "{}",
                piece.name
            );
        }
    }
}
