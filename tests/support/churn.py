"""Clients that connect all the time and must never be turned away.

Each connects, asks for the upgrade, reads the welcome, sends a ping, waits for
its answer, leaves and begins anew.  A connection that is refused, reset or
closed before its welcome is a fault.  A worker that drains may close a client
after its welcome with 1001; that is counted, not a fault.
"""
import collections
import errno
import select
import socket
import time

import wsclient
import wsframe
from binary import PATIENCE

PUBLISH = wsframe.frame(
    wsframe.TEXT, b'{"op":"pub","topic":"churn","data":1,"id":1}')


class _Connection:
    """One attempt: connecting, upgrading, welcomed, published."""

    def __init__(self, address):
        self.began = time.monotonic()
        self.state = "connecting"
        self.input = b""
        self.parser = wsframe.Parser()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.request, self.key = wsclient.handshake_bytes(address)
        code = self.sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, "connect")


class Churn:
    """So many connections at any time, each living for a moment."""

    def __init__(self, address, count=200, deadline=5.0):
        self.address = address
        self.count = count
        self.deadline = deadline * PATIENCE
        self.epoll = select.epoll()
        self.open = {}
        self.faults = []
        self.drained = 0
        self.finished = 0
        self.slots = collections.Counter()

    def _begin(self):
        try:
            connection = _Connection(self.address)
        except OSError as error:
            self.faults.append("connect: %s" % error)
            return
        number = connection.sock.fileno()
        self.open[number] = connection
        self.epoll.register(number, select.EPOLLIN | select.EPOLLOUT)

    def _end(self, number, fault=None):
        connection = self.open.pop(number)
        self.epoll.unregister(number)
        connection.sock.close()
        if fault:
            self.faults.append("%s: %s" % (connection.state, fault))

    def _connected(self, number, connection):
        code = connection.sock.getsockopt(socket.SOL_SOCKET,
                                          socket.SO_ERROR)
        if code:
            self._end(number, errno.errorcode.get(code, code))
            return
        connection.state = "upgrading"
        connection.sock.send(connection.request)
        self.epoll.modify(number, select.EPOLLIN)

    def _frames(self, number, connection, data):
        for first, payload in connection.parser.feed(data):
            if first & 15 == wsframe.CLOSE:
                self.drained += 1
                self._end(number, None if connection.state == "published"
                          else "closed before its welcome: %r" % payload)
                return
            if connection.state == "upgraded":
                self.slots[wsclient.parse_message(payload)["node"]] += 1
                connection.state = "published"
                connection.sock.send(PUBLISH)
            elif payload.startswith(b'{"op":"ok"'):
                self.finished += 1
                self._end(number)
                return

    def _readable(self, number, connection):
        try:
            data = connection.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(number, error)
            return
        if not data:
            self._end(number, "end of file after %r" % connection.input[:80])
            return
        if connection.state != "upgrading":
            self._frames(number, connection, data)
            return
        connection.input += data
        if b"\r\n\r\n" not in connection.input:
            return
        head, rest = connection.input.split(b"\r\n\r\n", 1)
        try:
            wsclient.check_upgrade(head, connection.key, "clusterbus.v1")
        except wsclient.Refused as refused:
            self._end(number, refused)
            return
        connection.state = "upgraded"
        self._frames(number, connection, rest)

    def turn(self, timeout=0.01):
        """Keep the number of connections up and serve what is ready."""
        for _ in range(min(20, self.count - len(self.open))):
            self._begin()
        for number, _ in self.epoll.poll(timeout):
            connection = self.open.get(number)
            if connection is None:
                continue
            try:
                if connection.state == "connecting":
                    self._connected(number, connection)
                else:
                    self._readable(number, connection)
            except OSError as error:
                self._end(number, error)
        late = time.monotonic() - self.deadline
        for number in [n for n, c in self.open.items() if c.began < late]:
            self._end(number, "no answer within %.0f s" % self.deadline)

    def run_while(self, condition):
        """Turn as long as the condition holds."""
        while condition():
            self.turn()

    def close(self):
        """Everybody goes."""
        for number in list(self.open):
            self._end(number)
        self.epoll.close()
