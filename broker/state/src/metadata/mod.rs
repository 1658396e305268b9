//! What a cluster knows of itself: brokers, topics, partitions, configurations, features.
//!
//! [`record`] is what the metadata log says, [`image`] what follows from it, [`mod@decide`] what may be added to it.
//!
//! The log is compacted by key: the key of a record says what it is about, the value is its whole new state,
//! and a record without a value takes it back. So the image is a function of the last value of each key, in
//! whatever order the keys first came, and of nothing else: a log that was compacted replays to the same image
//! as the whole one.

pub mod decide;
pub mod image;
pub mod record;

pub use decide::{Command, Decision, Refusal, decide};
pub use image::{MetadataImage, evolve};
pub use record::{MetadataRecord, RecordError};
