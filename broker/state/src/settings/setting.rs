//! What is known of one setting, and the macro by which one table makes both a struct and its description.

use std::borrow::Cow;

use super::error::InvalidValue;

/// How a value is written, after Kafka's types of configurations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A number of 16 bits.
    Short,
    /// A number of 32 bits.
    Int,
    /// A number of 64 bits.
    Long,
    /// A floating-point number.
    Double,
    /// Text.
    String,
    /// Texts with commas between them.
    List,
}

impl Kind {
    /// The number for it in the answers of DescribeConfigs.
    pub const fn code(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::String => 2,
            Self::Int => 3,
            Self::Short => 4,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
        }
    }
}

/// What a value counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Nothing that has a unit.
    None,
    /// Bytes.
    Bytes,
    /// Bytes in a second.
    BytesPerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Messages.
    Messages,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
}

/// Which values are allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// Whatever can be read.
    Any,
    /// At least this number.
    AtLeast(i64),
    /// Between these numbers, both of them allowed.
    Between(i64, i64),
    /// Between these numbers, both of them allowed, or this one.
    BetweenOr(i64, i64, i64),
    /// One of these words; of a list, each member.
    OneOf(&'static [&'static str]),
}

impl Bounds {
    /// Whether a whole number is within the bounds, in Kafka's words if it is not.
    pub(super) fn check_number(&self, number: i64) -> Result<(), InvalidValue> {
        let reason = match *self {
            Self::AtLeast(min) | Self::Between(min, _) if number < min => {
                format!("Value must be at least {min}")
            }
            Self::Between(_, max) if number > max => format!("Value must be no more than {max}"),
            Self::BetweenOr(min, max, other) if !(min..=max).contains(&number) && number != other => {
                format!("Value must be between {min} and {max} or equal to {other}")
            }
            _ => return Ok(()),
        };
        Err(InvalidValue::Reason(reason))
    }

    /// Whether a word is one of those allowed.
    pub(super) fn check_word(&self, word: &str) -> Result<(), InvalidValue> {
        match *self {
            Self::OneOf(words) if !words.contains(&word) => {
                Err(InvalidValue::Reason(format!("String must be one of: {}", words.join(", "))))
            }
            _ => Ok(()),
        }
    }
}

/// A setting of the broker that is the default of a topic's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Synonym {
    /// The broker's name for it.
    pub name: &'static str,
    /// The broker's number times this is the topic's: hours become milliseconds.
    pub factor: i64,
}

/// A setting, described as data.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name, which is Kafka's where Kafka has it.
    pub name: &'static str,
    /// How the value is written.
    pub kind: Kind,
    /// Which values are allowed.
    pub bounds: Bounds,
    /// What the value counts.
    pub unit: Unit,
    /// What it does, for people.
    pub documentation: &'static str,
    /// Whether this build does anything with it. A value is checked and kept either way.
    pub is_acted_on: bool,
    /// Whether a broker that runs takes a new value.
    pub is_dynamic: bool,
    /// Not for everybody: left out of what is described, accepted when it is set.
    pub is_internal: bool,
    /// Of a topic's setting: the broker's settings that are its default, the first that is set first.
    pub synonyms: &'static [Synonym],
    pub(super) default_text: fn() -> Option<String>,
}

impl Setting {
    /// The default, as it would be written; none where there is none.
    pub fn default_text(&self) -> Option<String> {
        (self.default_text)()
    }

    /// What it does, and whether this build does it.
    pub fn documentation_text(&self) -> Cow<'static, str> {
        if self.is_acted_on {
            self.documentation.into()
        } else {
            format!("{} Checked and kept, and nothing comes of it in this build.", self.documentation).into()
        }
    }
}

/// One table makes a struct with a field for each setting, its defaults, and the description of it all.
macro_rules! settings {
    (
        $(#[$meta:meta])* $struct:ident, $(#[$table_meta:meta])* $table:ident, $($(#[$extra_meta:meta])* $extra:ident: $extra_type:ty),*;
        $(
            $(#[doc = $doc:literal])+
            $field:ident: $type:ty = $name:literal, $default:expr, $bounds:expr, $unit:ident, $acted:ident
            $(, [$($synonym:literal * $factor:literal),+])?;
        )+
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $struct {
            $($(#[doc = $doc])+ pub $field: $type,)+
            $($(#[$extra_meta])* pub $extra: $extra_type,)*
        }

        impl Default for $struct {
            fn default() -> Self {
                Self { $($field: $default,)+ $($extra: Default::default(),)* }
            }
        }

        $(#[$table_meta])*
        pub static $table: &[$crate::settings::Setting] = &[$($crate::settings::Setting {
            name: $name,
            kind: <$type as $crate::settings::SettingValue>::KIND,
            bounds: $bounds,
            unit: $crate::settings::Unit::$unit,
            documentation: concat!($($doc),+).trim_ascii(),
            is_acted_on: $crate::settings::setting::is_acted_on(stringify!($acted)),
            is_dynamic: $crate::settings::setting::is_dynamic(stringify!($acted)),
            is_internal: $crate::settings::setting::is_internal(stringify!($acted)),
            synonyms: &[$($($crate::settings::Synonym { name: $synonym, factor: $factor }),+)?],
            default_text: || {
                let default: $type = $default;
                $crate::settings::SettingValue::to_text(&default)
            },
        }),+];

        impl $struct {
            /// Sets the one of this name, if there is one.
            pub(super) fn set(
                &mut self,
                name: &str,
                text: &str,
            ) -> Option<Result<(), $crate::settings::error::InvalidValue>> {
                Some(match name {
                    $($name => $crate::settings::SettingValue::parse(text, &$bounds)
                        .map(|value| self.$field = value),)+
                    _ => return None,
                })
            }

            /// The value of the setting of this name, as it would be written.
            pub fn text_of(&self, name: &str) -> Option<String> {
                match name {
                    $($name => $crate::settings::SettingValue::to_text(&self.$field),)+
                    _ => None,
                }
            }
        }
    };
}

pub(super) use settings;

/// `acted`, `dynamic`, `internal`: this build does something with it; `ignored`: it does not.
pub(super) const fn is_acted_on(word: &str) -> bool {
    !matches!(word.as_bytes(), b"ignored")
}

/// `dynamic`: a broker that runs takes a new value.
pub(super) const fn is_dynamic(word: &str) -> bool {
    matches!(word.as_bytes(), b"dynamic")
}

/// `internal`: left out of what is described.
pub(super) const fn is_internal(word: &str) -> bool {
    matches!(word.as_bytes(), b"internal")
}
