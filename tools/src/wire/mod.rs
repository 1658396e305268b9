//! `strandline wire`: the protocol described, for people and for programs.

use std::io::{self, Write};

use clap::{Subcommand, ValueEnum};
use strandline_protocol::apis::API_KEYS;
use strandline_protocol::{ErrorCode, Retry, catalog};

mod json;
mod text;

/// What `strandline wire` can be asked.
#[derive(Subcommand)]
pub(crate) enum WireCommand {
    /// Every API: key, name, versions, and the versions of the headers.
    Apis {
        /// How it is printed.
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Every error code: number, name, and what a client may do about it.
    Errors {
        /// How it is printed.
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// The fields of one message, or of all of them.
    Schema {
        /// The message, by Kafka's name: `FetchRequest`, `OffsetCommitKey`. All of them where it is left out.
        name: Option<String>,
        /// How it is printed.
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
}

/// How an answer is printed.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

pub(crate) fn run(command: &WireCommand, out: &mut impl Write) -> io::Result<()> {
    match command {
        WireCommand::Apis { output: Output::Text } => text::apis(API_KEYS, out),
        WireCommand::Apis { output: Output::Json } => writeln!(out, "{:#}", json::apis()),
        WireCommand::Errors { output: Output::Text } => text::errors(ErrorCode::ALL, out),
        WireCommand::Errors { output: Output::Json } => writeln!(out, "{:#}", json::errors()),
        WireCommand::Schema { name: None, output: Output::Json } => writeln!(out, "{:#}", json::everything()),
        WireCommand::Schema { name: None, output: Output::Text } => {
            catalog::all().try_for_each(|entry| text::schema(entry.schema, out))
        }
        WireCommand::Schema { name: Some(name), output } => {
            let schema = catalog::find(name).ok_or_else(|| unknown_message(name))?.schema;
            match output {
                Output::Text => text::schema(schema, out),
                Output::Json => writeln!(out, "{:#}", json::message(schema)),
            }
        }
    }
}

/// The error that a name is none, with those that may have been meant.
fn unknown_message(name: &str) -> io::Error {
    let wanted = name.to_lowercase();
    let known = catalog::all().map(|entry| entry.schema.name);
    let alike: Vec<_> = known.filter(|known| known.to_lowercase().starts_with(&wanted)).collect();
    match alike.as_slice() {
        [] => io::Error::other(format!("no message has the name {name}; `strandline wire schema` lists all")),
        alike => io::Error::other(format!("no message has the name {name}; is it {}?", alike.join(" or "))),
    }
}

/// How both ways of printing call it.
fn retry_name(retry: Retry) -> &'static str {
    match retry {
        Retry::NotNeeded => "not-needed",
        Retry::Never => "never",
        Retry::Later => "later",
        Retry::AfterMetadata => "after-metadata",
    }
}

#[cfg(test)]
mod tests {
    mod reference;

    use super::*;

    fn printed(command: &WireCommand) -> String {
        let mut out = Vec::new();
        run(command, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn apis_are_a_line_each() {
        let text = printed(&WireCommand::Apis { output: Output::Text });
        assert_eq!(text.lines().count(), API_KEYS.len() + 1);
        // Kafka still changes its last version.
        let unstable = text.lines().find(|line| line.contains(" InitProducerId ")).unwrap();
        let words: Vec<_> = unstable.split_whitespace().collect();
        assert_eq!(words[..4], ["22", "InitProducerId", "0-6", "0-5"], "{unstable}");
        let json: serde_json::Value =
            serde_json::from_str(&printed(&WireCommand::Apis { output: Output::Json })).unwrap();
        assert_eq!(json[0]["name"], "Produce");
    }

    #[test]
    fn errors_are_a_line_each() {
        let text = printed(&WireCommand::Errors { output: Output::Text });
        assert_eq!(text.lines().count(), ErrorCode::ALL.len() + 1);
        assert!(text.contains("  6  NOT_LEADER_OR_FOLLOWER "), "{text}");
        let json: serde_json::Value =
            serde_json::from_str(&printed(&WireCommand::Errors { output: Output::Json })).unwrap();
        let expected = serde_json::json!({ "code": -1, "name": "UNKNOWN_SERVER_ERROR", "retry": "never" });
        assert_eq!(json[0], expected);
    }

    #[test]
    fn the_schema_of_everything_holds_each_message_and_names_no_other() {
        let command = WireCommand::Schema { name: None, output: Output::Json };
        let json: serde_json::Value = serde_json::from_str(&printed(&command)).unwrap();
        let messages = json["messages"].as_array().unwrap();
        assert_eq!(messages.len(), catalog::all().count());
        let is_described = |name: &serde_json::Value| messages.iter().any(|message| message["name"] == *name);
        for api in json["apis"].as_array().unwrap() {
            assert!(is_described(&api["request"]) && is_described(&api["response"]), "{api}");
        }
        for record in json["recordTypes"].as_array().unwrap() {
            assert!(is_described(&record["key"]) && is_described(&record["value"]), "{record}");
        }
    }

    #[test]
    fn fields_say_all_that_the_definition_says() {
        let name = Some("FetchRequest".to_owned());
        let command = WireCommand::Schema { name: name.clone(), output: Output::Json };
        let json: serde_json::Value = serde_json::from_str(&printed(&command)).unwrap();
        let cluster_id = &json["fields"][0];
        assert_eq!(cluster_id["name"], "ClusterId");
        assert_eq!(cluster_id["tag"], 0);
        assert!(cluster_id["default"].is_null());
        let text = printed(&WireCommand::Schema { name, output: Output::Text });
        assert!(text.contains("\n  Topics"), "{text}");
        assert!(text.contains("\n      CurrentLeaderEpoch"), "{text}");
    }

    #[test]
    fn a_message_that_does_not_exist_is_an_error_that_says_which_do() {
        let refusal = |name: &str| {
            let command = WireCommand::Schema { name: Some(name.to_owned()), output: Output::Text };
            run(&command, &mut Vec::new()).unwrap_err().to_string()
        };
        assert_eq!(
            refusal("heartbeatrequest"),
            "no message has the name heartbeatrequest; is it HeartbeatRequest?"
        );
        assert!(refusal("Heartbeat").ends_with("; is it HeartbeatRequest or HeartbeatResponse?"));
        assert!(refusal("Hartbeat").ends_with("; `strandline wire schema` lists all"));
    }
}
