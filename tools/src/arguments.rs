//! What several commands take: names, settings, places in a log, and a word of consent.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use strandline_client::ConfigChange;

use crate::cluster::{Connecting, Failure};
use crate::time::parse_time;

/// One thing or more, by name.
#[derive(Args)]
pub(crate) struct Named {
    /// The names.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) connecting: Connecting,
}

impl Named {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }
}

/// A setting as it is written on a command line.
pub(crate) fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is NAME=VALUE".to_owned()),
    }
}

/// What is to become of settings.
#[derive(Args, Clone, Default)]
pub(crate) struct Changes {
    /// Set this; may be given more than once.
    #[arg(long, alias = "config", value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Take back what is set; may be given more than once.
    #[arg(long, value_name = "NAME")]
    reset: Vec<String>,
    /// Add members to a list, with commas between them; may be given more than once.
    #[arg(long, value_name = "NAME=MEMBERS", value_parser = setting)]
    append: Vec<(String, String)>,
    /// Take members out of a list; may be given more than once.
    #[arg(long, value_name = "NAME=MEMBERS", value_parser = setting)]
    subtract: Vec<(String, String)>,
}

impl Changes {
    pub(crate) fn list(&self) -> Vec<(String, ConfigChange)> {
        let changed = |pairs: &[(String, String)], change: fn(String) -> ConfigChange| -> Vec<_> {
            pairs.iter().map(|(name, value)| (name.clone(), change(value.clone()))).collect()
        };
        let mut changes = changed(&self.set, ConfigChange::Set);
        changes.extend(self.reset.iter().map(|name| (name.clone(), ConfigChange::Reset)));
        changes.extend(changed(&self.append, ConfigChange::Append));
        changes.extend(changed(&self.subtract, ConfigChange::Subtract));
        changes
    }
}

/// A place in each partition of a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// The first record that is there.
    Beginning,
    /// Behind the last.
    End,
    /// This offset.
    Offset(i64),
    /// This many before the end.
    Last(i64),
    /// The first record of this time or later, in milliseconds since 1970.
    Time(i64),
}

/// How a place is written, for help and for errors.
pub(crate) const PLACES: &str = "`beginning`, `end`, an offset, -N for the last N records of each partition, or @ and a \
                                 time: milliseconds since 1970, 2026-01-31, 2026-01-31T18:30:00Z or -2h for two hours ago";

pub(crate) fn place(text: &str) -> Result<Place, String> {
    let refused = || format!("it is {PLACES}");
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(refused);
    Ok(match (text, text.strip_prefix('-'), text.strip_prefix('@')) {
        ("beginning", ..) => Place::Beginning,
        ("end", ..) => Place::End,
        (_, Some(count), _) => Place::Last(number(count)?),
        (.., Some(time)) => Place::Time(parse_time(time, now_ms()).ok_or_else(refused)?),
        _ => Place::Offset(number(text)?),
    })
}

/// The wall's clock, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whether what cannot be undone may be done.
#[derive(Args, Clone, Copy)]
pub(crate) struct Consent {
    /// Do it without being asked.
    #[arg(short, long)]
    pub(crate) yes: bool,
}

impl Consent {
    /// Asks a person, if there is one, whether to do `what`; where nobody can be asked it is refused.
    pub(crate) fn to(self, what: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Failure::Usage(format!("nothing was changed: to {what}, give --yes")));
        }
        write!(io::stderr(), "Really {what}? [y/N] ")?;
        io::stderr().flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::Refused("nothing was changed".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_a_name_and_a_value() {
        assert_eq!(setting("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert_eq!(setting("a=").unwrap().1, "");
        assert!(setting("a").is_err() && setting("=b").is_err());
    }

    #[test]
    fn places_are_read() {
        assert_eq!(place("beginning"), Ok(Place::Beginning));
        assert_eq!(place("end"), Ok(Place::End));
        assert_eq!(place("42"), Ok(Place::Offset(42)));
        assert_eq!(place("-5"), Ok(Place::Last(5)));
        assert_eq!(place("@1700000000000"), Ok(Place::Time(1_700_000_000_000)));
        assert_eq!(place("@2026-01-31"), Ok(Place::Time(1_769_817_600_000)));
        for text in ["", "-", "@", "--5", "x", "@x", "9999999999999999999", "start"] {
            assert!(place(text).is_err(), "{text}");
        }
    }

    #[test]
    fn changes_are_listed_by_what_they_do() {
        let changes = Changes {
            reset: vec!["a".to_owned()],
            set: vec![("b".to_owned(), "1".to_owned())],
            ..Changes::default()
        };
        let expected =
            [("b".to_owned(), ConfigChange::Set("1".to_owned())), ("a".to_owned(), ConfigChange::Reset)];
        assert_eq!(changes.list(), expected);
    }
}
