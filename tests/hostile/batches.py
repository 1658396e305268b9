"""Batches that no broker may take, each with the one error that it gets: what is a lie in them is all that is wrong.

The errors of `refused` and `wrapped` are Kafka's: ../conformance/answers asks the same, and has recorded what it says.
Those of `undecodable` and of bombs, MESSAGE_TOO_LARGE, are our own. To the former Kafka says UNKNOWN_SERVER_ERROR, which clients may take for
a reason to try again; the latter it unpacks to their ends.
"""

import functools
import gzip
import random
import struct
import zlib

from wire import batch, record, varint

CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, OUT_OF_ORDER, TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 2, 10, 32, 45, 53
UNSUPPORTED_COMPRESSION, INVALID_RECORD = 76, 87
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
TIME_MAX = (1 << 63) - 1
# A clock that was never set, no time, and the last of all.
ODD_TIMES = (0, -1, TIME_MAX)


def old_message(value, magic, crc=None):
    """A message as it was before there were batches, right in itself."""
    covered = struct.pack(">bb", magic, 0) + (struct.pack(">q", 1) if magic else b"")
    covered += struct.pack(">i", -1) + struct.pack(">i", len(value)) + value
    return struct.pack(">qiI", 0, len(covered) + 4, zlib.crc32(covered) if crc is None else crc) + covered


def refused(seed=1):
    """What it is, the bytes, and the error."""
    pick = random.Random(seed)
    good = record(b"never to be seen")
    noise = pick.randbytes(200)
    yield "a wrong checksum", batch(good, crc=1), CORRUPT_MESSAGE
    yield "magic 0", old_message(b"never", 0), INVALID_RECORD
    yield "magic 1", old_message(b"never", 1), INVALID_RECORD
    yield "magic 0 on a batch", batch(good, magic=0), INVALID_RECORD
    yield "magic 1 on a batch", batch(good, magic=1), INVALID_RECORD
    yield "magic 3", batch(good, magic=3), CORRUPT_MESSAGE
    yield "magic -1", batch(good, magic=-1), CORRUPT_MESSAGE
    yield "a count that lies", batch(good, count=1 << 30, last_delta=0), INVALID_RECORD
    yield "a count of one too many", batch(good, count=2), INVALID_RECORD
    yield "a count of one too few", batch(good + good, count=1), INVALID_RECORD
    yield "a count of none", batch(b"", count=0), INVALID_RECORD
    yield "a negative count", batch(good, count=-1, last_delta=0), INVALID_RECORD
    yield "a delta that lies", batch(good, last_delta=1 << 30), INVALID_RECORD
    yield "a negative delta", batch(good, last_delta=-1), INVALID_RECORD
    yield "a length of none", batch(good, length=0), CORRUPT_MESSAGE
    yield "a negative length", batch(good, length=-1), CORRUPT_MESSAGE
    yield "a length that lies", batch(good, length=1 << 30), INVALID_RECORD
    yield "a record that is longer than all", batch(varint(1 << 30) + good), INVALID_RECORD
    yield "a record of a negative length", batch(varint(-2) + good), INVALID_RECORD
    yield "a record whose header count lies", batch(varint(8) + b"\0" + varint(0) * 2 + varint(-1) * 2 + varint(1 << 19)), INVALID_RECORD
    yield "something behind the records", batch(good + b"behind"), INVALID_RECORD
    yield "two batches", batch(good) * 2, INVALID_RECORD
    yield "half a batch", batch(good)[:40], INVALID_RECORD
    yield "noise for records", batch(noise), INVALID_RECORD
    # Its length is negative, or far too much, which is looked at last.
    yield "nothing but noise", noise, CORRUPT_MESSAGE if noise[8] & 0x80 or noise[16] > 2 else INVALID_RECORD
    yield "gzip in gzip", batch(gzip.compress(gzip.compress(good)), attributes=GZIP), INVALID_RECORD
    yield "a whole batch in gzip", batch(gzip.compress(batch(good)), attributes=GZIP), INVALID_RECORD
    yield "part of a transaction", batch(good, attributes=0x10, producer=(4_000, 0, 0)), TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    yield "a marker", batch(good, attributes=0x20, producer=(4_000, 0, 0)), INVALID_RECORD
    yield "of the last of all times", batch(good, time=TIME_MAX), INVALID_TIMESTAMP
    yield "of an hour that is to come", batch(good, time=1 << 45), INVALID_TIMESTAMP
    yield "a negative sequence", batch(good, producer=(4_000, 0, -1)), INVALID_RECORD


def undecodable(seed=1):
    """What its codec can make nothing of; as above."""
    good, noise = record(b"never to be seen"), random.Random(seed).randbytes(200)
    for name, codec in (("gzip", GZIP), ("snappy", SNAPPY), ("lz4", LZ4), ("zstd", ZSTD)):
        yield f"noise that says it is {name}", batch(noise, attributes=codec), INVALID_RECORD
    yield "half of what gzip made", batch(gzip.compress(good * 50)[:-20], count=50, attributes=GZIP), INVALID_RECORD
    for name, codec in (("5", 5), ("6", 6), ("7", 7)):
        yield f"codec {name}, which there is none of", batch(good, attributes=codec), UNSUPPORTED_COMPRESSION
    # What it would have to make room for before it unpacks anything: 4 GiB.
    claim = b"\xff\xff\xff\xff\x0f" + good
    yield "snappy that says it is large", batch(claim, attributes=SNAPPY), INVALID_RECORD
    yield "framed snappy that says it is large", batch(XERIAL + struct.pack(">i", len(claim)) + claim, attributes=SNAPPY), INVALID_RECORD
    yield "framed snappy whose block is longer than all", batch(XERIAL + struct.pack(">i", (1 << 31) - 1) + good, attributes=SNAPPY), INVALID_RECORD


XERIAL = b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1)


def wrapped(producer=5_000, time=1):
    """Sequences come to their end and begin again: what it is, the bytes, the error and the offset, of an empty log.

    A producer whose last record is of long ago is forgotten when it is looked for such, as by Kafka.
    """
    last = (1 << 31) - 1
    three = b"".join(numbered(index) for index in range(3))
    across = batch(three, count=3, producer=(producer, 0, last - 1), time=time)
    yield "across the last sequence", across, 0, 0
    yield "the same once more", across, 0, 0
    yield "one that was in it", batch(record(b"v"), producer=(producer, 0, 0), time=time), OUT_OF_ORDER, -1
    yield "one too far", batch(record(b"v"), producer=(producer, 0, 2), time=time), OUT_OF_ORDER, -1
    yield "the next", batch(record(b"v"), producer=(producer, 0, 1), time=time), 0, 3
    yield "the first once more", across, 0, 0


def numbered(index):
    body = b"\0" + varint(0) + varint(index) + varint(-1) + varint(1) + b"v" + varint(0)
    return varint(len(body)) + body


def head(all_bytes):
    """The only record of so many bytes, up to its value, which is all zeros, as is the number of its headers."""
    value_bytes = all_bytes
    while True:
        body = b"\0" + varint(0) + varint(0) + varint(-1) + varint(value_bytes)
        start = varint(len(body) + value_bytes + 1) + body
        if len(start) + value_bytes + 1 == all_bytes:
            return start
        value_bytes -= len(start) + value_bytes + 1 - all_bytes


def gzip_bomb(unpacked_bytes=256 << 20):
    packer = zlib.compressobj(9, wbits=31)
    first = head(unpacked_bytes)
    packed = packer.compress(first) + packer.compress(bytes((1 << 20) - len(first)))
    for _ in range((unpacked_bytes >> 20) - 1):
        packed += packer.compress(bytes(1 << 20))
    return packed + packer.flush()


def gzip_bomb_of_records(unpacked_bytes=512 << 20):
    """No record of it is large. It has no right end: nobody is to come there."""
    packer = zlib.compressobj(9, wbits=-15)
    some = record(b"x") * (65_536 // len(record(b"x")))
    packed = packer.compress(some) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + packed * (unpacked_bytes // len(some))


def zstd_bomb(blocks=80_000):
    """Blocks of 128 KiB that are one byte again and again: 10 GiB, of which the record is the first two."""
    block_bytes = 128 << 10

    def block(kind, size, data):
        return (size << 3 | kind << 1).to_bytes(3, "little") + data

    first = head(min(blocks * block_bytes, (1 << 31) - 100))
    packed = b"\x28\xb5\x2f\xfd\0\x38" + block(0, len(first), first) + block(1, block_bytes - len(first), b"\0")
    packed += block(1, block_bytes, b"\0") * (blocks - 1)
    # One of nothing, and the last.
    return packed + b"\1\0\0"


def lz4_bomb(blocks=30, block_bytes=4 << 20):
    def block(literals):
        more = block_bytes - len(literals) - 5 - 4 - 15
        data = bytes([len(literals) << 4 | 15]) + literals + b"\1\0" + b"\xff" * (more // 255) + bytes([more % 255])
        data += bytes([5 << 4]) + bytes(5)
        return struct.pack("<i", len(data)) + data

    first = head(blocks * block_bytes)
    return b"\x04\x22\x4d\x18\x60\x70\x73" + block(first + b"\0") + block(b"\0") * (blocks - 1) + bytes(4)


def snappy_bomb(blocks=100, block_bytes=1 << 20):
    """It makes at most 21 bytes of one: this is more than a topic takes by itself, which has to allow it."""
    def block(literals):
        size, left = bytearray(), block_bytes
        while left > 0x7F:
            size.append(left & 0x7F | 0x80)
            left >>= 7
        copies, rest = divmod(block_bytes - len(literals), 64)
        data = bytes([*size, left]) + bytes([len(literals) - 1 << 2]) + literals + b"\xfe\1\0" * copies
        data += bytes([rest - 1 << 2 | 2]) + b"\1\0" if rest else b""
        return struct.pack(">i", len(data)) + data

    return XERIAL + block(head(blocks * block_bytes) + b"\0") + block(b"\0") * (blocks - 1)


@functools.cache
def bomb(codec):
    made = {GZIP: gzip_bomb, ZSTD: zstd_bomb, LZ4: lz4_bomb, SNAPPY: snappy_bomb}[codec]
    return batch(made(), attributes=codec)


@functools.cache
def other_bombs():
    """What it is and the bytes: a megabyte or less, and the last one some more."""
    many = batch(gzip_bomb_of_records(), count=(512 << 20) // len(record(b"x")), attributes=GZIP)
    return [("gzip, of many records", many), ("zstd", bomb(ZSTD)), ("lz4", bomb(LZ4)), ("snappy", bomb(SNAPPY))]
