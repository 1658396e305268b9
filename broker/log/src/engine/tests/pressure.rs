//! What happens when more is asked than can be done: nothing is dropped, nothing grows without a bound, and what makes
//! room gets through.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::super::{Job, Mailbox, MailboxOptions, Rejected};
use super::rules::{fill, in_memory, small_segments};
use super::*;
use crate::disk::simulated::Operation;

const OPTIONS: MailboxOptions = MailboxOptions { bytes_max: 40_000, requests_max: 40 };

fn request(command: Command, ticket: u64) -> Request {
    Request { command, ticket, replies: Arc::new(Answers::default()) }
}

fn an_append(bytes: usize) -> Command {
    append(LocalId(1), batch(&[&vec![1; bytes]]))
}

fn a_deletion() -> Command {
    Command::Delete { partition: LocalId(1) }
}

/// Sends until nothing more is taken, and says how much was.
fn stuff(mailbox: &Mailbox, command: &Command) -> usize {
    for count in 0..1_000 {
        match mailbox.try_send(request(command.clone(), 7)) {
            Ok(()) => {}
            Err(Rejected::Full(back)) => {
                assert_eq!(back.ticket, 7, "it comes back");
                return count;
            }
            Err(Rejected::Closed(_)) => panic!("it is open"),
        }
    }
    panic!("nothing bounds it");
}

#[derive(Debug, Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_queue_is_bounded_in_bytes_and_in_number_and_keeps_a_part_for_control() {
    for bytes in [1, 10_000] {
        let mailbox = Mailbox::new(OPTIONS);
        let appends = stuff(&mailbox, &an_append(bytes));
        let controls = stuff(&mailbox, &a_deletion());
        let sum = appends * an_append(bytes).bytes() + controls * a_deletion().bytes();
        assert!(sum <= OPTIONS.bytes_max && appends + controls <= OPTIONS.requests_max);
        assert!(controls >= 5, "{controls} of control behind {appends} appends of {bytes} bytes");
        let mut taken = VecDeque::new();
        mailbox.take(&mut taken);
        assert_eq!(taken.len(), appends + controls, "nothing is dropped");
        assert_eq!(stuff(&mailbox, &a_deletion()), 0, "what is not staged counts wherever it is");
        mailbox.release(taken.len(), sum);
        assert_eq!(stuff(&mailbox, &an_append(bytes)), appends);
    }
}

#[test]
fn of_many_those_get_in_that_there_is_room_for() {
    let count = u64::try_from(stuff(&Mailbox::new(OPTIONS), &an_append(1))).unwrap();
    let mailbox = Mailbox::new(OPTIONS);
    let mut requests = (0..count + 3).map(|ticket| request(an_append(1), ticket));
    let Err(Rejected::Full(back)) = mailbox.try_send_all(&mut requests) else { panic!("nothing bounds it") };
    assert_eq!(back.ticket, count, "the first of those that have to wait");
    assert_eq!(requests.next().unwrap().ticket, count + 1, "those behind it stay where they are");
    let mut taken = VecDeque::new();
    mailbox.take(&mut taken);
    assert!(taken.iter().map(|request| request.ticket).eq(0..count), "the others, in their order");
    mailbox.close();
    let Err(Rejected::Closed(back)) = mailbox.try_send_all(&mut requests) else { panic!("it is closed") };
    assert_eq!((back.ticket, requests.next().is_none()), (count + 2, true));
}

#[test]
fn one_request_is_taken_whatever_its_size() {
    let mailbox = Mailbox::new(OPTIONS);
    assert_eq!(stuff(&mailbox, &an_append(2 * OPTIONS.bytes_max)), 1);
}

#[test]
fn who_waits_for_room_is_woken_when_there_is_some_or_never_will_be() {
    let mailbox = Mailbox::new(OPTIONS);
    let count = stuff(&mailbox, &an_append(10_000));
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut more = VecDeque::from([request(an_append(10_000), 8), request(an_append(10_000), 9)]);
    assert!(!mailbox.send_or_wake(&mut more, Some(&waker)).unwrap());
    assert_eq!((more.len(), bell.0.load(Ordering::SeqCst)), (2, 0));
    mailbox.take(&mut VecDeque::new());
    mailbox.release(count, count * an_append(10_000).bytes());
    assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    assert!(mailbox.send_or_wake(&mut more, Some(&waker)).unwrap() && more.is_empty());
    stuff(&mailbox, &an_append(10_000));
    more.push_back(request(an_append(10_000), 10));
    assert!(!mailbox.send_or_wake(&mut more, Some(&waker)).unwrap());
    mailbox.close();
    assert_eq!(bell.0.load(Ordering::SeqCst), 2);
    assert!(mailbox.send_or_wake(&mut more, Some(&waker)).is_err());
    assert_eq!(more.len(), 1, "it comes back");
    assert_eq!(mailbox.send(more).len(), 1);
}

/// Appends of this size to as many partitions in turn, with so much memory, while a flush is under way: how many bytes got
/// in before it was done, and whether the rest did after it.
fn append_beside_a_flush(partitions: usize, bytes: usize, memory_bytes: u64) -> (usize, bool) {
    let mut rig = Rig::new(61);
    let journal = journal::Options { bytes_max: 64 << 20, entries_max: 100_000, ..rig.options.journal };
    let tail_budget = Budget::new(memory_bytes);
    let mailbox = MailboxOptions { bytes_max: 64 << 20, requests_max: 10_000 };
    let reserve_bytes = journal.bytes_max;
    rig.options = Options {
        journal,
        tail_budget,
        mailbox,
        flush_bytes: 1 << 20,
        flush_job_bytes: 1 << 20,
        reserve_bytes,
        ..rig.options
    };
    rig.recover().unwrap();
    let ids: Vec<_> = (0..partitions).map(|_| rig.create(LogConfig::default()).id()).collect();
    let value = vec![5; bytes];
    let tickets: Vec<_> = (0..(16 << 20) / bytes)
        .map(|number| rig.send(append(ids[number % partitions], batch(&[&value]))))
        .collect();
    let mut flush = None;
    for _ in 0..2 * tickets.len() {
        let writer = rig.writer();
        writer.take();
        if let Some(write) = writer.begin() {
            writer.finish(write.run());
        }
        match writer.next_job() {
            Some(job @ Job::Flush(_)) => flush = Some(job),
            Some(job) => writer.job_done(job.run()),
            None => {}
        }
    }
    let is_answered = |ticket: &u64| rig.answers.outcomes.lock().unwrap().contains_key(ticket);
    let got_in = tickets.iter().filter(|ticket| is_answered(ticket)).count() * bytes;
    let done = flush.expect("a flush").run();
    rig.writer().job_done(done);
    rig.settle();
    (got_in, tickets.iter().all(|ticket| rig.answer(*ticket).is_some_and(|outcome| outcome.is_ok())))
}

#[test]
fn large_tails_grow_no_larger_than_memory_while_a_flush_is_under_way() {
    let (got_in, got_in_after) = append_beside_a_flush(2, 100_000, 8 << 20);
    assert!((3 << 20..5 << 20).contains(&got_in) && got_in_after, "{got_in}, {got_in_after}");
    // What is small waits in the journal for more of its kind, and is read back in one go.
    let (got_in, got_in_after) = append_beside_a_flush(100, 10_000, 8 << 20);
    assert!(got_in > 15 << 20 && got_in_after, "{got_in}, {got_in_after}");
    // So it is where there is memory for little more than one flush.
    let (got_in, got_in_after) = append_beside_a_flush(2, 100_000, 7 << 20);
    assert!(got_in > 15 << 20 && got_in_after, "{got_in}, {got_in_after}");
}

#[test]
fn who_sends_faster_than_it_is_written_waits_and_loses_nothing() {
    let mut rig = Rig::new(60);
    rig.options.mailbox = MailboxOptions { bytes_max: 8_000, requests_max: 16 };
    rig.recover().unwrap();
    let id = rig.create(small_segments()).id();
    let replies: Arc<dyn Replies> = Arc::<Answers>::clone(&rig.answers);
    let mailbox = Arc::clone(rig.writer().mailbox());
    let values: Vec<_> = (0..200_u32).map(|number| vec![number.to_le_bytes()[0]; 1_000]).collect();
    let requests: Vec<_> = (1_000..)
        .zip(&values)
        .map(|(ticket, value)| {
            let command = append(id, batch(&[value]));
            Request { command, ticket, replies: Arc::clone(&replies) }
        })
        .collect();
    let sender = std::thread::spawn(move || mailbox.send(requests).len());
    while !sender.is_finished() {
        rig.settle();
    }
    rig.settle();
    assert_eq!(sender.join().unwrap(), 0);
    for (offset, ticket) in (0..200).zip(1_000..) {
        let outcome = rig.answer(ticket).unwrap();
        assert!(matches!(outcome, Ok(Done::Appended { base_offset, .. }) if base_offset == offset));
    }
    let expected: Vec<_> = (0..).zip(values).collect();
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
}

#[test]
fn a_group_has_a_bound_and_a_larger_batch_goes_alone() {
    let mut rig = Rig::new(61);
    let id = rig.create(LogConfig::default()).id();
    let group_bytes_max = rig.options.journal.group_bytes_max;
    let sizes = [6_000, 6_000, 6_000, 30_000, 100, 100];
    let tickets = sizes.map(|bytes| rig.send(append(id, batch(&[&vec![1; bytes]]))));
    let mut groups = Vec::new();
    rig.writer().take();
    while let Some(write) = rig.writer().begin() {
        // What waited for this one is staged now, as far as there is room.
        rig.writer().take();
        let bytes = write.bytes();
        rig.writer().finish(write.run());
        groups.push(bytes.div_ceil(4_096) * 4_096);
        rig.writer().take();
    }
    let is_larger = |bytes: &&usize| **bytes > group_bytes_max;
    assert_eq!(groups.iter().filter(is_larger).count(), 1, "{groups:?}");
    assert!(groups.len() >= 3, "{groups:?}");
    assert!(tickets.iter().all(|ticket| rig.answer(*ticket).unwrap().is_ok()));
}

#[test]
fn control_and_notes_of_the_node_get_into_the_journal_where_appends_have_to_wait() {
    let mut rig = Rig::new(62);
    let id = rig.create(LogConfig::default()).id();
    let other = rig.create(LogConfig::default()).id();
    // Nobody does the jobs that would make room.
    let last = loop {
        let ticket = rig.send(append(id, batch(&[&[1; 3_000]])));
        rig.writer().take();
        if rig.writer().has_waiting() {
            break ticket;
        }
        let write = rig.writer().begin().unwrap();
        rig.writer().finish(write.run());
        assert!(rig.answer(ticket).unwrap().is_ok());
    };
    // The queue is first come, first served; it is the journal that keeps a part for control.
    let waiting = rig.writer().inbox.pop_front().unwrap();
    let note = NewBatch::validated(batch(&[b"it is about to go"])).unwrap();
    let note = Command::Append { partition: id, leader_epoch: 1, sender: Sender::Node, batch: note };
    for command in [note, Command::Delete { partition: other }] {
        let ticket = rig.send(command);
        rig.writer().take();
        assert!(!rig.writer().has_waiting());
        let write = rig.writer().begin().unwrap();
        rig.writer().finish(write.run());
        assert!(rig.answer(ticket).unwrap().is_ok());
    }
    rig.writer().inbox.push_front(waiting);
    rig.settle();
    assert!(rig.answer(last).unwrap().is_ok(), "a checkpoint made room");
}

#[test]
fn what_no_sync_has_covered_of_async_logs_is_bounded() {
    let mut rig = Rig::new(63);
    let id = rig.create(in_memory()).id();
    let tickets: Vec<_> = (0..150).map(|_| rig.send(append(id, batch(&[&[1; 1_000]])))).collect();
    let (mut held, mut answered) = (Vec::new(), 0);
    for _ in 0..20 {
        rig.writer().take();
        held.extend(std::iter::from_fn(|| rig.writer().next_job()));
        answered += tickets.iter().filter(|ticket| rig.answer(**ticket).is_some()).count();
    }
    let bound = usize::try_from(rig.options.unsynced_bytes_max).unwrap();
    assert!(answered * 1_000 > bound / 2 && answered * 1_000 < bound, "{answered} were written");
    assert!(held.iter().any(|job| matches!(job, Job::Checkpoint(_))), "somebody is to sync");
    held.into_iter().for_each(|job| rig.writer().job_done(job.run()));
    rig.settle();
    answered += tickets.iter().filter(|ticket| rig.answer(**ticket).is_some_and(|it| it.is_ok())).count();
    assert_eq!((answered, rig.partition(id).offsets().end), (150, 150));
}

/// Of other logs than `async` ones it is the journal that bounds it: no file of that is used again before the sync.
#[test]
fn what_no_sync_has_covered_of_synced_logs_is_bounded_by_the_journal() {
    let mut rig = Rig::new(64);
    let watched = Watched::new(&rig.disk);
    rig.watched = Some(watched.clone());
    (rig.options.flush_bytes, rig.options.mailbox.requests_max) = (0, 10_000);
    rig.recover().unwrap();
    let id = rig.create(small_segments()).id();
    watched.take_steps();
    let tickets: Vec<_> = (0..1_000).map(|_| rig.send(append(id, batch(&[&[1; 1_000]])))).collect();
    let mut held = Vec::new();
    for _ in 0..1_000 {
        rig.writer().take();
        let write = rig.writer().begin();
        write.into_iter().for_each(|write| rig.writer().finish(write.run()));
        while let Some(job) = rig.writer().next_job() {
            match job {
                Job::Checkpoint(_) => held.push(job),
                job => rig.writer().job_done(job.run()),
            }
        }
    }
    let written: u64 = watched
        .take_steps()
        .iter()
        .filter(|step| step.operation == Operation::Write && step.path.starts_with("/data/logs"))
        .map(|step| step.length)
        .sum();
    let bound = rig.options.journal.bytes_max;
    assert!((bound / 2..bound).contains(&written), "{written} bytes of {bound}");
    assert_eq!(held.len(), 1);
    held.into_iter().for_each(|job| rig.writer().job_done(job.run()));
    rig.settle();
    assert!(tickets.iter().all(|ticket| rig.answer(*ticket).is_some_and(|answer| answer.is_ok())));
}

#[test]
fn a_consumer_that_stands_still_keeps_no_more_than_a_journal_s_worth_of_files() {
    let mut rig = Rig::new(64);
    rig.options = Options { tail_budget: Budget::new(0), flush_bytes: 1 << 30, ..small_options() };
    rig.recover().unwrap();
    let id = rig.create(small_segments()).id();
    let (journal_bytes_max, file_bytes) = (rig.options.journal.bytes_max, rig.options.journal.file_bytes);
    let mut held = Vec::new();
    let mut expected = Vec::new();
    for round in 0..60_u32 {
        // About a file's worth, of which somebody begins to read the last and does not go on.
        expected.extend(fill(&mut rig, id, round * 16..(round + 1) * 16));
        let partition = rig.partition(id);
        let (offset, value) = expected.last().unwrap().clone();
        let slices = partition.read(offset, 1, UpTo::End).unwrap().slices;
        assert!(matches!(slices.as_slice(), [Slice::Journal { .. }]), "round {round}");
        held.push((slices, value));
        if round % 4 == 3 {
            rig.clock.advance(60_000);
            rig.settle();
        }
        let pins = rig.writer().sources.journal.pins().clone();
        assert!(pins.held_bytes() <= journal_bytes_max, "{} bytes are held", pins.held_bytes());
        let bytes = journal_file_bytes(&rig);
        assert!(bytes <= 2 * journal_bytes_max + 2 * file_bytes, "round {round}: {bytes} bytes");
    }
    let pins = rig.writer().sources.journal.pins().clone();
    assert!(pins.given_up() > 10 && pins.held_bytes() > journal_bytes_max / 2, "{pins:?}");
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
    // Who is given up learns that, and nobody reads what he should not.
    let mut whole = 0;
    for (slices, value) in &held {
        match slices[0].read() {
            Ok(bytes) => {
                assert!(bytes.windows(value.len()).any(|part| part == value));
                whole += 1;
            }
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof),
        }
    }
    assert!((4..50).contains(&whole), "{whole}");
    drop(held);
    expected.extend(fill(&mut rig, id, 5_000..5_100));
    rig.clock.advance(60_000);
    rig.settle();
    assert_eq!(pins.held_bytes(), 0);
    let bytes = journal_file_bytes(&rig);
    assert!(bytes <= journal_bytes_max + 2 * file_bytes, "{bytes} bytes stay when nobody reads");
    rig.disk.crash();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
}

/// What the journal's files take, whatever they are for.
fn journal_file_bytes(rig: &Rig) -> u64 {
    let folder = Layout::new(PathBuf::from("/data")).journal();
    let entries = rig.disk.list(&folder).unwrap();
    entries.iter().map(|entry| rig.disk.length_of(&folder.join(&entry.name)).unwrap()).sum()
}
