//! What a writing process tells about what it does, line by line: before it asks for something, and after it
//! was told that it is done. What reached the pipe is known even if the process dies with the next instruction.

use std::fmt;
use std::io::{self, Write};
use std::str::{FromStr, SplitWhitespace};

use strandline_log::config::Durability;

use crate::model::{Batch, Name, Operation, Placed};
use crate::{Failure, Outcome};

/// One line.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// The directory is open.
    Opened,
    /// Something is about to be asked for.
    Try { ticket: u64, name: Name, operation: Operation },
    /// It was done.
    Done { ticket: u64, placed: Option<Placed> },
    /// It was refused.
    Refused { ticket: u64, reason: Reason, text: String },
    /// Something acknowledged was read back, and is as it was sent.
    Looked,
    /// The process saw something that must not be.
    Bad(String),
    /// The directory is closed again.
    Closed,
}

/// Why something was refused, as far as it matters here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reason {
    DiskFull,
    Offline,
    /// What had to be read for it cannot be read.
    Unreadable,
    Other,
}

/// Writes a line in one piece, if anybody still listens.
pub(crate) fn say(line: &Line) {
    let text = format!("{line}\n");
    // Who listened is gone, and this process will be as well.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

fn durability_word(durability: Durability) -> &'static str {
    match durability {
        Durability::Fsync => "fsync",
        Durability::Async => "async",
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => write!(formatter, "create"),
            Self::Append(batch) => write!(formatter, "append {batch}"),
            Self::Truncate(end) => write!(formatter, "truncate {end}"),
            Self::SetLogStart(start) => write!(formatter, "start {start}"),
            Self::Switch(durability) => write!(formatter, "switch {}", durability_word(*durability)),
            Self::Delete => write!(formatter, "delete"),
        }
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base_offset, count, sequence, first_number } = self;
        write!(formatter, "{base_offset} {count} {sequence} {first_number}")
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => write!(formatter, "opened"),
            Self::Try { ticket, name, operation } => write!(formatter, "try {ticket} {name} {operation}"),
            Self::Done { ticket, placed: None } => write!(formatter, "done {ticket}"),
            Self::Done { ticket, placed: Some(Placed { base_offset, is_duplicate }) } => {
                write!(formatter, "done {ticket} {base_offset} {is_duplicate}")
            }
            Self::Refused { ticket, reason, text } => {
                let reason = match reason {
                    Reason::DiskFull => "full",
                    Reason::Offline => "offline",
                    Reason::Unreadable => "unreadable",
                    Reason::Other => "other",
                };
                write!(formatter, "refused {ticket} {reason} {text}")
            }
            Self::Looked => write!(formatter, "looked"),
            Self::Bad(text) => write!(formatter, "bad {}", text.replace('\n', " ")),
            Self::Closed => write!(formatter, "closed"),
        }
    }
}

/// The next word of a line, as what it has to be.
pub(crate) fn word<T: FromStr>(words: &mut SplitWhitespace<'_>) -> Outcome<T>
where
    Failure: From<T::Err>,
{
    Ok(words.next().ok_or("the line is too short")?.parse()?)
}

pub(crate) fn parse_batch(words: &mut SplitWhitespace<'_>) -> Outcome<Batch> {
    Ok(Batch {
        base_offset: word(words)?,
        count: word(words)?,
        sequence: word(words)?,
        first_number: word(words)?,
    })
}

fn parse_operation(words: &mut SplitWhitespace<'_>) -> Outcome<Operation> {
    Ok(match word::<String>(words)?.as_str() {
        "create" => Operation::Create,
        "append" => Operation::Append(parse_batch(words)?),
        "truncate" => Operation::Truncate(word(words)?),
        "start" => Operation::SetLogStart(word(words)?),
        "switch" if word::<String>(words)? == "async" => Operation::Switch(Durability::Async),
        "switch" => Operation::Switch(Durability::Fsync),
        "delete" => Operation::Delete,
        other => return Err(format!("{other:?} is no operation").into()),
    })
}

impl FromStr for Line {
    type Err = Failure;

    fn from_str(line: &str) -> Outcome<Self> {
        let mut words = line.split_whitespace();
        let words = &mut words;
        Ok(match word::<String>(words)?.as_str() {
            "opened" => Self::Opened,
            "try" => {
                Self::Try { ticket: word(words)?, name: word(words)?, operation: parse_operation(words)? }
            }
            "done" => {
                let ticket = word(words)?;
                let placed = match words.clone().next() {
                    Some(_) => Some(Placed { base_offset: word(words)?, is_duplicate: word(words)? }),
                    None => None,
                };
                Self::Done { ticket, placed }
            }
            "refused" => {
                let ticket = word(words)?;
                let reason = match word::<String>(words)?.as_str() {
                    "full" => Reason::DiskFull,
                    "offline" => Reason::Offline,
                    "unreadable" => Reason::Unreadable,
                    _ => Reason::Other,
                };
                Self::Refused { ticket, reason, text: words.by_ref().collect::<Vec<_>>().join(" ") }
            }
            "looked" => Self::Looked,
            "bad" => Self::Bad(words.by_ref().collect::<Vec<_>>().join(" ")),
            "closed" => Self::Closed,
            _ => return Err(format!("{line:?} is no line of a report").into()),
        })
    }
}
