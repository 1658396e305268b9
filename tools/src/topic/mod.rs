//! `strandline topic`: makes, lists, describes, changes, shortens and deletes topics of any Kafka cluster.
//!
//! Results go to the standard output, as a table or as JSON, and what failed to the standard error.

use std::io::Write;

use clap::{Args, Subcommand};
use strandline_client::{Client, CreatedTopic, Each, Error, NewTopic, TopicInfo, TopicSetting};
use strandline_protocol::ErrorCode;

use crate::arguments::{Named, setting};
use crate::cluster::{Connecting, Failure};
use crate::hint;
use crate::results::{sorted_out, told, told_with};
use crate::sizes::Extents;

mod alter;
mod delete;
mod print;
mod trim;

/// What `strandline topic` can do.
#[derive(Subcommand)]
pub(crate) enum TopicCommand {
    /// Makes a topic.
    Create(Create),
    /// Lists the topics.
    List(List),
    /// Shows the partitions of topics, where they begin and end, and the settings that differ from the defaults.
    Describe(Describe),
    /// Changes settings of topics, or gives them more partitions.
    Alter(alter::Alter),
    /// Deletes the records of a topic that lie before a place in each partition.
    Trim(trim::Trim),
    /// Deletes topics and all that is in them.
    Delete(delete::Delete),
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
    #[arg(long, alias = "set", value_name = "NAME=VALUE", value_parser = setting)]
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
    /// Show how many records and bytes each has, and whether all replicas are in sync.
    #[arg(short, long)]
    wide: bool,
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline topic describe`.
#[derive(Args)]
pub(crate) struct Describe {
    /// Show the leaders' epochs and the replicas that are away, too.
    #[arg(short, long)]
    wide: bool,
    #[command(flatten)]
    topics: Named,
}

pub(crate) fn run(command: &TopicCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        TopicCommand::Create(create) => {
            let results = create.connecting.run(async |client| create.done_by(&client).await)?;
            let (done, failed) = sorted_out(results);
            print::created(&done, create.validate_only, create.connecting.output, out)?;
            told(&failed)
        }
        TopicCommand::List(list) => {
            let (topics, extents) = list.connecting.run(async |client| list.asked(&client).await)?;
            Ok(print::listed(&topics, extents.as_ref(), list.connecting.output, out)?)
        }
        TopicCommand::Describe(describe) => {
            let Described { topics, settings, extents, hints } =
                describe.topics.connecting.run(async |client| describe.asked(&client).await)?;
            let (topics, failed) = sorted_out(topics);
            let topics: Vec<_> = topics.into_iter().map(|(_, topic)| topic).collect();
            let (settings, unreadable) = sorted_out(settings);
            let all = print::All { settings: &settings, extents: &extents, is_wide: describe.wide };
            print::described(&topics, &all, describe.topics.connecting.output, out)?;
            told_with(&failed, hints)?;
            told(&unreadable)
        }
        TopicCommand::Alter(alter) => alter::run(alter, out),
        TopicCommand::Trim(trim) => trim::run(trim, out),
        TopicCommand::Delete(delete) => delete::run(delete, out),
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

impl List {
    async fn asked(&self, client: &Client) -> Result<(Vec<TopicInfo>, Option<Extents>), Failure> {
        let mut topics = client.admin().list_topics().await?;
        topics.retain(|topic| self.internal || !topic.is_internal);
        let extents = if self.wide {
            Some(Extents::of(client, &topics.iter().collect::<Vec<_>>()).await)
        } else {
            None
        };
        Ok((topics, extents))
    }
}

struct Described {
    topics: Each<TopicInfo>,
    settings: Each<Vec<TopicSetting>>,
    extents: Extents,
    hints: Vec<String>,
}

impl Describe {
    async fn asked(&self, client: &Client) -> Result<Described, Failure> {
        let admin = client.admin();
        client.refresh_all().await?;
        let topics = admin.describe_topics(&self.topics.names()).await?;
        let there: Vec<&TopicInfo> = topics.iter().filter_map(|(_, result)| result.as_ref().ok()).collect();
        let names: Vec<&str> = there.iter().map(|topic| topic.name.as_str()).collect();
        let settings = if names.is_empty() { Vec::new() } else { admin.topic_settings(&names).await? };
        let extents = Extents::of(client, &there).await;
        let hints = hint::topics(client, &topics).await;
        Ok(Described { settings, extents, hints, topics })
    }
}

fn is_code<T>(result: &Result<T, Error>, code: ErrorCode) -> bool {
    matches!(result, Err(error) if error.code() == Some(code))
}
