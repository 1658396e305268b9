"""What a broker answers to requests that no client library sends: byte by byte, error by error.

usage: answers.py WORK_FOLDER [--record]

Every line of expected.txt is what is asked and what Kafka answered; it was recorded from Kafka, which passes as well.
"""

import struct
import sys
from pathlib import Path

from broker import Broker
from driven import Failure

HERE = Path(__file__).parent
EXPECTED = HERE / "expected.txt"
sys.path.insert(0, str(HERE.parents[1] / "hostile"))

import batches  # noqa: E402
import groups  # noqa: E402
import topics  # noqa: E402
from flexible import compact, flexible_frame, uvarint  # noqa: E402
from wire import CREATE_TOPICS, FETCH, METADATA, PRODUCE, Client, batch, create_topics, produce, record, text  # noqa: E402

OFFSET_FOR_LEADER_EPOCH, DELETE_RECORDS, DESCRIBE_CONFIGS, ALTER_CONFIGS, INCREMENTAL_ALTER_CONFIGS = 23, 21, 32, 33, 44
TOPIC, BROKER, BROKER_LOGGER, GROUP = 2, 4, 8, 32
# What is produced here is of 1970.
KEEPING = [("retention.ms", "-1")]
# A machine may be slow.
TIMEOUT_S = 90
NOBODY = bytes(range(1, 17))
# What Strandline says otherwise, and means to: by what Kafka says.
MEANT = {
    # Kafka falls over: UNKNOWN_SERVER_ERROR.
    "metadata 12 of no name and no id: no name: -1 no id partitions []": "metadata 12 of no name and no id: null: 100 no id partitions []",
    "metadata 13 of no name and no id: no name: -1 no id partitions [], error -1": "metadata 13 of no name and no id: null: 100 no id partitions []",
    "partitions of no name: no name: -1 no id partitions []": "partitions of no name: no name: 17 no id partitions []",
    "grow t to 1073741824: t: -1": "grow t to 1073741824: t: 44",
    # A topic goes by the id that it is asked for by, and only its name besides is refused; Kafka refuses both.
    "delete a name, and its id: sequences an id: 42": "delete a name, and its id: sequences an id: 0, sequences no id: 42",
    # One request may make 100,000 partitions; Kafka's 10,000 are what its controller can do at once.
    "create 10001 partitions: much: 44": "create 10001 partitions: much: 0",
    "create 100000 partitions: much: 44": "create 100000 partitions: much: 0",
    "create too many partitions of two topics: more: 44, much: 44": "create too many partitions of two topics: more: 0, much: 0",
}


def fetch_11(topic, replica=-1, epoch=-1, partition=0, offset=0, session=(0, -1)):
    head = struct.pack(">iiiibii", replica, 0, 1, 1 << 20, 0, *session)
    place = struct.pack(">iiqqi", partition, epoch, offset, -1, 1 << 20)
    return head + struct.pack(">i", 1) + text(topic) + struct.pack(">i", 1) + place + struct.pack(">i", 0) + text("")


def fetch_17(topic_id, replica=None, epoch=-1, last_epoch=-1, offset=0, cluster_id=None):
    """A follower says who it is in a tagged field, and may say which cluster it means."""
    place = struct.pack(">iiqiqi", 0, epoch, offset, last_epoch, -1, 1 << 20) + b"\0"
    body = struct.pack(">iiibii", 0, 1, 1 << 20, 0, 0, -1) + uvarint(2) + topic_id + uvarint(2) + place + b"\0"
    body += uvarint(1) + compact("")
    tags = []
    if cluster_id is not None:
        tags.append((0, compact(cluster_id)))
    if replica is not None:
        tags.append((1, struct.pack(">iq", replica, -1) + b"\0"))
    return body + uvarint(len(tags)) + b"".join(uvarint(tag) + uvarint(len(data)) + data for tag, data in tags)


def fetched_11(body):
    """The error of all, then that of the only partition."""
    _, error, _, topics = struct.unpack_from(">ihii", body)
    if not topics:
        return f"{error}, nothing"
    (length,) = struct.unpack_from(">h", body, 14)
    _, of_partition = struct.unpack_from(">ih", body, 14 + 2 + length + 4)
    return f"{error}, partition {of_partition}"


def fetched_17(body):
    # Behind the header's empty tags.
    _, error, _ = struct.unpack_from(">ihi", body, 1)
    if body[11] == 1:
        return f"{error}, nothing"
    _, of_partition = struct.unpack_from(">ih", body, 12 + 16 + 1)
    return f"{error}, partition {of_partition}"


def configs(pairs):
    return struct.pack(">i", len(pairs)) + b"".join(text(name) + text(value) for name, value in pairs)


def alter_0(*resources):
    body = struct.pack(">i", len(resources))
    for kind, name, pairs in resources:
        body += struct.pack(">b", kind) + text(name) + configs(pairs)
    return body + b"\0"


def incremental_0(*resources):
    body = struct.pack(">i", len(resources))
    for kind, name, pairs in resources:
        body += struct.pack(">b", kind) + text(name) + struct.pack(">i", len(pairs))
        body += b"".join(text(key) + struct.pack(">b", operation) + text(value) for key, operation, value in pairs)
    return body + b"\0"


def altered_0(body):
    _, count = struct.unpack_from(">ii", body)
    at, found = 8, []
    for _ in range(count):
        (error,) = struct.unpack_from(">h", body, at)
        (length,) = struct.unpack_from(">h", body, at + 2)
        at += 4 + max(length, 0) + 1
        (length,) = struct.unpack_from(">h", body, at)
        name = body[at + 2:at + 2 + length].decode()
        at += 2 + length
        found.append(f"{name or 'no name'}: {error}")
    return ", ".join(sorted(found))


def describe_configs_1(kind, name):
    return struct.pack(">ib", 1, kind) + text(name) + struct.pack(">ib", -1, 0)


def described_configs_1(body):
    (error,) = struct.unpack_from(">h", body, 8)
    return str(error)


def leader_epoch_3(topic, replica, current, wanted, partition=0):
    place = struct.pack(">iii", partition, current, wanted)
    return struct.pack(">ii", replica, 1) + text(topic) + struct.pack(">i", 1) + place


def leader_epoch_answer(body):
    (length,) = struct.unpack_from(">h", body, 8)
    error, partition, epoch, end = struct.unpack_from(">hiiq", body, 8 + 2 + length + 4)
    return f"{error}, epoch {epoch} to {end}"


def delete_records_0(topic, partition, offset):
    return struct.pack(">i", 1) + text(topic) + struct.pack(">iiqi", 1, partition, offset, 10_000)


def deleted_records_0(body):
    (length,) = struct.unpack_from(">h", body, 8)
    _, low, error = struct.unpack_from(">iqh", body, 8 + 2 + length + 4)
    return f"{error}, low watermark {low}"


def produced_7(body):
    (length,) = struct.unpack_from(">h", body, 4)
    error, base, _, start = struct.unpack_from(">hqqq", body, 4 + 2 + length + 4 + 4)
    return f"{error}, base offset {base}, log start {start}"


def topic_id_of(client, name):
    """By Metadata v10."""
    asked = uvarint(2) + bytes(16) + compact(name) + b"\0" + b"\0\0\0\0"
    client.send(flexible_frame(METADATA, 10, asked))
    body = client.receive()
    place = body.index(compact(name))
    return body[place + len(name) + 1:place + len(name) + 17]


def questions(topic_id):
    """What is asked, as words, version and body, and how the answer is read; flexible versions are marked."""
    yield "fetch by a follower that is not registered", FETCH, 11, fetch_11("t", replica=2), fetched_11
    for epoch in (0, 1, 7):
        yield f"the same, leader epoch {epoch}", FETCH, 11, fetch_11("t", replica=2, epoch=epoch), fetched_11
    yield "the same, an unknown topic", FETCH, 11, fetch_11("nobody", replica=2), fetched_11
    yield "the same, an unknown partition", FETCH, 11, fetch_11("t", replica=2, partition=9), fetched_11
    yield "fetch by the broker itself", FETCH, 11, fetch_11("t", replica=1), fetched_11
    yield "fetch by a debugging consumer", FETCH, 11, fetch_11("t", replica=-2), fetched_11
    yield "fetch, a leader epoch to come", FETCH, 11, fetch_11("t", epoch=7), fetched_11
    yield "fetch, an offset below all", FETCH, 11, fetch_11("t", offset=-1), fetched_11
    yield "fetch, an offset above all", FETCH, 11, fetch_11("t", offset=99), fetched_11
    yield "fetch, a session that is not there", FETCH, 11, fetch_11("t", session=(77, 1)), fetched_11
    yield "fetch, a session without its first", FETCH, 11, fetch_11("t", session=(0, 5)), fetched_11
    yield "by id: a follower", FETCH, 17, fetch_17(topic_id, replica=2), fetched_17
    yield "by id: a follower, leader epoch 0", FETCH, 17, fetch_17(topic_id, replica=2, epoch=0), fetched_17
    yield "by id: a follower, leader epoch 7", FETCH, 17, fetch_17(topic_id, replica=2, epoch=7), fetched_17
    yield "by id: a follower, an unknown id", FETCH, 17, fetch_17(NOBODY, replica=2), fetched_17
    yield "by id: a consumer, an unknown id", FETCH, 17, fetch_17(NOBODY), fetched_17
    yield "by id: a consumer of another cluster", FETCH, 17, fetch_17(topic_id, cluster_id="another"), fetched_17
    yield "by id: a follower of another cluster", FETCH, 17, fetch_17(topic_id, replica=2, cluster_id="another"), fetched_17
    yield "by id: last fetched epoch to come", FETCH, 17, fetch_17(topic_id, last_epoch=7), fetched_17
    resources = [(TOPIC, "nobody"), (TOPIC, ""), (TOPIC, "a topic"), (BROKER, "77"), (BROKER, "x"), (BROKER_LOGGER, "77"), (99, "x")]
    for kind, name in resources:
        yield f"alter configs of {kind} {name!r}", ALTER_CONFIGS, 0, alter_0((kind, name, [("retention.ms", "1000")])), altered_0
        change = (kind, name, [("retention.ms", 0, "1000")])
        yield "incrementally", INCREMENTAL_ALTER_CONFIGS, 0, incremental_0(change), altered_0
        yield "describe them", DESCRIBE_CONFIGS, 1, describe_configs_1(kind, name), described_configs_1
    # Kafka never answers where one is named twice.
    one = (TOPIC, "t", KEEPING)
    yield "alter configs, one of two unknown", ALTER_CONFIGS, 0, alter_0(one, (TOPIC, "nobody", [])), altered_0
    yield "alter configs, nothing", ALTER_CONFIGS, 0, alter_0(), altered_0
    yield "alter configs, no such name", ALTER_CONFIGS, 0, alter_0((TOPIC, "t", [("no.such", "1")])), altered_0
    yield "alter configs, no such value", ALTER_CONFIGS, 0, alter_0((TOPIC, "t", [("retention.ms", "x")])), altered_0
    for replica, current, wanted in [(-1, -1, 0), (-1, -1, 5), (-1, 7, 0), (2, -1, 0), (2, 0, 0), (-1, -1, -1)]:
        question = leader_epoch_3("t", replica, current, wanted)
        yield f"end of epoch {wanted} by {replica} in {current}", OFFSET_FOR_LEADER_EPOCH, 3, question, leader_epoch_answer
    question = leader_epoch_3("nobody", -1, -1, 0)
    yield "end of an epoch of an unknown topic", OFFSET_FOR_LEADER_EPOCH, 3, question, leader_epoch_answer
    for topic, partition, offset in [("t", 0, -2), ("t", 0, 99), ("t", 9, 0), ("nobody", 0, 0), ("t", 0, 1), ("t", 0, 0), ("t", 0, -1)]:
        question = delete_records_0(topic, partition, offset)
        yield f"delete records of {topic}-{partition} before {offset}", DELETE_RECORDS, 0, question, deleted_records_0
    good = batch(record(b"value"))
    yield "produce to an unknown topic", PRODUCE, 7, produce("nobody", good), produced_7
    yield "produce to an unknown partition", PRODUCE, 7, produce("t", good, partition=9), produced_7
    yield "produce with acks 3", PRODUCE, 7, produce("t", good, acks=3), produced_7
    yield "produce nothing", PRODUCE, 7, produce("t", b""), produced_7
    for what, data, _ in batches.refused():
        yield f"produce {what}", PRODUCE, 7, produce("t", data), produced_7
    for what, data, _, _ in batches.wrapped():
        yield f"produce {what}", PRODUCE, 7, produce("sequences", data), produced_7
    yield "produce, a first sequence of 5", PRODUCE, 7, produce("t", batch(record(b"value"), producer=(4_000, 0, 5))), produced_7
    yield "the same once more", PRODUCE, 7, produce("t", batch(record(b"value"), producer=(4_000, 0, 5))), produced_7
    yield "a gap", PRODUCE, 7, produce("t", batch(record(b"value"), producer=(4_000, 0, 8))), produced_7
    yield "an older epoch", PRODUCE, 7, produce("t", batch(record(b"value"), producer=(4_000, -1, 6))), produced_7


def asked(client, topic_id):
    for words, api, version, body, read in questions(topic_id):
        is_flexible = api == FETCH and version >= 12
        try:
            answer = None
            if is_flexible:
                client.send(flexible_frame(api, version, body))
                answer = client.receive()
            else:
                answer = client.ask(api, version, body)
        except ConnectionError:
            pass
        except TimeoutError:
            print(f"answers: nothing came to: {words}", file=sys.stderr)
        if answer is None:
            # Kafka closes for what it cannot take apart.
            client.reconnect()
        yield f"{words}: {'closed' if answer is None else read(answer)}"


class Stranger(Client):
    def __init__(self, address):
        super().__init__(address, TIMEOUT_S)
        self.address = address

    def reconnect(self):
        self.socket.close()
        super().__init__(self.address, TIMEOUT_S)


def main():
    folder, is_recording = Path(sys.argv[1]), sys.argv[2:] == ["--record"]
    with Broker(folder) as broker:
        host, port = broker.address.split(":")
        with Stranger((host, int(port))) as client:
            client.ask(CREATE_TOPICS, 2, create_topics(["t", "sequences"]))
            client.ask(ALTER_CONFIGS, 0, alter_0((TOPIC, "t", KEEPING), (TOPIC, "sequences", KEEPING)))
            for value in (b"one", b"two", b"three"):
                while not produced_7(client.ask(PRODUCE, 7, produce("t", batch(record(value))))).startswith("0,"):
                    pass
            found = list(asked(client, topic_id_of(client, "t")))
            # Groups make topics of their own.
            found += topics.answers(client, topic_id_of(client, "t"), topic_id_of(client, "sequences"))
            found += groups.answers(client)
    if is_recording:
        EXPECTED.write_text("".join(f"{line}\n" for line in found))
        return
    expected = EXPECTED.read_text().splitlines()
    if gone := MEANT.keys() - expected:
        raise Failure(f"Kafka no longer says {gone}")
    if broker.kind == "strandline":
        expected = [MEANT.get(line, line) for line in expected]
    differences = [f"{ours!r} where Kafka has {kafkas!r}" for ours, kafkas in zip(found, expected) if ours != kafkas]
    if len(found) != len(expected):
        differences.append(f"{len(found)} answers, and {len(expected)} were recorded")
    if differences:
        raise Failure("\n  ".join(differences))
    print(f"answers: {len(found)} are Kafka's")


main()
