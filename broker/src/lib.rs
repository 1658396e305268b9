//! The broker: what stands between a socket and the storage engine.
//!
//! A request goes through it in one direction: `net` reads a frame, [`api`] decodes it and asks [`authorize`]
//! before it looks anything up, [`storage`] hands it to the log's writer and knows when it is done, `net` writes
//! the answers in the order of the requests. Nothing here owns a log: the writer does.

pub mod admission;
pub mod api;
pub mod authorize;
pub mod background;
pub mod broker;
pub mod context;
pub mod coordinator;
pub mod embedded;
pub mod features;
pub mod few;
pub mod http;
pub mod loggers;
pub mod metadata;
pub mod metrics;
pub mod net;
pub mod node;
pub mod offload;
pub mod producer_ids;
pub mod quota;
pub mod storage;
pub mod transactions;

pub use embedded::embedded;

/// The examples of the README, so that they are true as written.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
