//! Sessions held against a plain model, and the rule by which one makes room for another.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use strandline_log::random::Random;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};

use super::{Context, FetchSessionOptions, FetchSessions, Told};
use crate::api::fetch::wanted::WantedPartition;
use crate::tests::lines::Lines;

const VERSION: i16 = 12;
const NOW: Duration = Duration::from_secs(1_000);

fn sessions(options: FetchSessionOptions) -> FetchSessions {
    FetchSessions::new(options, Random::from_seed(7))
}

/// A request of the partitions with these numbers, two to a topic, each from an offset on.
fn request(id: i32, epoch: i32, wanted: &[(i32, i64)], forgotten: &[i32]) -> FetchRequest {
    let topic = |(number, offset): &(i32, i64)| {
        let partition = FetchPartition { partition: number % 2, fetch_offset: *offset, ..Default::default() };
        FetchTopic { topic: name(*number).into(), partitions: vec![partition], ..Default::default() }
    };
    let forget = |number: &i32| ForgottenTopic {
        topic: name(*number).into(),
        partitions: vec![number % 2],
        ..Default::default()
    };
    FetchRequest {
        session_id: id,
        session_epoch: epoch,
        topics: wanted.iter().map(topic).collect(),
        forgotten_topics_data: forgotten.iter().map(forget).collect(),
        ..Default::default()
    }
}

fn name(number: i32) -> String {
    format!("topic-{}", number / 2)
}

fn number(topic: &str, partition: i32) -> i32 {
    topic.strip_prefix("topic-").unwrap().parse::<i32>().unwrap() * 2 + partition
}

/// What there is to tell of a partition.
#[derive(Clone, Copy, Debug)]
struct News {
    high_watermark: i64,
    has_records: bool,
    is_error: bool,
}

impl News {
    fn told(self) -> Told {
        let Self { high_watermark, has_records, is_error } = self;
        let high_watermark = if is_error { -1 } else { high_watermark };
        Told { high_watermark, log_start_offset: 0, has_records, is_error, is_diverging: false }
    }
}

fn news_of(news: &[News], number: i32) -> News {
    news[usize::try_from(number).unwrap()]
}

/// The session's number, what was wanted in order, and what is told.
type Answer = (i32, Vec<(i32, i64)>, Vec<i32>);

/// A session as one would write it down: numbers in order, each with its offset and the high watermark last told.
type Model = Vec<(i32, i64, i64)>;

/// One request of a session: what it names, what it forgets, and what is found.
#[derive(Clone, Debug)]
struct Step {
    wanted: Vec<(i32, i64)>,
    forgotten: Vec<i32>,
    news: Vec<News>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let news = (0..3i64, any::<bool>(), prop::bool::weighted(0.1)).prop_map(
        |(high_watermark, has_records, is_error)| News {
            high_watermark,
            has_records: has_records && !is_error,
            is_error,
        },
    );
    let step = (vec((0..8i32, 0..100i64), 0..4), vec(0..8i32, 0..3), vec(news, 8))
        .prop_map(|(wanted, forgotten, news)| Step { wanted, forgotten, news });
    vec(step, 1..30)
}

fn update(model: &mut Model, step: &Step) {
    for (number, offset) in &step.wanted {
        match model.iter_mut().find(|(known, ..)| known == number) {
            Some((_, known, _)) => *known = *offset,
            None => model.push((*number, *offset, -1)),
        }
    }
    model.retain(|(number, ..)| !step.forgotten.contains(number));
}

/// Which numbers are told, in order.
fn tell(model: &mut Model, news: &[News]) -> Vec<i32> {
    let mut told = Vec::new();
    for (number, offset, known) in model.clone() {
        let told_now = news_of(news, number).told();
        if told_now.has_records || told_now.is_error || told_now.high_watermark != known {
            told.push(number);
        }
        let place = model.iter().position(|(known, ..)| *known == number).unwrap();
        if told_now.has_records {
            model.remove(place);
            model.push((number, offset, told_now.high_watermark));
        } else {
            model[place].2 = told_now.high_watermark;
        }
    }
    told
}

/// Answers a request.
fn answer(sessions: &FetchSessions, request: &FetchRequest, news: &[News]) -> Result<Answer, ErrorCode> {
    let (context, wanted) = sessions.begin(request, VERSION, false, NOW)?;
    let numbered = |partition: &WantedPartition| {
        (number(&wanted.topics[partition.topic].name, partition.partition), partition.offset)
    };
    let order: Vec<_> = wanted.partitions.iter().map(numbered).collect();
    let answered = wanted.partitions.iter().map(|partition| {
        let (number, _) = numbered(partition);
        (&wanted.topics[partition.topic], *partition, news_of(news, number).told())
    });
    let mut is_told = Vec::new();
    let id = sessions.finish(&context, answered, |told| is_told.push(told), NOW)?;
    let told = order.iter().zip(is_told).filter(|(_, is_told)| *is_told).map(|((number, _), _)| *number);
    let told = told.collect();
    Ok((id, order, told))
}

proptest! {
    #[test]
    fn a_session_does_as_the_model_does(steps in steps()) {
        let sessions = sessions(FetchSessionOptions::default());
        let first = (0..8).map(|number| (number, 0)).collect::<Vec<_>>();
        let nothing = [News { high_watermark: 0, has_records: false, is_error: false }; 8];
        let mut model: Model = first.iter().map(|(number, offset)| (*number, *offset, 0)).collect();
        let (id, order, told) = answer(&sessions, &request(0, 0, &first, &[]), &nothing).unwrap();
        prop_assert!(id > 0);
        prop_assert_eq!(&order, &first);
        prop_assert_eq!(told.len(), 8, "a full fetch is told all");
        for (step, epoch) in steps.iter().zip(1..) {
            update(&mut model, step);
            let expected: Vec<_> = model.iter().map(|(number, offset, _)| (*number, *offset)).collect();
            let answered = answer(&sessions, &request(id, epoch, &step.wanted, &step.forgotten), &step.news);
            let (again, order, told) = answered.unwrap();
            prop_assert_eq!(order, expected);
            if model.is_empty() {
                prop_assert_eq!(again, 0, "an empty session ends");
                prop_assert_eq!(sessions.count(), 0);
                break;
            }
            prop_assert_eq!(again, id);
            prop_assert_eq!(told, tell(&mut model, &step.news));
        }
    }
}

fn open(sessions: &FetchSessions, partitions: i32, is_follower: bool, now: Duration) -> i32 {
    let wanted: Vec<_> = (0..partitions).map(|number| (number, 0)).collect();
    let (context, wanted) = sessions.begin(&request(0, 0, &wanted, &[]), VERSION, is_follower, now).unwrap();
    let told = Told {
        high_watermark: 0,
        log_start_offset: 0,
        has_records: false,
        is_error: false,
        is_diverging: false,
    };
    let answered =
        wanted.partitions.iter().map(|partition| (&wanted.topics[partition.topic], *partition, told));
    sessions.finish(&context, answered, |_| {}, now).unwrap()
}

fn is_there(sessions: &FetchSessions, id: i32) -> bool {
    // One that is there has another epoch.
    let result = sessions.begin(&request(id, 77, &[], &[]), VERSION, false, NOW);
    match result.map(drop) {
        Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH) => true,
        Err(ErrorCode::FETCH_SESSION_ID_NOT_FOUND) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_with_the_wrong_number_or_epoch_is_refused() {
    let sessions = sessions(FetchSessionOptions::default());
    let id = open(&sessions, 2, false, NOW);
    let begin = |request: FetchRequest, version| sessions.begin(&request, version, false, NOW).map(drop);
    assert_eq!(begin(request(id ^ 1, 1, &[], &[]), 12), Err(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
    assert_eq!(begin(request(id, 2, &[], &[]), 12), Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
    assert_eq!(begin(request(id, 1, &[], &[]), 13), Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR));
    assert_eq!(begin(request(id, 1, &[], &[]), 12), Ok(()));
    assert_eq!(begin(request(id, 1, &[], &[]), 12), Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
    // A full fetch ends the session that it names, and -1 begins no other.
    let (context, _) = sessions.begin(&request(id, -1, &[(0, 0)], &[]), 12, false, NOW).unwrap();
    assert!(matches!(context, Context::Full { opens: false, .. }));
    assert_eq!(sessions.count(), 0);
}

#[test]
fn two_answers_of_one_session_do_not_mix() {
    let sessions = sessions(FetchSessionOptions::default());
    let id = open(&sessions, 2, false, NOW);
    let (early, _) = sessions.begin(&request(id, 1, &[], &[]), VERSION, false, NOW).unwrap();
    let (late, _) = sessions.begin(&request(id, 2, &[], &[]), VERSION, false, NOW).unwrap();
    assert_eq!(sessions.finish(&early, [], |_| {}, NOW), Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
    assert_eq!(sessions.finish(&late, [], |_| {}, NOW), Ok(id));
}

#[test]
fn epochs_begin_again_at_one() {
    assert_eq!(super::next_epoch(0), 1);
    assert_eq!(super::next_epoch(i32::MAX), 1);
}

#[test]
fn a_young_session_is_not_driven_out_by_an_equal_one() {
    let sessions = sessions(FetchSessionOptions { sessions_max: 1, ..FetchSessionOptions::default() });
    let first = open(&sessions, 2, false, NOW);
    assert_eq!(open(&sessions, 9, false, NOW), 0, "it has its time");
    assert!(is_there(&sessions, first));
    let follower = open(&sessions, 1, true, NOW);
    assert!(follower > 0 && !is_there(&sessions, first), "but not before a follower");
    assert_eq!(open(&sessions, 9, false, NOW), 0, "which no client drives out");
}

#[test]
fn the_stale_go_first_and_then_the_small() {
    let options = FetchSessionOptions { sessions_max: 2, ..FetchSessionOptions::default() };
    let sessions = sessions(options);
    let stale = open(&sessions, 8, false, NOW);
    let later = NOW + options.evictable_after + Duration::from_millis(1);
    let lines = Lines::begin();
    let small = open(&sessions, 2, false, later);
    let third = open(&sessions, 3, false, later);
    assert_forgotten(&lines, stale, 8, "nobody has used it for long");
    assert!(!is_there(&sessions, stale) && is_there(&sessions, small) && third > 0);
    // Both are used, and have had their time once used after it.
    let much_later = later + options.evictable_after + Duration::from_millis(1);
    for id in [small, third] {
        sessions.begin(&request(id, 1, &[], &[]), VERSION, false, much_later).unwrap();
    }
    assert_eq!(open(&sessions, 1, false, much_later), 0, "one that is worth less drives out none");
    assert!(open(&sessions, 4, false, much_later) > 0);
    assert_forgotten(&lines, small, 2, "one that is worth more needs its room");
    assert!(!is_there(&sessions, small) && is_there(&sessions, third));
}

/// It is told that a session went, and why.
fn assert_forgotten(lines: &Lines, id: i32, partitions: usize, reason: &str) {
    let line = lines.only();
    let start = format!("a fetch session is forgotten session={id} partitions={partitions} reason=");
    assert!(line.starts_with("DEBUG") && line.contains(&start) && line.contains(reason), "{line}");
}

#[test]
fn partitions_are_bounded_in_all() {
    let sessions = sessions(FetchSessionOptions { partitions_max: 5, ..FetchSessionOptions::default() });
    assert_eq!(open(&sessions, 6, false, NOW), 0);
    let id = open(&sessions, 4, false, NOW);
    assert_eq!(open(&sessions, 2, false, NOW), 0);
    // One that grows beyond the bound ends with the answer.
    let lines = Lines::begin();
    sessions.begin(&request(id, 1, &[(6, 0), (7, 0)], &[]), VERSION, false, NOW).unwrap();
    assert_forgotten(&lines, id, 6, "more partitions than are remembered");
    assert_eq!(sessions.count(), 0);
}
