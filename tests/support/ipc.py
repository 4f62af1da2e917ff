"""The hub's side door: messages of src/wire/ipc_proto.h from Python.

A program that joins the bus at hub.sock, politely (Program) or not (dial and
raw bytes).  The numbers are typed here a second time on purpose: a change of
the wire that forgets its version has to fail a test.
"""
import json
import os
import socket
import struct
import time

from binary import PATIENCE
from check import deadline_in

VERSION = 4
WORKER, PROGRAM = 1, 2
NO_SLOT, NO_SECTION = 0xffff, 0xffffffff
TYPES = ["HELLO", "WELCOME", "REFUSED", "CONFIG", "APPLIED", "READY", "JOIN",
         "JOINED", "LEAVE", "PUBLISH", "DRAIN", "PING", "PONG", "REOPEN",
         "CONTRACT", "QUERY", "ANSWER", "QUERIED", "WANTED", "GONE",
         "FAULT", "LEAVING", "MOVE", "OFFER", "STEP", "GIVE"]
NUMBER = {name: number for number, name in enumerate(TYPES)}
HEADER = struct.Struct("=IHH")
NODE = struct.Struct("=IHH")
HELLO = struct.Struct("=IIIIIHHII")
PUBLISH = struct.Struct("=IHHQHHI")
QUERY = struct.Struct("=IHHII")
ANSWER = struct.Struct("=IIIHH")
QUERIED = struct.Struct("=IIIII")
ARGS = struct.Struct("=HHHHII")
BINARY, PUSH, TEXT = 1, 2, 4
KINDS = ["clients", "topics", "rooms", "users", "members", "count", "why",
         "kick", "room-add", "room-remove"]


def message(kind, body=b"", length=None):
    """Bytes of one message; length lies about the body's."""
    number = NUMBER[kind] if isinstance(kind, str) else kind
    return HEADER.pack(len(body) if length is None else length, number,
                       0) + body


def hello(version=VERSION, kind=PROGRAM, pid=None, fds=0, name=b"test"):
    """A HELLO's body."""
    return HELLO.pack(version, kind, os.getpid() if pid is None else pid,
                      fds, 0, NO_SLOT, 0, NO_SECTION, 0) + name


def publish(channel, payload, flags=0, seq=1, origin=(0, 0, 0)):
    """A PUBLISH's body; the hub must not believe the origin."""
    name = channel.encode()
    return PUBLISH.pack(*origin, seq, flags, len(name), 0) + name + payload


def query(token, kind, slot=NO_SLOT, timeout_ms=0, channel=b"", user=b"",
          conn=b"", text=b"", code=0, limit=0):
    """A QUERY's body."""
    return (QUERY.pack(token, KINDS.index(kind), slot, timeout_ms, 0) +
            ARGS.pack(len(channel), len(user), len(conn), len(text), code,
                      limit) + channel + user + conn + text)


class Gone(Exception):
    """The hub has closed the connection."""


class Link:
    """A connection to hub.sock."""

    def __init__(self, run_dir, timeout=5.0):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(timeout * PATIENCE)
        self.sock.connect(os.path.join(run_dir, "hub.sock"))
        self.buffer = b""

    def send(self, kind, body=b""):
        """One well-formed message."""
        self.sock.sendall(message(kind, body))

    def raw(self, data):
        """Bytes as they are; a closed connection is no error here."""
        try:
            self.sock.sendall(data)
        except OSError:
            pass

    def _need(self, count):
        while len(self.buffer) < count:
            try:
                data = self.sock.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                data = b""
            if not data:
                raise Gone()
            self.buffer += data

    def recv(self, timeout=5.0):
        """The next message: (type's name, body)."""
        self.sock.settimeout(timeout)
        self._need(HEADER.size)
        length, number, _ = HEADER.unpack(self.buffer[:HEADER.size])
        self._need(HEADER.size + length)
        body = self.buffer[HEADER.size:HEADER.size + length]
        self.buffer = self.buffer[HEADER.size + length:]
        return TYPES[number], body

    def wait(self, kind, timeout=5.0):
        """The body of the next message of this type."""
        end = deadline_in(timeout)
        while True:
            got, body = self.recv(max(0.01, end - time.monotonic()))
            if got == kind:
                return body

    def wait_gone(self, timeout=5.0):
        """Read until the hub closes; the types that came before."""
        seen = []
        try:
            while True:
                seen.append(self.recv(timeout)[0])
        except Gone:
            return seen

    def close(self):
        """Leave."""
        self.sock.close()


class Program(Link):
    """A program that has been welcomed."""

    def __init__(self, run_dir, name=b"test"):
        super().__init__(run_dir)
        self.send("HELLO", hello(name=name))
        body = self.wait("WELCOME")
        self.id = NODE.unpack(body[:NODE.size])
        self.send("READY")

    def join(self, channel):
        """Want a channel; returns when the hub knows."""
        self.send("JOIN", struct.pack("=I", 7) + channel.encode())
        assert struct.unpack("=I", self.wait("JOINED")) == (7,)

    def leave(self, channel):
        """Want it no longer."""
        self.send("LEAVE", channel.encode())

    def publish(self, channel, payload, flags=0, seq=1):
        """One envelope."""
        self.send("PUBLISH", publish(channel, payload, flags, seq))

    def envelope(self, timeout=5.0):
        """The next one that comes: (origin, channel, payload, flags)."""
        body = self.wait("PUBLISH", timeout)
        host, slot, generation, _seq, flags, length, _ = PUBLISH.unpack(
            body[:PUBLISH.size])
        rest = body[PUBLISH.size:]
        return ("%08x-%d-%d" % (host, slot, generation),
                rest[:length].decode(), rest[length:], flags)

    def ask(self, kind, timeout=5.0, **args):
        """Ask the workers: ([(node, line)], {"asked": .., ...})."""
        self.token = getattr(self, "token", 0) + 1
        self.send("QUERY", query(self.token, kind, **args))
        lines, end = [], deadline_in(timeout)
        while True:
            got, body = self.recv(max(0.01, end - time.monotonic()))
            if got == "ANSWER":
                token, _last, host, slot, generation = ANSWER.unpack(
                    body[:ANSWER.size])
                assert token == self.token
                node = "%08x-%d-%d" % (host, slot, generation)
                lines += [(node, json.loads(line))
                          for line in body[ANSWER.size:].splitlines()]
            elif got == "QUERIED":
                token, *counts = QUERIED.unpack(body)
                assert token == self.token
                return lines, dict(zip(("asked", "answered", "gone", "late"),
                                       counts))
