"""Requests whose counts are lies, and the few of them that are none: there the bytes say something that may be asked.

What is right to them was compared with Kafka's. It closes as well, but takes every negative count for null. That there
are coordinators is seen to before.
"""

# Requests of no API that is served, and the highest that any Kafka has.
APIS = range(100)
VERSIONS = range(20)

# Of a count as large as it can be, of null, and of nothing and then more than remains; each with and without the end of
# the header that later versions have.
LARGE, NULL, EMPTY = b"\x7f" * 40, b"\xff" * 40, b"\0\0\xff\xff\xff\xff\x0f" * 6
BODIES = {
    "large": LARGE, "null": NULL, "empty": EMPTY, "a header and large": b"\0" + LARGE, "a header and null": b"\0" + NULL,
    "a header and empty": b"\0" + EMPTY,
}
OFTEN = tuple(BODIES)
WITH_A_HEADER = OFTEN[3:]

FIND_COORDINATOR, LIST_GROUPS, API_VERSIONS, INIT_PRODUCER_ID, END_TXN = 10, 16, 18, 22, 26
METADATA, OFFSET_FETCH, DESCRIBE_LOG_DIRS, ELECT_LEADERS, DESCRIBE_CLUSTER, LIST_CONFIG_RESOURCES = 3, 9, 35, 43, 60, 74

# API, versions, bodies, and how the answer begins, in most of them with the throttle time and an error or a count.
ANSWERS = [
    # There is nothing in it that could be a lie; and a version that is not there is told so.
    (API_VERSIONS, range(0, 3), OFTEN, "0000"),
    (API_VERSIONS, range(5, 20), ("empty", *WITH_A_HEADER), "0023"),
    (LIST_GROUPS, range(0, 3), OFTEN, "0000 00000000"),
    (LIST_GROUPS, range(3, 4), ("empty", "a header and empty"), "00000000 0000"),
    (LIST_CONFIG_RESOURCES, range(0, 1), ("empty", "a header and empty"), "00000000 0000"),
    (DESCRIBE_CLUSTER, range(0, 1), ("a header and empty",), "00 00000000 00"),
    # Null is all there is.
    (METADATA, range(1, 3), ("null",), "00000001 0000"),
    (METADATA, range(3, 9), ("null",), "00000000 0000"),
    (DESCRIBE_LOG_DIRS, range(1, 2), ("null",), "00000000 0000"),
    (DESCRIBE_LOG_DIRS, range(2, 3), ("a header and empty",), "00 00000000 02"),
    (DESCRIBE_LOG_DIRS, range(3, 6), ("a header and empty",), "00 00000000 00"),
    (ELECT_LEADERS, range(0, 2), ("null",), "00000000 0000"),
    (ELECT_LEADERS, range(1, 2), ("a header and null",), "00000000 0000"),
    # A name without a letter, and no name.
    (OFFSET_FETCH, range(2, 3), ("empty",), "00000000 0000"),
    (OFFSET_FETCH, range(3, 6), ("empty",), "00000000 00000000 0000"),
    (FIND_COORDINATOR, range(0, 1), ("empty", "a header and empty"), "0000 00000001"),
    (FIND_COORDINATOR, range(1, 3), ("empty",), "00000000 002a"),
    (FIND_COORDINATOR, range(1, 3), ("a header and empty",), "00000000 0000"),
    (INIT_PRODUCER_ID, range(0, 2), ("null",), "00000000 0000"),
    (INIT_PRODUCER_ID, range(0, 2), ("empty", "a header and empty"), "00000000 002a"),
    (INIT_PRODUCER_ID, range(3, 6), ("a header and empty",), "00 00000000 0000"),
    (END_TXN, range(0, 3), ("empty", "a header and empty"), "00000000 002a"),
]
EXPECTED = {(api, version, name): bytes.fromhex(start) for api, versions, names, start in ANSWERS for version in versions for name in names}


def is_right(api, version, name, found):
    """Whether the answer begins as it should; none is the end of the connection."""
    expected = EXPECTED.get((api, version, name))
    return found is None if expected is None else found is not None and found.startswith(expected)
