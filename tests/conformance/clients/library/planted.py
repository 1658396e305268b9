"""Shows that the story can fail: a client that is right in all passes it, and each planted difference is seen.

usage: planted.py CASES.json

The client is one of dictionaries, in this process; it knows just as much of Kafka as the story asks for.
"""

import copy
import json
import sys
import time
from pathlib import Path

from driven import Client, Failure
from story import Story


class Refused(Exception):
    """With Kafka's number."""


class Dictionaries:
    """A driver and its broker in one. `lie` is called with each answer before it is given."""

    commands = {"create", "grow", "describe", "list", "delete", "delete_records", "offsets", "produce", "consume"}
    compressions = ["none", "gzip", "snappy", "lz4", "zstd"]
    acks = ["0", "1", "all"]
    idempotent = sets_timestamps = True
    differs = {}

    def __init__(self, cases, lie):
        self.topics = {}
        self.lie = lie
        # What is refused is refused by the table, once its topics are there: this is no second broker.
        self.error_topics = cases["error_topics"].keys()
        self.refusals = cases["errors"]

    def ask(self, request):
        request = copy.deepcopy(request)
        answer = self.refusal(request) or getattr(self, request["do"])(request)
        self.lie(request, answer)
        return copy.deepcopy(answer)

    def refusal(self, request):
        if not self.error_topics <= self.topics.keys():
            return None
        given = ("do", "topic", "partitions", "replicas", "settings", "offset", "from")
        for case in self.refusals:
            if any(request.get(name) != case[name] for name in given if name in case):
                continue
            if request["do"] != "produce" or len(request["records"][0]["value"]) == case["bytes"]:
                return {"error": case["error"]}
        return None

    def log(self, request):
        return self.topics[request["topic"]][request["partition"]]

    def create(self, request):
        self.topics[request["topic"]] = [{"start": 0, "records": []} for _ in range(request["partitions"])]
        return {}

    def grow(self, request):
        logs = self.topics[request["topic"]]
        logs += [{"start": 0, "records": []} for _ in range(request["partitions"] - len(logs))]
        return {}

    def describe(self, request):
        numbers = range(len(self.topics[request["topic"]]))
        return {"partitions": [{"partition": number, "leader": 1, "replicas": [1], "isr": [1]} for number in numbers]}

    def list(self, _):
        return {"topics": list(self.topics)}

    def delete(self, request):
        del self.topics[request["topic"]]
        return {}

    def delete_records(self, request):
        self.log(request)["start"] = request["offset"]
        return {}

    def offsets(self, request):
        return {"earliest": self.log(request)["start"], "latest": len(self.log(request)["records"])}

    def produce(self, request):
        records = self.log(request)["records"]
        first = len(records)
        records += [dict(record, offset=first + index) for index, record in enumerate(request["records"])]
        return {"offsets": list(range(first, len(records)))}

    def consume(self, request):
        log, start = self.log(request), request["from"]
        if start == "earliest":
            first = log["start"]
        elif start == "latest":
            first = len(log["records"])
        elif "offset" in start:
            first = start["offset"]
        else:
            first = next(each["offset"] for each in log["records"] if each["timestamp"] >= start["time"])
        if first < log["start"]:
            return {"error": 1}
        if "then" in request:
            self.produce(request["then"])
        return {"records": log["records"][first:first + request["count"]]}


class OfNow(Dictionaries):
    """Its records are of the time when they are produced, whatever was asked."""

    sets_timestamps = False

    def produce(self, request):
        for record in request["records"]:
            record["timestamp"] = int(time.time() * 1000)
        return super().produce(request)


class NoBroker:
    """One that has nothing to lose."""

    kind = "none"

    def restart(self):
        pass


def among(answer, change):
    """A lie about a record far enough in to be one of many."""
    if len(answer.get("records", [])) > 30:
        answer["records"][21] = dict(answer["records"][21], **change)


def lies():
    """By name: what is done to an answer."""
    yield "key", lambda _, answer: among(answer, {"key": "other"})
    yield "value", lambda _, answer: among(answer, {"value": None})
    yield "headers", lambda _, answer: among(answer, {"headers": [["again", "2"], ["again", "1"], ["clé", "ÿ"], ["null", None], ["empty", ""]]})
    yield "null", lambda _, answer: among(answer, {"headers": [["again", "1"], ["again", "2"], ["clé", "ÿ"], ["null", ""], ["empty", ""]]})
    yield "timestamp", lambda _, answer: among(answer, {"timestamp": 1})
    yield "offset", lambda _, answer: among(answer, {"offset": 22})
    yield "lost record", lambda _, answer: "records" in answer and answer["records"][-1:] and answer["records"].pop()
    yield "produced offset", lambda _, answer: answer.get("offsets") and answer["offsets"].append(answer["offsets"].pop() + 1)
    yield "start", lambda request, answer: request["do"] == "offsets" and answer.update(earliest=0)
    yield "end", lambda request, answer: request["do"] == "offsets" and answer.update(latest=answer["latest"] + 1)
    yield "leader", lambda _, answer: "partitions" in answer and answer["partitions"][0].update(leader=2)
    yield "topic left", lambda request, answer: request["do"] == "list" and answer["topics"].append("other")
    yield "error", lambda _, answer: answer.get("error") == 37 and answer.update(error=42)
    yield "no error", lambda _, answer: answer.get("error") == 1 and answer.clear()


def timeless(driver):
    """The driver, with a broker that begins at its first record whatever time it is asked for."""

    class Timeless(driver):
        def consume(self, request):
            if "time" in request["from"]:
                request["from"] = {"offset": self.log(request)["start"]}
            return super().consume(request)

    return Timeless


def seen(cases, lie, kind=Dictionaries):
    driver = kind(cases, lie)
    try:
        Story(Client(driver), NoBroker(), cases).play()
    except Failure as failure:
        return str(failure)
    return None


def main():
    cases = json.loads(Path(sys.argv[1]).read_text())
    for kind in (Dictionaries, OfNow):
        failure = seen(cases, lambda *_: None, kind)
        if failure is not None:
            sys.exit(f"a client that is right fails: {failure}")
        if seen(cases, lambda *_: None, timeless(kind)) is None:
            sys.exit("a broker that knows no times was not seen")
    for name, lie in lies():
        if seen(cases, lie) is None:
            sys.exit(f"the planted difference in the {name} was not seen")
    # Each of the refusals, one by one.
    for index, case in enumerate(cases["errors"]):
        changed = copy.deepcopy(cases)
        changed["errors"][index]["error"] += 1
        driver = Dictionaries(cases, lambda *_: None)
        try:
            Story(Client(driver), NoBroker(), changed).play()
        except Failure:
            continue
        sys.exit(f"another number to {case['name']} was not seen")


if __name__ == "__main__":
    main()
