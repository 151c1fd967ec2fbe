//! Bytes that a piece of work holds at its peak, counted by the allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts what each thread holds.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    // Constants without a destructor: reading them allocates nothing.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn taken(bytes: usize) {
    let held = HELD.get() + bytes as isize;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

fn returned(bytes: usize) {
    HELD.set(HELD.get() - bytes as isize);
}

// SAFETY: every call is handed on to `System` as it is; counting touches no memory of the caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        System.alloc(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        System.alloc_zeroed(layout)
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Both are held while the content moves.
        taken(new_size);
        returned(layout.size());
        System.realloc(at, layout, new_size)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        returned(layout.size());
        System.dealloc(at, layout);
    }
}

/// Does the work; gives its result, and the most bytes that this thread held during it beyond those from before.
pub fn peak_bytes<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let (before, outer) = (HELD.get(), PEAK.get());
    PEAK.set(before);
    let result = work();
    let peak = PEAK.replace(outer.max(PEAK.get()));
    (result, (peak - before).unsigned_abs())
}

/// Does the work and gives its result.
///
/// # Panics
/// When it held more than `most` bytes.
#[track_caller]
pub fn within<T>(most: usize, work: impl FnOnce() -> T) -> T {
    let (result, peak) = peak_bytes(work);
    assert!(peak <= most, "{peak} bytes were held, at most {most} are allowed");
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_most_that_is_held_at_once() {
        let (_, peak) = peak_bytes(|| {
            drop(std::hint::black_box(vec![1u8; 5000]));
            std::hint::black_box(vec![0u8; 3000])
        });
        assert_eq!(peak, 5000);
        let (inner, peak) = peak_bytes(|| {
            let held = std::hint::black_box(vec![1u8; 700]);
            peak_bytes(|| std::hint::black_box(Vec::<u8>::with_capacity(4000 - held.len()))).1
        });
        assert_eq!((inner, peak), (3300, 4000));
        let (_, peak) = peak_bytes(|| {
            let mut grown = Vec::<u8>::with_capacity(1000);
            grown.reserve_exact(std::hint::black_box(3000));
            grown
        });
        assert_eq!(peak, 4000);
    }

    #[test]
    #[should_panic(expected = "5000 bytes were held, at most 4999 are allowed")]
    fn refuses_what_goes_beyond_a_bound() {
        within(4999, || std::hint::black_box(vec![1u8; 5000]));
    }
}
