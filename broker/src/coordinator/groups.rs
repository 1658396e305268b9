//! The coordinator of groups, and how it hears of what changes around it.

use std::sync::Arc;

use strandline_state::groups::{Command, Event, GroupSettings, Groups};

use super::decided::log_group;
use super::{Coordinator, CoordinatorParts, OFFSETS_TOPIC, Watch};
use crate::metadata::MetadataChange;
use crate::metrics::Metrics;

/// Starts the coordinator of groups. From then on it is told whatever changes.
pub fn start_groups(parts: Arc<CoordinatorParts>) -> Arc<Coordinator<Groups>> {
    // What happens from here on is heard of; what happened before is in the image that machines are made with.
    let mut changes = parts.metadata.changes();
    let metadata = Arc::clone(&parts.metadata);
    let fresh = Arc::new(move || {
        let settings = GroupSettings::of(&metadata.settings());
        Groups::new(Arc::new(settings), metadata.image())
    });
    let watch = watch_groups(Arc::clone(&parts.metrics));
    let groups = Arc::new(Coordinator::new(&OFFSETS_TOPIC, parts, fresh, watch));
    let told = Arc::downgrade(&groups);
    tokio::spawn(async move {
        while let Some(change) = changes.recv().await {
            let Some(groups) = told.upgrade() else { return };
            tell(&groups, &change).await;
        }
    });
    groups
}

/// Counts what happens to groups, and tells of what is decided about them.
pub fn watch_groups(metrics: Arc<Metrics>) -> Watch<Groups> {
    Arc::new(move |event: &Event| {
        metrics.group_event(event);
        log_group(event);
    })
}

async fn tell(groups: &Coordinator<Groups>, change: &MetadataChange) {
    groups.refresh();
    if change.settings_changed {
        let settings = Arc::new(GroupSettings::of(&groups.parts.metadata.settings()));
        groups.tell_all(|| Command::SettingsChanged(Arc::clone(&settings))).await;
    }
    if !change.changed.is_empty() || !change.deleted.is_empty() || change.groups_configured {
        let changed = || Command::MetadataChanged {
            image: Arc::clone(&change.image),
            changed: change.changed.clone(),
            deleted: change.deleted.clone(),
        };
        groups.tell_all(changed).await;
    }
}
