//! Values: from text as Kafka reads it, and back to the text that Kafka shows.

use std::sync::Arc;

use super::error::InvalidValue;
use super::setting::{Bounds, Kind};

type Result<T> = std::result::Result<T, InvalidValue>;

/// A type that a setting may have.
pub trait SettingValue: Sized {
    /// How it is written.
    const KIND: Kind;

    /// The value that `text` says, if it is within the bounds.
    fn parse(text: &str, bounds: &Bounds) -> Result<Self>;

    /// The value as it is written; none where nothing is set.
    fn to_text(&self) -> Option<String>;
}

fn reason<T>(text: impl Into<String>) -> Result<T> {
    Err(InvalidValue::Reason(text.into()))
}

impl SettingValue for i16 {
    const KIND: Kind = Kind::Short;

    fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        let Ok(number) = text.trim().parse() else { return reason("Not a number of type SHORT") };
        bounds.check_number(Self::into(number)).map(|()| number)
    }

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl SettingValue for i32 {
    const KIND: Kind = Kind::Int;

    fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        let Ok(number) = text.trim().parse() else { return reason("Not a number of type INT") };
        bounds.check_number(Self::into(number)).map(|()| number)
    }

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl SettingValue for i64 {
    const KIND: Kind = Kind::Long;

    fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        let Ok(number) = text.trim().parse() else { return reason("Not a number of type LONG") };
        bounds.check_number(number).map(|()| number)
    }

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl SettingValue for f64 {
    const KIND: Kind = Kind::Double;

    // Java reads `NaN` and lets it pass the bounds; a ratio that compares with nothing is of no use to anybody.
    fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        let number: Self = match text.trim().parse() {
            Ok(number) if !Self::is_nan(number) => number,
            _ => return reason("Not a number of type DOUBLE"),
        };
        match *bounds {
            Bounds::Between(_, max) if number > 1.0 && max == 1 => reason("Value must be no more than 1"),
            Bounds::Between(0, _) | Bounds::AtLeast(0) if number < 0.0 => reason("Value must be at least 0"),
            _ => Ok(number),
        }
    }

    /// As Java writes it.
    fn to_text(&self) -> Option<String> {
        if *self == 0.0 || (1e-3..1e7).contains(&self.abs()) {
            return Some(format!("{self:?}"));
        }
        let text = format!("{self:E}");
        let (mantissa, exponent) = text.split_once('E')?;
        let fraction = if mantissa.contains('.') { "" } else { ".0" };
        Some(format!("{mantissa}{fraction}E{exponent}"))
    }
}

impl SettingValue for bool {
    const KIND: Kind = Kind::Boolean;

    fn parse(text: &str, _: &Bounds) -> Result<Self> {
        match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Ok(true),
            text if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => reason("Expected value to be either true or false"),
        }
    }

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl SettingValue for Arc<str> {
    const KIND: Kind = Kind::String;

    fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        bounds.check_word(text.trim()).map(|()| text.trim().into())
    }

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl<T: SettingValue> SettingValue for Option<T> {
    const KIND: Kind = T::KIND;

    fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        T::parse(text, bounds).map(Some)
    }

    fn to_text(&self) -> Option<String> {
        self.as_ref().and_then(T::to_text)
    }
}

/// The members of a list, as Kafka takes it apart.
pub(super) fn members(text: &str) -> Result<Vec<&str>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let members: Vec<_> = text.split(',').map(str::trim).collect();
    if members.iter().any(|member| member.is_empty()) {
        return Err(InvalidValue::EmptyMember);
    }
    Ok(members)
}

/// What becomes of old records. Both may be set; with neither, everything is kept for ever.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CleanupPolicy {
    /// Segments go when they are old, or when there are too many bytes.
    pub deletes: bool,
    /// Of the records with one key the last stays.
    pub compacts: bool,
}

impl CleanupPolicy {
    /// Kafka's default.
    pub const DELETE: Self = Self { deletes: true, compacts: false };
}

impl SettingValue for CleanupPolicy {
    const KIND: Kind = Kind::List;

    fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        let members = members(text)?;
        members.iter().try_for_each(|member| bounds.check_word(member))?;
        Ok(Self { deletes: members.contains(&"delete"), compacts: members.contains(&"compact") })
    }

    fn to_text(&self) -> Option<String> {
        let text = match (self.compacts, self.deletes) {
            (true, true) => "compact,delete",
            (true, false) => "compact",
            (false, true) => "delete",
            (false, false) => "",
        };
        Some(text.to_owned())
    }
}

/// A set of words, of which a setting is one.
macro_rules! words {
    ($(#[$meta:meta])* $enum:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $enum {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $enum {
            /// The words, in Kafka's order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl SettingValue for $enum {
            const KIND: Kind = Kind::String;

            fn parse(text: &str, _: &Bounds) -> Result<Self> {
                match text.trim() {
                    $($word => Ok(Self::$variant),)+
                    _ => reason(format!("String must be one of: {}", Self::WORDS.join(", "))),
                }
            }

            fn to_text(&self) -> Option<String> {
                Some(self.word().to_owned())
            }
        }
    };
}

words! {
    /// How the records of a topic are compressed.
    CompressionType {
        /// Not at all, whatever the producer sent.
        Uncompressed = "uncompressed",
        /// Zstandard.
        Zstd = "zstd",
        /// LZ4.
        Lz4 = "lz4",
        /// Snappy.
        Snappy = "snappy",
        /// Gzip.
        Gzip = "gzip",
        /// As the producer sent them.
        Producer = "producer",
    }
}

words! {
    /// Whose clock the timestamps of a topic's records are of.
    TimestampType {
        /// The producer's.
        CreateTime = "CreateTime",
        /// The broker's, when it appended them.
        LogAppendTime = "LogAppendTime",
    }
}

words! {
    /// What it takes for an append to be acknowledged.
    Durability {
        /// It is on the disk: it survives the death of the machine.
        Fsync = "fsync",
        /// It is in the operating system's memory; replication is the safety.
        Async = "async",
    }
}

/// Which replicas of a topic a quota for replication holds back.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum ThrottledReplicas {
    /// None of them.
    #[default]
    None,
    /// All of them.
    All,
    /// These pairs of partition and broker.
    Some(Arc<[(i32, i32)]>),
}

impl SettingValue for ThrottledReplicas {
    const KIND: Kind = Kind::List;

    fn parse(text: &str, _: &Bounds) -> Result<Self> {
        let pair = |member: &str| {
            let (partition, broker) = member.split_once(':')?;
            Some((partition.parse().ok()?, broker.parse().ok()?))
        };
        match members(text)?.as_slice() {
            [] => Ok(Self::None),
            ["*"] => Ok(Self::All),
            members => match members.iter().copied().map(pair).collect::<Option<Vec<_>>>() {
                Some(pairs) => Ok(Self::Some(pairs.into())),
                None => reason(
                    "the value must be the literal '*' or a list of replicas in the following format: \
                     [partitionId]:[brokerId],[partitionId]:[brokerId],...",
                ),
            },
        }
    }

    fn to_text(&self) -> Option<String> {
        Some(match self {
            Self::None => String::new(),
            Self::All => "*".to_owned(),
            Self::Some(pairs) => {
                let pairs: Vec<_> =
                    pairs.iter().map(|(partition, broker)| format!("{partition}:{broker}")).collect();
                pairs.join(",")
            }
        })
    }
}
