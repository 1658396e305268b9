//! What was meant by a number that came with a unit: settings take the number alone, in a unit of their own.

use super::setting::{Setting, Unit};

/// Bytes, as people write them; of one letter or of two, multiples of 1,024.
const BYTES: [(&str, i64); 14] = [
    ("b", 1),
    ("bytes", 1),
    ("k", 1 << 10),
    ("kb", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mb", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gb", 1 << 30),
    ("gib", 1 << 30),
    ("t", 1 << 40),
    ("tb", 1 << 40),
    ("tib", 1 << 40),
];

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Milliseconds, as people write them.
const TIMES: [(&str, i64); 15] = [
    ("ms", 1),
    ("s", 1_000),
    ("sec", 1_000),
    ("seconds", 1_000),
    ("m", MINUTE_MS),
    ("min", MINUTE_MS),
    ("minutes", MINUTE_MS),
    ("h", HOUR_MS),
    ("hour", HOUR_MS),
    ("hours", HOUR_MS),
    ("d", DAY_MS),
    ("day", DAY_MS),
    ("days", DAY_MS),
    ("w", 7 * DAY_MS),
    ("weeks", 7 * DAY_MS),
];

/// What the setting of this name counts.
pub(super) fn unit_of(settings: &[Setting], name: &str) -> Unit {
    settings.iter().find(|setting| setting.name == name).map_or(Unit::None, |setting| setting.unit)
}

/// What stands behind a refusal of `text`, if it is a number with a unit: the number that would be taken.
pub(super) fn hint(text: &str, unit: Unit) -> String {
    let (units, one, name) = match unit {
        Unit::Bytes => (&BYTES[..], 1, "bytes"),
        Unit::BytesPerSecond => (&BYTES[..], 1, "bytes per second"),
        Unit::Milliseconds => (&TIMES[..], 1, "milliseconds"),
        Unit::Minutes => (&TIMES[..], MINUTE_MS, "minutes"),
        Unit::Hours => (&TIMES[..], HOUR_MS, "hours"),
        Unit::None | Unit::Messages => return String::new(),
    };
    let number = meant(text.trim(), units).filter(|number| number % one == 0);
    number.map(|number| format!(" (in {name} that is {})", number / one)).unwrap_or_default()
}

fn meant(text: &str, units: &[(&str, i64)]) -> Option<i64> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, suffix) = text.split_at_checked(end)?;
    let suffix = suffix.trim().trim_end_matches("/s").to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(unit, _)| *unit == suffix)?;
    number.parse::<i64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_a_unit_is_told_in_the_settings_own() {
        for (text, unit, expected) in [
            ("1h", Unit::Milliseconds, " (in milliseconds that is 3600000)"),
            ("7 days", Unit::Hours, " (in hours that is 168)"),
            ("90s", Unit::Minutes, ""),
            ("120s", Unit::Minutes, " (in minutes that is 2)"),
            ("1GB", Unit::Bytes, " (in bytes that is 1073741824)"),
            ("64 MiB", Unit::Bytes, " (in bytes that is 67108864)"),
            ("10MB/s", Unit::BytesPerSecond, " (in bytes per second that is 10485760)"),
            ("9999999999999999999h", Unit::Milliseconds, ""),
            ("9999999999999999h", Unit::Milliseconds, ""),
            ("3", Unit::Milliseconds, ""),
            ("three", Unit::Milliseconds, ""),
            ("", Unit::Milliseconds, ""),
            ("h", Unit::Milliseconds, ""),
            ("1h", Unit::Bytes, ""),
            ("1h", Unit::None, ""),
        ] {
            assert_eq!(hint(text, unit), expected, "{text} {unit:?}");
        }
    }
}
