//! What can be decoded, in the three groups that a fuzz target each takes on.

use std::sync::LazyLock;

use strandline_protocol::any::Entry;
use strandline_protocol::apis::API_KEYS;
use strandline_protocol::catalog;

/// The request of every API.
pub static REQUESTS: LazyLock<Vec<Entry>> =
    LazyLock::new(|| API_KEYS.iter().map(|key| key.api().request).collect());

/// The response of every API.
pub static RESPONSES: LazyLock<Vec<Entry>> =
    LazyLock::new(|| API_KEYS.iter().map(|key| key.api().response).collect());

/// Every message that belongs to no API: headers, records of the internal topics, control records, and
/// messages inside of messages.
pub static OTHERS: LazyLock<Vec<Entry>> = LazyLock::new(|| catalog::all().skip(2 * API_KEYS.len()).collect());
