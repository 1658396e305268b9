"""What hostile clients do. Each attack goes on until it is told to end, and says what it saw if that is wrong."""

import random
import socket
import struct
import time
import zlib

import wire
from wire import Client

INVALID_TOPIC, UNSUPPORTED_VERSION = 17, 35
# CORRUPT_MESSAGE, INVALID_RECORD, and what noise may happen to be: old, of an unknown codec, part of a transaction.
REFUSALS = {2, 87, 43, 76, 53}
FRAME_BYTES_MAX = 100 << 20

# Requests of no API that is served, and the highest that any Kafka has.
APIS = 100


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


def promises(address, _topic, _seed, clients=300):
    """Connections that promise 100 MiB and send a byte now and then."""
    open_clients = []
    try:
        for _ in range(clients):
            client = Client(address)
            client.send(struct.pack(">ihhi", FRAME_BYTES_MAX, wire.PRODUCE, 7, 1))
            open_clients.append(client)
        for _ in range(10):
            for client in open_clients:
                client.send(b"\0")
    finally:
        for client in open_clients:
            client.socket.close()


def lying_counts(address, _topic, seed):
    """Counts of everything above what remains, in every API and version: an error or the end of the connection."""
    pick = random.Random(seed)
    for api in range(APIS):
        for version in range(0, 20):
            body = pick.choice([b"\x7f" * 40, b"\xff" * 40, b"\0\0\xff\xff\xff\xff\x0f" * 6, pick.randbytes(64)])
            with Client(address) as client:
                client.send(wire.frame(api, version, body))
                client.socket.settimeout(0.002)
                try:
                    client.receive()
                except TimeoutError:
                    pass


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


def bad_batches(address, topic, seed):
    pick = random.Random(seed)
    good = wire.record(b"never to be seen")
    batches = {
        "a wrong checksum": wire.batch(good, crc=1),
        "magic 3": wire.batch(good, magic=3),
        "a count that lies": wire.batch(good, count=1 << 30, last_delta=0),
        "a negative count": wire.batch(good, count=-1, last_delta=0),
        "a delta that lies": wire.batch(good, last_delta=1 << 30),
        "a negative length": wire.batch(good, length=-1),
        "a length that lies": wire.batch(good, length=1 << 30),
        "a record that is longer than all": wire.batch(wire.varint(1 << 30) + good),
        "noise": pick.randbytes(200),
        "noise that says it is gzip": wire.batch(pick.randbytes(200), attributes=1),
        "noise that says it is zstd": wire.batch(pick.randbytes(200), attributes=4),
        "no known codec": wire.batch(good, attributes=7),
    }
    with Client(address) as client:
        for what, data in batches.items():
            body = client.ask(wire.PRODUCE, 7, wire.produce(topic, data))
            if body is None:
                raise Unexpected(f"{what} closes the connection")
            error, _ = wire.produced(body)
            expect(error in REFUSALS, f"{what} is {error}")


def bombs(address, topic, _seed, unpacked_bytes=256 << 20):
    """A megabyte or less that unpacks to hundreds."""
    packer = zlib.compressobj(9, wbits=31)
    value_bytes = unpacked_bytes - 100
    body = b"\0" + wire.varint(0) + wire.varint(0) + wire.varint(-1) + wire.varint(value_bytes)
    packed = packer.compress(wire.varint(len(body) + value_bytes + 1) + body)
    for _ in range(unpacked_bytes >> 20):
        packed += packer.compress(bytes(1 << 20))
    packed += packer.flush()
    with Client(address) as client:
        body = client.ask(wire.PRODUCE, 7, wire.produce(topic, wire.batch(packed, attributes=1)))
        expect(body is not None, "a bomb closes the connection")
        error, _ = wire.produced(body)
        expect(error != 0, "a bomb is taken")


def flood(address, _topic, _seed, connections=1_500):
    """Connections that say nothing."""
    sockets = []
    try:
        for _ in range(connections):
            try:
                sockets.append(socket.create_connection(address, 5))
            except OSError:
                break
    finally:
        for one in sockets:
            one.close()


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
        body = client.ask(wire.FETCH, 4, wire.fetch(topic, 0, replica=7))
        expect(body is not None and b"never" not in body, "a stranger is taken for a follower")


ATTACKS = [lying_lengths, promises, lying_counts, unknown, bad_names, bad_batches, bombs, flood, deaf_readers, drippers, would_be_followers]


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
