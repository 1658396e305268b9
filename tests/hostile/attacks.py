"""What hostile clients do. Each attack goes on until it is told to end, and says what it saw if that is wrong."""

import itertools
import random
import struct
import time

import batches
import counts
import wire
from wire import Client

NOT_LEADER_OR_FOLLOWER, INVALID_TOPIC, UNSUPPORTED_VERSION = 6, 17, 35
FRAME_BYTES_MAX = 100 << 20
# What hostile.py sets, so that a flood comes to an end: so many connections of one address, and in all.
CONNECTIONS_PER_ADDRESS_MAX, CONNECTIONS_MAX = 2_200, 2_500
SETTLE_S = 20


class Unexpected(Exception):
    """The broker did what it must not do."""


def expect(holds, what):
    if not holds:
        raise Unexpected(what)


def lying_lengths(address, _topic, _seed):
    for length in [-1, 0, 3, FRAME_BYTES_MAX + 1, (1 << 31) - 1]:
        with Client(address) as client:
            try:
                client.send(struct.pack(">i", length) + b"\0" * 1000)
            except ConnectionError:
                continue
            expect(client.is_closed(), f"a frame of {length} bytes is waited for")


def promises(address, _topic, _seed, clients=1_000):
    """Connections that promise 100 MiB and send a byte now and then."""
    open_clients = []
    try:
        for _ in range(clients):
            client = Client(address)
            open_clients.append(client)
            client.send(struct.pack(">ihhi", FRAME_BYTES_MAX, wire.PRODUCE, 7, 1))
        for _ in range(3):
            for client in open_clients:
                client.send(b"\0")
            time.sleep(0.3)
        expect(all(client.is_open() for client in open_clients), "a large frame that comes slowly is not waited for")
    except ConnectionError as problem:
        raise Unexpected("a large frame that comes slowly is turned away") from problem
    finally:
        for client in open_clients:
            client.socket.close()


def lying_counts(address, _topic, seed):
    """Counts of everything above what remains, in every API and version: the end of the connection, and nothing else."""
    for api, version in itertools.product(counts.APIS, counts.VERSIONS):
        for name, body in counts.BODIES.items():
            with Client(address) as client:
                found = client.ask(api, version, body)
            right = counts.is_right(api, version, name, found)
            expect(right, f"{name} as {api} of version {version} is answered by {found and found[:40].hex()}")
        with Client(address) as client:
            # By chance there may be something in it that can be asked.
            client.ask(api, version, random.Random(f"{seed} {api} {version}").randbytes(64))


def unknown(address, _topic, _seed):
    with Client(address) as client:
        client.send(wire.frame(9_999, 0, b""))
        expect(client.is_closed(), "an unknown API is answered")
    with Client(address) as client:
        client.send(wire.frame(wire.METADATA, 99, b""))
        expect(client.is_closed(), "an unknown version is answered")
    with Client(address) as client:
        # From version 3 on the header ends with tags.
        body = client.ask(wire.API_VERSIONS, 99, b"\0")
        expect(body is not None, "ApiVersions 99 is not answered")
        expect(struct.unpack_from(">h", body)[0] == UNSUPPORTED_VERSION, "ApiVersions 99 is not answered as version 0")


def bad_names(address, _topic, _seed):
    names = ["../x", "/", "a\0b", "x" * 250, "..", "."]
    with Client(address) as client:
        body = client.ask(wire.CREATE_TOPICS, 2, wire.create_topics(names))
        position = 8
        for _ in names:
            (length,) = struct.unpack_from(">h", body, position)
            error, message = struct.unpack_from(">hh", body, position + 2 + length)
            expect(error == INVALID_TOPIC, f"a bad name is {error}")
            position += 2 + length + 4 + max(message, 0)


def refuses(client, topic, what, data, code):
    body = client.ask(wire.PRODUCE, 7, wire.produce(topic, data))
    expect(body is not None, f"{what} closes the connection")
    found = wire.produced(body)
    expect(found == (code, -1), f"{what} is answered with {found}, not with {code}")


def bad_batches(address, topic, seed):
    with Client(address) as client:
        for what, data, code in itertools.chain(batches.refused(seed), batches.undecodable(seed)):
            refuses(client, topic, what, data, code)
        # Of a producer that is another one each time.
        end = wire.end_offset(client, "sequences")
        for what, data, code, offset in batches.wrapped(1_000_000 + end, int(time.time() * 1000)):
            found = wire.produced(client.ask(wire.PRODUCE, 7, wire.produce("sequences", data)))
            expected = (code, offset + end if code == 0 else -1)
            expect(found == expected, f"{what} is answered with {found}, not with {expected}")


def bombs(address, topic, _seed):
    """A megabyte or less that unpacks to hundreds."""
    with Client(address) as client:
        refuses(client, topic, "a bomb of gzip", batches.bomb(batches.GZIP), batches.MESSAGE_TOO_LARGE)


def other_bombs(address, topic, _seed):
    """The same by every other codec, and one without large records."""
    with Client(address) as client:
        for what, data in batches.other_bombs():
            refuses(client, "wide" if what == "snappy" else topic, f"a bomb of {what}", data, batches.MESSAGE_TOO_LARGE)


def odd_times(address, _topic, seed):
    """Timestamps that tell nothing: nothing goes early for them, and all of it some day."""
    lasting, passing = [[f"{kind}-{time_ms}" for time_ms in batches.ODD_TIMES] for kind in ("lasting", "passing")]
    names = dict(zip(lasting + passing, batches.ODD_TIMES * 2))
    with Client(address) as client:
        client.ask(wire.CREATE_TOPICS, 2, wire.create_topics(lasting, message_timestamp_after_max_ms=batches.TIME_MAX))
        passes = {"retention_ms": 500, "message_timestamp_after_max_ms": batches.TIME_MAX}
        client.ask(wire.CREATE_TOPICS, 2, wire.create_topics(passing, **passes))
        for name, time_ms in names.items():
            error, _ = wire.produced(client.ask(wire.PRODUCE, 7, wire.produce(name, wire.batch(wire.record(b"v"), time=time_ms))))
            expect(error == 0, f"a record of the time {time_ms} is {error}")
        ends = {name: wire.end_offset(client, name) for name in passing}
        deadline = time.monotonic() + SETTLE_S
        while any(wire.start_offset(client, name) < ends[name] for name in passing):
            expect(time.monotonic() < deadline, "records of odd times never go")
            time.sleep(0.1)
        # By now it was looked for old ones many times.
        for name in lasting:
            expect(wire.start_offset(client, name) == 0, f"a record in {name} went early")


def hold(address, source, count):
    """So many connections from an address, which are let in as soon as those of before are forgotten, and no more."""
    held, deadline = [], time.monotonic() + SETTLE_S
    while len(held) < count:
        expect(time.monotonic() < deadline, f"{len(held)} connections from {source} are let in, not {count}")
        held += [Client(address, source=(source, 0)) for _ in range(count - len(held))]
        time.sleep(0.1)
        for client in held:
            if not client.is_open():
                client.socket.close()
        held = [client for client in held if client.socket.fileno() >= 0]
    for _ in range(100):
        with Client(address, timeout_s=5, source=(source, 0)) as client:
            try:
                closed = client.is_closed()
            except TimeoutError:
                closed = False
            expect(closed, f"more than {count} connections from {source} are let in")
    return held


def flood(address, _topic, _seed):
    """Connections that say nothing: as many as there may be of one address, then as many as there may be in all."""
    # One of them is the neighbour's.
    held = hold(address, "127.0.0.1", CONNECTIONS_PER_ADDRESS_MAX - 1)
    held += hold(address, "127.0.0.2", CONNECTIONS_MAX - CONNECTIONS_PER_ADDRESS_MAX)
    expect(all(client.is_open() for client in held), "one that was let in is closed for others")
    for client in (held[0], held[-1]):
        expect(client.ask(wire.API_VERSIONS, 0, b"") is not None, "one that was let in is not served")
    for client in held:
        client.socket.close()


def deaf_readers(address, topic, _seed, clients=20, requests=200):
    """They ask for all there is, many times over, and never read an answer."""
    open_clients = [Client(address) for _ in range(clients)]
    asked = wire.frame(wire.FETCH, 4, wire.fetch(topic, 0, bytes_max=50 << 20)) * requests
    for client in open_clients:
        client.socket.settimeout(0.2)
        try:
            client.send(asked)
        except (TimeoutError, ConnectionError):
            pass
    time.sleep(0.5)
    for client in open_clients:
        client.socket.close()


def drippers(address, _topic, _seed, seconds=2.0):
    """Two that have all the memory for requests, and send a little now and then; and one that waits for some of it."""
    open_clients = []
    try:
        for length, sent in [(79 << 20, 17 << 20), (16 << 20, 4 << 20), (2 << 20, 1 << 20)]:
            client = Client(address)
            client.send(struct.pack(">ihhi", length, wire.PRODUCE, 7, 1) + bytes(sent))
            open_clients.append(client)
        ended = time.monotonic() + seconds
        while time.monotonic() < ended:
            for client in open_clients:
                client.send(bytes(4 << 10))
            time.sleep(0.25)
    finally:
        for client in open_clients:
            client.socket.close()


def would_be_followers(address, topic, _seed):
    with Client(address) as client:
        for replica in (7, 2, 1):
            error, high_watermark, records = wire.fetched(client.ask(wire.FETCH, 4, wire.fetch(topic, 0, replica=replica)))
            expect(error == NOT_LEADER_OR_FOLLOWER, f"who says to be broker {replica} is answered with {error}")
            expect((high_watermark, records) == (-1, b""), f"who says to be broker {replica} is told something")
        error, _, records = wire.fetched(client.ask(wire.FETCH, 4, wire.fetch(topic, 0)))
        expect(error == 0 and records, f"a consumer is answered with {error} and {len(records)} bytes")


ATTACKS = [
    lying_lengths, bombs, promises, lying_counts, unknown, bad_names, bad_batches, odd_times, flood, deaf_readers, drippers,
    would_be_followers, other_bombs,
]


def run(name, address, topic, seed, ended, rounds, problems):
    """In a process of its own: the same attack again and again."""
    attack = next(attack for attack in ATTACKS if attack.__name__ == name)
    while not ended.is_set():
        try:
            attack(address, topic, seed + rounds.value)
        except Unexpected as problem:
            problems.put(f"{name}: {problem}")
            return
        except TimeoutError:
            problems.put(f"{name}: no answer in time")
            return
        except OSError:
            # To be turned away is fine.
            pass
        rounds.value += 1
