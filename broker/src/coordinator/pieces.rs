//! A decision as what is appended at once: whole, or in parts where its machine says that it may be.

use std::iter::Chain;
use std::{option, vec};

use strandline_state::coordinator::{Decision, Machine, Record, Ticket};

use super::appends::{APPEND_BYTES_MAX, Encoded, OPEN_BYTES_MAX, bytes_of};

/// What is appended in one batch, and then taken in.
pub(super) struct Piece<M: Machine> {
    pub(super) decision: Decision<M>,
    /// Its records as they are appended.
    pub(super) records: Vec<Encoded>,
}

/// A decision that cannot be kept, and why in words.
pub(super) struct Unkept<M: Machine> {
    pub(super) decision: Decision<M>,
    pub(super) why: String,
}

/// The pieces of a decision; most have one, which takes no memory of its own.
pub(super) struct Pieces<M: Machine> {
    pieces: Chain<option::IntoIter<Piece<M>>, vec::IntoIter<Piece<M>>>,
    /// Those whom the last of several answers.
    pub(super) waiting: Vec<Ticket>,
}

impl<M: Machine> Iterator for Pieces<M> {
    type Item = Piece<M>;

    fn next(&mut self) -> Option<Piece<M>> {
        self.pieces.next()
    }
}

/// The pieces of a decision in their order: one if it is small, or may not be divided. The answers and all that is in
/// memory alone belong to the last.
///
/// # Errors
/// It cannot be kept: then it comes back.
pub(super) fn pieces<M: Machine>(decision: Decision<M>) -> Result<Pieces<M>, Box<Unkept<M>>> {
    let encoded = decision.records.iter().map(Record::to_bytes).collect::<Result<Vec<_>, _>>();
    let encoded = match encoded {
        Ok(encoded) => encoded,
        Err(error) => return Err(Box::new(Unkept { decision, why: error.to_string() })),
    };
    if encoded.iter().map(bytes_of).sum::<usize>() <= OPEN_BYTES_MAX {
        let whole = Some(Piece { decision, records: encoded });
        return Ok(Pieces { pieces: whole.into_iter().chain(Vec::new()), waiting: Vec::new() });
    }
    let units = units(&encoded, decision.divisible);
    let largest = units.iter().copied().max().unwrap_or(0);
    if largest > APPEND_BYTES_MAX {
        let why = format!("{largest} bytes of records, and {APPEND_BYTES_MAX} are allowed at once");
        return Err(Box::new(Unkept { decision, why }));
    }
    let waiting = decision.replies.iter().map(|(ticket, _)| *ticket).collect();
    Ok(Pieces { pieces: None.into_iter().chain(divide(decision, encoded, &units)), waiting })
}

/// How many bytes come together at each record: its own as long as they may be divided, then those of all the rest.
fn units(encoded: &[Encoded], divisible: usize) -> Vec<usize> {
    let (apart, together) = encoded.split_at_checked(divisible).unwrap_or((encoded, &[]));
    let rest = (!together.is_empty()).then(|| together.iter().map(bytes_of).sum());
    apart.iter().map(bytes_of).chain(rest).collect()
}

fn divide<M: Machine>(mut last: Decision<M>, encoded: Vec<Encoded>, units: &[usize]) -> Vec<Piece<M>> {
    let part = |origin| Piece { decision: Decision { origin, ..Decision::default() }, records: Vec::new() };
    let (mut pieces, mut open, mut open_bytes) = (Vec::new(), part(last.origin), 0);
    let records = std::mem::take(&mut last.records).into_iter().zip(encoded);
    for ((record, encoded), bytes) in records.zip(units.iter().copied().chain(std::iter::repeat(0))) {
        let begins = bytes > 0 && !open.records.is_empty();
        if begins && open_bytes + bytes > OPEN_BYTES_MAX {
            pieces.push(std::mem::replace(&mut open, part(last.origin)));
            open_bytes = 0;
        }
        open_bytes += bytes;
        open.decision.records.push(record);
        open.records.push(encoded);
    }
    last.records = open.decision.records;
    pieces.push(Piece { decision: last, records: open.records });
    pieces
}
