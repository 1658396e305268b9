//! Producers: some send until they are answered, with sequences; some send once.

mod batch;
mod idempotent;
mod once;

pub(crate) use self::idempotent::idempotent;
pub(crate) use self::once::once;
