//! A whole node, over a socket: what it is, and what becomes of topics across restarts.

mod identity;
mod support;
mod topics;
