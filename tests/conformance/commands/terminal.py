"""A program in a terminal of its own, and somebody who types."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

TIMEOUT_S = 60


class Terminal:
    def __init__(self, command, environment, rows=24, columns=80, stdout=None):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.theirs = theirs
        self.before = termios.tcgetattr(theirs)
        self.seen = ""
        self.process = subprocess.Popen(command, stdin=theirs, stdout=stdout or theirs, stderr=theirs, env=environment, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.theirs)
        os.close(self.ours)

    def read(self, wait_s):
        while select.select([self.ours], [], [], wait_s)[0]:
            self.seen += os.read(self.ours, 1 << 16).decode(errors="replace")
            wait_s = 0

    def wait_for(self, text):
        deadline = time.monotonic() + TIMEOUT_S
        while text not in self.seen:
            is_over = time.monotonic() > deadline or self.process.poll() is not None
            # What it said last may be there only now.
            self.read(0.1)
            if is_over and text not in self.seen:
                raise RuntimeError(f"{text!r} never came: {self.seen[-2000:]!r}")

    def forget(self):
        self.read(0)
        self.seen = ""

    def type(self, text):
        os.write(self.ours, text.encode())

    def resize(self, rows, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        # The terminal is not its controlling one: the kernel tells nobody.
        self.process.send_signal(signal.SIGWINCH)

    def status(self):
        deadline = time.monotonic() + TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        self.read(0)
        return self.process.wait(1)

    def is_as_before(self):
        return termios.tcgetattr(self.theirs) == self.before
