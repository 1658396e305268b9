"""Bad input to coordinators of groups and of transactions: who is no member, names an old generation or another's producer,
takes a step that is not its next, or says too much. After each of it the group is what it was.

`answers(client)` asks and gives a line for each answer; answers.py compares them with what Kafka said.
"""

import struct
import time

from flexible import compact, uvarint
from wire import PRODUCE, batch, record, text

OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR, JOIN_GROUP, HEARTBEAT, LEAVE_GROUP, SYNC_GROUP, DESCRIBE_GROUPS = 8, 9, 10, 11, 12, 13, 14, 15
INIT_PRODUCER_ID, ADD_PARTITIONS, ADD_OFFSETS, END_TXN, TXN_OFFSET_COMMIT = 22, 24, 25, 26, 28
DELETE_GROUPS, OFFSET_DELETE, CONSUMER_HEARTBEAT = 42, 47, 68
LOADING, NOT_AVAILABLE, NOT_COORDINATOR, CONCURRENT, MEMBER_ID_REQUIRED = 14, 15, 16, 51, 79
AGAIN = (LOADING, NOT_AVAILABLE, NOT_COORDINATOR, CONCURRENT)
TIMEOUT_S = 60


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def data(value):
    return struct.pack(">i", len(value)) + value


def text_at(body, at):
    (length,) = struct.unpack_from(">h", body, at)
    end = at + 2 + max(length, 0)
    return body[at + 2:end].decode(), end


class Closed(Exception):
    """There was no answer: the broker does so with what it cannot take apart."""


def or_closed(method):
    def asked(self, *words, **named):
        try:
            return method(self, *words, **named)
        except Closed:
            self.client.reconnect()
            return ("closed",)
    return asked


class Groups:
    """What is asked, in old versions that can be read beside the protocol's guide."""

    def __init__(self, client):
        self.client = client

    def ask(self, api, version, body):
        answer = self.client.ask(api, version, body)
        if answer is None:
            raise Closed
        return answer

    def patiently(self, question):
        """Kafka's coordinators take a moment to be there, and transactions one to be over."""
        deadline = time.monotonic() + TIMEOUT_S
        while (answer := question())[0] in AGAIN and time.monotonic() < deadline:
            time.sleep(0.05)
        return answer

    @or_closed
    def find(self, key, kind):
        body = self.ask(FIND_COORDINATOR, 1, text(key) + struct.pack(">b", kind))
        return struct.unpack_from(">h", body, 4)

    @or_closed
    def join(self, member="", group="g", session=30_000, kind="consumer", protocols=("range",)):
        """The error, the generation and the member's id."""
        names = array([text(name) + data(b"m") for name in protocols])
        body = text(group) + struct.pack(">ii", session, 30_000) + text(member) + text(kind) + names
        body = self.ask(JOIN_GROUP, 4, body)
        error, generation = struct.unpack_from(">hi", body, 4)
        _, at = text_at(body, 10)
        _, at = text_at(body, at)
        return error, generation, text_at(body, at)[0]

    @or_closed
    def sync(self, member, generation, group="g", assigned=()):
        parts = array([text(name) + data(b"a") for name in assigned])
        body = self.ask(SYNC_GROUP, 2, text(group) + struct.pack(">i", generation) + text(member) + parts)
        return struct.unpack_from(">h", body, 4)

    @or_closed
    def heartbeat(self, member, generation, group="g"):
        body = self.ask(HEARTBEAT, 2, text(group) + struct.pack(">i", generation) + text(member))
        return struct.unpack_from(">h", body, 4)

    @or_closed
    def leave(self, member, group="g"):
        return struct.unpack_from(">h", self.ask(LEAVE_GROUP, 2, text(group) + text(member)), 4)

    @or_closed
    def commit(self, member="", generation=-1, group="g", topic="t", partition=0, offset=1, note=""):
        place = struct.pack(">iqi", partition, offset, -1) + text(note)
        topics = array([text(topic) + array([place])])
        body = self.ask(OFFSET_COMMIT, 6, text(group) + struct.pack(">i", generation) + text(member) + topics)
        _, at = text_at(body, 8)
        return struct.unpack_from(">h", body, at + 8)

    def fetched(self, group="g"):
        topics = array([text("t") + array([struct.pack(">i", 0)])])
        body = self.ask(OFFSET_FETCH, 5, text(group) + topics)
        _, at = text_at(body, 8)
        _, offset = struct.unpack_from(">iq", body, at + 4)
        return offset

    @or_closed
    def state(self, group="g"):
        body = self.ask(DESCRIBE_GROUPS, 2, array([text(group)]))
        (error,) = struct.unpack_from(">h", body, 8)
        _, at = text_at(body, 10)
        return error, text_at(body, at)[0]

    @or_closed
    def delete(self, group="g"):
        body = self.ask(DELETE_GROUPS, 1, array([text(group)]))
        return struct.unpack_from(">h", body, text_at(body, 8)[1])

    @or_closed
    def delete_offsets(self, group="g", topic="t"):
        body = self.ask(OFFSET_DELETE, 0, text(group) + array([text(topic) + array([struct.pack(">i", 0)])]))
        (error, _, count) = struct.unpack_from(">hii", body)
        if error or not count:
            return (error,)
        return struct.unpack_from(">h", body, text_at(body, 10)[1] + 8)

    @or_closed
    def beat(self, member="c", epoch=0, group="new", topics=("t",), assignor=None, regex=None, instance=None, timeout=30_000):
        """ConsumerGroupHeartbeat v1: the error and the epoch."""
        names = b"\0" if topics is None else uvarint(len(topics) + 1) + b"".join(compact(name) for name in topics)
        body = compact(group) + compact(member) + struct.pack(">i", epoch) + compact(instance) + compact(None)
        body += struct.pack(">i", timeout) + names + compact(regex) + compact(assignor)
        body += (b"\1" if epoch == 0 else b"\0") + b"\0"
        header = struct.pack(">hhi", CONSUMER_HEARTBEAT, 1, 1) + text("stranger") + b"\0"
        self.client.send(struct.pack(">i", len(header) + len(body)) + header + body)
        answer = self.client.receive()
        if answer is None:
            raise Closed
        return struct.unpack_from(">h", answer, 5)

    @or_closed
    def init(self, name="tx", timeout=60_000):
        """The error, the producer's id and its epoch."""
        body = self.ask(INIT_PRODUCER_ID, 1, text(name) + struct.pack(">i", timeout))
        return struct.unpack_from(">hqh", body, 4)

    @or_closed
    def add(self, own, name="tx", topic="t", partitions=(0,)):
        places = array([text(topic) + array([struct.pack(">i", partition) for partition in partitions])])
        body = self.ask(ADD_PARTITIONS, 2, text(name) + struct.pack(">qh", *own) + places)
        _, at = text_at(body, 8)
        (count,) = struct.unpack_from(">i", body, at)
        return tuple(struct.unpack_from(">h", body, at + 4 + 6 * place + 4)[0] for place in range(count))

    @or_closed
    def add_offsets(self, own, name="tx", group="g"):
        return struct.unpack_from(">h", self.ask(ADD_OFFSETS, 2, text(name) + struct.pack(">qh", *own) + text(group)), 4)

    @or_closed
    def commit_in(self, own, name="tx", group="txg", note=""):
        place = struct.pack(">iqi", 0, 5, -1) + text(note)
        body = text(name) + text(group) + struct.pack(">qh", *own) + array([text("t") + array([place])])
        body = self.ask(TXN_OFFSET_COMMIT, 2, body)
        _, at = text_at(body, 8)
        return struct.unpack_from(">h", body, at + 8)

    @or_closed
    def end(self, own, is_commit=True, name="tx"):
        return struct.unpack_from(">h", self.ask(END_TXN, 2, text(name) + struct.pack(">qhb", *own, is_commit)), 4)

    @or_closed
    def produce(self, own, sequence=0, name="tx"):
        records = batch(record(b"v"), attributes=0x10, producer=(*own, sequence))
        places = struct.pack(">ii", 0, len(records)) + records
        body = text(name) + struct.pack(">hii", -1, 10_000, 1) + text("t") + struct.pack(">i", 1) + places
        body = self.ask(PRODUCE, 7, body)
        return struct.unpack_from(">h", body, text_at(body, 4)[1] + 8)


def simple(groups):
    """Offsets of a group without members."""
    yield "a commit of nobody", groups.patiently(groups.commit)
    yield "of nobody, with a generation", groups.commit(generation=3)
    yield "of somebody, without a generation", groups.commit(member="stranger")
    yield "of somebody, with a generation", groups.commit(member="stranger", generation=3)
    yield "for an unknown topic", groups.commit(topic="nobody")
    yield "for an unknown partition", groups.commit(partition=9)
    yield "with a note of 4096", groups.commit(note="x" * 4_096)
    yield "with a note of 4097", groups.commit(note="x" * 4_097, offset=9)
    yield "with a note of 4096 letters of two bytes", groups.commit(note="ä" * 4_096)
    yield "of an offset below 0", groups.commit(offset=-5)
    yield "for a group without a name", groups.commit(group="")
    yield "with a generation, for a group that is not there", groups.commit(group="none", generation=3, member="stranger")
    yield "and the group is", groups.state()
    yield "and the offset", (groups.fetched(),)
    yield "a group that is not there is", groups.state("none")


def classic(groups):
    """A classic group: joining, and what a member may do when."""
    yield "join without a group", groups.join(group="")[:1]
    yield "join with a session of 1 ms", groups.join(session=1)[:1]
    yield "join with a session of an hour", groups.join(session=3_600_000)[:1]
    yield "join as a member that is not there", groups.join(member="stranger")[:1]
    yield "join without a protocol", groups.join(protocols=())[:1]
    yield "join without a type", groups.join(kind="")[:1]
    yield "and the group is", groups.state()
    error, _, member = groups.join()
    yield "join as a newcomer", (error,)
    error, generation, _ = groups.join(member)
    yield "join with the id that was given", (error, generation)
    yield "sync as a stranger", groups.sync("stranger", generation)
    yield "sync in the generation before", groups.sync(member, generation - 1)
    yield "sync in the next generation", groups.sync(member, generation + 1)
    yield "commit before the sync", groups.commit(member, generation, offset=7)
    yield "heartbeat before the sync", groups.heartbeat(member, generation)
    yield "and the group is", groups.state()
    yield "sync", groups.sync(member, generation, assigned=[member])
    yield "sync once more", groups.sync(member, generation, assigned=[member])
    yield "join as another type", groups.join(kind="connect")[:1]
    yield "join with another protocol", groups.join(protocols=("other",))[:1]
    for words, who, when in (
        ("by a stranger", "stranger", generation), ("by nobody", "", -1), ("by nobody, with a generation", "", generation),
        ("in the generation before", member, generation - 1), ("in the next generation", member, generation + 1), ("as it should be", member, generation),
    ):
        yield f"heartbeat {words}", groups.heartbeat(who, when)
        yield f"commit {words}", groups.commit(who, when, offset=3)
    yield "and the group is", groups.state()
    yield "and the offset", (groups.fetched(),)
    yield "leave as a stranger", groups.leave("stranger")
    yield "delete the group", groups.delete()
    yield "delete its offsets", groups.delete_offsets()
    yield "delete offsets of a group that is not there", groups.delete_offsets("none")
    yield "a member of the new protocol stays in it", groups.beat(group="g", epoch=3, topics=None)
    yield "and the group is", groups.state()
    yield "leave", groups.leave(member)
    yield "heartbeat after that", groups.heartbeat(member, generation)
    yield "sync after that", groups.sync(member, generation)
    yield "delete offsets for a topic that is not there", groups.delete_offsets(topic="nobody")
    yield "delete the group", groups.delete()
    yield "delete it once more", groups.delete()
    yield "delete a group without a name", groups.delete("")
    yield "heartbeat after that", groups.heartbeat(member, generation)
    yield "leave after that", groups.leave(member)


def consumer(groups):
    """A group of the new protocol."""
    yield "stay in a group that is not there", groups.beat(epoch=3, topics=None)
    yield "leave a group that is not there", groups.beat(epoch=-1, topics=None)
    yield "join without a group", groups.beat(group="")
    yield "join without an id", groups.beat(member="")
    yield "join without a timeout", groups.beat(timeout=-1)
    yield "join without topics", groups.beat(topics=None)
    yield "join with an assignor that is not there", groups.beat(assignor="nobody")
    yield "join with a pattern that is none", groups.beat(regex="(")
    yield "join with an epoch of -3", groups.beat(epoch=-3)
    yield "leave for a while without a name", groups.beat(epoch=-2)
    yield "and the group is", groups.state("new")
    yield "join", groups.patiently(groups.beat)
    yield "stay as a stranger", groups.beat("stranger", 1, topics=None)
    yield "stay in an epoch to come", groups.beat(epoch=77, topics=None)
    yield "a classic member joins with another type", groups.join(group="new", kind="connect")[:1]
    yield "a classic member stays", groups.heartbeat("c", 1, group="new")
    yield "a commit of nobody", groups.commit(group="new")
    yield "a commit of a stranger", groups.commit("stranger", 1, group="new")
    yield "a commit in a version that is too old", groups.commit("c", 1, group="new")
    yield "delete the group", groups.delete("new")
    yield "leave as a stranger", groups.beat("stranger", -1, topics=None)
    yield "leave", groups.beat(epoch=-1, topics=None)
    yield "stay after that", groups.beat(epoch=1, topics=None)
    yield "delete the group", groups.delete("new")


def transactions(groups):
    """Producers that are others, or take a step that is not their next."""
    yield "a producer without a name", groups.init("")[:1]
    yield "a timeout of 0", groups.init(timeout=0)[:1]
    yield "a timeout of a day", groups.init(timeout=86_400_000)[:1]
    error, producer, epoch = groups.patiently(groups.init)
    yield "a producer", (error, epoch)
    own, foreign, old, future = (producer, epoch), (producer + 77, epoch), (producer, epoch - 1), (producer, epoch + 1)
    yield "commit what is not open", groups.end(own)
    yield "abort what is not open", groups.end(own, False)
    yield "produce without saying so", groups.produce(own)
    others = (("another's producer", foreign), ("an old epoch", old), ("an epoch to come", future))
    for words, other in others:
        yield f"{words}: add partitions", groups.add(other)
        yield f"{words}: add offsets", groups.add_offsets(other, group="txg")
        yield f"{words}: commit offsets", groups.commit_in(other)
        yield f"{words}: end", groups.end(other)
    yield "no name: add partitions", groups.add(own, name="")
    yield "no name: add offsets", groups.add_offsets(own, name="")
    yield "no name: commit offsets", groups.commit_in(own, name="")
    yield "no name: end", groups.end(own, name="")
    yield "a name that nobody has: add partitions", groups.add(own, name="nobody")
    yield "a name that nobody has: end", groups.end(own, name="nobody")
    yield "add an unknown topic", groups.add(own, topic="nobody")
    yield "add one partition of two that is not there", groups.add(own, partitions=(0, 9))
    yield "commit offsets without saying so", groups.commit_in(own)
    yield "add partitions", groups.patiently(lambda: groups.add(own))
    yield "produce", groups.patiently(lambda: groups.produce(own))
    yield "add offsets", groups.add_offsets(own, group="txg")
    yield "commit offsets", groups.commit_in(own)
    yield "commit offsets with a note of 4097", groups.commit_in(own, note="x" * 4_097)
    for words, other in others:
        yield f"while it is open, {words}: add partitions", groups.add(other)
        yield f"while it is open, {words}: commit offsets", groups.commit_in(other)
        yield f"while it is open, {words}: end", groups.end(other)
    yield "and the group is", groups.state("txg")
    yield "commit", groups.end(own)
    yield "commit once more", groups.patiently(lambda: groups.end(own))
    yield "abort what is committed", groups.patiently(lambda: groups.end(own, False))
    error, _, second = groups.patiently(groups.init)
    yield "a second producer", (error, second)
    yield "the first one adds partitions", groups.add(own)
    yield "the first one commits", groups.end(own)
    yield "the first one produces", groups.produce(own, 1)


def answers(client):
    groups = Groups(client)
    for key, kind in (("g", 0), ("tx", 1)):
        yield f"find the coordinator of {key}: {groups.patiently(lambda key=key, kind=kind: groups.find(key, kind))[0]}"
    yield f"find one of another kind: {groups.find('g', 7)[0]}"
    for part in (simple, classic, consumer, transactions):
        for words, answer in part(groups):
            yield f"{part.__name__}, {words}: {' '.join(map(str, answer))}"
