//! How the process keeps memory that it has freed. Owns the allocator's two thresholds; allocates nothing.

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
