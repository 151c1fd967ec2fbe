//! One annotation: its fields read in any order into reused buffers, and what is wrong with them.
//!
//! A wrong value is skipped with all grammar checks and noted as a [`crate::reject::Reason`]; only broken JSON stops the
//! scanner.

mod draft;
mod member;
mod read;
mod verdict;

pub(super) use draft::Draft;
pub(super) use verdict::{Crowds, Verdict};
