//! What the cluster is: its topics, brokers and settings. Changes go through one task, in order, and every reader has
//! an image that does not change under it.

pub mod log;
