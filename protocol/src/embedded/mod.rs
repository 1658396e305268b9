//! Messages that travel as opaque bytes inside of others, and whose meaning both ends know.

pub mod consumer;
pub mod principal;
