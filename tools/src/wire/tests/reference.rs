//! The page about what the broker speaks, made of the table of APIs that it serves and of what stands on top of the file
//! that each is served by.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use strandline_broker::api::{SERVED, Served};
use strandline_protocol::apis::API_KEYS;

const HEAD: &str = "\
# What the broker speaks

<!-- Made out of the table of APIs (broker/src/api/mod.rs) and of what stands on top of each one's file; a test holds them \
together, and says how to make it anew. -->

Kafka's wire protocol, as far as this page goes. What is not on it is neither advertised nor answered: a client that asks
for it all the same is disconnected, as Kafka does; one that asks for the versions in a version that nobody knows is told
so in the oldest. `strandline wire apis` lists what the codec knows, `strandline wire schema FetchRequest` prints a message.

Authorisation is asked in every API before anything is looked up, and lets everybody do everything for now. Quotas
are charged and bound nothing yet.

| API | key | versions | of Kafka's |
| --- | --- | --- | --- |
";

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

/// What stands on top of the file that an API is served by, without the marks of a comment and of links.
fn about(folder: &Path, served: &Served) -> String {
    let module = snake(served.key.api().name);
    let paths = [folder.join(format!("{module}.rs")), folder.join(&module).join("mod.rs")];
    let text = paths.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let lines = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line));
    let about = lines.collect::<Vec<_>>().join("\n");
    about.replace("[`", "`").replace("`]", "`").trim().to_owned()
}

fn range(first: i16, last: i16) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

/// The page; `folder` holds the files that APIs are served by.
pub(super) fn markdown(folder: &Path) -> String {
    let mut page = HEAD.to_owned();
    for served in SERVED {
        let api = served.key.api();
        let (versions, kafkas) = (served.versions, api.stable_versions());
        let _ = writeln!(
            page,
            "| [{name}](#{anchor}) | {} | {} | {} |",
            i16::from(served.key),
            range(versions.first, versions.last),
            range(kafkas.first, kafkas.last),
            name = api.name,
            anchor = api.name.to_lowercase(),
        );
    }
    let missing = API_KEYS.iter().filter(|key| !SERVED.iter().any(|served| served.key == **key));
    let missing: Vec<_> = missing.map(|key| key.api().name).collect();
    let _ = writeln!(page, "\nNot served: {}.", missing.join(", "));
    let unavailable = fs::read_to_string(folder.join("unavailable.md")).unwrap_or_default();
    let _ = write!(page, "\n{unavailable}");
    for served in SERVED {
        let about = about(folder, served);
        let about = about.split_once(": ").map_or(about.as_str(), |(_, rest)| rest);
        let mut letters = about.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let _ = writeln!(page, "\n## {}\n\n{first}{}", served.key.api().name, letters.as_str());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_documentation_is_this_one() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = markdown(&root.join("broker/src/api"));
        let path = root.join("docs/PROTOCOL.md");
        if std::env::var_os("MAKE_PAGES").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page, "run: MAKE_PAGES=1 cargo test -p strandline the_page_in_the_documentation");
    }

    #[test]
    fn each_api_says_what_it_does() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../broker/src/api");
        for served in SERVED {
            let name = served.key.api().name;
            assert!(
                about(&folder, served).starts_with(&format!("{name}: ")),
                "the file of {name} does not begin with it"
            );
        }
    }
}
