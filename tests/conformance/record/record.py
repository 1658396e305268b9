"""Runs real clients against a real broker and keeps some of what they say to each other, as hex text.

usage: record.py CLIENTS.json WORK_FOLDER OUTPUT_FOLDER, with the broker's class path in KAFKA_CLASSPATH

CLIENTS.json is a list of {"name", "command"}; to each command the address of the broker is appended. The output is
one file per API; its lines are described on top of each.
"""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

from kafka_broker import free_ports, running_broker
from proxy import RecordingProxy

# The APIs whose frames are kept: what producers, consumers and their tools use all day.
APIS = {
    0: "Produce", 1: "Fetch", 2: "ListOffsets", 3: "Metadata", 8: "OffsetCommit", 9: "OffsetFetch",
    10: "FindCoordinator", 11: "JoinGroup", 12: "Heartbeat", 13: "LeaveGroup", 14: "SyncGroup", 18: "ApiVersions",
    19: "CreateTopics", 20: "DeleteTopics", 22: "InitProducerId", 24: "AddPartitionsToTxn", 25: "AddOffsetsToTxn",
    26: "EndTxn", 28: "TxnOffsetCommit", 32: "DescribeConfigs", 60: "DescribeCluster", 68: "ConsumerGroupHeartbeat",
    75: "DescribeTopicPartitions",
}
FRAME_BYTES_MAX = 4096
CLIENT_TIMEOUT_S = 120
HEADER = """\
# {api}: frames between real clients and Apache Kafka 4.3.1, recorded by tests/conformance/record/run.sh.
# client, version of the API, direction, and the frame in hex without the four bytes of its length.
# Each response follows the request that it answers.
"""


async def record(clients, work_folder, proxies):
    """Runs the clients one after the other, each through its own proxy."""
    for proxy in proxies:
        await proxy.start()
    for client, proxy in zip(clients, proxies):
        log_path = work_folder / f"{client['name']}.log"
        with open(log_path, "w") as log:
            process = await asyncio.create_subprocess_exec(
                *client["command"], f"127.0.0.1:{proxy.port}", stdout=log, stderr=log)
            try:
                status = await asyncio.wait_for(process.wait(), CLIENT_TIMEOUT_S)
            except TimeoutError:
                process.kill()
                status = f"no end after {CLIENT_TIMEOUT_S} s"
        if status != 0:
            sys.exit(f"{client['name']} failed with {status}:\n{log_path.read_text()[-2000:]}")
        print(f"{client['name']}: {len(proxy.exchanges)} exchanges", file=sys.stderr)


def kept(exchanges):
    """For each API and version the first exchange and the largest: a plain one, and one with something in it."""
    seen = {}
    for exchange in exchanges:
        if exchange.api_key in APIS and max(len(exchange.request), len(exchange.response)) <= FRAME_BYTES_MAX:
            seen.setdefault((exchange.api_key, exchange.api_version), []).append(exchange)
    for key in sorted(seen):
        first, largest = seen[key][0], max(seen[key], key=lambda each: len(each.request) + len(each.response))
        yield from [first] if first == largest else [first, largest]


def write_files(folder, clients, proxies):
    lines = {}
    for client, proxy in zip(clients, proxies):
        for exchange in kept(proxy.exchanges):
            start = f"{client['name']} {exchange.api_version}"
            lines.setdefault(APIS[exchange.api_key], []).extend([
                f"{start} request {exchange.request.hex()}\n", f"{start} response {exchange.response.hex()}\n",
            ])
    for api in APIS.values():
        if api not in lines:
            sys.exit(f"no client used {api}")
        name = re.sub(r"(?<!^)([A-Z])", r"_\1", api).lower()
        (folder / f"{name}.txt").write_text(HEADER.format(api=api) + "".join(lines[api]))


def main():
    clients = json.loads(Path(sys.argv[1]).read_text())
    work_folder, output_folder = map(Path, sys.argv[2:])
    ports = free_ports(2 * len(clients))
    broker_ports, proxy_ports = ports[::2], ports[1::2]
    proxies = [RecordingProxy(port, broker) for port, broker in zip(proxy_ports, broker_ports)]
    listeners = [(f"CLIENT{index}", *pair) for index, pair in enumerate(zip(broker_ports, proxy_ports))]
    with running_broker(work_folder, os.environ["KAFKA_CLASSPATH"], listeners):
        asyncio.run(record(clients, work_folder, proxies))
    write_files(output_folder, clients, proxies)


if __name__ == "__main__":
    main()
