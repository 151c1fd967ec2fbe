//! Bytes that a piece of work holds at its peak, counted by the allocator.
#![allow(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

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

/// Counts memory that is there: what could not be had is not held.
fn taken(at: *mut u8, bytes: usize) {
    if !at.is_null() {
        // An allocator must not unwind, so nothing here may be an overflow.
        let held = HELD.get().wrapping_add_unsigned(bytes);
        HELD.set(held);
        PEAK.set(PEAK.get().max(held));
    }
}

fn returned(bytes: usize) {
    HELD.set(HELD.get().wrapping_sub_unsigned(bytes));
}

// SAFETY: memory is `System`'s, from the call to the return, and every call is handed on to it as it is. Counting neither
// reads nor writes that memory, does not allocate (`HELD` and `PEAK` are constants in place) and does not unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, a layout that is not empty, is the one that `System` asks for.
        let at = unsafe { System.alloc(layout) };
        taken(at, layout.size());
        at
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let at = unsafe { System.alloc_zeroed(layout) };
        taken(at, layout.size());
        at
    }

    unsafe fn realloc(&self, from: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller has `from` of this allocator, with this layout, so it is `System`'s with this layout; that
        // `new_size` is neither 0 nor beyond what a layout can have is the caller's promise too.
        let at = unsafe { System.realloc(from, layout, new_size) };
        // Both are held while the content moves; where it cannot, the old one stays.
        taken(at, new_size);
        if !at.is_null() {
            returned(layout.size());
        }
        at
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller has `at` of this allocator, with this layout, so it is `System`'s with this layout.
        unsafe { System.dealloc(at, layout) };
        returned(layout.size());
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
    use std::hint::black_box;

    use super::*;

    fn filled(len: usize) -> Vec<u8> {
        black_box(vec![1; len])
    }

    fn peak_of<T>(work: impl FnOnce() -> T) -> usize {
        peak_bytes(work).1
    }

    #[test]
    fn counts_the_most_that_is_held_at_once() {
        assert_eq!(peak_of(|| filled(5000)), 5000);
        assert_eq!(peak_of(|| black_box(vec![0u8; 3000])), 3000);
        assert_eq!(peak_of(|| [filled(5000), filled(700)]), 5700);
        let one_after_another = || {
            drop(filled(5000));
            filled(3000)
        };
        assert_eq!(peak_of(one_after_another), 5000);
    }

    #[test]
    fn counts_both_blocks_while_one_grows_or_shrinks_and_one_afterwards() {
        let resized = |capacity: usize, then: usize| {
            let mut bytes = black_box(Vec::<u8>::with_capacity(1000));
            if capacity > 1000 {
                bytes.reserve_exact(black_box(capacity));
            } else {
                bytes.shrink_to(black_box(capacity));
            }
            assert_eq!(bytes.capacity(), capacity);
            [bytes, filled(then)]
        };
        assert_eq!(peak_of(|| resized(3000, 1)), 4000);
        assert_eq!(peak_of(|| resized(3000, 1500)), 4500);
        assert_eq!(peak_of(|| resized(400, 1)), 1400);
        assert_eq!(peak_of(|| resized(400, 2000)), 2400);
    }

    #[test]
    fn counts_from_what_was_held_before() {
        let earlier = filled(1000);
        assert_eq!(peak_of(|| drop(earlier)), 0);
        let earlier = filled(1000);
        let in_its_place = || {
            drop(earlier);
            filled(1700)
        };
        assert_eq!(peak_of(in_its_place), 700);
    }

    #[test]
    fn work_inside_of_work_has_a_peak_of_its_own() {
        let nested = |before: usize, inside: usize, after: usize| {
            let mut inner = 0;
            let outer = peak_of(|| {
                drop(filled(before));
                let held = filled(700);
                inner = peak_of(|| filled(inside));
                drop(filled(after));
                held
            });
            (inner, outer)
        };
        assert_eq!(nested(10, 3300, 20), (3300, 4000));
        assert_eq!(nested(5000, 3300, 20), (3300, 5000));
        assert_eq!(nested(10, 3300, 6000), (3300, 6700));
    }

    #[test]
    fn what_cannot_be_had_is_not_counted() {
        let refused = || {
            let mut bytes = black_box(Vec::<u8>::new());
            assert!(bytes.try_reserve_exact(black_box(isize::MAX as usize)).is_err());
            bytes = filled(1000);
            assert!(bytes.try_reserve_exact(black_box(isize::MAX as usize - 2000)).is_err());
            [bytes, filled(500)]
        };
        assert_eq!(peak_of(refused), 1500);
    }

    #[test]
    fn what_other_threads_hold_is_theirs() {
        let elsewhere = || std::thread::scope(|scope| scope.spawn(|| peak_of(|| filled(1 << 20))).join());
        let (theirs, ours) = peak_bytes(elsewhere);
        assert!(theirs.is_ok_and(|peak| peak == 1 << 20));
        assert!(ours < 1 << 16, "{ours}");
    }

    #[test]
    #[should_panic(expected = "5000 bytes were held, at most 4999 are allowed")]
    fn refuses_what_goes_beyond_a_bound() {
        within(4999, || filled(5000));
    }
}
