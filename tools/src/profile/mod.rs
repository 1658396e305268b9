//! Profiles: where a cluster is, under a name, in a small TOML file.
//!
//! Of what says where the cluster is the first counts: `--brokers`, STRANDLINE_BROKERS, the profile that `--profile` or
//! STRANDLINE_PROFILE names, the profile `default` if there is one, 127.0.0.1:9092.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use strandline_state::settings::nearest;
use toml::de::{DeTable, DeValue};

use crate::cluster::Failure;

mod command;

pub(crate) use command::{ProfileCommand, run};

/// The profile that is used where none is named.
const DEFAULT: &str = "default";

/// A file that is larger is no profile.
const BYTES_MAX: u64 = 64 << 10;

const KEYS: [&str; 2] = ["brokers", "http"];

/// What a profile says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Profile {
    /// Addresses of one or more brokers.
    pub(crate) brokers: Option<String>,
    /// Where brokers serve their metrics, for `strandline top`.
    pub(crate) http: Option<String>,
}

impl Profile {
    /// The profile that was chosen, or the default one, which need not be there; and its file, if it is.
    pub(crate) fn load(chosen: Option<&str>) -> Result<(Option<PathBuf>, Self), Failure> {
        let path = match chosen {
            Some(name) => Some(path_of(name)?),
            None => folder().map(|folder| folder.join(format!("{DEFAULT}.toml"))),
        };
        let Some(path) = path else { return Ok((None, Self::default())) };
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound && chosen.is_none() => {
                Ok((None, Self::default()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(missing(&path)),
            Err(error) => Err(unreadable(&path, &error)),
            Ok(metadata) if metadata.len() > BYTES_MAX => {
                Err(unreadable(&path, &format!("{} bytes are no profile", metadata.len())))
            }
            Ok(_) => {
                let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
                let profile = Self::parse(&text).map_err(|what| unreadable(&path, &what))?;
                Ok((Some(path), profile))
            }
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
        let mut profile = Self::default();
        for (key, value) in table.get_ref() {
            let key: &str = key.get_ref();
            let place = match key {
                "brokers" => &mut profile.brokers,
                "http" => &mut profile.http,
                unknown => {
                    let near = nearest(unknown, KEYS.into_iter()).map(|key| format!("{key} is known"));
                    let known = near.unwrap_or_else(|| "brokers and http are known".to_owned());
                    return Err(format!("a profile has no {unknown} ({known})"));
                }
            };
            *place = Some(
                addresses(value.get_ref()).ok_or_else(|| format!("{key} is HOST:PORT, or a list of them"))?,
            );
        }
        Ok(profile)
    }

    fn to_text(&self) -> String {
        let line = |key: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{key} = {value:?}\n")).unwrap_or_default()
        };
        format!("{}{}", line("brokers", &self.brokers), line("http", &self.http))
    }

    /// Writes the profile of a name, whatever it was before.
    fn save(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = path_of(name)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| unreadable(folder, &error))?;
        }
        let new = path.with_extension("toml.new");
        let mut file = fs::File::create(&new).map_err(|error| unreadable(&new, &error))?;
        file.write_all(self.to_text().as_bytes()).map_err(|error| unreadable(&new, &error))?;
        fs::rename(&new, &path).map_err(|error| unreadable(&path, &error))?;
        Ok(path)
    }
}

/// Text, or texts with commas between them.
fn addresses(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Array(members) => {
            let text = |member: &DeValue<'_>| member.as_str().map(str::to_owned);
            let members: Option<Vec<String>> = members.iter().map(|member| text(member.get_ref())).collect();
            members.map(|members| members.join(","))
        }
        _ => None,
    }
}

fn unreadable(path: &Path, what: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("{}: {what}", path.display()))
}

fn missing(path: &Path) -> Failure {
    let known = names().unwrap_or_default();
    let hint = if known.is_empty() {
        "there is none yet: `strandline profile set NAME --brokers HOST:PORT` makes one".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    };
    Failure::Usage(format!("there is no profile {} ({hint})", path.display()))
}

/// Where profiles lie; none where there is no home.
fn folder() -> Option<PathBuf> {
    let of = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let configuration = of("XDG_CONFIG_HOME").or_else(|| of("HOME").map(|home| home.join(".config")))?;
    Some(configuration.join("strandline"))
}

/// The file of a profile: itself, or one in the folder.
fn path_of(name: &str) -> Result<PathBuf, Failure> {
    if name.contains('/') || name.ends_with(".toml") {
        return Ok(PathBuf::from(name));
    }
    if name.is_empty() || name.starts_with('.') {
        return Err(Failure::Usage(format!("{name:?} is no profile's name")));
    }
    let missing =
        || Failure::Usage("profiles lie in $HOME/.config/strandline, and HOME is not set".to_owned());
    Ok(folder().ok_or_else(missing)?.join(format!("{name}.toml")))
}

/// The names of all profiles in the folder.
fn names() -> std::io::Result<Vec<String>> {
    let Some(folder) = folder() else { return Ok(Vec::new()) };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(".toml")).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_as_it_is_written() {
        let profile = Profile { brokers: Some("a:1,b:2".to_owned()), http: Some("a:9644".to_owned()) };
        assert_eq!(Profile::parse(&profile.to_text()), Ok(profile));
        assert_eq!(Profile::parse("brokers = [\"a:1\", \"b:2\"]").unwrap().brokers.unwrap(), "a:1,b:2");
        assert_eq!(Profile::parse("").unwrap(), Profile::default());
    }

    #[test]
    fn what_is_wrong_with_one_is_said() {
        assert_eq!(
            Profile::parse("broker = \"a\"").unwrap_err(),
            "a profile has no broker (brokers is known)"
        );
        assert!(Profile::parse("brokers = 1").unwrap_err().contains("HOST:PORT"));
        assert!(Profile::parse("brokers").is_err());
        assert!(matches!(Profile::load(Some("/nowhere/at/all.toml")), Err(Failure::Usage(_))));
    }
}
