//! `strandline bench wire`: what the goals of the protocol crate are about, one comparison each.

use std::io::{self, Write};

use super::Plan;
use crate::cluster::Output;

mod batches;
mod codecs;
mod content;
mod messages;
#[cfg(feature = "peers")]
mod peers;

pub(super) fn run(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    if plan.output == Output::Table {
        writeln!(out, "min, median and max of {} rounds; contenders take turns within each", plan.rounds)?;
    }
    batches::run(plan, out)?;
    messages::run(plan, out)?;
    codecs::run(plan, out)
}
