//! Real sockets against a service that does what the test's frames say.

mod bounds;
mod files;
mod order;
mod support;
