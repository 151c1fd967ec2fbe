//! What the allocator does with memory that is given back.

/// A block that the allocator is to keep rather than return, bytes.
const KEPT_BYTES: usize = 2 << 20;

/// Lets blocks of up to 2 MB be used again.
///
/// glibc returns every block of more than 128 KB to the system, and the end of its heap once 256 KB of it are free, until it
/// sees a larger block freed: it then keeps blocks of that size, and twice as much at the end. Batches are larger, so are label
/// rows together with their blocks, and fresh pages cost more than the text that is written on them. Nothing is ever written
/// on this block, so that it costs no memory; other allocators make nothing of it.
pub(crate) fn keep_blocks() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT_BYTES)));
}
