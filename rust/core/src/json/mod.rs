//! A pull scanner for any format that is JSON.

mod digits;
mod entries;
mod number;
mod scanner;
mod skip;
mod window;

pub(crate) use entries::Entries;
pub(crate) use number::Number;
pub(crate) use scanner::{bad, only_space, plain, starts_number, unescape, Scan, Scanner, Stop, Text};
pub(crate) use window::Window;
