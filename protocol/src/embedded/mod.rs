//! Messages inside of messages.

pub mod consumer;
pub mod principal;
