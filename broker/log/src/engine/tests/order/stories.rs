//! What happens to a log, and what the disk is to see of it.

use super::super::rules::{in_memory, small_segments};
use super::steps::Seen::{self, *};
use super::{Story, tell};
use crate::config::{Cleanup, LogConfig};

/// Something that happens, and the steps that make it safe, in their order.
pub(super) struct Tale {
    pub(super) name: &'static str,
    pub(super) happens: fn(&mut Story),
    pub(super) steps: &'static [Seen],
}

macro_rules! tales {
    ($($name:ident($story:ident): [$($step:ident),*] $happens:block)*) => {$(
        #[test]
        fn $name() {
            let happens: fn(&mut Story) = |$story| $happens;
            tell(&Tale { name: stringify!($name), happens, steps: &[$($step),*] });
        }
    )*};
}

tales! {
    segments_are_synced_before_the_manifest_names_them_and_the_journal_goes_last(story): [
        SegmentMade, SegmentWritten, SegmentSynced, NamesSynced, ManifestCommitted, FileRecycled,
        JournalNamesSynced
    ] {
        story.create(small_segments());
        story.append(20);
        story.begin();
        story.append(24);
        story.save();
    }

    so_it_is_with_one_sync_for_the_whole_file_system(story): [
        SegmentMade, SegmentWritten, AllSynced, ManifestCommitted, FileRecycled, JournalNamesSynced
    ] {
        story.rig.options.syncs_max = 0;
        story.rig.recover().unwrap();
        story.create(small_segments());
        story.append(20);
        story.begin();
        story.append(24);
        story.save();
    }

    a_log_start_is_durable_before_segments_go(story): [Frame, ManifestCommitted, SegmentRemoved] {
        story.create(small_segments());
        story.append(40);
        story.save();
        story.begin();
        story.set_start(30);
        story.save();
    }

    a_log_start_of_an_async_log_is_durable_before_segments_go(story): [
        Frame, ManifestCommitted, SegmentRemoved
    ] {
        story.create(in_memory());
        story.append(40);
        story.save();
        story.begin();
        story.set_start(30);
        story.save();
    }

    a_deletion_is_in_the_manifest_before_files_go(story): [
        Frame, ManifestCommitted, SegmentRemoved, FolderRemoved
    ] {
        story.create(small_segments());
        story.append(40);
        story.save();
        story.begin();
        story.delete();
        story.save();
    }

    a_new_segment_never_has_what_an_orphan_had(story): [
        SegmentRemoved, SegmentMade, SegmentWritten, SegmentSynced, NamesSynced, ManifestCommitted
    ] {
        story.create(small_segments());
        // Enough to be flushed, and no reason yet to tell the manifest.
        story.append(40);
        story.rig.disk.kill();
        story.rig.recover().unwrap();
        story.begin();
        story.save();
    }

    a_cut_is_in_the_journal_and_in_the_manifest_before_a_file_is_cut(story): [
        Frame, SegmentMade, SegmentWritten, SegmentSynced, NamesSynced, ManifestCommitted, SegmentCut,
        SegmentRemoved
    ] {
        story.create(small_segments());
        story.append(40);
        story.save();
        story.begin();
        story.truncate(31);
        story.append(5);
        story.save();
    }

    an_async_log_is_saved_before_it_is_cut_and_cut_before_it_goes_on(story): [
        SegmentWritten, SegmentSynced, ManifestCommitted, Frame, SegmentRemoved, NamesSynced,
        ManifestCommitted, SegmentCut, SegmentMade, SegmentWritten, SegmentSynced, ManifestCommitted
    ] {
        story.create(in_memory());
        story.append(20);
        story.begin();
        story.append(20);
        story.truncate(31);
        story.append(5);
        story.save();
    }

    a_log_is_saved_before_it_becomes_an_async_one(story): [
        SegmentWritten, SegmentSynced, NamesSynced, ManifestCommitted, Frame, SegmentWritten, SegmentSynced,
        ManifestCommitted
    ] {
        story.create(small_segments());
        story.append(20);
        story.begin();
        story.configure(in_memory());
        story.append(5);
        story.save();
    }

    an_async_log_is_saved_before_it_becomes_a_synced_one(story): [
        SegmentWritten, SegmentSynced, NamesSynced, ManifestCommitted, Frame, Frame, SegmentWritten,
        SegmentSynced, ManifestCommitted
    ] {
        story.create(in_memory());
        story.append(10);
        story.begin();
        story.append(10);
        story.configure(small_segments());
        story.append(5);
        story.save();
    }

    compacted_segments_are_whole_before_the_manifest_names_them_and_named_before_old_ones_go(story): [
        CleanedMade, CleanedSynced, NamesSynced, ManifestCommitted, IndexNamed, NamesSynced, CleanedNamed,
        NamesSynced, SegmentRemoved
    ] {
        let cleanup = Cleanup { deletes: false, compacts: true };
        story.create(LogConfig { cleanup, dirty_ratio_min: 0.1, ..small_segments() });
        story.append(60);
        story.begin();
        story.save();
        story.save();
    }
}
