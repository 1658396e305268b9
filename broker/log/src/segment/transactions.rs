//! Transactions that were aborted, as a segment's transaction index lists them.
//!
//! Pure: bytes in, bytes out. An entry stands in the segment that holds the transaction's marker.

const VERSION: i16 = 0;

/// Bytes of an entry.
const ENTRY_BYTES: usize = 34;

/// A transaction whose records nobody is to see.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AbortedTransaction {
    /// Whose it was.
    pub producer_id: i64,
    /// The offset of its first record.
    pub first_offset: i64,
    /// The offset of its marker.
    pub last_offset: i64,
    /// Where the first transaction began that was open when this one ended; behind the marker if none was.
    pub last_stable_offset: i64,
}

impl AbortedTransaction {
    fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let numbers = [self.producer_id, self.first_offset, self.last_offset, self.last_stable_offset];
        if let Some((version, rest)) = bytes.split_first_chunk_mut() {
            *version = VERSION.to_be_bytes();
            rest.chunks_exact_mut(8)
                .zip(numbers)
                .for_each(|(room, number)| room.copy_from_slice(&number.to_be_bytes()));
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk()?;
        let (numbers, _) = rest.as_chunks::<8>();
        let &[producer_id, first_offset, last_offset, last_stable_offset] = numbers else { return None };
        (i16::from_be_bytes(*version) == VERSION).then_some(Self {
            producer_id: i64::from_be_bytes(producer_id),
            first_offset: i64::from_be_bytes(first_offset),
            last_offset: i64::from_be_bytes(last_offset),
            last_stable_offset: i64::from_be_bytes(last_stable_offset),
        })
    }
}

/// The bytes of a transaction index.
pub(super) fn encode(transactions: &[AbortedTransaction]) -> Vec<u8> {
    transactions.iter().flat_map(AbortedTransaction::encode).collect()
}

/// The entries of a transaction index whose markers lie between two offsets; what is beyond them is not looked
/// at. An error says what is wrong.
pub(super) fn decode(
    bytes: &[u8],
    base_offset: i64,
    end_offset: i64,
) -> Result<Vec<AbortedTransaction>, (usize, &'static str)> {
    let mut transactions: Vec<AbortedTransaction> = Vec::new();
    for (number, bytes) in bytes.chunks(ENTRY_BYTES).enumerate() {
        let at = number * ENTRY_BYTES;
        let transaction = AbortedTransaction::decode(bytes)
            .filter(|_| bytes.len() == ENTRY_BYTES)
            .ok_or((at, "there is no entry of a transaction"))?;
        if transaction.first_offset > transaction.last_offset || transaction.first_offset < 0 {
            return Err((at, "a transaction ends before it begins"));
        }
        let lowest = transactions.last().map_or(base_offset, |before| before.last_offset.saturating_add(1));
        if transaction.last_offset < lowest {
            return Err((at, "the transactions' offsets go back"));
        }
        if transaction.last_offset >= end_offset {
            break;
        }
        transactions.push(transaction);
    }
    Ok(transactions)
}

/// The aborted transactions that a reader of some offsets has to know.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Aborted {
    /// In the order of their markers.
    pub transactions: Vec<AbortedTransaction>,
    /// Whether later segments have none for these offsets.
    pub is_complete: bool,
}

impl Aborted {
    /// Those of `transactions` that have to do with offsets from `from` on and below `to`.
    pub(super) fn collect(transactions: &[AbortedTransaction], from: i64, to: i64) -> Self {
        let mut aborted = Self::default();
        for transaction in transactions {
            if transaction.last_offset >= from && transaction.first_offset < to {
                aborted.transactions.push(*transaction);
            }
            // No transaction that ended later had begun before that.
            if transaction.last_stable_offset >= to {
                aborted.is_complete = true;
                break;
            }
        }
        aborted
    }
}
