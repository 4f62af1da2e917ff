"""Hundreds of clients in one thread.

The clients are wsclient.Client objects that have been connected one after the
other; the swarm reads them all, hands every whole message to a function, and
writes what is to be sent without ever blocking.  Time stamps are taken once
for each read, so a latency is never flattered by slow parsing.
"""
import select
import time

import wsframe
from binary import PATIENCE
from check import Failed, deadline_in
from wsframe import CLOSE, PING, PONG


class Swarm:
    """on_message(client, opcode, payload, now) is called for each message.

    A client that was closed has .closed set and its end in self.ended as
    (client, when).
    """

    def __init__(self, on_message, on_end=None):
        self.on_message = on_message
        self.on_end = on_end
        self.epoll = select.epoll()
        self.clients = {}
        self.output = {}
        self.ended = []

    def add(self, client):
        """Take over a connected client."""
        client.sock.setblocking(False)
        number = client.sock.fileno()
        self.clients[number] = client
        self.epoll.register(number, select.EPOLLIN)
        waiting = list(client.frames)
        client.frames.clear()
        self._take(client, waiting, time.monotonic())

    def release(self, client):
        """Give a client back to blocking calls."""
        number = client.sock.fileno()
        self.flush(client)
        self.epoll.unregister(number)
        del self.clients[number]
        client.sock.setblocking(True)

    def send(self, client, data):
        """Send these bytes, now or as soon as they fit."""
        waiting = self.output.get(client)
        if waiting is None:
            try:
                sent = client.sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return
            if sent == len(data):
                return
            self.output[client] = bytearray(data[sent:])
            self.epoll.modify(client.sock.fileno(),
                              select.EPOLLIN | select.EPOLLOUT)
        else:
            waiting += data

    def flush(self, client):
        """Write what waits for this client, as far as it goes."""
        waiting = self.output.get(client)
        if waiting is None:
            return
        try:
            del waiting[:client.sock.send(waiting)]
        except BlockingIOError:
            return
        except OSError:
            waiting.clear()
        if not waiting:
            del self.output[client]
            self.epoll.modify(client.sock.fileno(), select.EPOLLIN)

    def _end(self, number, client, now):
        self.epoll.unregister(number)
        del self.clients[number]
        self.output.pop(client, None)
        client.sock.close()
        self.ended.append((client, now))
        if self.on_end:
            self.on_end(client, now)

    def _take(self, client, frames, now):
        on_message = self.on_message
        for first, payload in frames:
            if first == 0x81 or first == 0x82:
                on_message(client, first & 15, payload, now)
                continue
            whole = self._control(client, first, payload)
            if whole:
                on_message(client, whole[0], whole[1], now)

    def _control(self, client, first, payload):
        if first & 15 == PING:
            client.pings += 1
            if client.answer_pings:
                self.send(client, wsframe.frame(PONG, payload))
            return None
        if first & 15 == CLOSE:
            client.handle(first, payload)
            self.send(client, wsframe.frame(CLOSE, payload[:2]))
            return None
        return client.handle(first, payload)

    def _read(self, number, client, now):
        try:
            data = client.sock.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take(client, client.parser.feed(data), now)
        else:
            self._end(number, client, now)

    def turn(self, timeout=0.0):
        """One round: wait at most so long, read and write what is ready."""
        events = self.epoll.poll(timeout)
        now = time.monotonic()
        for number, what in events:
            client = self.clients.get(number)
            if client is None:
                continue
            if what & select.EPOLLOUT:
                self.flush(client)
            if what & ~select.EPOLLOUT:
                self._read(number, client, now)
        return len(events)

    def run(self, until, deadline=30.0, what="", tick=0.02, each=None):
        """Turn until the condition holds; each() is called every turn."""
        end = deadline_in(deadline)
        while not until():
            if time.monotonic() > end:
                raise Failed("the swarm waited %.1f s for %s" % (
                    deadline * PATIENCE, what or "its condition"))
            if each:
                each()
            self.turn(tick)

    def run_for(self, duration, each=None, tick=0.005):
        """Turn for so many seconds."""
        end = time.monotonic() + duration
        while time.monotonic() < end:
            if each:
                each()
            self.turn(tick)

    def close(self):
        """Everybody leaves without a word."""
        for client in self.clients.values():
            client.sock.close()
        self.clients.clear()
        self.epoll.close()
