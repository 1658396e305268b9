//! What a group is subscribed to, and when that calls for a new epoch.

use std::collections::BTreeSet;
use std::ops::Bound;

use strandline_protocol::{ErrorCode, Text};
use twox_hash::XxHash3_64;

use super::draft::{Context, Draft, Refusal};
use super::group::ResolvedRegex;
use super::member::Member;
use super::{ConsumerGroup, Passing, records};
use crate::groups::Sight;
use crate::metadata::MetadataImage;
use crate::metadata::image::Topic;
use crate::regex::{Matcher, Regex};

/// So long a group's patterns are not held against the topics again, whatever becomes of these.
const REGEX_REFRESH_MIN_MS: i64 = 10_000;

/// After so long they are, even if the topics are the same: somebody may see others by then. Kafka's default for
/// `group.consumer.regex.refresh.interval.ms`.
const REGEX_REFRESH_MAX_MS: i64 = 600_000;

/// The version of how topics are hashed.
const TOPIC_HASH_VERSION: u8 = 0;

/// Raises the group's epoch if a member is subscribed to something else now, or if the topics that the group is
/// subscribed to are not as they were. Says whether the member changed its subscription.
pub(super) fn update(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    sight: &Sight,
    (before, after): (&Member, &Member),
) -> Result<bool, Refusal> {
    let has_other_regex = before.topic_regex != after.topic_regex;
    if has_other_regex {
        forget_unused(draft, before.regex());
        if let Some(regex) = after.regex().filter(|regex| draft.resolved(regex).is_none()) {
            let resolved = resolve(context, sight, regex)?;
            draft.write([records::regex(draft.id(), regex, &resolved)]);
        }
    }
    let is_changed = has_other_regex || before.topic_names != after.topic_names;
    let is_refreshed = refresh(context, draft, sight);
    let version = context.image.offset();
    if is_changed || is_refreshed || draft.soft.topics_checked != Some(version) {
        raise_epoch(context, draft, is_changed || is_refreshed);
        draft.pass(Passing::TopicsChecked { group_id: draft.id().clone(), version });
    }
    Ok(is_changed)
}

/// Raises the epoch if it must be, or if the topics are not as they were.
fn raise_epoch(context: Context<'_>, draft: &mut Draft<'_>, must_be: bool) {
    let hash = metadata_hash(draft, context.image);
    if must_be || hash != draft.metadata_hash {
        draft.write([records::epoch(draft.id(), draft.epoch.saturating_add(1), hash)]);
    }
    if draft.has_partition_metadata {
        draft.write([records::no_partition_metadata(draft.id())]);
    }
}

/// Drops what a pattern stands for, if nobody is subscribed with it any more.
pub(super) fn forget_unused(draft: &mut Draft<'_>, regex: Option<&Text>) {
    if let Some(regex) = regex
        && draft.resolved(regex).is_some()
        && draft.subscribers_of(regex) == 0
    {
        draft.write([records::no_regex(draft.id(), regex)]);
    }
}

/// The topics that a pattern stands for now: of those that match, the ones that the asker may see. It says so for all
/// members with that pattern, as in Kafka, until another asker holds it against the topics again. Those before the first
/// that can match are not walked.
fn resolve(context: Context<'_>, sight: &Sight, pattern: &Text) -> Result<ResolvedRegex, Refusal> {
    let regex = Regex::new(pattern).map_err(|error| {
        let message = format!("SubscribedTopicRegex `{pattern}` is not a valid regular expression: {error}.");
        Refusal::new(ErrorCode::INVALID_REGULAR_EXPRESSION, message)
    })?;
    let mut matcher = Matcher::new(&regex);
    let topics = context.image.topics_from(Bound::Included(regex.prefix())).map(|topic| topic.name());
    let candidates = topics.take_while(|name| name.starts_with(regex.prefix()));
    let matching = candidates.filter(|name| matcher.is_match(name));
    let topics: Vec<Text> = matching.filter(|name| sight.reaches(name)).cloned().collect();
    Ok(ResolvedRegex { topics: topics.into(), version: context.image.offset(), at_ms: context.now_ms })
}

/// Whether the group's patterns were held against these topics, and not too long ago.
pub(super) fn are_regexes_fresh(context: Context<'_>, group: &ConsumerGroup) -> bool {
    group.soft.regexes_checked.is_some_and(|(version, at_ms)| {
        version == context.image.offset() && is_within(context.now_ms, at_ms, REGEX_REFRESH_MAX_MS)
    })
}

/// Whether it is less than that after a moment. The clock may have been set back since.
fn is_within(now_ms: i64, at_ms: i64, duration_ms: i64) -> bool {
    (at_ms..at_ms.saturating_add(duration_ms)).contains(&now_ms)
}

/// Holds the group's patterns against the topics again, if these or the rights to them may be others and it is time; says
/// whether other topics came out.
fn refresh(context: Context<'_>, draft: &mut Draft<'_>, sight: &Sight) -> bool {
    if draft.regexes.is_empty() {
        return false;
    }
    let checked = draft.soft.regexes_checked;
    let is_early = checked.is_some_and(|(_, at_ms)| is_within(context.now_ms, at_ms, REGEX_REFRESH_MIN_MS));
    if is_early || are_regexes_fresh(context, draft) {
        return false;
    }
    let version = context.image.offset();
    let patterns: Vec<Text> = draft.regexes.iter().map(|(regex, _)| regex.clone()).collect();
    let mut is_changed = false;
    for pattern in patterns {
        // One that does not compile was written by another version, and stays as it is.
        let Ok(resolved) = resolve(context, sight, &pattern) else { continue };
        if draft.resolved(&pattern).is_none_or(|before| before.topics != resolved.topics) {
            draft.write([records::regex(draft.id(), &pattern, &resolved)]);
            is_changed = true;
        }
    }
    draft.pass(Passing::RegexesChecked { group_id: draft.id().clone(), version, at_ms: context.now_ms });
    is_changed
}

/// The names of all topics that anybody of the group is subscribed to, by name or by pattern.
fn subscribed_names(group: &ConsumerGroup) -> BTreeSet<&Text> {
    let mut names = BTreeSet::new();
    // Most members of a group share one list.
    let mut last: Option<&[Text]> = None;
    for member in group.members() {
        if last.is_none_or(|last| !std::ptr::eq(last, &*member.topic_names)) {
            names.extend(member.topic_names.iter());
            last = Some(&member.topic_names);
        }
    }
    names.extend(group.regexes.iter().flat_map(|(_, resolved)| resolved.topics.iter()));
    names
}

/// A hash over the topics that a group is subscribed to and that are there, as Kafka computes it; 0 = there are none.
pub(super) fn metadata_hash(group: &ConsumerGroup, image: &MetadataImage) -> i64 {
    let names = subscribed_names(group);
    let mut topics = names.into_iter().filter_map(|name| image.topic(name)).peekable();
    if topics.peek().is_none() {
        return 0;
    }
    let bytes: Vec<u8> = topics.flat_map(|topic| topic_hash(topic, image).to_le_bytes()).collect();
    XxHash3_64::oneshot(&bytes).cast_signed()
}

fn topic_hash(topic: &Topic, image: &MetadataImage) -> u64 {
    let mut bytes = vec![TOPIC_HASH_VERSION];
    // The id as two numbers, the high one first, each with its low byte first.
    let id = topic.id();
    let (high, low) = id.0.split_at(8);
    bytes.extend(high.iter().rev().chain(low.iter().rev()));
    push_text(&mut bytes, topic.name());
    let count = i32::try_from(topic.partition_count()).unwrap_or(i32::MAX);
    bytes.extend(count.to_le_bytes());
    for (index, (_, partition)) in (0_i32..).zip(topic.partitions()) {
        bytes.extend(index.to_le_bytes());
        let racks = partition.replicas().iter().filter_map(|replica| image.broker(*replica)?.rack.as_deref());
        let mut racks: Vec<&str> = racks.collect();
        racks.sort_unstable();
        for rack in racks {
            bytes.extend(length(rack).to_le_bytes());
            push_text(&mut bytes, rack);
        }
    }
    XxHash3_64::oneshot(&bytes)
}

/// A text as Kafka's hash takes it: its UTF-16, then how long that is.
fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes.extend(length(text).to_le_bytes());
}

fn length(text: &str) -> i32 {
    i32::try_from(text.encode_utf16().count()).unwrap_or(i32::MAX)
}
