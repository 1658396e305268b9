//! What partitions with nothing in them cost in memory, with an allocator that counts for the whole process. One test
//! at a time.

// Marked as test code in so many words, for the lints that let only test code unwrap.
mod counting;
#[cfg(test)]
mod empty;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
