"""The loop of every driver that is written in Python: one JSON object a line in, one out.

In strings of the story one character is one byte (Latin-1), so that every byte can be said; names and the keys of
headers are text.
"""

import json
import sys


class KafkaError(Exception):
    """An error that the client reported, with Kafka's number for it."""

    def __init__(self, code, text=""):
        super().__init__(f"{code} {text}")
        self.code = code


def to_bytes(text):
    return None if text is None else text.encode("latin-1")


def to_text(data):
    return None if data is None else bytes(data).decode("latin-1")


def serve(hello, commands):
    """Answers until standard input ends. `commands` holds a function for each word that `do` may be."""
    print(json.dumps(hello), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = commands[request.pop("do")](**request) or {}
        except KafkaError as error:
            answer = {"error": error.code, "text": str(error)}
        print(json.dumps(answer), flush=True)
