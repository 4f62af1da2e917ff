"""A C program attached to a bus (data/app/attached.c), driven from a test."""
import os
import queue
import subprocess
import threading

from application import compile_program
from binary import PATIENCE, ROOT
from check import Failed

SOURCE = os.path.join(ROOT, "tests", "integration", "data", "app",
                      "attached.c")
_program = None


class Attached:
    """One such program; use it in a `with`."""

    def __init__(self, bus, timeout=10.0):
        global _program
        _program = _program or compile_program(SOURCE)
        self.timeout = timeout
        self.kept = []
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            [_program, bus.run_dir], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=bus.env, text=True, bufsize=1)
        threading.Thread(target=self._read, daemon=True).start()
        self.id = self.wait("id")[0]

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def wait(self, word, timeout=None):
        """The rest of the next line that begins with word, in words."""
        for line in self.kept:
            if line.split(" ")[0] == word:
                self.kept.remove(line)
                return line.split(" ")[1:]
        while True:
            try:
                line = self.lines.get(
                    timeout=(timeout or self.timeout) * PATIENCE)
            except queue.Empty:
                raise Failed("no '%s' came; kept: %r" % (word, self.kept[-9:]))
            if line.split(" ")[0] == word:
                return line.split(" ")[1:]
            self.kept.append(line)

    def do(self, *words):
        """A command; what it returned."""
        self.process.stdin.write(" ".join(words) + "\n")
        return int(self.wait("ok")[0])

    def came(self):
        """All that has come so far and was not waited for."""
        while not self.lines.empty():
            self.kept.append(self.lines.get())
        came, self.kept = self.kept, []
        return came

    def close(self, deadline=15.0):
        """End of input: it detaches and exits with 0."""
        self.process.stdin.close()
        if self.process.wait(deadline * PATIENCE) != 0:
            raise Failed("exit status %d" % self.process.returncode)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.close()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
