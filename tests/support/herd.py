#!/usr/bin/python3
"""A herd: many clients that connect at the same moment, in a process of its own.

usage: herd.py HOST PORT COUNT

Prints one line when all have their welcome or are refused, as JSON:
{"opened": seconds after the start of each, in order, "refused": how many were
closed or answered otherwise, "nodes": {node: clients}}.  Then it keeps the
connections, until its standard input ends.
"""
import json
import resource
import select
import socket
import sys
import time

import wsclient
import wsframe

DEADLINE = 60.0


class One:
    """A connection on its way to its welcome."""

    def __init__(self, address):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.request, self.key = wsclient.handshake_bytes(address)
        self.answer = b""
        self.parser = None
        try:
            self.sock.connect(address)
        except BlockingIOError:
            pass

    def write(self):
        """It is connected: ask for the upgrade."""
        self.sock.send(self.request)

    def read(self):
        """The node's name once the welcome is here; None: not yet."""
        data = self.sock.recv(1 << 16)
        if not data:
            raise ConnectionError
        if self.parser is None:
            self.answer += data
            head, end, data = self.answer.partition(b"\r\n\r\n")
            if not end:
                return None
            wsclient.check_upgrade(head, self.key, "clusterbus.v1")
            self.parser = wsframe.Parser()
        for _, payload in self.parser.feed(data):
            return json.loads(payload)["node"]
        return None


def run(address, count):
    """Connect all; what the line says, and the connections."""
    epoll = select.epoll()
    began = time.monotonic()
    waiting, kept, opened, refused, nodes = {}, [], [], 0, {}
    for _ in range(count):
        one = One(address)
        waiting[one.sock.fileno()] = one
        epoll.register(one.sock.fileno(), select.EPOLLOUT)
    while waiting and time.monotonic() < began + DEADLINE:
        for number, what in epoll.poll(0.1):
            one = waiting[number]
            try:
                if what & select.EPOLLOUT:
                    one.write()
                    epoll.modify(number, select.EPOLLIN)
                    continue
                node = one.read()
            except (OSError, wsclient.Refused):
                node = ""
            if node is None:
                continue
            epoll.unregister(number)
            kept.append(waiting.pop(number))
            if node:
                opened.append(time.monotonic() - began)
                nodes[node] = nodes.get(node, 0) + 1
            else:
                refused += 1
    return {"opened": opened, "refused": refused + len(waiting),
            "nodes": nodes}, kept


def main():
    """Do as the words say."""
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found, _kept = run((host, port), count)
    print(json.dumps(found), flush=True)
    sys.stdin.read()


main()
