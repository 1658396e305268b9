//! Health and metrics over HTTP, for those who look after a broker. It sees counters and states, never a record,
//! and nothing that is asked here holds the broker up.

mod health;
mod server;

pub use self::health::{Health, Insight, Stage};
pub use self::server::{HttpServer, Page, Pages};

#[cfg(test)]
mod tests;
