//! What a data directory holds, for whoever looks for what went wrong.

use std::path::Path;
use std::sync::Arc;

use strandline_log::check;
use strandline_log::journal::{Entry, Journal, Replayed};
use strandline_log::layout::Layout;
use strandline_log::manifest::Manifest;

use crate::Outcome;
use crate::directory::{Observed, observe};
use crate::disk::{Way, disk};

/// Prints what is in a directory: what its files say, and what a reader finds.
pub(crate) fn show(root: &Path) -> Outcome<()> {
    let (disk, layout) = (disk(root, Way::Direct)?, Layout::new(root.to_owned()));
    let manifest = Manifest::inspect(Arc::clone(&disk), &layout.manifest())?;
    println!("manifest: {:?}", manifest.meta());
    manifest.load(|id, row, segments| {
        println!("row {id}: {row:?}");
        segments.iter().for_each(|(base_offset, facts)| println!("    segment {base_offset}: {facts:?}"));
    })?;
    manifest.snapshots(|id, offset, _| println!("snapshot {id} {offset}"))?;
    Journal::inspect(
        Arc::clone(&disk),
        layout.journal(),
        Some(manifest.meta().checkpoint),
        |Replayed { sequence, entry, .. }| match entry {
            Entry::Append { partition, base_offset, batch, .. } => {
                println!("frame {sequence}: partition {partition}: {} bytes at {base_offset}", batch.len());
            }
            entry => println!("frame {sequence}: {entry:?}"),
        },
    )?;
    check::check(&disk, &layout, |finding| println!("{finding}"))?;
    for (name, Observed { start, end, batches, bytes, .. }) in observe(root)? {
        println!("partition {name}: {start} to {end}, {bytes} bytes");
        batches.iter().for_each(|batch| println!("    {batch}"));
    }
    Ok(())
}
