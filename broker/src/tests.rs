//! What the tests of several parts are set up with.

pub(crate) mod full_disk;
pub(crate) mod lines;
