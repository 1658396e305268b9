//! Real sockets against a service that does what the test's frames say.

mod accepting;
mod bounds;
mod budgets;
mod files;
mod memory;
mod order;
mod support;
