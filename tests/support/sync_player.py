"""A driver alone, without a bus: data/app/sync_player.c, played by a test."""
import os
import queue
import subprocess
import threading
import time
import uuid

from application import BUILD, compile_program
from binary import PATIENCE, ROOT
from check import Failed, deadline_in

SOURCE = os.path.join(ROOT, "tests", "integration", "data", "app",
                      "sync_player.c")
SUBSCRIBE, PUBLISH, DELIVERY = 0, 1, 2

_program = None


def program():
    """Its path; compiled once."""
    global _program
    if _program is None:
        _program = compile_program(
            SOURCE, "-lev", "-ldl", "-Wl,--no-as-needed")
    return _program


class Player:
    """One driver in a process of its own; lines are lists of words."""

    def __init__(self, driver, url, channel="play", queue_max=1 << 20,
                 identity=None, env=None):
        self.id = identity or str(uuid.uuid4())
        self.process = subprocess.Popen(
            [program(), os.path.join(BUILD, "clusterbus-%s.so" % driver),
             url, channel, self.id, str(queue_max)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env=env)
        self.lines = queue.Queue()
        self.seen = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def next(self, timeout=10.0):
        """The next line; None: it has ended."""
        try:
            line = self.lines.get(timeout=timeout * PATIENCE)
        except queue.Empty:
            raise Failed("no line within %.1f s" % (
                timeout * PATIENCE)) from None
        if line is not None:
            self.seen.append(line)
        return line

    def wait(self, start, timeout=20.0):
        """The next line that begins like this."""
        end = deadline_in(timeout)
        while True:
            try:
                line = self.next(max(0.01, end - time.monotonic()))
            except Failed:
                line = ""
            if line is None or time.monotonic() > end:
                raise Failed("no %r among %r" % (start, self.seen[-20:]))
            if line.startswith(start):
                return line

    def ready(self):
        """Wait until it is subscribed."""
        self.wait("state 1")
        return self

    def say(self, text):
        """A command without an answer to wait for."""
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def publish(self, topic, text, count=1):
        """(the last return value, how many were taken)"""
        self.say("pub %d %s %s" % (count, topic, text))
        words = self.wait("published").split()
        return int(words[1]), int(words[2])

    def publish_bytes(self, topic, size, count=1):
        """The same with zero bytes."""
        self.say("bytes %d %s %d" % (count, topic, size))
        words = self.wait("published").split()
        return int(words[1]), int(words[2])

    def close(self, timeout_ms=1000):
        """The driver's close(); the seconds that it took."""
        began = time.monotonic()
        self.say("close %d" % timeout_ms)
        self.wait("closed")
        took = time.monotonic() - began
        self.finish()
        return took

    def finish(self):
        """End the process; it must not have died of anything."""
        self.process.stdin.close()
        code = self.process.wait(10 * PATIENCE)
        self.reader.join(5)
        self.process.stdout.close()
        while not self.lines.empty():
            self.seen.append(self.lines.get())
        if code not in (0, 2):
            raise Failed("exit %r: %r" % (code, self.seen[-20:]))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None and not self.process.stdin.closed:
            if kind is None:
                self.finish()
            else:
                print("# lines: %r" % (self.seen[-10:],))
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
