//! Moments as people write them, and back. Knows the calendar, and no zone but UTC.

/// Milliseconds since 1970 of what stands behind an `@`: a number of them, a date, a date and a time of UTC, or how long
/// ago it was.
pub(crate) fn parse_time(text: &str, now_ms: i64) -> Option<i64> {
    if let Some(ago) = text.strip_prefix('-') {
        return now_ms.checked_sub(parse_span(ago)?);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let time = time.strip_suffix('Z').unwrap_or(time);
    let mut numbers = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut numbers = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (numbers.next()??, numbers.next()??, numbers.next().unwrap_or(Some(0))?);
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let millis = digits.parse::<i64>().ok()?;
    let is_one = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    let seconds = ((days_before(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    is_one.then_some(seconds * 1_000 + millis)
}

/// `90s`, `15m`, `2h`, `7d`, `250ms` in milliseconds.
pub(crate) fn parse_span(text: &str) -> Option<i64> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit_ms)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days between the first of 1970 and a day.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let past = year - 1;
    let leaps = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    (year - 1970) * 365 + leaps + months + day - 1
}

/// A moment as `2026-01-31T18:30:00.250Z`; what lies before 1970 or far ahead as its number.
pub(crate) fn moment(time_ms: i64) -> String {
    let (days, rest) = (time_ms.div_euclid(86_400_000), time_ms.rem_euclid(86_400_000));
    if !(0..=2_932_896).contains(&days) {
        return time_ms.to_string();
    }
    // The year that the day would be in if all were as long as the shortest lies at most a few ahead.
    let mut year = 1970 + days / 365;
    while days_before(year, 1, 1) > days {
        year -= 1;
    }
    let mut month = 1;
    while month < 12 && days_before(year, month + 1, 1) <= days {
        month += 1;
    }
    let day = days - days_before(year, month, 1) + 1;
    let (hour, minute, second, millis) =
        (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let read = |text| parse_time(text, 1_000_000_000);
        assert_eq!(read("0"), Some(0));
        assert_eq!(read("1970-01-02"), Some(86_400_000));
        assert_eq!(read("2000-03-01T00:00:00Z"), Some(951_868_800_000));
        assert_eq!(read("2024-02-29 12:34"), Some(1_709_210_040_000));
        assert_eq!(read("1970-01-01T00:00:01.25"), Some(1_250));
        assert_eq!(read("-15m"), Some(999_100_000));
        for text in ["", "-", "-5", "2023-02-29", "2024-13-01", "2024-01-01T24:00", "yesterday", "2024-1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_written_as_they_are_read() {
        assert_eq!(moment(951_868_799_999), "2000-02-29T23:59:59.999Z");
        assert_eq!(moment(-1), "-1");
        for time in
            [0, 1, 86_399_999, 951_782_400_000, 1_709_210_040_123, 4_102_444_800_000, 253_402_300_799_999]
        {
            assert_eq!(parse_time(&moment(time), 0), Some(time));
        }
    }
}
