//! What connections cost in memory, with an allocator that counts for the whole process. One test at a time.

mod counting;
mod hostile;
mod idle;
mod server;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
