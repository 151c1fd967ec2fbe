//! Label rows: the JSON that the SDK itself would send for the same objects, made without it.
//!
//! [`RowHeader`] holds what a row is besides its labels, [`RowWriter`] streams sorted staged rows into it, `identity`
//! names the objects, [`compare`] tells what of them the server's row holds, and [`reconcile`] what to do about it.

mod answers;
mod beside;
mod compare;
mod compare_answers;
mod coordinate;
mod encode;
mod existing;
mod fraction;
mod header;
mod labels;
pub mod number;
mod object_numbers;
mod questions;
mod ring;
mod shapes;
mod spaces;
mod stored;
mod templates;
mod text;
mod unit;

pub use answers::Joined;
pub(crate) use beside::{beside, Beside, OwnAnswer};
pub use compare::{compare, Compared, Difference};
pub(crate) use encode::label_hash_of;
pub use encode::{RowWriter, Written};
pub use existing::{reconcile, Merged, OnExisting, Reconciled, Verdict};
pub use header::RowHeader;
pub(crate) use labels::object_hashes;
pub(crate) use object_numbers::number_of;
pub use templates::Templates;
pub(crate) use text::push_string;
pub use unit::UnitHeader;
