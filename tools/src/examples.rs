//! What the help of each command has somebody type. Every line is run as it stands (`tests/conformance/commands/helps.py`).

/// The examples of a command, by its words.
pub(crate) fn of(path: &str) -> &'static [&'static str] {
    EXAMPLES.iter().find(|(name, _)| *name == path).map_or(&[], |(_, examples)| *examples)
}

const EXAMPLES: [(&str, &[&str]); 56] = [
    (
        "dev",
        &["strandline dev", "strandline dev --data-dir play --listen 127.0.0.1:9092 --set num.partitions=3"],
    ),
    (
        "serve",
        &[
            "strandline serve --data-dir /var/lib/strandline --listen 0.0.0.0:9092",
            "strandline serve --config /etc/strandline/strandline.toml",
        ],
    ),
    (
        "topic create",
        &[
            "strandline topic create orders --partitions 3",
            "strandline topic create customers --config cleanup.policy=compact --if-not-exists",
        ],
    ),
    ("topic list", &["strandline topic list --wide", "strandline topic list -o json"]),
    ("topic describe", &["strandline topic describe orders customers"]),
    (
        "topic alter",
        &[
            "strandline topic alter orders --set retention.ms=600000 --partitions 6",
            "strandline topic alter orders customers --reset retention.ms",
        ],
    ),
    (
        "topic trim",
        &[
            "strandline topic trim orders --before @-2h --validate-only",
            "strandline topic trim orders --before -10 --yes",
        ],
    ),
    ("topic delete", &["strandline topic delete customers --yes"]),
    (
        "produce",
        &[
            "echo '4 anchors' | strandline produce orders",
            r"printf 'c1:rope\nc2:sail\n' | strandline produce orders --key-separator : --header from=shop",
            "strandline produce orders --file orders.jsonl --format json -z zstd",
            "strandline produce orders --file orders.jsonl --format json --transactional-id till",
        ],
    ),
    (
        "consume",
        &[
            "strandline consume orders --exit",
            "strandline consume orders --from @-2h --exit --format json",
            "strandline consume orders --group billing -n 3",
            r"strandline consume orders --from -10 --exit --template '%{date} %p/%o %k=%v\n'",
        ],
    ),
    ("group list", &["strandline group list", "strandline group list --state Empty -o json"]),
    ("group describe", &["strandline group describe billing", "strandline group describe billing --members"]),
    (
        "group reset",
        &[
            "strandline group reset billing --to beginning --validate-only",
            "strandline group reset billing --topic orders --by -1 --yes",
            "strandline group reset billing --from-file offsets.csv --yes",
        ],
    ),
    ("group forget", &["strandline group forget billing --topic orders --yes"]),
    ("group delete", &["strandline group delete billing --yes"]),
    ("transaction list", &["strandline transaction list", "strandline transaction list --open-ms 60000"]),
    ("transaction describe", &["strandline transaction describe till"]),
    ("transaction producers", &["strandline transaction producers orders"]),
    ("transaction abort", &["strandline transaction abort till --yes"]),
    ("cluster describe", &["strandline cluster describe"]),
    ("cluster brokers", &["strandline cluster brokers"]),
    ("cluster features", &["strandline cluster features"]),
    ("cluster quorum", &["strandline cluster quorum"]),
    ("cluster log-dirs", &["strandline cluster log-dirs --topic orders"]),
    ("cluster apis", &["strandline cluster apis"]),
    ("config show", &["strandline config show --config strandline.toml", "strandline config show --all"]),
    ("config default", &["strandline config default > strandline.toml"]),
    ("config explain", &["strandline config explain retention.ms strandline.durability"]),
    ("config reference", &["strandline config reference > CONFIGURATION.md"]),
    (
        "config describe",
        &["strandline config describe --topic orders --all", "strandline config describe --broker 1"],
    ),
    (
        "config alter",
        &[
            "strandline config alter --topic orders --set retention.ms=600000 --validate-only",
            "strandline config alter --all-brokers --set message.max.bytes=2000000",
            "strandline config alter --all-brokers --reset message.max.bytes",
        ],
    ),
    ("profile list", &["strandline profile list"]),
    ("profile show", &["strandline profile show staging"]),
    ("profile set", &["strandline profile set staging --brokers 127.0.0.1:9092 --http 127.0.0.1:9644"]),
    ("top", &["strandline top", "strandline top --once", "strandline top --profile staging --once -o json"]),
    ("log list", &["strandline log list strandline-data"]),
    (
        "log dump",
        &[
            "strandline log dump strandline-data --topic orders --deep",
            "strandline log dump strandline-data --topic __consumer_offsets --deep -o json",
        ],
    ),
    ("log journal", &["strandline log journal strandline-data --topic orders"]),
    ("log manifest", &["strandline log manifest strandline-data"]),
    ("check", &["strandline check strandline-data", "strandline check strandline-data --quiet -o json"]),
    ("bench wire", &["strandline bench wire --rounds 5 --only validate"]),
    ("bench log", &["strandline bench log --folder . --only floors --rounds 1 --fill-gib 0"]),
    (
        "bench produce",
        &[
            "strandline bench produce --seconds 2",
            "strandline bench produce --topic orders --rate 1000 --seconds 2",
        ],
    ),
    ("bench consume", &["strandline bench consume --topic orders"]),
    ("bench latency", &["strandline bench latency --rate 500 --seconds 2"]),
    ("bench partitions", &["strandline bench partitions --topic many --partitions 100"]),
    ("bench requests", &["strandline bench requests --seconds 2"]),
    ("bench commits", &["strandline bench commits --groups 10 --seconds 2"]),
    ("bench transactions", &["strandline bench transactions --producers 4 --seconds 2"]),
    ("bench rebalance", &["strandline bench rebalance --members 10 --rounds 3"]),
    ("bench groups", &["strandline bench groups --groups 50 --seconds 2"]),
    ("wire apis", &["strandline wire apis"]),
    ("wire errors", &["strandline wire errors"]),
    ("completions", &["strandline completions bash > strandline.bash"]),
    ("man", &["strandline man --out man"]),
    ("wire schema", &["strandline wire schema FetchRequest"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_line;

    /// The words behind `strandline`, up to what the shell does with the output.
    fn words(example: &str) -> Vec<String> {
        let (_, line) = example.split_once("strandline ").unwrap();
        let line = line.split(" > ").next().unwrap();
        let parts = line.split('\'').enumerate();
        // What stands between quotation marks is one word.
        parts
            .flat_map(|(number, part)| match number % 2 {
                1 => vec![part.to_owned()],
                _ => part.split_whitespace().map(str::to_owned).collect(),
            })
            .collect()
    }

    #[test]
    fn each_command_has_examples_that_are_command_lines_of_it() {
        fn look(command: &clap::Command, path: &str) {
            if command.has_subcommands() {
                let shown =
                    command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help");
                return shown.for_each(|it| look(it, format!("{path} {}", it.get_name()).trim_start()));
            }
            assert!(!of(path).is_empty(), "{path} has no example");
            for example in of(path) {
                let words = words(example);
                assert!(words.join(" ").starts_with(path), "{path} has one of another: {example}");
                let read = command_line()
                    .try_get_matches_from(std::iter::once("strandline".to_owned()).chain(words));
                assert!(read.is_ok(), "{example}: {}", read.unwrap_err());
            }
        }
        look(&command_line(), "");
    }

    #[test]
    fn no_example_is_of_a_command_that_there_is_not() {
        for (path, _) in EXAMPLES {
            let found = path
                .split(' ')
                .try_fold(command_line(), |command, name| command.find_subcommand(name).cloned());
            assert!(found.is_some_and(|command| !command.has_subcommands()), "{path}");
        }
    }
}
