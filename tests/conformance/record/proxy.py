"""A TCP proxy that understands just enough of Kafka's frames to pair requests with their responses.

Owns the sockets between one client and the broker, and the list of exchanges seen there. It changes nothing on its
way: the broker advertises the proxy's own port, so that every connection of the client comes through here.
"""

import asyncio
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """A request and its response, as they stood on the wire behind the four bytes of their length."""

    api_key: int
    api_version: int
    request: bytes
    response: bytes


class RecordingProxy:
    """Listens on `port`, forwards to `broker_port`, both on the loopback, and keeps what goes through."""

    def __init__(self, port, broker_port):
        self.port = port
        self.broker_port = broker_port
        self.exchanges = []

    async def start(self):
        self.server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _connected(self, client_reader, client_writer):
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self.broker_port)
        # By correlation id. A Produce that wants no answer stays here for ever, which is as it should be.
        waiting = {}

        def request(frame):
            api_key, api_version, correlation_id = struct.unpack_from(">hhi", frame)
            waiting[correlation_id] = (api_key, api_version, frame)

        def response(frame):
            (correlation_id,) = struct.unpack_from(">i", frame)
            api_key, api_version, sent = waiting.pop(correlation_id)
            self.exchanges.append(Exchange(api_key, api_version, sent, frame))

        await asyncio.gather(
            forward(client_reader, broker_writer, request),
            forward(broker_reader, client_writer, response),
        )


async def forward(reader, writer, see):
    """Passes whole frames on, showing each to `see`, until either side closes."""
    try:
        while True:
            length = await reader.readexactly(4)
            frame = await reader.readexactly(int.from_bytes(length, "big"))
            see(frame)
            writer.write(length + frame)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
