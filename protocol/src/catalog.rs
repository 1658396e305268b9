//! Every message of the crate, for tools, tests and whatever else treats all messages alike. Owns no schema and no table of its own but the list of those messages that
//! belong to no API; requests and responses come from the table of APIs, log records from [`crate::group_log`]
//! and [`crate::transaction_log`].
//!
//! ```
//! use strandline_protocol::{Bytes, Reader, catalog};
//!
//! let marker = catalog::find("EndTxnMarker").unwrap();
//! assert_eq!(marker.schema.versions.to_string(), "0");
//! let message = marker.read(&mut Reader::new(Bytes::from_static(&[0, 0, 0, 7])), 0).unwrap();
//! assert!(format!("{message:?}").contains("coordinator_epoch: 7"));
//! ```

use crate::any::Entry;
use crate::apis::API_KEYS;
use crate::control::{
    ControlRecordTypeSchema, EndTxnMarker, KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord,
    SnapshotHeaderRecord, VotersRecord,
};
use crate::embedded::consumer::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use crate::embedded::principal::DefaultPrincipalData;
use crate::headers::{RequestHeader, ResponseHeader};
use crate::{group_log, transaction_log};

// What belongs neither to an API nor to a log of its own.
static OTHERS: &[Entry] = &[
    Entry::of::<RequestHeader>(),
    Entry::of::<ResponseHeader>(),
    Entry::of::<ConsumerProtocolSubscription>(),
    Entry::of::<ConsumerProtocolAssignment>(),
    Entry::of::<DefaultPrincipalData>(),
    Entry::of::<ControlRecordTypeSchema>(),
    Entry::of::<EndTxnMarker>(),
    Entry::of::<LeaderChangeMessage>(),
    Entry::of::<SnapshotHeaderRecord>(),
    Entry::of::<SnapshotFooterRecord>(),
    Entry::of::<KRaftVersionRecord>(),
    Entry::of::<VotersRecord>(),
];

/// Every message once: requests and responses by rising key, then the rest.
pub fn all() -> impl Iterator<Item = Entry> {
    let apis = API_KEYS.iter().flat_map(|key| [key.api().request, key.api().response]);
    let logs = group_log::RECORD_TYPES.iter().chain(transaction_log::RECORD_TYPES);
    apis.chain(OTHERS.iter().copied()).chain(logs.flat_map(|record| [record.key, record.value]))
}

/// The message of this name.
pub fn find(name: &str) -> Option<Entry> {
    all().find(|entry| entry.schema.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_message_is_listed_twice() {
        let mut names = HashSet::new();
        for entry in all() {
            assert!(names.insert(entry.schema.name), "{entry:?}");
        }
        assert_eq!(names.len(), 2 * API_KEYS.len() + OTHERS.len() + 2 * 23);
    }

    #[test]
    fn record_types_rise_and_keys_have_one_version() {
        assert!(group_log::RECORD_TYPES.is_sorted_by(|left, right| left.id < right.id));
        for record in group_log::RECORD_TYPES.iter().chain(transaction_log::RECORD_TYPES) {
            assert_eq!(record.key.schema.versions.to_string(), "0", "{record:?}");
        }
    }
}
