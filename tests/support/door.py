"""The Redis door, or a real server, seen as bytes.

A conversation sends a command and then one that nobody knows; its refusal is
the end of what the first one brought, however many answers that were.
"""
import os
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from binary import PATIENCE
from check import Failed


def command(*words):
    """A command as an array of strings."""
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Raw:
    """One connection to a path or an address."""

    def __init__(self, where, timeout=5.0):
        is_path = isinstance(where, str)
        self.sock = socket.socket(
            socket.AF_UNIX if is_path else socket.AF_INET)
        self.sock.settimeout(timeout * PATIENCE)
        self.sock.connect(where)
        self.left = b""
        self.number = 0

    def until(self, mark):
        """All bytes before the mark; the mark is taken, too."""
        while mark not in self.left:
            data = self.sock.recv(1 << 18)
            if not data:
                raise Failed("closed after %r" % self.left)
            self.left += data
        got, self.left = self.left.split(mark, 1)
        return got

    def expect(self, wanted):
        """These very bytes come next."""
        while len(self.left) < len(wanted):
            data = self.sock.recv(1 << 18)
            if not data:
                raise Failed("closed after %r" % self.left[:600])
            self.left += data
        got, self.left = (self.left[:len(wanted)], self.left[len(wanted):])
        if got != wanted:
            raise Failed("got %r, wanted %r" % (got[:600], wanted[:600]))

    def send(self, *words):
        """A command, without waiting."""
        self.sock.sendall(command(*words))

    def raw(self, data):
        """Bytes, and all that they bring."""
        self.number += 1
        name = b"end-%d" % self.number
        self.sock.sendall(data + command(name))
        return self.until(b"-ERR unknown command '%s', with args beginning "
                          b"with: \r\n" % name)

    def ask(self, *words):
        """A command, and all that it brings."""
        return self.raw(command(*words))

    def rest(self):
        """All bytes until the other end closes."""
        got = self.left
        while True:
            try:
                data = self.sock.recv(1 << 18)
            except ConnectionResetError:
                return got
            if not data:
                return got
            got += data

    def close(self):
        """Gone."""
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
