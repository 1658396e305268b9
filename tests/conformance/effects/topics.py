"""What each setting of a topic does, as a client sees it.

A check is given a world, a topic that is not there yet, and a function that sets the setting: on the topic, or for all
of them. It shows that the setting does nothing before it is set, sets it, and gives back a function that shows what it
does now, at once and after a restart.
"""

import random

from world import Refused, Unseen, must, now_ms, until

CHECKS = {}
HOUR_MS = 3_600_000
LARGE = b"x" * 4_000


def acts(setting):
    def note(check):
        CHECKS[setting] = check
        return check
    return note


def words(count):
    """Text that can be compressed, better with more effort."""
    chance = random.Random(7)
    pool = ["%06x" % chance.randrange(1 << 24) for _ in range(2_000)]
    return " ".join(chance.choice(pool) for _ in range(count)).encode()


TEXT = words(40_000)


def fill(world, topic, count=10, value=LARGE):
    for _ in range(count):
        world.produce(topic, value)


def moves_on(world, topic, value=LARGE, count=10):
    """Whether all but the last segments go, once there are more: retention by size has the rest."""
    def shows():
        before = world.end(topic)
        fill(world, topic, count, value)
        until(f"segments of {topic} that end", lambda: world.begin(topic) >= before)
    return shows


def stays(world, topic, value=LARGE, count=10):
    fill(world, topic, count, value)
    world.rounds()
    must(f"{topic} begins further on before anything was set", world.begin(topic) == 0)


def keyed(world, topic):
    """Records of three keys, and one that lets all before it be compacted."""
    for number in range(12):
        world.produce(topic, b"v" * 1_000, key=f"key-{number % 3}")
    world.produce(topic, b"f" * 3_900, key="filler")


def compacts(world, topic):
    def is_clean():
        keys = [key for key in world.keys(topic) if key != b"filler"]
        return len(keys) == len(set(keys))

    def shows():
        keyed(world, topic)
        until(f"compaction of {topic}", is_clean)
    return shows


def is_kept(world, topic):
    keyed(world, topic)
    world.rounds()
    must(f"{topic} is compacted before anything was set", len(world.keys(topic)) == 13)


@acts("cleanup.policy")
def cleanup_policy(world, topic, set_to):
    world.create(topic, internal_segment_bytes=4_000, min_cleanable_dirty_ratio=0.01)
    is_kept(world, topic)
    set_to("compact")
    compaction = compacts(world, topic)

    def shows():
        must("a record without a key is taken", world.refuses("INVALID_RECORD", topic=topic, value=b"no key"))
        compaction()
    return shows


def level(codec, low, high):
    def check(world, topic, set_to):
        def size():
            before = world.stored_bytes(topic)
            world.produce(topic, TEXT)
            return world.stored_bytes(topic) - before
        world.create(topic, compression_type=codec)
        set_to(low)
        large = size()
        set_to(high)

        def shows():
            small = size()
            must(f"level {high} of {codec} takes {small} bytes, and level {low} {large}", 0 < small < 0.99 * large)
        return shows
    return check


acts("compression.gzip.level")(level("gzip", "1", "9"))
acts("compression.zstd.level")(level("zstd", "-50", "19"))


@acts("compression.type")
def compression_type(world, topic, set_to):
    def size():
        before = world.stored_bytes(topic)
        world.produce(topic, LARGE)
        return world.stored_bytes(topic) - before
    world.create(topic)
    must("a record is smaller than it is", size() > len(LARGE))
    set_to("zstd")

    def shows():
        must("a record is stored as it came", size() < len(LARGE) / 10)
        must("a record is another one", world.read(topic)[-1].value() == LARGE)
    return shows


@acts("delete.retention.ms")
def delete_retention_ms(world, topic, set_to):
    world.create(topic, internal_segment_bytes=4_000, min_cleanable_dirty_ratio=0.01, cleanup_policy="compact")

    def is_gone():
        world.produce(topic, b"f" * 3_900, key="filler")
        return not any(message.value() is None for message in world.read(topic))

    def delete():
        world.produce(topic, b"v", key="deleted")
        world.produce(topic, None, key="deleted")
    delete()
    for _ in range(3):
        must("a tombstone goes before anything was set", not is_gone())
        world.rounds()
    set_to("0")

    def shows():
        delete()
        until("the end of a tombstone", is_gone)
    return shows


@acts("index.interval.bytes")
def index_interval_bytes(world, topic, set_to):
    # An index of so few entries is full, and its segment with it, as soon as each batch has one.
    world.create(topic, segment_index_bytes=80, retention_bytes=20_000)
    small = b"x" * 400
    stays(world, topic, small, 40)
    set_to("1")
    return moves_on(world, topic, small, 60)


@acts("max.compaction.lag.ms")
def max_compaction_lag_ms(world, topic, set_to):
    world.create(topic, internal_segment_bytes=4_000, cleanup_policy="compact", min_cleanable_dirty_ratio=1)
    is_kept(world, topic)
    set_to("1")
    return compacts(world, topic)


@acts("max.message.bytes")
def max_message_bytes(world, topic, set_to):
    world.create(topic)
    world.produce(topic, LARGE)
    set_to("1000")

    def shows():
        must("a large record is taken", world.refuses("MSG_SIZE_TOO_LARGE", topic=topic, value=LARGE))
        world.produce(topic, b"small")
    return shows


@acts("message.timestamp.after.max.ms")
def message_timestamp_after_max_ms(world, topic, set_to):
    world.create(topic)
    must("a record of tomorrow is taken", world.refuses("INVALID_TIMESTAMP", topic=topic, timestamp=now_ms() + 24 * HOUR_MS))
    set_to(str(48 * HOUR_MS))
    return lambda: world.produce(topic, timestamp=now_ms() + 24 * HOUR_MS)


@acts("message.timestamp.before.max.ms")
def message_timestamp_before_max_ms(world, topic, set_to):
    world.create(topic)
    world.produce(topic, timestamp=now_ms() - 24 * HOUR_MS)
    set_to(str(HOUR_MS))

    def shows():
        must("a record of yesterday is taken", world.refuses("INVALID_TIMESTAMP", topic=topic, timestamp=now_ms() - 24 * HOUR_MS))
        world.produce(topic, timestamp=now_ms())
    return shows


@acts("message.timestamp.type")
def message_timestamp_type(world, topic, set_to):
    def timestamp():
        world.produce(topic, timestamp=now_ms() - HOUR_MS)
        return world.read(topic)[-1].timestamp()
    world.create(topic)
    must("the broker's time before anything was set", timestamp()[1] < now_ms() - HOUR_MS / 2)
    set_to("LogAppendTime")

    def shows():
        kind, found = timestamp()
        must("the producer's time", kind == 2 and abs(found - now_ms()) < HOUR_MS / 2)
    return shows


@acts("min.cleanable.dirty.ratio")
def min_cleanable_dirty_ratio(world, topic, set_to):
    world.create(topic, internal_segment_bytes=4_000, cleanup_policy="compact")
    set_to("1")
    is_kept(world, topic)
    set_to("0.01")
    return compacts(world, topic)


@acts("min.compaction.lag.ms")
def min_compaction_lag_ms(world, topic, set_to):
    world.create(topic, internal_segment_bytes=4_000, cleanup_policy="compact", min_cleanable_dirty_ratio=0.01)
    set_to(str(HOUR_MS))
    is_kept(world, topic)
    set_to("0")
    return compacts(world, topic)


@acts("min.insync.replicas")
def min_insync_replicas(world, topic, set_to):
    # With one broker there is one replica, and more are not asked for than there are.
    world.create(topic)
    set_to("3")
    return lambda: world.produce(topic)


@acts("remote.storage.enable")
def remote_storage_enable(world, topic, set_to):
    world.create(topic)

    def shows():
        try:
            set_to("true")
        except Refused as refused:
            must(f"it is refused so: {refused}", refused.name == "INVALID_CONFIG")
        else:
            raise Unseen("a topic is tiered where nothing is")
    return shows


@acts("retention.bytes")
def retention_bytes(world, topic, set_to):
    world.create(topic, internal_segment_bytes=10_000)
    stays(world, topic)
    set_to("20000")
    return moves_on(world, topic)


@acts("retention.ms")
def retention_ms(world, topic, set_to):
    def old():
        return world.produce(topic, timestamp=now_ms() - 24 * HOUR_MS)
    world.create(topic)
    old()
    world.rounds()
    must("an old record goes before anything was set", world.begin(topic) == 0)
    set_to(str(HOUR_MS))

    def shows():
        end = old() + 1
        until("the end of an old record", lambda: world.begin(topic) == end)
    return shows


@acts("segment.bytes")
def segment_bytes(world, topic, set_to):
    half = b"x" * 600_000
    world.create(topic, retention_bytes=1_000_000)
    stays(world, topic, half, 4)
    set_to(str(1 << 20))
    return moves_on(world, topic, half, 6)


@acts("segment.index.bytes")
def segment_index_bytes(world, topic, set_to):
    world.create(topic, retention_bytes=20_000)
    stays(world, topic)
    set_to("40")
    return moves_on(world, topic, count=20)


@acts("segment.ms")
def segment_ms(world, topic, set_to):
    world.create(topic, retention_bytes=20_000)
    stays(world, topic)
    set_to("1")
    return moves_on(world, topic)


@acts("strandline.durability")
def durability(world, topic, set_to):
    def journaled():
        before = world.number("strandline_journal_written_bytes_total")
        fill(world, topic, 5, b"x" * 500_000)
        return world.number("strandline_journal_written_bytes_total") - before
    world.create(topic)
    must("what is acknowledged is not in the journal", journaled() > 2_500_000)
    set_to("async")
    return lambda: must("what is acknowledged is in the journal", journaled() < 500_000)
