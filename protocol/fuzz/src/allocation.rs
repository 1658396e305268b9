//! A global allocator that counts, per thread, what decoding takes from the heap.
//!
//! Counting per thread lets tests run side by side: decoding neither spawns threads nor hands memory to them.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting.
#[derive(Debug)]
pub struct Counting;

/// What a piece of code took from the heap.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// The most that was taken at any moment, above what was taken at the start.
    pub peak_bytes: usize,
    /// All that was ever taken, given back or not: what was touched is at most this.
    pub total_bytes: usize,
    /// How often something was taken.
    pub allocations: usize,
}

#[derive(Clone, Copy)]
struct Counters {
    // Signed: what one thread takes another may give back.
    live_bytes: isize,
    peak_bytes: isize,
    total_bytes: usize,
    allocations: usize,
}

const ZERO: Counters = Counters { live_bytes: 0, peak_bytes: 0, total_bytes: 0, allocations: 0 };

thread_local! {
    // Constant and without a destructor, so that touching it never allocates.
    static COUNTERS: Cell<Counters> = const { Cell::new(ZERO) };
}

/// Runs `code` and tells what it took from the heap on this thread.
pub fn measure<T>(code: impl FnOnce() -> T) -> (T, Usage) {
    let outer = COUNTERS.replace(ZERO);
    let result = code();
    let inner = COUNTERS.replace(outer);
    let usage = Usage {
        peak_bytes: inner.peak_bytes.unsigned_abs(),
        total_bytes: inner.total_bytes,
        allocations: inner.allocations,
    };
    (result, usage)
}

fn took(bytes: usize) {
    let mut counters = COUNTERS.get();
    counters.live_bytes = counters.live_bytes.saturating_add_unsigned(bytes);
    counters.peak_bytes = counters.peak_bytes.max(counters.live_bytes);
    counters.total_bytes = counters.total_bytes.saturating_add(bytes);
    counters.allocations = counters.allocations.saturating_add(1);
    COUNTERS.set(counters);
}

fn gave_back(bytes: usize) {
    let mut counters = COUNTERS.get();
    counters.live_bytes = counters.live_bytes.saturating_sub_unsigned(bytes);
    COUNTERS.set(counters);
}

// SAFETY: every call goes to the system's allocator as it is; counting does not allocate, unwind or touch memory.
#[expect(unsafe_code, reason = "a global allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The worst case, a move: for a moment both are there.
        took(size);
        gave_back(layout.size());
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        gave_back(layout.size());
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(pointer, layout) };
    }
}
