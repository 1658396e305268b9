//! What the engine promises, one by one.

use super::*;

#[test]
fn what_is_appended_is_read_at_its_offset() {
    let mut rig = Rig::new(1);
    let partition = rig.create(LogConfig::default());
    assert_eq!(rig.append(partition.id(), batch(&[b"a", b"b"])).unwrap(), 0);
    assert_eq!(rig.append(partition.id(), batch(&[b"c"])).unwrap(), 2);
    let expected = [(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"c".to_vec())];
    assert_eq!(read_all(&partition, 0), expected);
    assert_eq!(read_all(&partition, 1), expected[1..]);
}

#[test]
fn nothing_is_answered_or_seen_before_it_is_durable() {
    let mut rig = Rig::new(2);
    let partition = rig.create(LogConfig::default());
    let ticket = rig.send(append(partition.id(), batch(&[b"a"])));
    rig.writer().take();
    let write = rig.writer().begin().unwrap();
    assert!(rig.answer(ticket).is_none());
    assert_eq!(partition.offsets().end, 0);
    let written = write.run();
    assert_eq!(partition.offsets().end, 0);
    rig.writer().finish(written);
    assert!(rig.answer(ticket).unwrap().is_ok());
    assert_eq!(partition.offsets().end, 1);
}

#[test]
fn what_was_acknowledged_is_there_after_a_power_cut() {
    let mut rig = Rig::new(3);
    let id = rig.create(LogConfig::default()).id();
    let mut expected = Vec::new();
    for number in 0..500_u32 {
        let value = vec![u8::try_from(number % 251).unwrap(); 1_000];
        let offset = rig.append(id, batch(&[&value])).unwrap();
        expected.push((offset, value));
        if number % 100 == 99 {
            rig.disk.crash();
            rig.recover().unwrap();
            let partition = rig.partition(id);
            assert_eq!(read_all(&partition, 0), expected);
        }
    }
}
