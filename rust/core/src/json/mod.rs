//! A pull scanner for any format that is JSON.

mod digits;
mod entries;
mod number;
mod scanner;
mod skip;
mod text;
mod values;
mod window;

pub(crate) use entries::Entries;
pub(crate) use number::Number;
pub(crate) use scanner::{bad, only_space, starts_number, Scan, Scanner, Stop, Text};
pub(crate) use text::{plain, unescape};
pub(crate) use values::Values;
pub(crate) use window::Window;
