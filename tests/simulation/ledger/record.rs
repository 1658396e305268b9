//! Records, as they are sent and as they are read. Every record has a number that no other has: it is what its value
//! begins with or, where it has none, what stands in its header.

use strandline_protocol::Text;
use strandline_protocol::batch::{Record, RecordHeader};

use super::{Place, Sender};

/// What a record is made of, apart from its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    /// How many bytes of its value follow the number; none for a record without a value.
    pub(crate) bytes: Option<usize>,
    pub(crate) key: Option<u8>,
    pub(crate) timestamp: i64,
}

/// A record that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) place: Place,
    pub(super) sender: Sender,
    pub(super) content: Content,
    pub(super) offset: Option<i64>,
    pub(super) is_acknowledged: bool,
    pub(super) is_refused: bool,
    /// Whether it may have come to another topic of the same name.
    pub(super) is_by_name: bool,
}

/// The key of the header that has the number of a record without a value.
const HEADER: &str = "n";

/// The bytes of a record.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Bytes {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) mark: Option<[u8; 8]>,
    pub(crate) timestamp: i64,
}

impl Content {
    pub(super) fn to_bytes(self, number: u64) -> Bytes {
        let value = self.bytes.map(|bytes| {
            let mut value = number.to_be_bytes().to_vec();
            value.resize(8 + bytes, number.to_le_bytes()[0]);
            value
        });
        let mark = value.is_none().then(|| number.to_be_bytes());
        Bytes { key: self.key.map(|key| vec![key]), value, mark, timestamp: self.timestamp }
    }
}

impl Bytes {
    /// The headers that it has.
    pub(crate) fn headers(&self) -> Vec<RecordHeader<'_>> {
        self.mark.iter().map(|mark| RecordHeader::new(HEADER, Some(mark))).collect()
    }

    /// The bytes of a record that was read.
    pub(crate) fn of(record: &Record<'_>) -> Self {
        let mut headers = record.headers;
        let mark = headers.find_map(|header| {
            header.ok().filter(|header| header.key == HEADER.as_bytes())?.value?.first_chunk().copied()
        });
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        Self { key: owned(record.key), value: owned(record.value), mark, timestamp: record.timestamp }
    }

    /// The number of the record.
    pub(crate) fn number(&self) -> Option<u64> {
        let number = match &self.value {
            Some(value) => value.first_chunk().copied(),
            None => self.mark,
        };
        number.map(u64::from_be_bytes)
    }
}

impl Sent {
    pub(super) fn new(place: Place, sender: Sender, content: Content) -> Self {
        let (offset, is_acknowledged, is_refused, is_by_name) = (None, false, false, false);
        Self { place, sender, content, offset, is_acknowledged, is_refused, is_by_name }
    }

    /// Whether it may be in another topic of the name that it was sent to.
    pub(super) fn may_have_come(&self, place: Place, name: impl Fn(Place) -> Text) -> bool {
        self.is_by_name
            && !self.is_acknowledged
            && self.offset.is_none()
            && self.place.partition == place.partition
            && name(self.place) == name(place)
    }
}
