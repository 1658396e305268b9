//! What must hold, one module for each part of the protocol crate. Each check takes any bytes at all and
//! panics if a property does not hold of them.

pub mod batch;
pub mod builder;
pub mod compression;
pub mod coordinator_log;
pub mod frame;
pub mod message;

/// What a fuzz target does with its input.
pub type Check = fn(&[u8]);

/// Every fuzz target by name.
pub const TARGETS: &[(&str, Check)] = &[
    ("batch", batch::field),
    ("builder", builder::round_trip),
    ("coordinator_log", coordinator_log::record),
    ("frame", frame::stream),
    ("gzip", compression::gzip),
    ("lz4", compression::lz4),
    ("other", message::other),
    ("request", message::request),
    ("response", message::response),
    ("snappy", compression::snappy),
    ("zstd", compression::zstd),
];
