//! `strandline topic`: makes, lists, describes and deletes topics of any Kafka cluster.
//!
//! Results go to the standard output, as a table or as JSON, and what failed to the standard error. Exit codes:
//! 0 all was done, 1 something was not, 2 the command line is wrong, 3 no broker could be asked.

use std::io::Write;

use clap::{Args, Subcommand};
use strandline_client::{Client, CreatedTopic, Each, Error, NewTopic};
use strandline_protocol::ErrorCode;

use crate::cluster::{Connecting, Failure};

mod print;

/// What `strandline topic` can do.
#[derive(Subcommand)]
pub(crate) enum TopicCommand {
    /// Makes a topic.
    Create(Create),
    /// Lists the topics.
    List(List),
    /// Shows the partitions of topics, and the settings that differ from the defaults.
    Describe(Describe),
    /// Deletes topics and all that is in them.
    Delete(Delete),
}

/// `strandline topic create`.
#[derive(Args)]
pub(crate) struct Create {
    /// The topic's name.
    name: String,
    /// How many partitions it gets; the cluster's default where it is left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// How many copies each partition gets; the cluster's default where it is left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    replication_factor: Option<i16>,
    /// A setting by Kafka's name, such as `cleanup.policy=compact`; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,
    /// Succeed if the topic is there already, whatever it is like.
    #[arg(long)]
    if_not_exists: bool,
    /// Check whether the topic could be made, and do not make it.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline topic list`.
#[derive(Args)]
pub(crate) struct List {
    /// List the cluster's own topics, too.
    #[arg(long)]
    internal: bool,
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline topic describe`.
#[derive(Args)]
pub(crate) struct Describe {
    /// The topics' names.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline topic delete`.
#[derive(Args)]
pub(crate) struct Delete {
    /// The topics' names.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Succeed if a topic is not there.
    #[arg(long)]
    if_exists: bool,
    #[command(flatten)]
    connecting: Connecting,
}

pub(crate) fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is NAME=VALUE".to_owned()),
    }
}

pub(crate) fn run(command: &TopicCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        TopicCommand::Create(create) => {
            let results = create.connecting.run(async |client| create.done_by(&client).await)?;
            let (done, failed) = sorted_out(results);
            print::created(&done, create.connecting.output, out)?;
            told(&failed)
        }
        TopicCommand::List(list) => {
            let topics = list.connecting.run(async |client| Ok(client.admin().list_topics().await?))?;
            let shown: Vec<_> =
                topics.into_iter().filter(|topic| list.internal || !topic.is_internal).collect();
            Ok(print::listed(&shown, list.connecting.output, out)?)
        }
        TopicCommand::Describe(describe) => {
            let (topics, settings) = describe.connecting.run(async |client| describe.asked(&client).await)?;
            let (topics, failed) = sorted_out(topics);
            let topics: Vec<_> = topics.into_iter().map(|(_, topic)| topic).collect();
            let (settings, unreadable) = sorted_out(settings);
            print::described(&topics, &settings, describe.connecting.output, out)?;
            told(&failed)?;
            told(&unreadable)
        }
        TopicCommand::Delete(delete) => {
            let results = delete.connecting.run(async |client| delete.done_by(&client).await)?;
            let (done, failed) = sorted_out(results);
            print::deleted(&done, delete.connecting.output, out)?;
            told(&failed)
        }
    }
}

impl Create {
    async fn done_by(&self, client: &Client) -> Result<Each<CreatedTopic>, Failure> {
        let mut topic = NewTopic::new(&self.name)
            .partitions(self.partitions.unwrap_or(-1))
            .replication_factor(self.replication_factor.unwrap_or(-1));
        for (name, value) in &self.config {
            topic = topic.setting(name, value);
        }
        let admin = client.admin();
        let mut results = if self.validate_only {
            admin.validate_topics(&[topic]).await?
        } else {
            admin.create_topics(&[topic]).await?
        };
        if self.if_not_exists {
            results.retain(|(_, result)| !is_code(result, ErrorCode::TOPIC_ALREADY_EXISTS));
        }
        Ok(results)
    }
}

type Described = (Each<strandline_client::TopicInfo>, Each<Vec<strandline_client::TopicSetting>>);

impl Describe {
    async fn asked(&self, client: &Client) -> Result<Described, Failure> {
        let admin = client.admin();
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let topics = admin.describe_topics(&names).await?;
        let there: Vec<&str> =
            topics.iter().filter(|(_, result)| result.is_ok()).map(|(name, _)| name.as_str()).collect();
        let settings = if there.is_empty() { Vec::new() } else { admin.topic_settings(&there).await? };
        Ok((topics, settings))
    }
}

impl Delete {
    async fn done_by(&self, client: &Client) -> Result<Each<()>, Failure> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let mut results = client.admin().delete_topics(&names).await?;
        if self.if_exists {
            results.retain(|(_, result)| !is_code(result, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
        }
        Ok(results)
    }
}

fn is_code<T>(result: &Result<T, Error>, code: ErrorCode) -> bool {
    matches!(result, Err(error) if error.code() == Some(code))
}

/// What succeeded, and what did not.
pub(crate) fn sorted_out<K, T>(results: Vec<(K, Result<T, Error>)>) -> (Vec<(K, T)>, Vec<Error>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (name, result) in results {
        match result {
            Ok(value) => done.push((name, value)),
            Err(error) => failed.push(error),
        }
    }
    (done, failed)
}

pub(crate) fn told(failed: &[Error]) -> Result<(), Failure> {
    if failed.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = failed.iter().map(Error::to_string).collect();
    Err(Failure::Refused(lines.join("\nstrandline: ")))
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
    fn what_failed_is_told_a_line_each() {
        let refused = |name: &str| Error::broker(ErrorCode::INVALID_CONFIG, name, None);
        let (done, failed) =
            sorted_out(vec![("a".to_owned(), Ok(1)), ("b".to_owned(), Err(refused("topic b")))]);
        assert_eq!((done, failed.len()), (vec![("a".to_owned(), 1)], 1));
        let failure = told(&[refused("topic b"), refused("topic c")]).unwrap_err();
        assert_eq!(failure.to_string(), "topic b: INVALID_CONFIG\nstrandline: topic c: INVALID_CONFIG");
    }
}
