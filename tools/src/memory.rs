//! How the process keeps memory that it has freed. Owns the allocator's two thresholds, and when all goes back to the
//! system; allocates nothing.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// So often it is looked whether the process has nothing to do.
const LOOK: Duration = Duration::from_secs(5);

/// A process that took less than this part of a core has nothing to do.
const QUIET_PART: u32 = 50;

/// Memory for one request may be as large as the largest request. Up to here, what such a request leaves is kept
/// for the next one instead of being given back to the system: a page that is touched for the first time costs more
/// than the bytes that are received into it. It is the most that glibc accepts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 32 << 20;

/// Has the allocator keep what requests leave, for requests that follow. Of use before threads are started.
pub(crate) fn keep_what_requests_leave() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "a setting of the C library's allocator, which has no safe way to be set")]
    // SAFETY: takes two numbers, and refuses those that it does not know. Nothing else runs yet that allocates.
    unsafe {
        // Refused, they stay as they are: that is slower, and nothing else.
        libc::mallopt(libc::M_MMAP_THRESHOLD, KEPT_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
    }
}

/// Gives back to the system what was freed and waits to be used again.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "a function of the C library's allocator, which has no safe form")]
    // SAFETY: takes a number, and may be called at any time by any thread; what is in use stays as it is.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Gives back what a start has left, and then, for ever, whatever is free whenever the process had nothing to do for a
/// while. A process that works keeps it: what follows will need it.
pub(crate) async fn give_back_when_quiet() {
    give_back();
    let mut before = processor_time();
    loop {
        tokio::time::sleep(LOOK).await;
        let now = processor_time();
        if now.saturating_sub(before) < LOOK / QUIET_PART {
            give_back();
        }
        before = processor_time();
    }
}

/// What all threads of this process have taken of the processor.
fn processor_time() -> Duration {
    let taken = clock_gettime(ClockId::ProcessCPUTime);
    let nanoseconds = u32::try_from(taken.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(taken.tv_sec).unwrap_or(0), nanoseconds)
}
