"""Kafka's own `kafka-transactions` against a broker: what it prints of transactions, and what it does to them.

usage: tools.py FOLDER, with the tools' class path in TOOLS_CLASSPATH
"""

import os
import pathlib
import subprocess
import sys
import time

from confluent_kafka import KafkaException, Producer

from broker import Broker
from reading import FENCED, SETTLE_TIMEOUT_S, Failure, Reader, same

JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", os.environ["TOOLS_CLASSPATH"]]
TIMEOUT_S = 150
TOPIC = "orders"


def tool(address, *words, status=0):
    """The table that the tool prints: a dictionary for each line below the first."""
    command = [*JAVA, "org.apache.kafka.tools.TransactionsCommand", "--bootstrap-server", address, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != status:
        raise Failure(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    lines = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    names = [name.strip() for name in lines[0]] if lines else []
    return [dict(zip(names, (word.strip() for word in line))) for line in lines[1:]]


def begin(address, transactional_id, value):
    producer = Producer({"bootstrap.servers": address, "transactional.id": transactional_id, "transaction.timeout.ms": 600_000})
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(TOPIC, value, partition=1)
    producer.flush(60)
    return producer


def play(address):
    reader = Reader(address, TOPIC, 2)
    reader.create()
    done, open_one = begin(address, "done", "kept"), begin(address, "open", "not kept")
    done.commit_transaction(60)

    def states():
        listed = tool(address, "list")
        return {line["TransactionalId"]: line["TransactionState"] for line in listed}, listed
    # Who commits has its answer before the markers are written.
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while (found := states())[0].get("done") == "PrepareCommit" and time.monotonic() < deadline:
        pass
    same("the states of what is listed", found[0], {"done": "CompleteCommit", "open": "Ongoing"})
    listed = {line["TransactionalId"]: line for line in found[1]}
    same("the coordinator", listed["open"]["Coordinator"], "1")
    by_pattern = {pattern: [line["TransactionalId"] for line in tool(address, "list", "--transactional-id-pattern", pattern)]
                  for pattern in ("op.*", "op", "d[o]ne")}
    same("those that a pattern finds", by_pattern, {"op.*": ["open"], "op": [], "d[o]ne": ["done"]})
    same("a pattern that is none", tool(address, "list", "--transactional-id-pattern", "(", status=1), [])
    same("long ones", [line["TransactionalId"] for line in tool(address, "list", "--duration-filter", 3_600_000) if line["TransactionState"] == "Ongoing"], [])

    (described,) = tool(address, "describe", "--transactional-id", "open")
    same("the state", described["TransactionState"], "Ongoing")
    same("the timeout", described["TransactionTimeoutMs"], "600000")
    same("the partitions", described["TopicPartitions"], f"{TOPIC}-1")
    producer_id = described["ProducerId"]

    producers = tool(address, "describe-producers", "--topic", TOPIC, "--partition", 1)
    (mine,) = [line for line in producers if line["ProducerId"] == producer_id]
    start = int(mine["CurrentTransactionStartOffset"])
    same("who has none open", {line["CurrentTransactionStartOffset"] for line in producers if line is not mine}, {"None"})

    same("hanging ones", tool(address, "find-hanging", "--broker-id", 1, "--max-transaction-timeout", 15), [])
    same("before it is aborted", reader.read("read_committed"), [[], ["kept"]])
    tool(address, "abort", "--topic", TOPIC, "--partition", 1, "--start-offset", start)
    reader.settle()
    same("after it is aborted", reader.read("read_committed"), [[], ["kept"]])
    producers = tool(address, "describe-producers", "--topic", TOPIC, "--partition", 1)
    same("what is open", {line["CurrentTransactionStartOffset"] for line in producers}, {"None"})
    # For good: what its producer commits now is nothing of this.
    del open_one
    terminate(address, reader)


def terminate(address, reader):
    """One that is open is ended by its id, and whoever had it is fenced."""
    forced = begin(address, "forced", "not kept either")
    tool(address, "forceTerminateTransaction", "--transactionalId", "forced")
    reader.settle()
    same("after it is terminated", reader.read("read_committed"), [[], ["kept"]])
    (described,) = tool(address, "describe", "--transactional-id", "forced")
    # Whoever ended it has the id now, and nothing in it.
    same("the state of one that was terminated", described["TransactionState"], "Empty")
    try:
        forced.commit_transaction(60)
    except KafkaException as error:
        same(f"the error, {error}", error.args[0].code() in FENCED, True)
    else:
        raise Failure("a transaction was committed that had been terminated")


def main():
    folder = pathlib.Path(sys.argv[1])
    with Broker(folder) as broker:
        try:
            play(broker.address)
        except Failure as failure:
            print((folder / "broker.log").read_text()[-3000:], file=sys.stderr)
            sys.exit(f"failed: {failure}")


if __name__ == "__main__":
    main()
