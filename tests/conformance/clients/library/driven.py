"""A client under test, as the story sees it: a process that answers one line of JSON with another.

Owns the process, and what it may take; knows nothing of what is asked.
"""

import json
import queue
import subprocess
import threading

ANSWER_TIMEOUT_S = 150


class Failure(Exception):
    """Something is not as Kafka has it."""


class Driver:
    """A client's driver. Its first line says what it can do: README.md has the words."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        hello = self._answer("its first line")
        self.commands = set(hello["commands"])
        self.compressions = hello["compressions"]
        self.acks = hello["acks"]
        self.idempotent = hello["idempotent"]
        self.sets_timestamps = hello.get("sets_timestamps", True)
        self.differs = hello.get("differs") or {}

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _answer(self, question):
        try:
            line = self.lines.get(timeout=ANSWER_TIMEOUT_S)
        except queue.Empty:
            raise Failure(f"no answer within {ANSWER_TIMEOUT_S} s to {question[:300]}") from None
        if line is None:
            raise Failure(f"the driver ended with {self.process.wait()} at {question[:300]}")
        return json.loads(line)

    def ask(self, request):
        question = json.dumps(request)
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self._answer(question)

    def close(self):
        """Whether the client ends by itself once nothing more is asked."""
        self.process.stdin.close()
        try:
            status = self.process.wait(ANSWER_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("the driver does not end") from None
        if status != 0:
            raise Failure(f"the driver ended with {status}")

    def kill(self):
        self.process.kill()
        self.process.wait()


class Client:
    """A driver, and a helper that does for it what it has no command for."""

    def __init__(self, driver, helper=None):
        self.driver = driver
        self.helper = helper

    def attempt(self, do, **rest):
        """The answer, which may be an error."""
        who = self.driver if do in self.driver.commands or self.helper is None else self.helper
        return who.ask({"do": do, **rest})

    def ask(self, do, **rest):
        answer = self.attempt(do, **rest)
        if answer.get("error", 0) != 0:
            raise Failure(f"{do} {str(rest)[:300]}: {answer}")
        return answer
