//! How the files that the process may have open are shared out: so many for connections that what the log opens is
//! never refused for them.

use rustix::process::{Resource, getrlimit};
use strandline_state::settings::BrokerSettings;

/// What is open beside connections and segments: files that are held until they are synced and those that one flush
/// makes, the journal's and the manifest's, what compaction reads and writes, listeners.
const OTHERS: u64 = 1_536;

/// How many files the process may have open; none if that is not bounded.
pub(super) fn descriptors_max() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// How many of them there may be of each kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Shares {
    descriptors_max: Option<u64>,
    /// Files of segments that are kept open.
    pub(super) files: u64,
    pub(super) connections: usize,
}

impl Shares {
    /// What the settings say, or less: where there are few, the rest gets a quarter, and segments no more than
    /// connections.
    pub(super) fn of(descriptors_max: Option<u64>, settings: &BrokerSettings) -> Self {
        let wanted = (u64::try_from(settings.open_files).unwrap_or(0), settings.max_connections);
        let (files, connections) = (wanted.0, usize::try_from(wanted.1).unwrap_or(0));
        let Some(all) = descriptors_max else { return Self { descriptors_max, files, connections } };
        let left = all - OTHERS.min(all / 4);
        let files = files.min(left / 2);
        let connections = connections.min(usize::try_from(left - files).unwrap_or(usize::MAX));
        Self { descriptors_max, files, connections }
    }

    /// Says in the log where there may be fewer than was set.
    pub(super) fn tell_what_is_less(&self, settings: &BrokerSettings) {
        let wanted = Self::of(None, settings);
        let Some(limit) = self.descriptors_max.filter(|_| self.connections < wanted.connections) else {
            return;
        };
        let (connections, open_files) = (self.connections, self.files);
        let words = "max.connections is held to what the limit of open files leaves: raise that (ulimit -n) to have more";
        // Who asked for as many has to know; who asked for nothing has what there is.
        if settings.max_connections == BrokerSettings::default().max_connections {
            tracing::info!(limit, connections, open_files, "{words}");
        } else {
            tracing::warn!(limit, connections, open_files, "{words}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(descriptors_max: Option<u64>, pairs: &[(&str, &str)]) -> (u64, usize) {
        let settings = BrokerSettings::from_pairs(pairs.iter().copied()).unwrap();
        let Shares { files, connections, .. } = Shares::of(descriptors_max, &settings);
        (files, connections)
    }

    #[test]
    fn connections_leave_what_the_log_needs() {
        assert_eq!(shares(None, &[]), (4_096, 50_000));
        assert_eq!(shares(Some(1 << 20), &[]), (4_096, 50_000));
        assert_eq!(shares(Some(20_000), &[]), (4_096, 20_000 - 1_536 - 4_096));
        assert_eq!(shares(Some(1_024), &[]), (384, 384));
        let few = [("max.connections", "100"), ("strandline.open.files", "16")];
        assert_eq!(shares(Some(1_024), &few), (16, 100));
        for all in 0..10_000 {
            let (files, connections) = shares(Some(all), &[]);
            assert!(files + connections as u64 <= all - all.min(6_144) / 4, "{all}");
        }
    }
}
