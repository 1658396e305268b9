"""As much of the protocol as hostile and well-behaved clients need, from nothing but Python's own library.

Old versions without tagged fields where they are served: what is written here can be read beside the protocol's guide.
"""

import resource
import socket
import struct
import sys

PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS, CREATE_TOPICS = 0, 1, 2, 3, 18, 19

_TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    _TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(number):
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while True:
        out.append((number & 0x7F) | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">h", len(data)) + data


def record(value):
    body = b"\0" + varint(0) + varint(0) + varint(-1) + varint(len(value)) + value + varint(0)
    return varint(len(body)) + body


def batch(records, count=1, magic=2, attributes=0, last_delta=None, crc=None, length=None, producer=(-1, -1, -1), time=1):
    """A batch of records that are bytes already. Whatever is given beside them is written as it is, true or not."""
    last_delta = count - 1 if last_delta is None else last_delta
    covered = struct.pack(">hiqqqhii", attributes, last_delta, time, time, *producer, count) + records
    crc = crc32c(covered) if crc is None else crc
    length = len(covered) + 9 if length is None else length
    return struct.pack(">qiibI", 0, length, 0, magic, crc) + covered


def frame(api, version, body, correlation=1):
    header = struct.pack(">hhi", api, version, correlation) + text("hostile")
    return struct.pack(">i", len(header) + len(body)) + header + body


def produce(topic, records, partition=0, acks=-1):
    """Produce v7."""
    data = struct.pack(">i", partition) + struct.pack(">i", len(records)) + records
    return struct.pack(">hhi", -1, acks, 10_000) + struct.pack(">i", 1) + text(topic) + struct.pack(">i", 1) + data


def fetch(topic, offset, replica=-1, bytes_max=1 << 20, wait_ms=0):
    """Fetch v4."""
    head = struct.pack(">iiiib", replica, wait_ms, 1, bytes_max, 0)
    return head + struct.pack(">i", 1) + text(topic) + struct.pack(">iiqi", 1, 0, offset, bytes_max)


def list_offsets(topic, time):
    """ListOffsets v1."""
    return struct.pack(">ii", -1, 1) + text(topic) + struct.pack(">iiq", 1, 0, time)


def create_topics(names, **settings):
    """CreateTopics v2, with one partition each. Of settings the dots are underscores."""
    said = b"".join(text(name.replace("_", ".")) + text(str(value)) for name, value in settings.items())
    topics = b"".join(text(name) + struct.pack(">ihii", 1, 1, 0, len(settings)) + said for name in names)
    return struct.pack(">i", len(names)) + topics + struct.pack(">ib", 10_000, 0)


def allow_descriptors(count):
    """As many as this machine allows, which have to be so many, for this process and all that it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        sys.exit(f"a process may have {hard} descriptors here, and this needs {count}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Client:
    """A connection that sends and receives frames."""

    def __init__(self, address, timeout_s=20, source=None):
        self.socket = socket.create_connection(address, timeout_s, source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The body of an answer behind its correlation id; None if the connection was closed."""
        head = self._exactly(4)
        body = head and self._exactly(struct.unpack(">i", head)[0])
        return body and body[4:]

    def ask(self, api, version, body):
        self.send(frame(api, version, body))
        return self.receive()

    def is_open(self):
        """Whether nothing came, and not the end either; it does not wait."""
        timeout_s = self.socket.gettimeout()
        self.socket.setblocking(False)
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        finally:
            self.socket.settimeout(timeout_s)

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except ConnectionError:
                return None
            if not more:
                return None
            data += more
        return data


def produced(body):
    """The error and the base offset of the only partition of a Produce answer."""
    (length,) = struct.unpack_from(">h", body, 4)
    return struct.unpack_from(">hq", body, 4 + 2 + length + 4 + 4)


def fetched(body):
    """The error, the high watermark and the records of the only partition of a Fetch v4 answer."""
    (length,) = struct.unpack_from(">h", body, 8)
    at = 8 + 2 + length + 4
    _, error, high_watermark, _, aborted = struct.unpack_from(">ihqqi", body, at)
    at += 26 + max(aborted, 0) * 16
    (length,) = struct.unpack_from(">i", body, at)
    return error, high_watermark, body[at + 4:at + 4 + max(length, 0)]


def end_offset(client, topic):
    return offset_of(client, topic, -1)


def start_offset(client, topic):
    return offset_of(client, topic, -2)


def offset_of(client, topic, time):
    body = client.ask(LIST_OFFSETS, 1, list_offsets(topic, time))
    (length,) = struct.unpack_from(">h", body, 4)
    error, _, offset = struct.unpack_from(">hqq", body, 4 + 2 + length + 4 + 4)
    if error:
        raise RuntimeError(f"ListOffsets: {error}")
    return offset
