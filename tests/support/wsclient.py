"""A WebSocket client of our own, close to the bytes.

It can do everything that a polite client does (subscribe, publish, answer
pings, close) and everything that an impolite one does (raw bytes at any time,
frames that break the rules, never read).  Calls block, each with a deadline.
swarm.py drives hundreds of these clients at once.

The bus is believed in nothing: accept key, subprotocol, frame headers, UTF-8
and JSON of what it sends are checked.
"""
import base64
import collections
import hashlib
import json
import os
import socket
import struct
import time

import wsframe
from binary import PATIENCE
from check import deadline_in
from wsframe import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Closed(Exception):
    """The bus closed: code (None without a close frame) and reason."""

    def __init__(self, code, reason=""):
        super().__init__("closed: %s %s" % (code, reason))
        self.code = code
        self.reason = reason


class Refused(Exception):
    """No upgrade: the HTTP status (None: just closed) and the answer."""

    def __init__(self, status, answer=b""):
        super().__init__("no upgrade: %s %r" % (status, answer[:200]))
        self.status = status
        self.answer = answer


class Message(dict):
    """A JSON message that remembers its bytes."""

    raw = b""

    @property
    def data_text(self):
        """`data` byte for byte as it stands in the frame."""
        start = self.raw.index(b'"data":') + 7
        end = self.raw.rindex(b',"from":')
        return self.raw[start:end]


def parse_message(payload):
    """A Message from a text frame's payload."""
    message = Message(json.loads(payload.decode("utf-8")))
    message.raw = payload
    return message


def handshake_bytes(address, path="/", protocol="clusterbus.v1", headers=(),
                    key=None):
    """The request that asks for an upgrade: (bytes, key)."""
    key = key or base64.b64encode(os.urandom(16))
    lines = ["GET %s HTTP/1.1" % path, "Host: %s:%d" % address,
             "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Key: " + key.decode()]
    if protocol:
        lines.append("Sec-WebSocket-Protocol: " + protocol)
    lines += list(headers)
    return "\r\n".join(lines + ["", ""]).encode(), key


def check_upgrade(answer, key, protocol):
    """Check a 101 answer; returns the subprotocol that was chosen."""
    lines = answer.split(b"\r\n")
    status = lines[0].split(b" ")
    if len(status) < 2 or status[1] != b"101":
        raise Refused(int(status[1]) if len(status) > 1
                      and status[1].isdigit() else None, answer)
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        fields[name.strip().lower()] = value.strip()
    wanted = base64.b64encode(hashlib.sha1(key + GUID).digest())
    assert fields.get(b"sec-websocket-accept") == wanted, answer
    assert b"sec-websocket-extensions" not in fields, answer
    chosen = fields.get(b"sec-websocket-protocol", b"").decode()
    if chosen:
        assert chosen in [p.strip() for p in protocol.split(",")], answer
    return chosen


def dial(address, timeout=5.0, rcvbuf=None, source=None):
    """A TCP connection without any words yet."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    if rcvbuf:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    if source:
        sock.bind((source, 0))
    sock.settimeout(timeout * PATIENCE)
    sock.connect(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Client:
    """One connection, upgraded, its welcome read.

    welcome, conn, node and slot tell where it landed.  What was received and
    not asked for yet stands in inbox.
    """

    def __init__(self, address, path="/", protocol="clusterbus.v1",
                 headers=(), timeout=5.0, tls=None, rcvbuf=None, source=None,
                 welcome=True, answer_pings=True):
        self.parser = wsframe.Parser()
        self.frames = collections.deque()
        self.inbox = collections.deque()
        self.parts = None
        self.pings = 0
        self.next_id = 0
        self.answer_pings = answer_pings
        self.closed = None
        self.welcome = self.conn = self.node = None
        self.slot = self.generation = None
        self.sock = dial(address, timeout, rcvbuf, source)
        try:
            if tls is not None:
                self.sock = tls.wrap_socket(self.sock,
                                            server_hostname=address[0])
            self._upgrade(address, path, protocol, headers, timeout)
            if welcome:
                self._welcome(timeout)
        except BaseException:
            self.sock.close()
            raise

    def _upgrade(self, address, path, protocol, headers, timeout):
        request, key = handshake_bytes(address, path, protocol, headers)
        self.sock.sendall(request)
        self.sock.settimeout(timeout * PATIENCE)
        answer = b""
        while b"\r\n\r\n" not in answer:
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise Refused(None, answer)
            answer += data
        head, rest = answer.split(b"\r\n\r\n", 1)
        self.protocol = check_upgrade(head, key, protocol or "")
        self.frames.extend(self.parser.feed(rest))

    def _welcome(self, timeout):
        self.welcome = self.recv(timeout)
        assert self.welcome["op"] == "welcome", self.welcome
        self.conn, self.node = self.welcome["conn"], self.welcome["node"]
        _, slot, generation = self.node.split("-")
        self.slot, self.generation = int(slot), int(generation)

    # Sending

    def raw(self, data):
        """Bytes as they are."""
        self.sock.sendall(data)

    def send_frame(self, opcode, payload=b"", **more):
        """One frame; fin, rsv and mask as in wsframe.frame()."""
        self.raw(wsframe.frame(opcode, payload, **more))

    def send_text(self, text):
        """A text message, str or bytes."""
        self.send_frame(TEXT, text)

    def send(self, message):
        """A dict as a JSON text message."""
        self.send_text(json.dumps(message))

    def fragments(self, opcode, parts):
        """One message in so many frames."""
        for at, part in enumerate(parts):
            self.send_frame(opcode if at == 0 else CONTINUATION, part,
                            fin=at == len(parts) - 1)

    def publish_binary(self, topic, payload):
        """A binary publish: opcode 1, topic length, topic, payload."""
        name = topic.encode()
        self.send_frame(BINARY, bytes([1, len(name)]) + name + payload)

    def pub(self, topic, data, **more):
        """Publish without asking for an answer."""
        self.send(dict({"op": "pub", "topic": topic, "data": data}, **more))

    def pub_raw(self, topic, text, more=""):
        """Publish with data as this very text."""
        self.send_text('{"op":"pub","topic":%s,"data":%s%s}' % (
            json.dumps(topic), text, more))

    # Receiving

    def frame(self, timeout=5.0):
        """The next frame: (first byte, payload).  Closed at the end."""
        end = time.monotonic() + timeout
        while not self.frames:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no frame within %.1f s" % timeout)
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(1 << 18)
            except (ConnectionResetError, BrokenPipeError):
                data = b""
            if not data:
                self.closed = self.closed or Closed(None)
                raise self.closed
            self.frames.extend(self.parser.feed(data))
        return self.frames.popleft()

    def handle(self, first, payload):
        """One frame: a whole message (opcode, payload), or None yet."""
        opcode = first & 15
        if opcode == PING:
            self.pings += 1
            if self.answer_pings:
                self.send_frame(PONG, payload)
        elif opcode == CLOSE:
            if len(payload) == 1:
                raise wsframe.BadFrame("a close frame with half a code")
            code = struct.unpack("!H", payload[:2])[0] if payload else 1005
            self.closed = Closed(code, payload[2:].decode())
        elif opcode in (TEXT, BINARY) and first & FIN:
            assert self.parts is None, "a message inside a fragmented one"
            return opcode, payload
        elif opcode in (TEXT, BINARY):
            self.parts = [opcode, payload]
        elif opcode == CONTINUATION:
            self.parts.append(payload)
            if first & FIN:
                whole = self.parts
                self.parts = None
                return whole[0], b"".join(whole[1:])
        return None

    def message(self, timeout=5.0):
        """The next message: (opcode, payload); pings are answered."""
        end = time.monotonic() + timeout
        while True:
            whole = self.handle(*self.frame(max(0.0, end - time.monotonic())))
            if self.closed:
                try:
                    self.send_frame(CLOSE, wsframe.close_payload(
                        self.closed.code) if self.closed.code != 1005 else b"")
                except OSError:
                    pass
                raise self.closed
            if whole:
                return whole

    def recv(self, timeout=5.0):
        """The next JSON message, or the bytes of a binary one."""
        if self.inbox:
            return self.inbox.popleft()
        return self._receive(timeout * PATIENCE)

    def _receive(self, timeout):
        opcode, payload = self.message(timeout)
        return parse_message(payload) if opcode == TEXT else payload

    def wait_for(self, predicate, timeout=5.0):
        """The first message that the predicate likes; others are kept."""
        for message in self.inbox:
            if predicate(message):
                self.inbox.remove(message)
                return message
        end = deadline_in(timeout)
        while True:
            message = self._receive(max(0.0, end - time.monotonic()))
            if predicate(message):
                return message
            self.inbox.append(message)

    def ask(self, op, timeout=5.0, **fields):
        """Send a command with an id of its own; return the answer."""
        self.next_id += 1
        number = self.next_id
        self.send(dict({"op": op, "id": number}, **fields))
        return self.wait_for(lambda m: isinstance(m, dict)
                             and m.get("id") == number
                             and m["op"] in ("ok", "err", "pong"), timeout)

    def ok(self, op, timeout=5.0, **fields):
        """The same; the answer has to be ok."""
        answer = self.ask(op, timeout, **fields)
        assert answer["op"] in ("ok", "pong"), answer
        return answer

    def sub(self, topic, timeout=5.0):
        """Subscribe and wait for the acknowledgement."""
        return self.ok("sub", timeout, topic=topic)

    def unsub(self, topic, timeout=5.0):
        """The opposite."""
        return self.ok("unsub", timeout, topic=topic)

    def msg(self, topic, timeout=5.0):
        """The next publish on this topic."""
        return self.wait_for(lambda m: isinstance(m, dict)
                             and m.get("op") == "msg"
                             and m["topic"] == topic, timeout)

    def silent(self, duration=0.2):
        """Nothing may come for so long (pings and close are told)."""
        assert not self.inbox, list(self.inbox)
        try:
            message = self.message(duration)
        except TimeoutError:
            return
        raise AssertionError("got %r" % (message,))

    def alive(self, timeout=5.0):
        """Does the connection answer?"""
        self.ok("ping", timeout)
        return True

    def wait_closed(self, timeout=5.0):
        """Read until the bus closes; the Closed it did it with."""
        end = deadline_in(timeout)
        try:
            while True:
                self.message(max(0.0, end - time.monotonic()))
        except Closed as closed:
            return closed

    # Leaving

    def close(self, code=1000, timeout=5.0):
        """Close as one should; the code that came back."""
        self.send_frame(CLOSE, wsframe.close_payload(code))
        answer = self.wait_closed(timeout)
        self.sock.close()
        return answer.code

    def abort(self):
        """Gone without a word."""
        self.sock.close()
