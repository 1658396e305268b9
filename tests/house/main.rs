//! The rules of the house that a machine can check. `docs/ARCHITECTURE.md` says why they are there.

mod crates;
mod shape;
mod sources;
