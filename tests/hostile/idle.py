"""Ten thousand connections that do nothing, to one broker as it is started by anybody, while one client produces.

usage: idle.py FOLDER

The memory is the whole process's, with all of them connected, and again when each has asked for something.
"""

import pathlib
import sys
import time

import wire
from broker import Broker
from hostile import Neighbour, p99, resident_mib

CONNECTIONS = 10_000
RESIDENT_MIB_MAX = 150
# Of this machine's neighbours, not of the broker: a sync that takes so long is one that stalls.
P99_S_MAX = 1.0
ANSWERED_S_MAX = 60


def connect(address, neighbour):
    """The connections, a part of them at a time, with what the neighbour waited meanwhile."""
    held, waits = [], []
    while len(held) < CONNECTIONS:
        # From several addresses: one has too few ports for what else this machine does.
        # Ports of the addresses that the attacks came from are not free for a minute.
        source = (f"127.0.1.{1 + len(held) // 2_500}", 0)
        held += [wire.Client(address, source=source) for _ in range(500)]
        waits += neighbour.run(0.1)
    return held, waits


def check(what, process, held, waits):
    resident = resident_mib(process.pid, "VmRSS")
    open_count = sum(client.is_open() for client in held)
    print(f"idle: {open_count} connections {what}: {resident:.0f} MiB, p99 {p99(waits) * 1e3:.1f} ms")
    if open_count != CONNECTIONS:
        sys.exit(f"of {CONNECTIONS} connections {CONNECTIONS - open_count} were closed")
    if resident > RESIDENT_MIB_MAX:
        sys.exit(f"{CONNECTIONS} connections take {resident:.0f} MiB")
    if p99(waits) > P99_S_MAX:
        sys.exit("others wait for connections that do nothing")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir()
    # Those of the broker are as many; it has files besides.
    wire.allow_descriptors(CONNECTIONS + 500)
    with Broker(folder) as broker:
        host, port = broker.address.split(":")
        address, process = (host, int(port)), broker.broker.process
        with wire.Client(address) as client:
            client.ask(wire.CREATE_TOPICS, 2, wire.create_topics(["good"], retention_ms=-1))
        neighbour = Neighbour(address)
        held, waits = connect(address, neighbour)
        check("that never said a word", process, held, waits + neighbour.run(1))
        began = time.monotonic()
        for client in held:
            client.send(wire.frame(wire.API_VERSIONS, 0, b""))
        for client in held:
            if client.receive() is None:
                sys.exit("a connection is closed instead of served")
        if time.monotonic() - began > ANSWERED_S_MAX:
            sys.exit("to serve all of them takes too long")
        check("after a request of each", process, held, neighbour.run(1))
        for client in held:
            client.socket.close()


if __name__ == "__main__":
    main()
