//! Counts what each thread allocates, so that tests can run beside each other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static HELD_BYTES: Cell<usize> = const { Cell::new(0) };
    static HELD_BYTES_MAX: Cell<usize> = const { Cell::new(0) };
}

pub(crate) struct Counting;

/// Runs `work` and says how many bytes it held on the heap at most. C code that has an allocator of its own
/// (zstd's contexts) is not counted.
pub(crate) fn peak_bytes<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD_BYTES.get();
    HELD_BYTES_MAX.set(before);
    let result = work();
    (result, HELD_BYTES_MAX.get() - before)
}

fn add(bytes: usize) {
    // Wrapping, because what one thread allocates another may free.
    HELD_BYTES.set(HELD_BYTES.get().wrapping_add(bytes));
    HELD_BYTES_MAX.set(HELD_BYTES_MAX.get().max(HELD_BYTES.get()));
}

fn remove(bytes: usize) {
    HELD_BYTES.set(HELD_BYTES.get().wrapping_sub(bytes));
}

#[expect(unsafe_code, reason = "an allocator is unsafe by its nature; this one only counts and passes on")]
// SAFETY: every call goes on to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        remove(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        remove(layout.size());
        add(new_size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
