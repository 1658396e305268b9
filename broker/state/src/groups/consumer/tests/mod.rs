//! Consumer groups, held against what the protocol says of them.

mod classic_member;
mod commits;
mod describing;
mod hashes;
mod heeding;
mod joining;
mod migrating;
mod mixed;
mod patterns;
mod reconciling;
mod refusals;
mod simulation;
mod static_members;
mod world;

use world::{Beat, World, topic_id};
