#!/usr/bin/python3
"""Servers of crossws and hosts of ours on one Redis channel.

crossws, ioredis and node-redis are npm's packages as they are; the server is
data/crossws/redis_server.mjs.  It is asked in WebSocket's own words, since its
clients speak no protocol of ours.

timeout: 120
"""
import base64
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from application import BUILD
from bus import Bus
from check import Failed, equal, main, skip_all, test, wait_until
from redis_server import RedisServer
from wsclient import Client
from wsframe import BINARY, TEXT

PACKAGES = ["crossws", "ioredis", "redis"]
BIN = "clusterbus.v1.bin"
TOPIC = "room:1"

if not os.path.exists(os.path.join(BUILD, "clusterbus-redis.so")):
    skip_all("built without hiredis")
if shutil.which("node") is None or not all(
        os.path.isdir(os.path.join(HERE, "node_modules", package))
        for package in PACKAGES):
    skip_all("there is no node, or no npm packages (tests/deps.sh test)")


class Crossws:
    """One server, in a process of its own."""

    def __init__(self, redis, flavour):
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "data", "crossws", "redis_server.mjs"),
             redis.path, "my-app", flavour], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()
        if line[:1] != ["port"]:
            raise Failed("crossws: %r" % line)
        self.address = ("127.0.0.1", int(line[1]))

    def connect(self):
        """A client of it that is subscribed to the room."""
        client = Client(self.address, protocol="", welcome=False)
        equal(client.message(), (TEXT, b"welcome"))
        return client

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class Mixed:
    """A Redis, a host of ours, and two servers of crossws."""

    def __enter__(self):
        self.redis = RedisServer().__enter__()
        self.parts = [self.redis]
        try:
            self.bus = Bus(2, sync=self.redis.url, channel="my-app").__enter__()
            self.parts.append(self.bus)
            self.servers = []
            for flavour in ("ioredis", "node-redis"):
                self.servers.append(Crossws(self.redis, flavour))
                self.parts.append(self.servers[-1])
            wait_until(lambda: self.redis.subscribers("my-app") == 3, 20,
                       "all have subscribed")
        except BaseException:
            self.__exit__(RuntimeError, None, None)
            raise
        return self

    def __exit__(self, *what):
        while self.parts:
            self.parts.pop().__exit__(*what)

    def between_tests(self):
        """As a bus does it."""
        self.bus.between_tests()

    def show_log(self):
        """Of the bus."""
        self.bus.show_log()

    def everybody(self, **more):
        """A client of ours on each worker, subscribed; two of crossws."""
        ours = [self.bus.connect(slot, **more) for slot in range(2)]
        for client in ours:
            client.sub(TOPIC)
        return ours, [server.connect() for server in self.servers]


@test
def what_our_clients_publish_reaches_those_of_crossws(mixed):
    ours, theirs = mixed.everybody()
    for data, text in (({"a": [1, "\u00fc"]}, '{"a":[1,"\u00fc"]}'), (7, "7"),
                       ("hi", '"hi"'), (None, "null")):
        ours[0].pub_raw(TOPIC, text)
        for client in theirs:
            equal(client.message(), (TEXT, text.encode()))
        for client in ours:
            equal(client.msg(TOPIC)["data"], data)


@test
def what_those_of_crossws_publish_reaches_ours(mixed):
    ours, theirs = mixed.everybody()
    for sender, other in (theirs, theirs[::-1]):
        for text, data in (('{"a":1}', {"a": 1}), ("plain \U0001f600 text",
                           "plain \U0001f600 text"), ("", ""), ("1 2", "1 2")):
            sender.send_text(text)
            equal(other.message(), (TEXT, text.encode()))
            for client in ours:
                equal(client.msg(TOPIC)["data"], data)


@test
def bytes_pass_in_both_directions(mixed):
    ours, theirs = mixed.everybody(protocol=BIN)
    plain = mixed.bus.connect(1)
    plain.sub(TOPIC)
    head = bytes([2, len(TOPIC)]) + TOPIC.encode()
    for payload in (b"\0\1\2\xfb\xff", bytes(range(256)) * 20, b"x"):
        ours[0].publish_binary(TOPIC, payload)
        for client in theirs:
            equal(client.message(), (BINARY, payload))
        for client in ours:
            equal(client.message(), (BINARY, head + payload))
        theirs[0].send_frame(BINARY, payload)
        equal(theirs[1].message(), (BINARY, payload))
        for client in ours:
            equal(client.message(), (BINARY, head + payload))
        for _ in range(2):
            assert base64.b64encode(payload).decode() in str(
                plain.msg(TOPIC)), "as base64"


@test
def nobody_hears_a_message_twice_or_an_echo(mixed):
    ours, theirs = mixed.everybody()
    for number in range(50):
        ours[1].pub(TOPIC, number)
        for client in theirs:
            equal(client.message(), (TEXT, b"%d" % number))
    for number in range(50):
        theirs[1].send_text("%d" % number)
        equal(theirs[0].message(), (TEXT, b"%d" % number))
    for client in ours:
        equal([client.msg(TOPIC)["data"] for _ in range(100)],
              list(range(50)) * 2)
        client.silent()
    for client in theirs:
        client.silent()


main(Mixed())
