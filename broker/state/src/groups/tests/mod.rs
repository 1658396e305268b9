//! Every rule of groups and offsets, beside the machine; then random lives of groups against what must always hold.

mod bad_input;
mod compacted;
mod driver;
mod members;
mod offsets;
mod random;
mod rebalance;
mod requests;
mod static_members;
