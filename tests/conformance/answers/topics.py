"""Bad input to the requests about topics: names that are none, ids and cursors of nobody, partitions without number.

`answers(client, topic_id, other_id)` asks and gives a line for each answer; answers.py compares them with what Kafka
said. The topics `t` and `sequences` are there, with one partition each; only `t` has to be there afterwards.
"""

import struct

from flexible import compact, compact_array, flexible_frame
from wire import CREATE_TOPICS, METADATA, text

DELETE_TOPICS, CREATE_PARTITIONS, DESCRIBE_TOPIC_PARTITIONS = 20, 37, 75
NO_ID, NOBODY = bytes(16), bytes(range(1, 17))
LONG = "x" * 250
BAD_NAMES = ["", ".", "..", "a/b", "a b", "\u00e4", "a\0b", LONG]


def said(name):
    return {None: "null", "": "no name", LONG: "a long name"}.get(name, repr(name).strip("'"))


class Reader:
    """Takes an answer apart, of old versions and of flexible ones."""

    def __init__(self, body, is_flexible=False):
        self.body, self.at, self.is_flexible = body, 0, is_flexible
        self.tags()

    def take(self, form):
        found = struct.unpack_from(f">{form}", self.body, self.at)
        self.at += struct.calcsize(f">{form}")
        return found if len(found) > 1 else found[0]

    def count(self):
        """None is null."""
        if not self.is_flexible:
            count = self.take("i")
            return None if count < 0 else count
        number = shift = 0
        while True:
            byte = self.take("B")
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return None if number == 0 else number - 1

    def text(self):
        count = self.count() if self.is_flexible else self.take("h")
        if count is None or count < 0:
            return None
        self.at += count
        return self.body[self.at - count:self.at].decode()

    def array(self, item):
        return [item() for _ in range(self.count() or 0)]

    def bytes(self, count):
        self.at += count
        return self.body[self.at - count:self.at]

    def tags(self):
        if self.is_flexible:
            assert self.take("b") == 0, "tagged fields"


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def metadata_old(names, version, creates=False):
    """Versions 0 to 8."""
    topics = struct.pack(">i", -1) if names is None else array([text(name) for name in names])
    return topics + (struct.pack(">b", creates) if version >= 4 else b"") + (b"\0\0" if version >= 8 else b"")


def metadata_flexible(topics, version, creates=False):
    """Versions 9 to 13: (id, name) each; before 10 there are no ids."""
    items = [(b"" if version < 10 else topic_id) + compact(name) + b"\0" for topic_id, name in topics]
    return compact_array(items) + struct.pack(">b", creates) + (b"\0" if version < 11 else b"") + b"\0" + b"\0"


def described_old(body, version):
    reader = Reader(body)
    if version >= 3:
        reader.take("i")

    def broker():
        reader.take("i"), reader.text(), reader.take("i")
        return reader.text() if version >= 1 else None

    def partition():
        error = reader.take("hiii" if version >= 7 else "hii")[0]
        reader.array(lambda: reader.take("i")), reader.array(lambda: reader.take("i"))
        if version >= 5:
            reader.array(lambda: reader.take("i"))
        return error

    def topic():
        error, name = reader.take("h"), reader.text()
        is_internal = reader.take("b") if version >= 1 else 0
        found = told(error, name, None, is_internal, reader.array(partition))
        if version >= 8:
            reader.take("i")
        return found

    reader.array(broker)
    if version >= 2:
        reader.text()
    if version >= 1:
        reader.take("i")
    return listed(reader.array(topic))


def described_flexible(body, version):
    reader = Reader(body, True)
    reader.take("i")

    def broker():
        reader.take("i"), reader.text(), reader.take("i"), reader.text(), reader.tags()

    def partition():
        error = reader.take("hiii")[0]
        for _ in range(3):
            reader.array(lambda: reader.take("i"))
        reader.tags()
        return error

    def topic():
        error, name = reader.take("h"), reader.text()
        topic_id = reader.bytes(16) if version >= 10 else None
        is_internal = reader.take("b")
        found = told(error, name, topic_id, is_internal, reader.array(partition))
        reader.take("i"), reader.tags()
        return found

    reader.array(broker)
    reader.text(), reader.take("i")
    topics = reader.array(topic)
    if version <= 10:
        reader.take("i")
    return listed(topics, reader.take("h") if version >= 13 else 0)


def told(error, name, topic_id, is_internal, partitions):
    """What does not differ from broker to broker, in words."""
    words = [f"{said(name)}: {error}"]
    if topic_id is not None:
        words.append({NO_ID: "no id", NOBODY: "the id asked for"}.get(topic_id, "an id"))
    if is_internal:
        words.append("internal")
    return name, " ".join([*words, f"partitions {partitions}"])


def listed(topics, error=0):
    """Kafka lists them in the order of its own tables; what it keeps for itself is its own affair."""
    topics = sorted(words for name, words in topics if name is None or not name.startswith("__"))
    return ", ".join(topics or ["nothing"]) + (f", error {error}" if error else "")


def describe_partitions(names, limit=2_000, cursor=None):
    """DescribeTopicPartitions v0."""
    body = compact_array([compact(name) + b"\0" for name in names]) + struct.pack(">i", limit)
    if cursor is None:
        return body + b"\xff\0"
    return body + b"\1" + compact(cursor[0]) + struct.pack(">i", cursor[1]) + b"\0\0"


def described_partitions(body):
    reader = Reader(body, True)
    reader.take("i")

    def partition():
        error, index = reader.take("hiii")[:2]
        for _ in range(5):
            reader.array(lambda: reader.take("i"))
        reader.tags()
        return f"{index}:{error}" if error else index

    def topic():
        error, name, topic_id, is_internal = reader.take("h"), reader.text(), reader.bytes(16), reader.take("b")
        found = told(error, name, topic_id, is_internal, reader.array(partition))
        reader.take("i"), reader.tags()
        return found

    # Here the order is part of the answer.
    topics = ", ".join(words for name, words in reader.array(topic) if name is None or not name.startswith("__"))
    if reader.take("b") < 0:
        return topics or "nothing"
    return f"{topics or 'nothing'}, next {said(reader.text())} {reader.take('i')}"


def create_2(topics, only_validates=False):
    """(name, partitions, replicas, what each partition is given, settings) each."""
    items = []
    for name, partitions, replicas, given, settings in topics:
        places = array([struct.pack(">i", index) + array([struct.pack(">i", node) for node in nodes]) for index, nodes in given])
        values = array([text(key) + (b"\xff\xff" if value is None else text(value)) for key, value in settings])
        items.append(text(name) + struct.pack(">ih", partitions, replicas) + places + values)
    return array(items) + struct.pack(">ib", 10_000, only_validates)


def created_2(body):
    reader = Reader(body)
    reader.take("i")

    def topic():
        name, error = reader.text(), reader.take("h")
        reader.text()
        return f"{said(name)}: {error}"

    return ", ".join(sorted(reader.array(topic))) or "nothing"


def deleted_3(body):
    reader = Reader(body)
    reader.take("i")
    return ", ".join(sorted(f"{said(reader.text())}: {reader.take('h')}" for _ in range(reader.count()))) or "nothing"


def delete_6(topics):
    items = [compact(name) + topic_id + b"\0" for topic_id, name in topics]
    return compact_array(items) + struct.pack(">i", 10_000) + b"\0"


def deleted_6(body):
    reader = Reader(body, True)
    reader.take("i")

    def topic():
        name, topic_id, error = reader.text(), reader.bytes(16), reader.take("h")
        reader.text(), reader.tags()
        return f"{said(name)} {dict([(NO_ID, 'no id'), (NOBODY, 'the id asked for')]).get(topic_id, 'an id')}: {error}"

    return ", ".join(sorted(reader.array(topic))) or "nothing"


def grow_0(topics, only_validates=True):
    items = [text(name) + struct.pack(">i", count) + struct.pack(">i", -1) for name, count in topics]
    return array(items) + struct.pack(">ib", 10_000, only_validates)


def of_metadata(topic_id):
    for version in (0, 1, 4, 8):
        def ask(words, names, creates=False, version=version):
            return f"metadata {version} of {words}", METADATA, version, metadata_old(names, version, creates), lambda body: described_old(body, version)

        yield ask("an empty list", [])
        if version > 0:
            yield ask("null", None)
        for name in [*BAD_NAMES, "nobody"]:
            yield ask(said(name), [name])
        yield ask("one twice", ["t", "t"])
        yield ask("several", ["t", "nobody", "a/b"])
        yield ask("nobody, who may be made", ["nobody"], True)
        yield ask("a bad name, which may be made", ["a/b"], True)
    for version in (9, 10, 11, 12, 13):
        def by_id(words, topics, version=version):
            return f"metadata {version} of {words}", METADATA, version, metadata_flexible(topics, version), lambda body: described_flexible(body, version)

        yield by_id("an empty list", [])
        yield by_id("names", [(NO_ID, "t"), (NO_ID, "nobody"), (NO_ID, "a/b"), (NO_ID, "")])
        yield by_id("no name and no id", [(NO_ID, None)])
        if version >= 10:
            yield by_id("its id", [(topic_id, None)])
            yield by_id("the id of nobody", [(NOBODY, None)])
            yield by_id("a name and its id", [(topic_id, "t")])
            yield by_id("a name and the id of nobody", [(NOBODY, "t")])
            yield by_id("a name, and its id", [(NO_ID, "t"), (topic_id, None)])
            yield by_id("ids, its own and that of nobody", [(topic_id, None), (NOBODY, None)])


def of_partitions():
    def ask(words, *question):
        return f"partitions of {words}", DESCRIBE_TOPIC_PARTITIONS, 0, describe_partitions(*question), described_partitions

    for name in [*BAD_NAMES, "nobody", "t", "u"]:
        yield ask(said(name), [name])
    yield ask("an empty list", [])
    yield ask("several", ["u", "nobody", "t", "a/b"])
    yield ask("one twice", ["t", "t"])
    for limit in (-1, 0, 1, 2, 3, 1 << 30):
        yield ask(f"two, and no more than {limit}", ["t", "u"], limit)
    for cursor in [("t", 0), ("t", 1), ("t", -1), ("u", 2), ("u", 3), ("u", 7), ("nobody", 0), ("nobody", 5), ("a/b", 0), ("", 0), ("zzz", 0)]:
        words = f"from {said(cursor[0])} {cursor[1]} on"
        yield ask(f"two, {words}", ["t", "u"], 2_000, cursor)
        yield ask(f"all, {words}", [], 2_000, cursor)
    yield ask("one, from another on that is there", ["t"], 2_000, ("u", 0))
    yield ask("two and nobody, from nobody on", ["t", "nobody", "u"], 2_000, ("nobody", 0))
    yield ask("one, from its first on, and no more than 1", ["u"], 1, ("u", 1))


def of_creating():
    def ask(words, *topics, only_validates=False):
        return f"create {words}", CREATE_TOPICS, 2, create_2(topics, only_validates), created_2

    for name in BAD_NAMES:
        yield ask(said(name), (name, 1, 1, [], []))
    yield ask("nothing")
    yield ask("what is there", ("t", 1, 1, [], []))
    yield ask("one twice", ("twice", 1, 1, [], []), ("twice", 1, 1, [], []))
    yield ask("one twice beside another", ("twice", 1, 1, [], []), ("twice", 1, 1, [], []), ("a/b", 1, 1, [], []))
    for partitions in (0, -1, -2, -(1 << 31), 10_001, 100_000, (1 << 31) - 1):
        yield ask(f"{partitions} partitions", ("much", partitions, 1, [], []), only_validates=True)
    yield ask("too many partitions of two topics", ("much", 6_000, 1, [], []), ("more", 6_000, 1, [], []), only_validates=True)
    for replicas in (0, -1, -2, 2, (1 << 15) - 1):
        yield ask(f"{replicas} replicas", ("much", 1, replicas, [], []), only_validates=True)
    assigned = {
        "on a broker": [(0, [1])], "on nobody": [(0, [7])], "on one twice": [(0, [1, 1])], "on none": [(0, [])], "on -1": [(0, [-1])],
        "from 1 on": [(1, [1])], "with a gap": [(0, [1]), (2, [1])], "with one twice": [(0, [1]), (0, [1])], "with -1": [(-1, [1])],
    }
    for words, given in assigned.items():
        yield ask(f"partitions {words}", ("given", -1, -1, given, []), only_validates=True)
    yield ask("partitions on a broker and their number", ("given", 1, -1, [(0, [1])], []), only_validates=True)
    yield ask("partitions on a broker and their replicas", ("given", -1, 1, [(0, [1])], []), only_validates=True)
    for key, value in [("no.such", "1"), ("retention.ms", "x"), ("retention.ms", None), ("", "1"), ("cleanup.policy", "")]:
        yield ask(f"with {said(key)} = {said(value)}", ("set", 1, 1, [], [(key, value)]), only_validates=True)
    yield ask("with a setting twice", ("set", 1, 1, [], [("retention.ms", "1"), ("retention.ms", "2")]), only_validates=True)
    yield ask("only to see", ("seen", 1, 1, [], []), only_validates=True)
    yield ask("what was only seen", ("seen", 3, 1, [], []), only_validates=True)
    for topics in ([("t", 1)], [("t", 0)], [("t", -1)], [("t", 10_001)], [("t", 1 << 30)], [("nobody", 2)], [("a/b", 2)], [("", 2)], [("t", 2), ("t", 3)], []):
        words = " and ".join(f"{said(name)} to {count}" for name, count in topics) or "nothing"
        yield f"grow {words}", CREATE_PARTITIONS, 0, grow_0(topics), created_2


def of_deleting(own, topic_id):
    def ask(words, names):
        return f"delete {words}", DELETE_TOPICS, 3, array([text(name) for name in names]) + struct.pack(">i", 10_000), deleted_3

    for name in [*BAD_NAMES, "nobody"]:
        yield ask(said(name), [name])
    yield ask("nothing", [])
    yield ask("one twice", ["t", "t"])
    yield ask("nobody twice", ["nobody", "nobody"])

    def by_id(words, *topics):
        return f"delete {words}", DELETE_TOPICS, 6, delete_6(topics), deleted_6

    yield by_id("the id of nobody", (NOBODY, None))
    yield by_id("no name and no id", (NO_ID, None))
    yield by_id("a name and its id", (topic_id, own))
    yield by_id("a name and the id of nobody", (NOBODY, own))
    yield by_id("an id twice", (topic_id, None), (topic_id, None))
    yield by_id("a name, and its id", (NO_ID, own), (topic_id, None))
    yield by_id("no list")
    yield ask("one that is there, and nobody", ["u", "nobody"])


def questions(topic_id, other_id):
    yield "create another", CREATE_TOPICS, 2, create_2([("u", 3, 1, [], [])]), created_2
    for part in (of_metadata(topic_id), of_partitions(), of_creating(), of_deleting("sequences", other_id)):
        yield from part


def is_flexible(api, version):
    first = {METADATA: 9, CREATE_TOPICS: 5, DELETE_TOPICS: 4, CREATE_PARTITIONS: 2, DESCRIBE_TOPIC_PARTITIONS: 0}
    return version >= first[api]


def answers(client, topic_id, other_id):
    for words, api, version, body, read in questions(topic_id, other_id):
        try:
            if is_flexible(api, version):
                client.send(flexible_frame(api, version, body))
                answer = client.receive()
            else:
                answer = client.ask(api, version, body)
        except ConnectionError:
            answer = None
        if answer is None:
            client.reconnect()
        yield f"{words}: {'closed' if answer is None else read(answer)}"
