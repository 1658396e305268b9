//! `strandline topic delete`: deletes topics, or says what would go.

use std::io::Write;

use clap::Args;
use serde_json::json;
use strandline_client::{Client, ConfigResource, Each, Error, TopicInfo};
use strandline_protocol::ErrorCode;

use super::is_code;
use crate::arguments::{Consent, Named};
use crate::cluster::{Failure, Output};
use crate::hint;
use crate::results::{self, counted, or_dash, sorted_out, told_with};
use crate::sizes::Extents;

/// `strandline topic delete`.
#[derive(Args)]
pub(crate) struct Delete {
    /// Succeed if a topic is not there.
    #[arg(long)]
    if_exists: bool,
    /// Show what would be deleted, and delete nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    topics: Named,
}

pub(super) fn run(delete: &Delete, out: &mut impl Write) -> Result<(), Failure> {
    let topics = &delete.topics;
    if delete.validate_only {
        let (results, extents, hints) =
            topics.connecting.run(async |client| Ok(delete.looked_at(&client).await?))?;
        let (found, failed) = sorted_out(results);
        print_found(&found, &extents, topics.connecting.output, out)?;
        return told_with(&failed, hints);
    }
    delete.consent.to(&format!("delete {} and all that is in it", topics.names.join(", ")))?;
    let (results, hints) = topics.connecting.run(async |client| Ok(delete.done_by(&client).await?))?;
    let (done, failed) = sorted_out(results);
    if topics.connecting.output == Output::Json {
        let value = |(name, ()): &(String, ())| json!({ "name": name, "deleted": true });
        results::json(&done.iter().map(value).collect(), out)?;
    } else {
        done.iter().try_for_each(|(name, ())| writeln!(out, "{name}: deleted"))?;
    }
    told_with(&failed, hints)
}

impl Delete {
    async fn done_by(&self, client: &Client) -> Result<(Each<()>, Vec<String>), Error> {
        let mut results = client.admin().delete_topics(&self.topics.names()).await?;
        self.forgive(&mut results);
        let hints = hint::topics(client, &results).await;
        Ok((results, hints))
    }

    /// What there is of the topics, if they may be deleted.
    async fn looked_at(&self, client: &Client) -> Result<(Each<TopicInfo>, Extents, Vec<String>), Error> {
        client.refresh_all().await?;
        let mut results = client.admin().describe_topics(&self.topics.names()).await?;
        self.forgive(&mut results);
        if !may_delete(client).await {
            let refused = |name: &str| {
                let message = Some("delete.topic.enable is false".to_owned());
                Error::broker(ErrorCode::TOPIC_DELETION_DISABLED, format!("topic {name}"), message)
            };
            for (name, result) in results.iter_mut().filter(|(_, result)| result.is_ok()) {
                *result = Err(refused(name));
            }
        }
        let found: Vec<&TopicInfo> = results.iter().filter_map(|(_, result)| result.as_ref().ok()).collect();
        let extents = Extents::of(client, &found).await;
        let hints = hint::topics(client, &results).await;
        Ok((results, extents, hints))
    }

    fn forgive<T>(&self, results: &mut Each<T>) {
        if self.if_exists {
            results.retain(|(_, result)| !is_code(result, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
        }
    }
}

/// Whether topics are deleted at all here. Where one may not ask, nothing speaks against it.
async fn may_delete(client: &Client) -> bool {
    let Some(broker) = client.metadata().brokers.first().map(|broker| broker.id) else { return true };
    let settings = client.admin().describe_configs(&ConfigResource::Broker(broker)).await.unwrap_or_default();
    let is_off = |value: &Option<String>| value.as_deref() == Some("false");
    !settings.iter().any(|entry| entry.name == "delete.topic.enable" && is_off(&entry.value))
}

fn print_found(
    found: &[(String, TopicInfo)],
    extents: &Extents,
    output: Output,
    out: &mut impl Write,
) -> Result<(), Failure> {
    if output == Output::Json {
        let value = |(name, topic): &(String, TopicInfo)| {
            let (records, bytes) = extents.total(topic);
            let partitions = topic.partitions.len();
            json!({ "name": name, "deleted": false, "partitions": partitions, "records": records, "bytes": bytes })
        };
        return Ok(results::json(&found.iter().map(value).collect(), out)?);
    }
    for (name, topic) in found {
        let partitions = counted(topic.partitions.len(), "partition", "partitions");
        let records = counted(or_dash(extents.total(topic).0), "record", "records");
        writeln!(out, "{name}: would be deleted, with {partitions} and {records}")?;
    }
    Ok(())
}
