//! A process that has as many files open as it may: what needs one waits or is refused, and goes on when there are
//! descriptors again.

use super::found::save;
use super::rules::{in_memory, small_segments};
use super::*;
use crate::layout::FileKind;

/// What was asked of one log, and what came of it.
struct Asked {
    id: LocalId,
    acknowledged: Vec<(i64, Vec<u8>)>,
    waiting: Vec<(u64, Vec<u8>)>,
    refused: usize,
}

impl Asked {
    fn of(id: LocalId) -> Self {
        Self { id, acknowledged: Vec::new(), waiting: Vec::new(), refused: 0 }
    }

    /// Appends one after the other, and waits for none.
    fn append(&mut self, rig: &mut Rig, count: usize) {
        for number in 0..count {
            let value =
                [self.id.0.to_le_bytes().to_vec(), number.to_le_bytes().to_vec(), vec![7; 3_000]].concat();
            let ticket = rig.send(append(self.id, batch(&[&value])));
            rig.settle();
            self.waiting.push((ticket, value));
            self.take_answers(rig);
        }
    }

    fn take_answers(&mut self, rig: &Rig) {
        for (ticket, value) in std::mem::take(&mut self.waiting) {
            match rig.answer(ticket) {
                Some(Ok(Done::Appended { base_offset, .. })) => self.acknowledged.push((base_offset, value)),
                Some(Err(Refusal::DiskFull)) => self.refused += 1,
                None => self.waiting.push((ticket, value)),
                other => panic!("{other:?}"),
            }
        }
    }

    fn check(&self, rig: &mut Rig, what: &str) {
        assert_records(&read_all(&rig.partition(self.id), 0), &self.acknowledged, what);
    }
}

fn pass(rig: &mut Rig, milliseconds: u32) {
    rig.clock.advance(milliseconds);
    rig.settle();
    assert_eq!(rig.writer().offline(), None);
}

#[test]
fn batches_wait_in_the_journal_while_no_segment_can_be_opened() {
    let mut rig = Rig::new(60);
    let mut asked = Asked::of(rig.create(small_segments()).id());
    rig.disk.set_lacks_descriptors(true);
    // More than is kept in tails, and less than the journal's first file holds.
    asked.append(&mut rig, 11);
    assert_eq!(asked.acknowledged.len(), 11, "these go into a file that is open");
    assert_eq!(rig.partition(asked.id).view().segments.len(), 0);
    pass(&mut rig, 1_000);
    rig.disk.set_lacks_descriptors(false);
    pass(&mut rig, 1_000);
    assert!(rig.partition(asked.id).view().segments.len() > 1, "they are flushed");
    asked.check(&mut rig, "after it");
}

#[test]
fn a_group_waits_for_its_file() {
    let mut rig = Rig::new(61);
    let mut asked = Asked::of(rig.create(small_segments()).id());
    asked.append(&mut rig, 3);
    rig.disk.set_lacks_descriptors(true);
    asked.append(&mut rig, 17);
    assert!(!asked.waiting.is_empty() && asked.acknowledged.len() > 5, "{} wait", asked.waiting.len());
    let waiting = asked.waiting.len();
    pass(&mut rig, 1_000);
    asked.take_answers(&rig);
    assert_eq!(asked.waiting.len(), waiting, "nothing is acknowledged that is in no file");
    rig.disk.set_lacks_descriptors(false);
    pass(&mut rig, 1_000);
    asked.take_answers(&rig);
    assert_eq!((asked.waiting.len(), asked.acknowledged.len() + asked.refused), (0, 20));
    rig.disk.crash();
    rig.recover().unwrap();
    asked.check(&mut rig, "after a crash");
}

#[test]
fn whenever_descriptors_run_out_everything_that_was_acknowledged_is_there() {
    let mut refused = 0;
    for before in 0..12 {
        let mut rig = Rig::new(100 + before as u64);
        let mut logs = [small_segments(), in_memory()].map(|config| Asked::of(rig.create(config).id()));
        logs.iter_mut().for_each(|asked| asked.append(&mut rig, 2 * before));
        rig.disk.set_lacks_descriptors(true);
        for _ in 0..20 {
            logs.iter_mut().for_each(|asked| asked.append(&mut rig, 1));
            pass(&mut rig, 20_000);
        }
        rig.disk.set_lacks_descriptors(false);
        pass(&mut rig, 1_000);
        for asked in &mut logs {
            refused += asked.refused;
            let acknowledged = asked.acknowledged.len();
            asked.append(&mut rig, 10);
            assert_eq!(asked.waiting, [], "there are descriptors again");
            assert!(asked.acknowledged.len() >= acknowledged + 10);
            asked.check(&mut rig, "after it");
        }
        rig.disk.kill();
        rig.recover().unwrap();
        logs.iter().for_each(|asked| asked.check(&mut rig, "after a death"));
    }
    assert!(refused > 0);
}

#[test]
fn a_log_is_not_kept_in_memory_before_its_last_segment_can_be_opened() {
    let mut rig = Rig::new(63);
    let mut asked = Asked::of(rig.create(small_segments()).id());
    let mut other = Asked::of(rig.create(small_segments()).id());
    asked.append(&mut rig, 12);
    save(&mut rig);
    rig.disk.kill();
    rig.recover().unwrap();
    rig.disk.set_lacks_descriptors(true);
    let partition = asked.id;
    let configure = || Command::Configure { partition, config: Arc::new(in_memory()) };
    for _ in 0..3 {
        assert!(matches!(rig.call(configure()), Err(Refusal::DiskFull)), "this can be tried again");
        assert_eq!(rig.writer().offline(), None);
    }
    // Nothing else is the worse for it, and the log is kept as before.
    other.append(&mut rig, 3);
    asked.append(&mut rig, 3);
    assert_eq!((other.acknowledged.len(), asked.acknowledged.len()), (3, 15));
    rig.disk.set_lacks_descriptors(false);
    pass(&mut rig, 1_000);
    assert!(matches!(rig.call(configure()), Ok(Done::Changed)));
    asked.append(&mut rig, 3);
    assert_eq!(asked.acknowledged.len(), 18);
    [&asked, &other].iter().for_each(|asked| asked.check(&mut rig, "after it"));
    rig.disk.kill();
    rig.recover().unwrap();
    [&asked, &other].iter().for_each(|asked| asked.check(&mut rig, "after a death"));
}

#[test]
fn a_segment_is_cut_when_it_can_be_opened() {
    let mut rig = Rig::new(62);
    let mut asked = Asked::of(rig.create(small_segments()).id());
    asked.append(&mut rig, 12);
    save(&mut rig);
    rig.disk.kill();
    rig.recover().unwrap();
    rig.call(Command::Truncate { partition: asked.id, end_offset: 3 }).unwrap();
    asked.acknowledged.truncate(3);
    rig.disk.set_lacks_descriptors(true);
    (0..3).for_each(|_| pass(&mut rig, 60_000));
    rig.disk.set_lacks_descriptors(false);
    (0..3).for_each(|_| pass(&mut rig, 60_000));
    let last = rig.partition(asked.id).view().segments.last().unwrap().clone();
    let path = Layout::new(PathBuf::from("/data")).segment(asked.id, last.base_offset(), FileKind::Log);
    assert_eq!(rig.disk.length_of(&path).unwrap(), last.length());
    asked.append(&mut rig, 3);
    asked.check(&mut rig, "it goes on");
}
