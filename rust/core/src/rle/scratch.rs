//! Buffers that the hot paths keep.

use super::sweep::Sweep;
use super::trace::Tracer;

/// Buffers that the hot paths keep between masks.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) source: Vec<u32>,
    pub(super) target: Vec<u32>,
    pub(super) sweep: Sweep,
    pub(super) tracer: Tracer,
}

impl Scratch {
    /// Gives all memory back where it is more than `len_bytes`.
    pub fn release_above(&mut self, len_bytes: usize) {
        let runs = size_of::<u32>() * (self.source.capacity() + self.target.capacity());
        if runs + self.sweep.len_bytes() + self.tracer.len_bytes() > len_bytes {
            *self = Self::default();
        }
    }
}
