//! The way of sorted rows into label rows: of the rows of one track on one frame one stays, and of a frame as many as are
//! asked for.

use std::collections::HashSet;

use super::best::Best;
use super::record::{Head, Key};
use super::split::{Split, Splitter};
use crate::error::Result;
use crate::source::TextSpan;

/// A row that a numbered name led to its medium.
#[derive(Debug, Clone, Copy)]
pub struct NamedRow<'a> {
    /// Number of the name, at least 1.
    pub name: u32,
    /// The row's place.
    pub key: Key,
    /// The source's own id.
    pub annotation_id: Option<&'a str>,
    /// Where its text lies in the source.
    pub text: TextSpan,
}

impl<'a> NamedRow<'a> {
    fn of(key: Key, head: &Head<'a>) -> Self {
        Self {
            name: head.name,
            key,
            annotation_id: head.annotation_id.and_then(|id| std::str::from_utf8(id).ok()),
            text: head.text,
        }
    }
}

/// Passes sorted rows on to be written.
///
/// A row comes with where it lies (`P`), and is kept as `K` where another may take its place. `write` tells from where to where
/// it is written.
pub(super) struct Flow<'s, P, K, W> {
    /// Whether a row stays where its name led it.
    stays: &'s mut dyn FnMut(&NamedRow<'_>) -> Result<bool>,
    splitter: Splitter,
    best: Option<Best<(P, K)>>,
    /// The row of a track that is the most confident on its frame so far.
    held: Option<(Key, P, K)>,
    /// What the rows of that track on that frame say, once there are several.
    said: HashSet<u128>,
    write: W,
}

/// Whether two rows are of one object on one frame.
fn are_rivals(one: Key, other: Key) -> bool {
    let place = |key: Key| (key.label_row, key.frame, key.object);
    place(one) == place(other)
}

impl<'s, P, K, W> Flow<'s, P, K, W>
where
    K: AsRef<[u8]>,
    W: FnMut(P, &[u8]) -> Result<(u64, u64)>,
{
    /// Rows that `stays` lets through go through `splitter` to `write`; at most `most` stay on a frame.
    pub fn new(
        splitter: Splitter,
        most: Option<u64>,
        stays: &'s mut dyn FnMut(&NamedRow<'_>) -> Result<bool>,
        write: W,
    ) -> Self {
        Self {
            stays,
            splitter,
            best: most.map(Best::new),
            held: None,
            said: HashSet::new(),
            write,
        }
    }

    /// Takes the next row. `next` is the key of the one that follows, or this one's own where that is not known yet.
    ///
    /// # Errors
    /// What `stays` and `write` return, and [`crate::error::Error::Stage`] for a damaged record.
    pub fn take<R: AsRef<[u8]> + Into<K>>(&mut self, key: Key, place: P, row: R, next: Option<Key>) -> Result<()> {
        let head = Head::read(row.as_ref())?;
        if head.name > 0 && !(self.stays)(&NamedRow::of(key, &head))? {
            return Ok(());
        }
        if let Some((held_key, held_place, held)) = self.held.take() {
            if are_rivals(held_key, key) {
                let is_better = self.settle((held_key, &Head::read(held.as_ref())?), (key, &head));
                self.held = Some(if is_better {
                    (key, place, row.into())
                } else {
                    (held_key, held_place, held)
                });
                return Ok(());
            }
            self.pass(held_key, held_place, held)?;
        }
        if let Some(last_frame) = head.answered_to() {
            if !self.splitter.admit_answer(key, last_frame, &head) {
                return Ok(());
            }
        } else if head.track.is_none() {
            if !self.splitter.admit_untracked(key) {
                return Ok(());
            }
        } else if next.is_some_and(|next| are_rivals(key, next)) {
            self.said.clear();
            self.held = Some((key, place, row.into()));
            return Ok(());
        }
        if self.best.is_some() {
            return self.pass(key, place, row);
        }
        self.write(key, place, &head, row.as_ref())
    }

    /// Settles which of two rows of one track on one frame stays: the more confident one, of equally confident ones the first.
    /// Gives whether that is the second.
    fn settle(&mut self, (key, head): (Key, &Head<'_>), (other_key, other): (Key, &Head<'_>)) -> bool {
        if self.said.is_empty() {
            self.said.insert(head.content());
        }
        if !self.said.insert(other.content()) {
            self.splitter.leave_out_identical();
            return false;
        }
        let is_better = other.score > head.score;
        if is_better {
            self.splitter.reject(key, head);
        } else {
            self.splitter.reject(other_key, other);
        }
        is_better
    }

    /// Writes a row, unless its frame may get better ones.
    fn pass<R: AsRef<[u8]> + Into<K>>(&mut self, key: Key, place: P, row: R) -> Result<()> {
        let head = Head::read(row.as_ref())?;
        let Some(best) = &mut self.best else {
            return self.write(key, place, &head, row.as_ref());
        };
        let score = head.score;
        let done = best.offer(key, score, || (place, row.into()));
        self.write_best(done)
    }

    fn write_best(&mut self, rows: Vec<(Key, (P, K))>) -> Result<()> {
        for (key, (place, row)) in rows {
            self.write(key, place, &Head::read(row.as_ref())?, row.as_ref())?;
        }
        Ok(())
    }

    fn write(&mut self, key: Key, place: P, head: &Head<'_>, row: &[u8]) -> Result<()> {
        let written = (self.write)(place, row)?;
        self.splitter.place(key, head, written);
        Ok(())
    }

    /// Writes what is left, and gives the label rows and how many rows were left out for better ones.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn finish(mut self) -> Result<(Split, u64)> {
        if let Some((key, place, row)) = self.held.take() {
            self.pass(key, place, row)?;
        }
        let rest = self.best.as_mut().map(Best::finish).unwrap_or_default();
        self.write_best(rest)?;
        let left_out = self.best.as_ref().map_or(0, Best::left_out);
        Ok((self.splitter.finish(), left_out))
    }
}
