//! Fuzz targets for what ropewalk-core parses, as plain functions.
//!
//! Each takes any bytes and panics where the core does not keep its promises: no panic, no more memory than a bound set
//! by the input's bytes, the same as an oracle says. `make fuzz` has libFuzzer look for such bytes. It starts from
//! [`seeds`], which the tests replay.

mod bytes;
pub mod memory;
pub mod seeds;
pub mod targets;
