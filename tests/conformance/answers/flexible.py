"""What flexible versions of requests are written with."""

import struct

from wire import text


def uvarint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def compact(value):
    return b"\0" if value is None else uvarint(len(value) + 1) + value.encode()


def compact_array(items):
    return uvarint(len(items) + 1) + b"".join(items)


def flexible_frame(api, version, body):
    """A request with the header of flexible versions."""
    header = struct.pack(">hhi", api, version, 1) + text("stranger") + b"\0"
    return struct.pack(">i", len(header) + len(body)) + header + body
