//! What a piece of work allocates. Counting costs every allocation of the binary a little, so it is there
//! only with the feature `count-allocations`.

/// How often the heap was asked, and for how much.
#[derive(Clone, Copy)]
pub(crate) struct Allocations {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

#[cfg(not(feature = "count-allocations"))]
pub(crate) fn of(_work: impl FnOnce()) -> Option<Allocations> {
    None
}

#[cfg(feature = "count-allocations")]
pub(crate) use counting::{Counting, of};

#[cfg(feature = "count-allocations")]
mod counting {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    use super::Allocations;

    thread_local! {
        static TOTAL: Cell<Allocations> = const { Cell::new(Allocations { count: 0, bytes: 0 }) };
    }

    /// The system's allocator, with a counter for each thread in front.
    pub(crate) struct Counting;

    /// What `work` allocates on this thread, through Rust's allocator.
    pub(crate) fn of(work: impl FnOnce()) -> Option<Allocations> {
        let before = TOTAL.get();
        work();
        let after = TOTAL.get();
        Some(Allocations { count: after.count - before.count, bytes: after.bytes - before.bytes })
    }

    fn add(size: usize) {
        let Allocations { count, bytes } = TOTAL.get();
        TOTAL.set(Allocations { count: count + 1, bytes: bytes + u64::try_from(size).unwrap_or(u64::MAX) });
    }

    #[expect(unsafe_code, reason = "an allocator is unsafe by its nature; this one counts and passes on")]
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
            // SAFETY: as above.
            unsafe { System.dealloc(pointer, layout) }
        }

        unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
            add(new_size);
            // SAFETY: as above.
            unsafe { System.realloc(pointer, layout, new_size) }
        }
    }
}
